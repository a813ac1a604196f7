"""What nobody else will finish: lost leases, jobs that waited too long."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from pydantic import ValidationError

from core.errors import ApiError, Unavailable
from media import buckets, keys
from media.models import Attempt, Job
from media.services.complete_attempt import complete_attempt
from media.services.fail_attempt import conclude_failure
from media.services.terminate_job import end_now
from media.transitions import ATTEMPT_RUNNING, QUEUED
from workers.protocol.result import SignedResult

BATCH = 100
MAX_REAPER_FAILURES = 5
MAX_RESULT_BYTES = 1_000_000
_log = structlog.get_logger(__name__)


def reap(*, now: datetime) -> int:
    """End or retry every attempt whose lease ran out and every job that waited past the limit; how many.

    What cannot be decided now is not counted: it is looked at again in the next round.
    """
    lost = list(
        Attempt.objects.filter(status=ATTEMPT_RUNNING, lease_expires_at__lt=now).order_by("lease_expires_at")[:BATCH]
    )
    decided = sum(_guarded(partial(_reap_attempt, attempt, now)) for attempt in lost)
    stale = list(
        Job.objects.filter(
            status=QUEUED, updated_at__lt=now - timedelta(hours=settings.MEDIA_WAIT_LIMIT_HOURS)
        ).values_list("pk", flat=True)[:BATCH]
    )
    decided += sum(_guarded(partial(_end_waiting, job_id, now)) for job_id in stale)
    return decided


def _guarded(decide: Callable[[], bool]) -> bool:
    """`decide`, so that a defect with one attempt does not keep the reaper from the others."""
    try:
        return decide()
    except (OperationalError, InterfaceError):
        raise  # the database is away, and the loop's lock with it
    except Exception:
        _log.exception("reaping_broke")
        return False


def _reap_attempt(attempt: Attempt, now: datetime) -> bool:
    """A stored result goes the way of every completion; without one the node is lost. Whether it was decided."""
    try:
        signed = _stored_result(attempt)
        if signed is not None:
            complete_attempt(attempt_id=attempt.pk, signed=signed, now=now)
            return True
        code, message = "node_lost", "The worker stopped answering."
    except Unavailable:
        return False  # the bucket is away: the job waits for it, nothing is decided without looking
    except ApiError as error:
        code, message = "result_refused", f"The worker's stored result was refused: {error.message}"
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        _log.exception("reaper_failed", attempt_id=str(attempt.pk))
        Attempt.objects.filter(pk=attempt.pk).update(reaper_failures=F("reaper_failures") + 1)
        if attempt.reaper_failures + 1 < MAX_REAPER_FAILURES:
            return False
        code, message = "completion_failed", f"The job's outputs could not be accepted ({type(error).__name__})."
    with transaction.atomic(durable=True):
        job = Job.objects.select_for_update().get(pk=attempt.job_id)
        conclude_failure(
            job=job, attempt=attempt, code=code, message=message, retryable=code != "completion_failed", now=now
        )
    return True


def _stored_result(attempt: Attempt) -> SignedResult | None:
    body = buckets.get(
        bucket=settings.S3_PRIVATE_BUCKET, key=keys.result_key(attempt_id=attempt.pk), max_bytes=MAX_RESULT_BYTES
    )
    if body is None:
        return None
    try:
        return SignedResult.model_validate_json(body)
    except ValidationError:
        return None


def _end_waiting(job_id: UUID, now: datetime) -> bool:
    with transaction.atomic(durable=True):
        job = Job.objects.select_for_update().get(pk=job_id)
        if job.status != QUEUED:
            return False
        end_now(
            job=job,
            error_code="waited_too_long",
            error_message=f"No worker was free within {settings.MEDIA_WAIT_LIMIT_HOURS} hours.",
            now=now,
        )
    return True
