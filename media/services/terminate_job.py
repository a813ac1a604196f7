"""End a job now, whatever it does: by the operator, or because nobody will ever run it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from core.errors import InvalidState
from media.events import append_event
from media.models import Attempt, Job
from media.selectors import JobNotFound
from media.services.settle import end_job
from media.transitions import ATTEMPT, ATTEMPT_LIVE, OPEN, TERMINAL, TERMINATED

BY_OPERATOR = "ended_by_operator"
MESSAGE = "The operator ended this job."


def terminate_job(*, job_id: UUID, actor_id: UUID | None, reason: str, now: datetime) -> bool:
    """Terminate a waiting or running job: its hold is released, its callback sent, nothing billed.

    A worker that runs it is told to stop at its next report, and what it delivers afterwards is refused. The
    operator and the reason are kept in the job's history, for operators alone. False when it was terminated before.

    Raises:
        JobNotFound: there is no such job.
        InvalidState: it ended in another way.
        ValueError: `reason` is empty.
    """
    _require(reason)
    with transaction.atomic(durable=True):
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            raise JobNotFound
        if job.status == TERMINATED:
            return False
        if job.status in TERMINAL:
            raise InvalidState(f"The job is already {job.status}.", details={"status": job.status})
        _end_by_operator(job, actor_id, reason, now)
    return True


def terminate_open_jobs(*, account_id: UUID, actor_id: UUID | None, reason: str, limit: int, now: datetime) -> int:
    """Terminate up to `limit` waiting and running jobs of an account, the oldest first, as `terminate_job`; how many.

    In the caller's transaction. All of them are locked before the account's balance is: who settles one of them holds
    the job and waits for the balance.

    Raises:
        ValueError: `reason` is empty.
    """
    _require(reason)
    with transaction.atomic():
        mine = Job.objects.select_for_update().filter(account_id=account_id, status__in=OPEN).order_by("id")
        jobs = list(mine[:limit])
        for job in jobs:
            _end_by_operator(job, actor_id, reason, now)
    return len(jobs)


def end_now(*, job: Job, error_code: str, error_message: str, now: datetime) -> bool:
    """Terminate a job in the caller's transaction, which holds its row; False when it has ended otherwise."""
    attempt = Attempt.objects.filter(job=job).latest("number")
    ATTEMPT.apply("cancel", Attempt.objects.filter(pk=attempt.pk, status__in=ATTEMPT_LIVE), finished_at=now)
    return end_job(
        job=job, attempt=attempt, transition="terminate", now=now, error_code=error_code, error_message=error_message
    )


def _end_by_operator(job: Job, actor_id: UUID | None, reason: str, now: datetime) -> None:
    append_event(
        job_id=job.pk,
        type="terminate_asked",
        now=now,
        data={"actor": str(actor_id) if actor_id is not None else None, "reason": reason},
    )
    end_now(job=job, error_code=BY_OPERATOR, error_message=MESSAGE, now=now)


def _require(reason: str) -> None:
    if not reason.strip():
        raise ValueError("say why")
