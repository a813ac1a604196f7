"""Stop a job: at once while it waits, as soon as its worker hears of it while it runs."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import ids
from core.errors import InvalidState
from media.events import append_event
from media.models import Attempt, Job
from media.selectors import JobNotFound
from media.services.settle import end_job
from media.transitions import ATTEMPT, CANCELED, PROCESSING, TERMINAL


def cancel_job(*, account_id: UUID, public_id: str, now: datetime) -> None:
    """Ask for the end of a job of this account. Asking again changes nothing.

    A queued job is canceled and released here. A running one is only marked: it becomes canceled when its worker
    stops, completes or loses its lease.

    Raises:
        JobNotFound: malformed, unknown or another account's.
        InvalidState: it ended already in another way.
    """
    job_id = ids.decode(ids.JOB, public_id)
    with transaction.atomic(durable=True):
        job = Job.objects.select_for_update().filter(pk=job_id, account_id=account_id).first() if job_id else None
        if job is None:
            raise JobNotFound
        if job.status == CANCELED:
            return
        if job.status in TERMINAL:
            raise InvalidState(f"The job is already {job.status}.", details={"status": job.status})
        Job.objects.filter(pk=job.pk, cancel_requested_at=None).update(cancel_requested_at=now, updated_at=now)
        if job.status == PROCESSING:
            if job.cancel_requested_at is None:
                append_event(job_id=job.pk, type="cancel_requested", now=now)
            return
        job.cancel_requested_at = now  # as the callback shows it
        attempt = Attempt.objects.filter(job=job).latest("number")
        ATTEMPT.apply("cancel", Attempt.objects.filter(pk=attempt.pk), finished_at=now)
        end_job(job=job, attempt=attempt, transition="cancel", now=now)
