"""The steward: each loop in one process at a time, woken at once, and no worse for what breaks."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from core.wake import wake_steward
from gateway.handlers import HANDLERS, MAILS
from gateway.steward import LOOPS, Loop, Steward
from tests.billing.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


class Duty:
    """Counts its rounds and tells when one has begun."""

    def __init__(self) -> None:
        self.rounds = 0
        self.began = threading.Semaphore(0)
        self.trouble: list[Exception] = []

    def __call__(self) -> int:
        self.rounds += 1
        self.began.release()
        if self.trouble:
            raise self.trouble.pop()
        return 0

    def wait(self, seconds: float = 10) -> bool:
        return self.began.acquire(timeout=seconds)


def loop(duty: Duty, *, name: str = "probe", interval: float = 60.0, woken: bool = True) -> Loop:
    return Loop(name=name, run=duty, interval=interval, woken=woken)


@contextmanager
def running(*loops: Loop) -> Iterator[Steward]:
    steward = Steward(loops)
    thread = threading.Thread(target=steward.run)
    thread.start()
    try:
        yield steward
    finally:
        steward.stop()
        thread.join(15)
        assert not thread.is_alive()


def until(condition: str, wanted: int = 1) -> None:
    """Return once that many sessions of this database fit the condition."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {condition}")
            if cursor.fetchone()[0] >= wanted:
                return
        time.sleep(0.01)
    raise AssertionError(condition)


def test_a_loop_runs_in_one_of_two_stewards_and_moves_when_that_one_stops() -> None:
    first, second = Duty(), Duty()
    with running(loop(first, interval=0.01)) as holder:
        assert first.wait()
        with running(loop(second, interval=0.01)):
            for _ in range(20):
                assert first.wait()
            assert second.rounds == 0
            holder.stop()
            assert second.wait()
            rounds = first.rounds
            for _ in range(20):
                assert second.wait()
            assert first.rounds == rounds


def test_different_loops_are_shared_between_stewards() -> None:
    one, two = Duty(), Duty()
    with running(loop(one, name="one", interval=0.01)), running(loop(two, name="two", interval=0.01)):
        assert one.wait()
        assert two.wait()


def test_a_wake_makes_its_loop_run_at_once_and_no_other() -> None:
    woken, another, deaf = Duty(), Duty(), Duty()
    with running(loop(woken, name="woken"), loop(another, name="another"), loop(deaf, name="deaf", woken=False)):
        assert all(duty.wait() for duty in (woken, another, deaf))
        until("query = 'LISTEN steward'")
        started = time.monotonic()
        race([lambda: wake_steward("woken")])
        assert woken.wait()
        assert time.monotonic() - started < 5  # of the 60 that it would have slept
        assert (another.rounds, deaf.rounds) == (1, 1)


def test_a_round_that_breaks_does_not_end_the_loop() -> None:
    duty = Duty()
    duty.trouble = [ZeroDivisionError("a defect")]
    with running(loop(duty, interval=0.01)):
        assert duty.wait()
        assert duty.wait()


def test_a_lost_connection_gives_the_lock_away_and_comes_back() -> None:
    duty = Duty()

    def round_() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return duty()

    with running(Loop(name="probe", run=round_, interval=0.01)):
        assert duty.wait()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE locktype = 'advisory' AND pid <> pg_backend_pid() AND datname = current_database()"
            )
            assert cursor.fetchone()[0] >= 1
        before = duty.rounds
        deadline = time.monotonic() + 15
        while duty.rounds < before + 5 and time.monotonic() < deadline:
            assert duty.wait()
        assert duty.rounds >= before + 5


def test_what_is_left_over_is_done_without_a_pause() -> None:
    done: list[int] = []
    finished = threading.Event()

    def round_() -> int:
        done.append(1)
        if len(done) == 5:
            finished.set()
        return 1 if len(done) < 5 else 0

    with running(Loop(name="probe", run=round_, interval=60.0)):
        assert finished.wait(10)


def test_the_duties_are_these() -> None:
    assert [(entry.name, entry.woken) for entry in LOOPS] == [
        ("outbox", True),
        ("mail", False),
        ("dispatcher", True),
        ("staging", True),
        ("webhooks", True),
        ("x402", True),
        ("payments", True),
        ("purchases", False),
        ("commissions", False),
        ("low-balances", False),
        ("reaper", False),
        ("run-times", False),
        ("retention", False),
        ("accounts", False),
        ("idempotency", False),
        ("provider-events", False),
    ]
    assert len({entry.name for entry in LOOPS}) == len(LOOPS)


def test_every_handler_of_the_table_is_run_by_one_of_the_two_loops() -> None:
    named = [handler for handlers in HANDLERS.values() for handler in handlers]
    assert set(MAILS) <= set(named)
