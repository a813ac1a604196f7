"""Who is killed, and at which moment. Every strike either lands or says that it did not."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import redis

from deploy.chaos import books
from deploy.chaos.ambush import Ambush
from deploy.chaos.customer import Customer
from deploy.chaos.wire import When, Wire
from deploy.platform import Platform

LANDING_SECONDS = 40.0
"""How long an ambush waits for somebody to pass."""
RUSH, RUSH_EACH = 40, 3
"""Clients of a rush, and how many jobs each submits one after the other."""
RUSHES = 4
"""Submits at once."""


@dataclass(frozen=True)
class Strike:
    """A blow and its name; `deal` returns whether it landed."""

    name: str
    deal: Callable[[], bool]


class Strikes:
    """All that can happen to a platform."""

    def __init__(
        self,
        platform: Platform,
        *,
        wire: Wire,
        customer: Customer,
        long_job: Callable[[], None],
        staged_job: Callable[[], None],
        rush: Callable[[], Callable[[], int]],
        chance: random.Random,
    ) -> None:
        self._platform = platform
        self._wire = wire
        self._customer = customer
        self._long_job = long_job
        self._staged_job = staged_job
        self._rush = rush
        self._chance = chance
        self.wiped_at: list[datetime] = []
        self.kills: dict[str, int] = {}

    def worker(self) -> list[Strike]:
        """The media worker, at each step of a job that the control plane can tell apart."""
        return [
            Strike("media worker, claimed and the answer unheard", lambda: self._worker_at("claim", "after")),
            Strike("media worker, in the middle of a job", self._worker_mid_job),
            Strike("media worker, done and nothing uploaded", lambda: self._worker_at("uploads", "before")),
            Strike("media worker, between upload and complete", lambda: self._worker_at("complete", "before")),
            Strike("media worker, completed and the answer unheard", lambda: self._worker_at("complete", "after")),
        ]

    def steward(self) -> list[Strike]:
        """The steward, at each of its steps that leaves the database."""
        return [
            Strike("steward, callback read and the answer unheard", self._steward_at_callback),
            Strike("steward, half an input fetched", self._steward_at_staging),
            Strike("steward, attempt published and its message unsent", self._steward_at_dispatch),
            Strike("steward, in the transaction that settles for a lost worker", self._steward_at_reaping),
        ]

    def others(self) -> list[Strike]:
        """Everything else that runs."""
        return [
            Strike("web, in the transaction that completes a job", self._web_at_complete),
            Strike("Valkey, killed and wiped", self._wipe_broker),
            Strike("PostgreSQL, killed under a rush of submits", self._database_under_rush),
            Strike("SeaweedFS, killed", lambda: self._fell("seaweed")),
        ]

    def milder(self) -> list[Strike]:
        """What resembles one of the others and is easier to bear."""
        return [
            Strike("web, killed", lambda: self._fell("web")),
            Strike("PostgreSQL, killed", lambda: self._fell("postgres")),
            Strike("PostgreSQL, restarted", lambda: self._restart("postgres")),
            Strike("SeaweedFS, restarted", lambda: self._restart("seaweed")),
        ]

    @contextmanager
    def stewards_dying(self, *, shortest: float, longest: float) -> Iterator[None]:
        """Kill the steward again and again, after random times, while the block runs."""
        over = threading.Event()

        def keep_killing() -> None:
            while not over.wait(self._chance.uniform(shortest, longest)):
                self._fell("steward")

        thread = threading.Thread(target=keep_killing, name="steward-killer")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _fell(self, name: str) -> bool:
        self._kill(name)
        self._raise(name)
        return True

    def _kill(self, name: str) -> None:
        self._platform.processes[name].kill(stay_down=True)
        self.kills[name] = self.kills.get(name, 0) + 1

    def _raise(self, name: str) -> None:
        time.sleep(self._chance.uniform(0.1, 1.0))
        self._platform.processes[name].start()

    def _restart(self, name: str) -> bool:
        self._platform.processes[name].restart()
        self.kills[name] = self.kills.get(name, 0) + 1
        return True

    def _wipe_broker(self) -> bool:
        self._kill("valkey")
        self._platform.servers["valkey"].wipe()
        self.wiped_at.append(datetime.now(UTC))
        self._raise("valkey")
        return True

    def _database_under_rush(self) -> bool:
        """Some submits of the rush have their answer by then: what they were promised must be on disk.

        A rush may be over before the kill takes effect; then there is another.
        """
        for _ in range(RUSHES):
            answered = self._rush()
            if not self._soon(lambda: answered() >= 5, LANDING_SECONDS):  # noqa: B023 - called before the next round
                return False
            self._kill("postgres")
            under_way = answered() < RUSH * RUSH_EACH
            self._raise("postgres")
            if under_way:
                return True
        return False

    def _worker_at(self, verb: str, when: When) -> bool:
        ambush = self._wire.ambushes.lay((verb, when), lambda _: self._kill("media-worker"))
        landed = ambush.landed.wait(LANDING_SECONDS)
        self._wire.ambushes.lift((verb, when))
        if landed:
            self._raise("media-worker")
        return landed

    def _worker_mid_job(self) -> bool:
        self._long_job()
        return self._worker_at("progress", "after")

    def _steward_at_callback(self) -> bool:
        ambush = self._customer.ambushes.lay("callback", lambda _: self._kill("steward"))
        return self._await(ambush, lambda: self._customer.ambushes.lift("callback"))

    def _steward_at_staging(self) -> bool:
        ambush = self._customer.ambushes.lay("clip", lambda _: self._kill("steward"))
        self._staged_job()
        return self._await(ambush, lambda: self._customer.ambushes.lift("clip"))

    def _await(self, ambush: Ambush, lift: Callable[[], None]) -> bool:
        landed = ambush.landed.wait(LANDING_SECONDS)
        lift()
        if landed:
            self._raise("steward")
        return landed

    def _steward_at_dispatch(self) -> bool:
        """The broker takes no writes for a moment, so the steward stands between its mark and its message."""
        deadline = time.monotonic() + LANDING_SECONDS
        with redis.Redis.from_url(self._platform.environment["REDIS_URL"], socket_timeout=5) as broker:
            while time.monotonic() < deadline:
                mark = partial(self._marked_since, datetime.now(UTC))
                broker.execute_command("CLIENT", "PAUSE", 3000, "WRITE")
                try:
                    if self._soon(mark, 2.0):
                        self._kill("steward")
                        self._raise("steward")
                        return True
                finally:
                    broker.execute_command("CLIENT", "UNPAUSE")
        return False

    def _marked_since(self, moment: datetime) -> bool:
        found = "SELECT 1 FROM media_attempt WHERE status = 'published' AND published_at > %s LIMIT 1"
        with books.connect(self._platform.environment) as database:
            return database.execute(found, [moment]).fetchone() is not None

    def _steward_at_reaping(self) -> bool:
        """A worker dies between upload and complete; the steward that settles for it dies in its transaction."""
        stopped: list[bool] = []

        def strike(path: str) -> None:
            self._kill("media-worker")
            with self._held_up(_attempt_of(path)) as waits:
                stopped.append(self._soon(waits, LANDING_SECONDS))
                self._kill("steward")

        ambush = self._wire.ambushes.lay(("complete", "before"), strike)
        landed = ambush.landed.wait(2 * LANDING_SECONDS)
        self._wire.ambushes.lift(("complete", "before"))
        if landed:
            self._raise("media-worker")
            self._raise("steward")
        return landed and stopped == [True]

    def _web_at_complete(self) -> bool:
        """A worker's `complete` stands in its transaction when the process that serves it is killed."""
        stopped: list[bool] = []
        in_position = threading.Event()

        def strike(path: str) -> None:
            with self._held_up(_attempt_of(path)) as waits:
                in_position.set()
                stopped.append(self._soon(waits, 15))
                self._kill("web")

        ambush = self._wire.ambushes.lay(("complete", "beside"), strike, ready=in_position)
        landed = ambush.landed.wait(LANDING_SECONDS)
        self._wire.ambushes.lift(("complete", "beside"))
        if landed:
            self._raise("web")
        return landed and stopped == [True]

    @contextmanager
    def _held_up(self, attempt_id: UUID) -> Iterator[Callable[[], bool]]:
        """Whoever ends this attempt's job stands in the middle of the transaction: the next line of the job's history
        is being written by us, and never committed. Yields whether somebody stands there."""
        environment = self._platform.environment
        with books.connect(environment) as holder:
            # Without the foreign key's share lock on the job, which would stop them at the door already.
            holder.execute("SET session_replication_role = replica")
            holder.execute(
                "INSERT INTO media_jobevent (job_id, seq, type, data, at) "
                "SELECT job_id, max(seq) + 1, 'held_up', '{}', now() FROM media_jobevent "
                "WHERE job_id = (SELECT job_id FROM media_attempt WHERE id = %s) GROUP BY job_id",
                [attempt_id],
            )

            def waits() -> bool:
                found = "SELECT 1 FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid)) LIMIT 1"
                with books.connect(environment) as watcher:
                    return watcher.execute(found, [holder.info.backend_pid]).fetchone() is not None

            try:
                yield waits
            finally:
                holder.rollback()

    @staticmethod
    def _soon(happens: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if happens():
                return True
            time.sleep(0.02)
        return False


def _attempt_of(path: str) -> UUID:
    """The attempt that a worker's call is about."""
    return UUID(path.split("/")[-2])
