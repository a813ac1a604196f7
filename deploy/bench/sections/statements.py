"""The statement of an account with a million ledger entries: every kind of page, beside an account with a few."""

import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from core import ids
from deploy.bench import load, traffic
from deploy.bench.client import request
from deploy.bench.report import FIGURE_COLUMNS, Section, Table, Target, figure_cells, number
from deploy.bench.series import Contest
from deploy.bench.size import Size
from deploy.bench.stage import Database, Stage

PATH = "/api/v1/account/transactions"
LONG, SHORT = 94, 95
"""Accounts that no other section uses."""
ENTRIES_A_ROUND = 3
SHORT_ROUNDS = 200
VARIETY = 50
"""How many different cursors, jobs, … a client goes round in: no page is the one that was just read."""
MOST_MS = 50.0
CLIENTS = (1, 4)
_FILL = Path(__file__).with_suffix(".sql").read_text()
_BATCH = 50_000


def statements(stage: Stage, size: Size) -> Section:
    """Fill, then read; one client alone is judged."""
    rounds = size.statement_entries // ENTRIES_A_ROUND
    with stage.database() as connection:
        seconds = _fill(connection, {LONG: rounds, SHORT: SHORT_ROUNDS})
        entries = _count(connection, LONG)
        pages = _pages(connection, LONG)
    queries = {f"{name}, of {number(entries)} entries": (LONG, each) for name, each in pages.items()}
    queries["first page, of a short history"] = (SHORT, [{}])
    found = {
        clients: Contest(
            size.rounds,
            {
                name: partial(
                    load.run, stage.port, [_stream(stage.keys[account], each)] * clients, seconds=size.seconds / 2
                )
                for name, (account, each) in queries.items()
            },
        )
        for clients in CLIENTS
    }
    table = Table(
        title="Statements",
        columns=("", *FIGURE_COLUMNS),
        rows=[
            [f"{clients} {'client' if clients == 1 else 'clients'}, {name}", *figure_cells(one)]
            for clients, contest in found.items()
            for name, one in contest.medians().items()
        ],
        notes=[
            "Pages of 100 lines through the API with a key, in turn over "
            f"{VARIETY} different cursors, jobs or days where there are any. The fill took {seconds:.0f} s."
        ],
    )
    return Section(
        tables=[table],
        targets=[
            Target(name=f"statement, {name}, p95", measured=one.p95, wanted=MOST_MS, at_most=True, unit="ms")
            for name, one in found[1].medians().items()
            if name in queries and queries[name][0] == LONG
        ],
        figures={"entries": entries, **{str(clients): contest.medians() for clients, contest in found.items()}},
    )


def _stream(key: str, queries: list[dict[str, Any]]) -> list[bytes]:
    header = {"Authorization": f"Bearer {key}"}
    return [request("GET", f"{PATH}?{urlencode(query)}", headers=header) for query in queries]


def _pages(connection: Database, account: int) -> dict[str, list[dict[str, Any]]]:
    """The queries of each kind of page; what they name is spread evenly over the history."""
    picked = connection.execute(
        b"""
        WITH own AS (
            SELECT id FROM billing_ledgeraccount WHERE owner_id = %(account)s AND kind = 'available'
        ), numbered AS (
            SELECT t.id, split_part(t.reference, ':', 2)::uuid AS job, t.created_at AS at,
                row_number() OVER (ORDER BY t.id) AS number, count(*) OVER () AS count
            FROM billing_transfer t JOIN own ON own.id = t.debit_id WHERE t.kind = 'hold'
        )
        SELECT id, job, at FROM numbered
        WHERE number %% (count / (%(variety)s + 1)) = 0 ORDER BY id LIMIT %(variety)s
        """,
        {"account": traffic.account_uuid(account), "variety": VARIETY},
    ).fetchall()
    cursors = [ids.encode(ids.TRANSFER, transfer) for transfer, _, _ in picked]
    return {
        "first page": [{}],
        "deep page": [{"cursor": cursor} for cursor in cursors],
        "holds, deep": [{"kind": "hold", "cursor": cursor} for cursor in cursors],
        "deposits": [{"kind": "deposit"}],
        "deposits, deep": [{"kind": "deposit", "cursor": cursor} for cursor in cursors],
        "one job": [{"jobId": ids.encode(ids.JOB, job)} for _, job, _ in picked],
        "until a day": [{"before": at.isoformat()} for _, _, at in picked],
    }


def _fill(connection: Database, rounds: dict[int, int]) -> float:
    started = time.perf_counter()
    connection.execute(
        "INSERT INTO billing_ledgeraccount (owner_id, kind, bucket) VALUES (NULL, 'cash:bench', '')"
        " ON CONFLICT (owner_id, kind, bucket) DO NOTHING"
    )
    # The triggers would move balances by rounds that never were; the balances stay as they are.
    connection.execute("SET session_replication_role = replica")
    for account, count in rounds.items():
        for first in range(0, count, _BATCH):
            scope = {"account": traffic.account_uuid(account), "first": first, "last": min(first + _BATCH, count)}
            connection.execute(_FILL.encode(), scope)
    connection.execute("SET session_replication_role = origin")
    connection.execute("VACUUM (ANALYZE) billing_transfer")
    connection.execute("CHECKPOINT")
    return time.perf_counter() - started


def _count(connection: Database, account: int) -> int:
    row = connection.execute(
        b"""
        WITH own AS (SELECT array_agg(id) AS ids FROM billing_ledgeraccount WHERE owner_id = %s)
        SELECT count(*) FROM billing_transfer t CROSS JOIN own
        WHERE t.debit_id = ANY(own.ids) OR t.credit_id = ANY(own.ids)
        """,
        [traffic.account_uuid(account)],
    ).fetchone()
    assert row is not None
    return int(row[0])
