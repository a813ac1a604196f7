"""What clients send: to the platform with their keys, to the bare Django without. One stream of requests a client."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import psycopg

from core import ids
from deploy.bench.client import request

SUBMIT_PATH = "/api/v1/media/jobs"
NOOP = {"task": "diagnostic.noop", "input": {}}
_BODY = json.dumps(NOOP).encode()

JOBS_A_READER = 50
"""How many different jobs a reading client goes round in."""

Streams = list[list[bytes]]


def account_uuid(number: int) -> UUID:
    """The id of the bench's account of this number, one that pgbench can spell too."""
    return UUID(f"00000000-0000-7000-8000-{100_000_000_000 + number}")


def submit(key: str) -> bytes:
    """One no-op job for the account of this key."""
    return request("POST", SUBMIT_PATH, headers=_header(key), body=_BODY)


def submits(keys: Iterable[str]) -> Streams:
    """One client a key."""
    return [[submit(key)] for key in keys]


def bare_submits(accounts: Iterable[int]) -> Streams:
    """One client an account, at the floor."""
    return [[request("POST", f"/submit/{account}")] for account in accounts]


def reads(database: psycopg.Connection[tuple[Any, ...]], keys: list[str]) -> Streams:
    """Client n reads queued jobs of account n with its key."""
    return [
        [
            request("GET", f"{SUBMIT_PATH}?jobId={ids.encode(ids.JOB, job)}", headers=_header(key))
            for job in _queued_jobs(database, account)
        ]
        for account, key in enumerate(keys)
    ]


def bare_reads(database: psycopg.Connection[tuple[Any, ...]], clients: int) -> Streams:
    """Client n reads jobs of account n, at the floor."""
    return [
        [request("GET", f"/status/{account}/{job}") for job in _queued_jobs(database, account)]
        for account in range(clients)
    ]


def _header(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _queued_jobs(database: psycopg.Connection[tuple[Any, ...]], account: int) -> list[UUID]:
    rows = database.execute(
        "SELECT id FROM media_job WHERE account_id = %s AND status = 'queued' ORDER BY id DESC LIMIT %s",
        [account_uuid(account), JOBS_A_READER],
    ).fetchall()
    return [job for (job,) in rows]
