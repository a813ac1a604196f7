"""Accept an order: the job, its first attempt and its hold, or nothing."""

import secrets
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.recognition import SpendLimit
from billing.selectors import find_hold
from billing.services.place_hold import place_hold
from core.durability import commit_without_waiting, wait_until_durable
from core.errors import ApiError
from core.idempotency import services as idempotency
from core.rows import insert_together
from media import answers, buckets, keys
from media.events import FIRST
from media.models import Attempt, Job, JobEvent, JobInput
from media.orders import Order
from media.selectors import open_jobs
from media.sources import ResolvedSource
from media.transitions import ATTEMPT_READY, ATTEMPT_STAGING, QUEUED

IDEMPOTENCY_ROUTE = "POST media/jobs"
CREATED = 201
RETRY_SECONDS = 30
"""After this a client that has too many jobs may try again."""
MIN_RUN_LIMIT_SECONDS = 600
MAX_SEED = 2_147_483_647
"""As the contract has it, so that a client can send a drawn seed back where a task takes one."""


class TooManyJobs(ApiError):
    """The account has as many jobs waiting and running as it may have; submit again when some have ended."""

    code = "too_many_jobs"
    http_status = 429
    retryable = True


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """The answer of a submit and whether it was given before."""

    body: dict[str, Any]
    replayed: bool


def hold_reference(job_id: UUID) -> str:
    """The reference of a job's hold in the ledger."""
    return f"job:{job_id}:hold"


def submit_job(
    *,
    order: Order,
    key_id: UUID | None,
    limits: Sequence[SpendLimit] = (),
    callback_url: str,
    idempotency_key: idempotency.Key | None,
    now: datetime,
) -> Submitted:
    """Store the order as a queued job and hold its price, in one transaction, once per idempotency key.

    `limits` are the monthly spend limits that the asking key is under.

    Where submits of one account meet, the commit does not wait for the disk with the balance row locked; the answer
    still does. Inline inputs go to the bucket first, under the new job's own prefix; should the transaction fail, the
    bucket's lifecycle removes them.

    Raises:
        InsufficientBalance, AccountInDebt, SpendLimitExceeded: nothing was stored or held.
        TooManyJobs: the account has MEDIA_MOST_OPEN_JOBS that have not ended; nothing was stored or held.
        IdempotencyConflict: the key belongs to another request.
        StorageUnavailable: an inline input could not be stored.
    """
    if order.sources:  # before anything is sent to the bucket; the count that decides is below
        _require_room(order.account_id, besides=0)
    job = _job(order, key_id, callback_url, now)
    inputs = [
        _job_input(job, resolved, order.normalised.pinned.get(resolved.source.path, {}), now)
        for resolved in order.sources
    ]
    staging = any(stored.status == JobInput.PENDING for stored in inputs)
    attempt = new_attempt(
        job=job, number=1, pool=order.pool, status=ATTEMPT_STAGING if staging else ATTEMPT_READY, now=now
    )
    answer = answers.submit_answer(order, job)
    try:
        with _crowding(order.account_id) as crowded, transaction.atomic(durable=True):
            if crowded:
                commit_without_waiting()
            if idempotency_key is not None:
                idempotency.claim(key=idempotency_key, subject_id=job.pk, status=CREATED, body=answer, now=now)
            insert_together(job, attempt, JobEvent(job=job, seq=FIRST, type=QUEUED, at=now))
            if inputs:
                JobInput.objects.bulk_create(inputs)
            hold = place_hold(
                account_id=order.account_id,
                amount=job.price_micros,
                reference=hold_reference(job.pk),
                limits=limits,
            )
            # The balance is locked now: whoever submitted for this account before has committed or is rolled back.
            _require_room(order.account_id, besides=1)
    except IntegrityError:
        # Somebody else committed this idempotency key while we waited for it; anything else is a real error.
        replayed = replay(key=idempotency_key) if idempotency_key is not None else None
        if replayed is None:
            raise
        return replayed
    if crowded:
        wait_until_durable()
    return Submitted(body=answers.with_balance(answer, available_after=hold.available_after), replayed=False)


