"""Commit first, wait for the disk afterwards: for transactions that queue for one row's lock.

A synchronous commit keeps its locks until its WAL is flushed, so one hot row takes one transaction a flush. Committed
asynchronously, the locks go at once; `wait_until_durable` then flushes the WAL up to here, together with everybody
else who waits. Nothing may be answered in between.
"""

from django.db import connection


def commit_without_waiting() -> None:
    """Let the current transaction release its locks before its WAL is on disk. Follow it by `wait_until_durable`.

    Raises:
        RuntimeError: there is no transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("commit_without_waiting belongs inside the transaction it is about")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")


def wait_until_durable() -> None:
    """Return once everything committed so far on this connection is on disk.

    A synchronous commit of an empty logical message: its WAL record lies behind ours, so its flush covers ours, and
    concurrent callers share one flush.

    Raises:
        RuntimeError: called inside a transaction, where it would flush nothing.
    """
    if connection.in_atomic_block:
        raise RuntimeError("wait_until_durable must follow the commit it waits for")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_logical_emit_message(true, 'flush', '')")
