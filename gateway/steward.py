"""The steward: every periodic and event-driven duty of the control plane, each loop under an advisory lock."""

import threading
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from django.db import InterfaceError, OperationalError, connection

from accounts import retention as accounts
from affiliates.services import commissions
from billing.services.notice_low_balances import notice_low_balances
from core import clock
from core.idempotency.services import forget_old
from core.outbox.services import handle_due
from core.wake import CHANNEL
from core.webhooks.delivery import deliver_due
from gateway import celery
from gateway.handlers import MAILS
from media import dispatcher, reaper, retention, run_times, staging
from payments.services import reconcile_x402
from payments.services.erase_purchases import forget_payloads
from payments.services.process_events import process_due_events
from payments.services.reconcile_due import reconcile_due

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Loop:
    """One duty."""

    name: str
    run: Callable[[], int]
    """Do what is due; how much was done. A full batch is followed by the next at once."""
    interval: float
    """Seconds between polls when nothing wakes it."""
    woken: bool = False
    """Whether a notification makes it run at once."""


LOOPS: Sequence[Loop] = (
    Loop(name="outbox", run=lambda: handle_due(limit=100, now=clock.now(), without=MAILS), interval=0.05, woken=True),
    Loop(name="mail", run=lambda: handle_due(limit=100, now=clock.now(), only=MAILS), interval=0.2),
    Loop(
        name="dispatcher",
        run=lambda: dispatcher.dispatch(publish=celery.publish, now=clock.now()),
        interval=0.05,
        woken=True,
    ),
    Loop(name="staging", run=lambda: staging.stage_due(limit=8, now=clock.now()), interval=0.05, woken=True),
    Loop(name="webhooks", run=lambda: deliver_due(limit=32, now=clock.now()), interval=0.1, woken=True),
    Loop(name="x402", run=lambda: reconcile_x402.reconcile_due(limit=20, now=clock.now()), interval=1.0, woken=True),
    Loop(name="payments", run=lambda: process_due_events(limit=50, now=clock.now()), interval=0.5, woken=True),
    Loop(name="purchases", run=lambda: reconcile_due(limit=50, now=clock.now()), interval=5.0),
    Loop(name="commissions", run=lambda: commissions.mature_due(limit=100, now=clock.now()), interval=60.0),
    Loop(name="low-balances", run=lambda: notice_low_balances(now=clock.now()), interval=5.0),
    Loop(name="reaper", run=lambda: reaper.reap(now=clock.now()), interval=1.0),
    Loop(name="run-times", run=run_times.count_finished, interval=5.0),
    Loop(name="retention", run=lambda: retention.sweep(now=clock.now()), interval=60.0),
    Loop(name="accounts", run=lambda: accounts.sweep(now=clock.now()), interval=300.0),
    Loop(name="idempotency", run=lambda: forget_old(now=clock.now()), interval=300.0),
    Loop(name="provider-events", run=lambda: forget_payloads(limit=500, now=clock.now()), interval=3600.0),
)


class Steward:
    """Runs loops in threads until stopped. Several are safe: a loop runs only where its lock is held."""

    def __init__(self, loops: Sequence[Loop]) -> None:
        self._loops = loops
        self._stop = threading.Event()
        self._wakes = {loop.name: threading.Event() for loop in loops if loop.woken}

    def run(self) -> None:
        """Block until `stop` is called; every loop finishes its round first."""
        threads = [threading.Thread(target=self._drive, args=(loop,), name=loop.name) for loop in self._loops]
        threads.append(threading.Thread(target=self._listen, name="listen"))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stop(self) -> None:
        """Ask every loop to end."""
        self._stop.set()
        self._wake_all()

    def _wake_all(self) -> None:
        for wake in self._wakes.values():
            wake.set()

    def _drive(self, loop: Loop) -> None:
        locked = False
        while not self._stop.is_set():
            pause = loop.interval
            try:
                locked = locked or _try_lock(loop.name)
                if not locked:
                    pause = max(loop.interval, 1.0)
                elif loop.run() > 0:
                    pause = 0.0
            except (OperationalError, InterfaceError) as error:
                # The lock went with the connection: another steward may hold it by now.
                _log.warning("steward_database_away", loop=loop.name, error=str(error).splitlines()[0])
                locked, pause = False, 0.5
                connection.close()
            except Exception:
                _log.exception("steward_loop_failed", loop=loop.name)
                pause = max(loop.interval, 1.0)
            if pause:
                self._wait(loop, pause)
        connection.close()

    def _wait(self, loop: Loop, seconds: float) -> None:
        wake = self._wakes.get(loop.name)
        if wake is None:
            self._stop.wait(seconds)
        else:
            wake.wait(seconds)
            wake.clear()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                connection.ensure_connection()
                with connection.cursor() as cursor:
                    cursor.execute(f"LISTEN {CHANNEL}")
                while not self._stop.is_set():
                    for notice in connection.connection.notifies(timeout=0.5, stop_after=1):
                        wake = self._wakes.get(notice.payload)
                        if wake is not None:
                            wake.set()
            except Exception as error:
                _log.warning("steward_listen_lost", error=str(error).splitlines()[0] if str(error) else repr(error))
                connection.close()
                time.sleep(0.5)
        connection.close()


def _try_lock(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [zlib.crc32(f"steward:{name}".encode())])
        return bool(cursor.fetchone()[0])
