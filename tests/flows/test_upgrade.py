"""A database of the release before payments, with people, money and jobs, comes up by `migrate`, all rows whole."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core import ids
from deploy.backup.installation import Installation

BEFORE = {"core": "0003", "accounts": "0003", "billing": "0003", "media": "0003"}
OLD_TABLES = ("accounts_user", "billing_ledgeraccount", "billing_balance", "billing_transfer", "media_job")


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Installation]:
    """An installation of that release on the tests' server."""
    server, name = os.environ["DATABASE_URL"].rpartition("/")[0], f"old_{ids.new().hex[-8:]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        made = Installation({**os.environ, "DATABASE_URL": f"{server}/{name}"}, tmp_path)
        for app, number in BEFORE.items():
            manage(made, "migrate", app, number)
        yield made
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def manage(installation: Installation, *arguments: str) -> str:
    done = installation.manage(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def insert(connection: psycopg.Connection[Any], table: str, **given: Any) -> None:
    """A row; what is not given and may not be null is the empty value of its type."""
    columns = connection.execute(
        "SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = %s AND is_nullable = 'NO'"
        " AND column_default IS NULL AND is_identity = 'NO'",
        [table],
    ).fetchall()
    empty = {
        "text": "",
        "varchar": "",
        "jsonb": "{}",
        "bool": False,
        "timestamptz": "2026-10-01T00:00:00Z",
        "uuid": ids.new(),
    }
    row = {name: empty.get(kind, 0) for name, kind in columns} | given
    marks = ", ".join(["%s"] * len(row))
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})".encode(), list(row.values()))


def fill(installation: Installation) -> None:
    """$5 credited by hand, a job that was charged, one that waits."""
    user, done, waiting = ids.new(), ids.new(), ids.new()
    with psycopg.connect(installation.database) as connection:
        insert(connection, "accounts_user", id=user, email="old@example.com", is_active=True)
        for kind in ("available", "held", "receivable"):
            insert(connection, "billing_ledgeraccount", owner_id=user, kind=kind, bucket="prepaid")
        for kind in ("revenue", "cash:stripe"):
            insert(connection, "billing_ledgeraccount", owner_id=None, kind=kind, bucket="")
        connection.execute("INSERT INTO billing_balance (owner_id, bucket) VALUES (%s, 'prepaid')", [user])
        accounts = dict(connection.execute("SELECT kind, id FROM billing_ledgeraccount").fetchall())
        for reference, kind, debit, credit, amount in (
            ("by hand", "deposit", "cash:stripe", "available", 5_000_000),
            (f"job:{done}:hold", "hold", "available", "held", 40_000),
            (f"job:{done}:settle", "capture", "held", "revenue", 40_000),
            (f"job:{waiting}:hold", "hold", "available", "held", 30_000),
        ):
            connection.execute(
                "INSERT INTO billing_transfer (reference, leg, kind, debit_id, credit_id, amount)"
                " VALUES (%s, 0, %s, %s, %s, %s)",
                [reference, kind, accounts[debit], accounts[credit], amount],
            )
        for job, status, price in ((done, "completed", 40_000), (waiting, "queued", 30_000)):
            insert(
                connection, "media_job", id=job, account_id=user, task="image.generate", status=status,
                price_micros=price, adjustments="[]", outputs="[]",
            )  # fmt: skip


def rows(installation: Installation) -> dict[str, list[dict[str, Any]]]:
    with psycopg.connect(installation.database) as connection:
        return {
            table: [row for (row,) in connection.execute(f"SELECT to_jsonb(t) FROM {table} t ORDER BY id".encode())]
            for table in OLD_TABLES
        }


@pytest.mark.timeout(400)
def test_the_release_before_payments_comes_up(old: Installation) -> None:
    fill(old)
    before = rows(old)
    manage(old, "migrate")
    after = rows(old)
    for table, kept in before.items():
        assert len(after[table]) == len(kept) > 0
        for was, now in zip(kept, after[table], strict=True):
            assert {name: now[name] for name in was} == was
    assert "agree with the ledger" in manage(old, "audit")
    assert (after["billing_balance"][0]["available"], after["billing_balance"][0]["held"]) == (4_930_000, 30_000)
    with psycopg.connect(old.database) as connection:
        assert connection.execute("SELECT count(*) FROM payments_package").fetchone() == (4,)
