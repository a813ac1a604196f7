"""What the database and the bucket say when all is over, read without any of the platform's own code.

An auditor that used the audited code would inherit its mistakes: these are plain SELECTs and plain GETs.
"""

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import boto3
import psycopg
from botocore.config import Config
from botocore.exceptions import ClientError
from psycopg.rows import dict_row

from core import ids

Row = dict[str, Any]


@dataclass(frozen=True)
class Books:
    """One snapshot of everything."""

    jobs: dict[str, Row]
    """By public id: id, account_id, status, price_micros, callback_url, outputs."""
    attempts: dict[str, list[Row]]
    events: dict[str, list[Row]]
    transfers: dict[str, list[Row]]
    """Of each job, by its public id."""
    balances: dict[UUID, Row]
    """Each owner's figures: as materialised, and as its transfers add up."""
    revenue: int
    deliveries: dict[str, list[Row]]
    keys: list[Row]
    """Idempotency records: account_id, key, subject (the job's public id)."""
    objects: dict[str, tuple[int, str]]
    """Every output in the public bucket: key → length and SHA-256 of the bytes as they lie there."""


_TRANSFERS = """
SELECT split_part(reference, ':', 2)::uuid AS job_id, reference, leg, kind, amount
FROM billing_transfer WHERE reference LIKE 'job:%' ORDER BY reference, leg
"""
_BALANCES = """
SELECT b.owner_id, b.available, b.held, b.receivable, sums.available AS sum_available, sums.held AS sum_held
FROM billing_balance b JOIN (
    SELECT a.owner_id,
        COALESCE(SUM(CASE WHEN t.credit_id = a.id THEN t.amount ELSE -t.amount END)
                 FILTER (WHERE a.kind = 'available'), 0)::bigint AS available,
        COALESCE(SUM(CASE WHEN t.credit_id = a.id THEN t.amount ELSE -t.amount END)
                 FILTER (WHERE a.kind = 'held'), 0)::bigint AS held
    FROM billing_ledgeraccount a LEFT JOIN billing_transfer t ON a.id IN (t.credit_id, t.debit_id)
    WHERE a.owner_id IS NOT NULL GROUP BY a.owner_id
) sums USING (owner_id)
"""
_REVENUE = """
SELECT COALESCE(SUM(t.amount), 0)::bigint AS amount
FROM billing_transfer t JOIN billing_ledgeraccount a ON a.id = t.credit_id WHERE a.kind = 'revenue'
"""


def read_books(environment: Mapping[str, str]) -> Books:
    """Everything, from one database snapshot and one walk through the bucket."""
    with connect(environment) as database:
        database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        query = lambda sql: database.execute(sql).fetchall()  # noqa: E731
        jobs = query("SELECT id AS job_id, account_id, status, price_micros, callback_url, outputs FROM media_job")
        return Books(
            jobs={public(row["job_id"]): row for row in jobs},
            attempts=_by_job(query("SELECT id, job_id, number, status FROM media_attempt ORDER BY number")),
            events=_by_job(query("SELECT job_id, seq, type FROM media_jobevent ORDER BY seq")),
            transfers=_by_job(query(_TRANSFERS)),
            balances={row["owner_id"]: row for row in query(_BALANCES)},
            revenue=query(_REVENUE)[0]["amount"],
            deliveries=_by_job(query("SELECT id, subject_id AS job_id, status, tries FROM core_webhookdelivery")),
            keys=[
                {**row, "subject": public(row["subject_id"])}
                for row in query("SELECT account_id, key, subject_id FROM core_idempotencyrecord")
            ],
            objects=_objects(environment),
        )


def connect(environment: Mapping[str, str]) -> AbstractContextManager[psycopg.Connection[Row]]:
    """A connection of the auditor's own; leaving it commits."""
    return psycopg.connect(environment["DATABASE_URL"], row_factory=dict_row, connect_timeout=3)


def bucket(environment: Mapping[str, str]) -> Any:
    """The bucket as its owner sees it."""
    return boto3.client(
        "s3",
        endpoint_url=environment["S3_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=environment["S3_ACCESS_KEY"],
        aws_secret_access_key=environment["S3_SECRET_KEY"],
        config=Config(s3={"addressing_style": "path"}),
    )


def public(job_id: UUID) -> str:
    """A job's id as its client knows it."""
    return ids.encode(ids.JOB, job_id)


def _by_job(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(public(row["job_id"]), []).append(row)
    return found


def _objects(environment: Mapping[str, str]) -> dict[str, tuple[int, str]]:
    store, name = bucket(environment), environment["S3_PUBLIC_BUCKET"]
    found: dict[str, tuple[int, str]] = {}
    for page in store.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix="users/"):
        for entry in page.get("Contents", []):
            try:
                body = store.get_object(Bucket=name, Key=entry["Key"])["Body"].read()
            except ClientError:
                continue  # listed and not readable is as good as absent
            found[entry["Key"]] = (len(body), hashlib.sha256(body).hexdigest())
    return found
