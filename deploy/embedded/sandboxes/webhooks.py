"""Deliveries of signed events: at once, then again with growing pauses until a 2xx answers; kept across restarts."""

import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from deploy.embedded.sandboxes.store import Store

RETRY_PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 3600.0)
"""Seconds from one try to the next; after the last the delivery is given up."""
TIMEOUT_SECONDS = 10.0
AT_ONCE = 8
"""Deliveries of one provider that run beside each other."""
_TLS = ssl.create_default_context()  # reading the system's certificates takes longer than all else at a start

Target = str | Callable[[bytes, Mapping[str, str]], int]
"""Where events go: a URL, or a function of body and headers that returns the status of its answer."""
Message = tuple[bytes, dict[str, str]]
"""The bytes of an event and its headers, signed for now."""


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one target."""

    id: int
    event: str
    target: int
    state: str
    """pending, delivered or given_up."""
    tries: int
    due_at: float
    last_result: str
    """The last try's status, or why there was none."""


class Webhooks:
    """The deliveries of one provider. Any thread may call.

    `message(event)` makes the bytes and headers of an event; it is asked at each try, since signatures carry the time.
    """

    def __init__(
        self,
        *,
        provider: str,
        store: Store,
        targets: Sequence[Target],
        message: Callable[[str], Message],
        pauses: Sequence[float] = RETRY_PAUSES,
    ) -> None:
        self.targets = list(targets)
        self._provider = provider
        self._store = store
        self._message = message
        self._pauses = pauses
        self._changed = threading.Condition()
        self._held = False
        self._ending = False
        self._running: set[int] = set()
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, verify=_TLS)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"{provider}-webhook")
        self._thread = threading.Thread(target=self._run, name=f"{provider}-webhooks", daemon=True)

    def start(self) -> None:
        """Begin to deliver, what an earlier run left over first."""
        self._thread.start()

    def stop(self) -> None:
        """End; a running try ends first, what is pending stays pending."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown()
        self._client.close()

    def enqueue(self, event: str) -> None:
        """Have an event delivered to every target; called in the transaction that makes the event."""
        for target in range(len(self.targets)):
            self._store.rows(
                "INSERT INTO deliveries (provider, event, target, state, tries, due_at, last_result)"
                " VALUES (?, ?, ?, 'pending', 0, ?, '')",
                self._provider,
                event,
                target,
                time.time(),
            )
        self._store.after_commit(self._wake)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def hold(self) -> None:
        """Deliver nothing until `release`; a try that runs already ends."""
        with self._changed:
            self._held = True
            self._changed.wait_for(lambda: not self._running, TIMEOUT_SECONDS)

    def release(self) -> None:
        """Deliver again."""
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def deliver_again(self, event: str, times: int = 1) -> None:
        """Deliver an event `times` more, whatever became of it before."""
        with self._store.transaction():
            for _ in range(times):
                self.enqueue(event)

    def message(self, event: str) -> Message:
        """The bytes and headers of an event, signed for now: for a test that posts them itself."""
        return self._message(event)

    def deliveries(self, event: str | None = None) -> list[Delivery]:
        """All deliveries (of one event), oldest first."""
        found = self._store.rows(
            "SELECT id, event, target, state, tries, due_at, last_result FROM deliveries"
            " WHERE provider = ? AND (? IS NULL OR event = ?) ORDER BY id",
            self._provider,
            event,
            event,
        )
        return [Delivery(*row) for row in found]

    def wait(self, event: str | None = None, *, timeout: float = 10) -> None:
        """Return once every delivery (of this event) has ended.

        Raises:
            TimeoutError: some are still pending; they are named.
        """
        self._wait_until(lambda: all(one.state != "pending" for one in self.deliveries(event)), event, timeout)

    def wait_for_tries(self, event: str, tries: int, *, timeout: float = 10) -> None:
        """Return once this event was tried so often, over all of its deliveries.

        Raises:
            TimeoutError: it was tried less.
        """
        self._wait_until(lambda: sum(one.tries for one in self.deliveries(event)) >= tries, event, timeout)

    def _wait_until(self, done: Callable[[], bool], event: str | None, timeout: float) -> None:
        with self._changed:
            if not self._changed.wait_for(done, timeout):
                pending = [one for one in self.deliveries(event) if one.state == "pending"]
                raise TimeoutError(f"still pending after {timeout:g} s: {pending}")

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._ending:
                    return
                due = [] if self._held else self._due()
                for delivery in due:
                    self._running.add(delivery.id)
                    self._pool.submit(self._try, delivery)
                self._changed.wait(self._pause())

    def _due(self) -> list[Delivery]:
        found = self._store.rows(
            "SELECT id, event, target, state, tries, due_at, last_result FROM deliveries"
            " WHERE provider = ? AND state = 'pending' AND due_at <= ? ORDER BY due_at, id LIMIT 100",
            self._provider,
            time.time(),
        )
        return [delivery for delivery in (Delivery(*row) for row in found) if delivery.id not in self._running]

    def _pause(self) -> float:
        """Seconds until the next pending delivery is due; someone wakes us when there is a new one."""
        if self._held:
            return 3600
        found = self._store.rows(
            "SELECT id, due_at FROM deliveries WHERE provider = ? AND state = 'pending' ORDER BY due_at LIMIT 200",
            self._provider,
        )
        nexts = [due_at for id, due_at in found if id not in self._running]
        return max(0.0, min(nexts) - time.time()) if nexts else 3600

    def _try(self, delivery: Delivery) -> None:
        try:
            status = self._send(delivery)
            good, result = 200 <= status < 300, str(status)
        except Exception as error:  # whatever the target did, this delivery is tried again
            good, result = False, f"{type(error).__name__}: {error}"
        tries = delivery.tries + 1
        given_up = tries > len(self._pauses)
        state = "delivered" if good else "given_up" if given_up else "pending"
        due_at = time.time() + (0 if state != "pending" else self._pauses[tries - 1])
        self._store.rows(
            "UPDATE deliveries SET state = ?, tries = ?, due_at = ?, last_result = ? WHERE id = ?",
            state,
            tries,
            due_at,
            result[:500],
            delivery.id,
        )
        with self._changed:
            self._running.discard(delivery.id)
            self._changed.notify_all()

    def _send(self, delivery: Delivery) -> int:
        if delivery.target >= len(self.targets):
            raise LookupError("this target is no longer set")
        target = self.targets[delivery.target]
        body, headers = self._message(delivery.event)
        if isinstance(target, str):
            return self._client.post(target, content=body, headers=headers).status_code
        return target(body, headers)
