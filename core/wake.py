"""Wake the steward: it polls anyway, a notification only makes it sooner."""

from django.db import connection

CHANNEL = "steward"


def wake_steward() -> None:
    """Tell every steward that there is something to do.

    Its own statement, after the commit of what it announces: a NOTIFY inside a writing transaction would serialise
    every commit of the database.

    Raises:
        RuntimeError: called inside a transaction.
    """
    if connection.in_atomic_block:
        raise RuntimeError("wake_steward must run after the commit of what it announces")
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")
