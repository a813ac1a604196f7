"""Reads of the media room."""

import time
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Count

from core import ids, rows
from core.errors import NotFound
from media.models import Attempt, Job
from media.transitions import ATTEMPT_LIVE, ATTEMPT_READY, ATTEMPT_STAGING, JOB_STATUSES, QUEUED

SNAPSHOT_SECONDS = 1.0
SNAPSHOT_LENGTH = 5000
_OPEN_JOBS = """
SELECT count(*) FROM (
    SELECT FROM media_job WHERE account_id = %s AND status IN ('queued', 'processing') LIMIT %s
) open
"""
"""The statuses as they are in the index, so that a prepared statement can use it."""


class JobNotFound(NotFound):
    """There is no such job, or it belongs to another account."""


def latest_attempt(*, account_id: UUID, public_id: str) -> Attempt:
    """The latest attempt of an account's job, with the job: one query.

    Raises:
        JobNotFound: malformed, unknown or another account's.
    """
    job_id = ids.decode(ids.JOB, public_id)
    attempt = _read_latest(job_id, account_id) if job_id is not None else None
    if attempt is None:
        raise JobNotFound
    return attempt


def attempt_with_job(*, attempt_id: UUID) -> Attempt | None:
    """The attempt with its job: one query that Django does not compile."""
    return _read("attempt.id = %s", [attempt_id])


def _read_latest(job_id: UUID, account_id: UUID) -> Attempt | None:
    return _read(
        "attempt.job_id = %s AND attempt.account_id = %s ORDER BY attempt.number DESC LIMIT 1", [job_id, account_id]
    )


def _read(condition: str, parameters: list[UUID]) -> Attempt | None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {rows.select_list(Attempt, 'attempt')}, {rows.select_list(Job, 'job')} "  # noqa: S608 - columns
            f"FROM media_attempt attempt JOIN media_job job ON job.id = attempt.job_id WHERE {condition}",
            parameters,
        )
        row = cursor.fetchone()
    if row is None:
        return None
    attempt = rows.load(Attempt, row[: rows.width(Attempt)])
    attempt.job = rows.load(Job, row[rows.width(Attempt) :])
    return attempt


def list_jobs(
    *,
    account_id: UUID,
    task: str | None,
    status: str | None,
    before: datetime | None,
    after: datetime | None,
    cursor: UUID | None,
    limit: int,
) -> list[Attempt]:
    """The account's jobs, newest first, each as its latest attempt."""
    jobs = Job.objects.filter(account_id=account_id).order_by("-id")
    if task:
        jobs = jobs.filter(task=task)
    if status in JOB_STATUSES:
        jobs = jobs.filter(status=status)
    if before:
        jobs = jobs.filter(created_at__lt=before)
    if after:
        jobs = jobs.filter(created_at__gt=after)
    if cursor:
        jobs = jobs.filter(id__lt=cursor)
    page = list(jobs[:limit].values_list("pk", flat=True))
    return list(
        Attempt.objects.select_related("job").filter(job_id__in=page).order_by("-job_id", "-number").distinct("job_id")
    )


def queue_position(*, attempt: Attempt) -> int | None:
    """How many attempts of its pool go before this one, plus one; None when it does not wait.

    Read from a snapshot of the pool that is at most SNAPSHOT_SECONDS old, not counted per poll.
    """
    if attempt.job.status != QUEUED or attempt.status not in {ATTEMPT_READY, ATTEMPT_STAGING}:
        return None
    waiting = _snapshot(attempt.pool)
    return waiting.get(attempt.pk, len(waiting) + 1)


def open_jobs(*, account_id: UUID, most: int) -> int:
    """How many jobs of the account wait or run, counted up to `most`."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_JOBS, [account_id, most])
        return int(cursor.fetchone()[0])


def live_attempts() -> list[tuple[str, str, int]]:
    """How many attempts of each pool are in each live status: (pool, status, count)."""
    return list(
        Attempt.objects.filter(status__in=ATTEMPT_LIVE).values_list("pool", "status").annotate(count=Count("*"))
    )


_snapshots: dict[str, tuple[float, dict[UUID, int]]] = {}


def _snapshot(pool: str) -> dict[UUID, int]:
    taken = _snapshots.get(pool)
    if taken is None or taken[0] < time.monotonic():
        waiting = (
            Attempt.objects.filter(pool=pool, status=ATTEMPT_READY)
            .order_by("-priority", "id")
            .values_list("pk", flat=True)[:SNAPSHOT_LENGTH]
        )
        taken = time.monotonic() + SNAPSHOT_SECONDS, {pk: place for place, pk in enumerate(waiting, start=1)}
        _snapshots[pool] = taken
    return taken[1]
