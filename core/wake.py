"""Wake the steward: it polls anyway, a notification only makes it sooner."""

import time

from django.db import connection

CHANNEL = "steward"
QUIET_SECONDS = 0.01

_told: dict[str, float] = {}
"""Loop → when this process woke it last (monotonic)."""


def wake_steward(*loops: str) -> None:
    """Tell every steward that these loops have something to do.

    Its own statement, after the commit of what it announces: a NOTIFY inside a writing transaction would serialise
    every commit of the database. A loop that this process woke a moment ago is awake: it is not told again.

    Raises:
        RuntimeError: called inside a transaction.
    """
    if connection.in_atomic_block:
        raise RuntimeError("wake_steward must run after the commit of what it announces")
    now = time.monotonic()
    for loop in loops:
        if now - _told.get(loop, 0.0) < QUIET_SECONDS:
            continue
        _told[loop] = now
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}, '{loop}'")
