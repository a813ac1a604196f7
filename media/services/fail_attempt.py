"""An attempt ends without outputs: try again on the same hold, or end the job."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from media.events import append_event
from media.models import Attempt, Job
from media.services.attempts import LeaseLost
from media.services.settle import end_job
from media.services.submit_job import new_attempt
from media.transitions import ATTEMPT, ATTEMPT_READY, JOB, TERMINAL

MAX_ATTEMPTS = 3


def fail_attempt(
    *,
    attempt_id: UUID,
    node_id: str,
    delivery_id: UUID,
    canceled: bool,
    code: str,
    message: str,
    retryable: bool,
    now: datetime,
) -> None:
    """The worker gave up, or stopped because it was told to.

    Reporting the same end again changes nothing.

    Raises:
        LeaseLost: the attempt is not this delivery's.
    """
    with transaction.atomic(durable=True):
        attempt = Attempt.objects.filter(pk=attempt_id, node_id=node_id, delivery_id=delivery_id).first()
        if attempt is None:
            raise LeaseLost
        job = Job.objects.select_for_update().get(pk=attempt.job_id)
        if canceled and job.cancel_requested_at is None:
            # Told to stop by a run limit, or by its operator's shutdown: the work may go on elsewhere.
            code, message, retryable = "worker_stopped", "The worker stopped before the job was done.", True
        conclude_failure(job=job, attempt=attempt, code=code, message=message, retryable=retryable, now=now)


def conclude_failure(*, job: Job, attempt: Attempt, code: str, message: str, retryable: bool, now: datetime) -> bool:
    """End `attempt` in the caller's transaction, which holds the job's row, and decide what becomes of the job.

    A job whose end was asked for is canceled; a retryable failure makes a new attempt on the same hold while there
    are attempts and run time left; otherwise the job fails and is released. False when the attempt was over already.
    """
    canceled = job.cancel_requested_at is not None
    moved = ATTEMPT.apply(
        "cancel" if canceled else "fail",
        Attempt.objects.filter(pk=attempt.pk),
        finished_at=now,
        error_code=code,
        error_message=message,
    )
    if not moved or job.status in TERMINAL:
        return False
    if canceled:
        end_job(job=job, attempt=attempt, transition="cancel", now=now)
    elif _is_overdue(job, attempt, now):
        end_job(
            job=job,
            attempt=attempt,
            transition="terminate",
            now=now,
            error_code="deadline",
            error_message=f"The job ran longer than its limit of {job.run_limit_seconds} s.",
        )
    elif retryable and attempt.number < MAX_ATTEMPTS:
        JOB.apply("retry", Job.objects.filter(pk=job.pk), updated_at=now)
        again = new_attempt(job=job, number=attempt.number + 1, pool=attempt.pool, status=ATTEMPT_READY, now=now)
        again.save(force_insert=True)
        append_event(job_id=job.pk, type="retry", now=now, data={"attempt": attempt.number, "code": code})
    else:
        end_job(job=job, attempt=attempt, transition="fail", now=now, error_code=code, error_message=message)
    return True


def _is_overdue(job: Job, attempt: Attempt, now: datetime) -> bool:
    return attempt.claimed_at is not None and (now - attempt.claimed_at).total_seconds() > job.run_limit_seconds