def replay(*, key: idempotency.Key) -> Submitted | None:
    """The stored answer of an earlier submit under this key, or None.

    Raises:
        IdempotencyConflict: the key belongs to another request.
    """
    record = idempotency.find(key=key)
    if record is None:
        return None
    hold = find_hold(reference=hold_reference(record.subject_id))
    if hold is None or record.body is None:
        raise LookupError(f"job {record.subject_id} has an idempotency record and no hold or answer")
    # Its commit may be seen before it is on disk, and an answer must not be.
    wait_until_durable()
    return Submitted(body=answers.with_balance(record.body, available_after=hold.available_after), replayed=True)


def _require_room(account_id: UUID, *, besides: int) -> None:
    """Let no more pass than the account may have open, `besides` of them its own.

    Raises:
        TooManyJobs: there is no room.
    """
    most = settings.MEDIA_MOST_OPEN_JOBS
    if open_jobs(account_id=account_id, most=most + 1) > most - 1 + besides:
        raise TooManyJobs(details={"limit": most}, retry_after=RETRY_SECONDS)


@contextmanager
def _crowding(account_id: UUID) -> Iterator[bool]:
    """Whether another submit of this account is under way in this process: then its balance row is hot."""
    with _counting:
        _under_way[account_id] += 1
        crowded = _under_way[account_id] > 1
    try:
        yield crowded
    finally:
        with _counting:
            _under_way[account_id] -= 1
            if not _under_way[account_id]:
                del _under_way[account_id]


_counting = threading.Lock()
_under_way: Counter[UUID] = Counter()


def new_attempt(*, job: Job, number: int, pool: str, status: str, now: datetime) -> Attempt:
    """An attempt of `job`, not yet saved."""
    return Attempt(
        job=job,
        account_id=job.account_id,
        number=number,
        task=job.task,
        pool=pool,
        status=status,
        created_at=now,
    )


def _job(order: Order, key_id: UUID | None, callback_url: str, now: datetime) -> Job:
    return Job(
        account_id=order.account_id,
        api_key_id=key_id,
        task=order.task.name,
        effective_input=order.normalised.effective_input,
        params=order.normalised.params.wire(),
        adjustments=[adjustment.wire() for adjustment in order.normalised.adjustments],
        seed=order.normalised.seed if order.normalised.seed is not None else 1 + secrets.randbelow(MAX_SEED),
        callback_url=callback_url,
        price_version_id=order.price_version.id,
        price_micros=order.price_micros,
        pricing_meta=order.pricing_meta,
        estimated_seconds=order.estimate.seconds,
        duration_meta=order.estimate.meta,
        run_limit_seconds=max(MIN_RUN_LIMIT_SECONDS, round(order.estimate.seconds * 20)),
        has_inputs=bool(order.sources),
        staged_input_count=order.staged_input_count,
        created_at=now,
        updated_at=now,
    )


def _job_input(job: Job, resolved: ResolvedSource, pinned: dict[str, str], now: datetime) -> JobInput:
    source = resolved.source
    stored = JobInput(job=job, field=source.field, index=source.index, path=source.path, kind=source.kind, due_at=now)
    if resolved.inline is not None:
        inline = resolved.inline
        stored.bucket = settings.S3_PRIVATE_BUCKET
        stored.key = keys.staging_prefix(account_id=job.account_id, job_id=job.pk) + inline.sha256
        stored.bytes, stored.sha256, stored.media_type = len(inline.body), inline.sha256, inline.media_type
        stored.status = JobInput.STORED
        buckets.put(
            bucket=stored.bucket, key=stored.key, body=inline.body, media_type=inline.media_type, sha256=inline.sha256
        )
    elif resolved.own_key is not None:
        stored.bucket, stored.key = settings.S3_PUBLIC_BUCKET, resolved.own_key
        stored.bytes, stored.media_type = resolved.own_bytes, resolved.own_media_type
        stored.status = JobInput.STORED
    else:
        stored.source_url = resolved.url or ""
        stored.pinned = pinned
        stored.status = JobInput.PENDING
    return stored
