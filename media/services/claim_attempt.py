"""A worker takes an attempt."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from media import buckets
from media.events import append_event
from media.models import Attempt, Job, JobInput, Node
from media.selectors import attempt_with_job
from media.services.attempts import AttemptGone, LeaseLost
from media.transitions import ATTEMPT, ATTEMPT_LIVE, ATTEMPT_PUBLISHED, ATTEMPT_RUNNING, JOB
from workers.protocol.claim import Claim, StagedFile


def claim_attempt(*, attempt_id: UUID, node: Node, delivery_id: UUID, now: datetime) -> Claim:
    """Give the attempt to this delivery: compare-and-set `published → running` and `queued → processing`.

    The same delivery gets the same answer again while it holds the lease.

    Raises:
        LeaseLost: another delivery has it, or it waits for nobody.
        AttemptGone: the attempt is over, or not for this node's pools.
    """
    attempt = _find(attempt_id, node)
    if attempt.status != ATTEMPT_PUBLISHED or not _take(attempt, node, delivery_id, now):
        # It has moved, perhaps by this very delivery sent twice: what it is by now decides.
        attempt = _find(attempt_id, node)
        _require_holder(attempt, node, delivery_id, now)
    return _answer(attempt)


def _find(attempt_id: UUID, node: Node) -> Attempt:
    attempt = attempt_with_job(attempt_id=attempt_id)
    if attempt is None or attempt.pool not in node.pools:
        raise AttemptGone
    return attempt


def _take(attempt: Attempt, node: Node, delivery_id: UUID, now: datetime) -> bool:
    job = attempt.job
    with transaction.atomic(durable=True):
        # Job before attempt, as everywhere: cancel and the reaper lock in the same order.
        started = JOB.apply(
            "start", Job.objects.filter(pk=job.pk, cancel_requested_at=None), started_at=now, updated_at=now
        )
        claimed = started and ATTEMPT.apply(
            "claim",
            Attempt.objects.filter(pk=attempt.pk),
            node_id=node.pk,
            delivery_id=delivery_id,
            claimed_at=now,
            lease_expires_at=now + timedelta(seconds=settings.MEDIA_LEASE_SECONDS),
        )
        if not claimed:
            transaction.set_rollback(True)
            return False
        append_event(job_id=job.pk, type="started", now=now, data={"attempt": attempt.number, "node": node.pk})
        return True


def _require_holder(attempt: Attempt, node: Node, delivery_id: UUID, now: datetime) -> None:
    if attempt.status not in ATTEMPT_LIVE:
        raise AttemptGone
    holder = (attempt.status, attempt.node_id, attempt.delivery_id)
    expires = attempt.lease_expires_at
    if holder != (ATTEMPT_RUNNING, node.pk, delivery_id) or expires is None or expires <= now:
        raise LeaseLost


def _answer(attempt: Attempt) -> Claim:
    job = attempt.job
    files = (
        [
            StagedFile(
                field=stored.field,
                index=stored.index,
                url=buckets.presign_get(bucket=stored.bucket, key=stored.key),
                bytes=stored.bytes,
                sha256=stored.sha256 or None,
                media_type=stored.media_type,
            )
            for stored in JobInput.objects.filter(job=job).order_by("field", "index")
        ]
        if job.has_inputs
        else []
    )
    return Claim(
        attempt_id=attempt.pk,
        job_id=job.pk,
        task=job.task,
        pool=attempt.pool,
        params=job.params,
        seed=job.seed,
        files=files,
        lease_seconds=settings.MEDIA_LEASE_SECONDS,
    )
