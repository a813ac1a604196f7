"""Threads that really race, each on a database connection of its own."""

import time
from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from typing import Any

from django.db import connection

Outcome = tuple[Any, BaseException | None]


def race(calls: Sequence[Callable[[], Any]]) -> list[Outcome]:
    """Run every call in its own thread from one starting line; what each returned or raised, in order."""
    line = Barrier(len(calls))
    outcomes: list[Outcome] = [(None, None)] * len(calls)

    def run(number: int, call: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            line.wait(timeout=30)
            outcomes[number] = (call(), None)
        except BaseException as error:
            outcomes[number] = (None, error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(number, call)) for number, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    return outcomes


def results(outcomes: Sequence[Outcome]) -> list[Any]:
    """What the calls returned; the first thing that one of them raised is raised again."""
    for _, error in outcomes:
        if error is not None:
            raise error
    return [result for result, _ in outcomes]


def wait_until_blocked(statements: int = 1) -> None:
    """Return once that many statements in this database wait for a lock."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0] >= statements:
                return
        time.sleep(0.005)
    raise AssertionError("nothing waits for a lock")
