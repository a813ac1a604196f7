"""The answer waits for the disk even where the commit does not."""

import pytest
from django.db import connection, transaction

from core.durability import commit_without_waiting, wait_until_durable

pytestmark = pytest.mark.django_db(transaction=True)


def _ask(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return str(cursor.fetchone()[0])


def test_only_the_transaction_that_asks_commits_without_waiting() -> None:
    with transaction.atomic(durable=True):
        commit_without_waiting()
        assert _ask("SHOW synchronous_commit") == "off"
    assert _ask("SHOW synchronous_commit") == "on"


def test_after_waiting_the_commit_is_on_disk() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE durability (n int)")
    try:
        with transaction.atomic(durable=True):
            commit_without_waiting()
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO durability VALUES (1)")
        committed = _ask("SELECT pg_current_wal_insert_lsn()")
        wait_until_durable()
        assert _ask(f"SELECT pg_current_wal_flush_lsn() >= '{committed}'::pg_lsn") == "True"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE durability")


def test_neither_is_called_on_the_wrong_side_of_the_commit() -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        commit_without_waiting()
    with transaction.atomic(durable=True), pytest.raises(RuntimeError, match="must follow the commit"):
        wait_until_durable()
