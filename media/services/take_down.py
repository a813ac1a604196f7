"""Take what a job made down: the files at once, the record of it for good."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from core.errors import InvalidState
from media.events import append_event
from media.models import Job, TakeDown
from media.retention import sweep_job
from media.selectors import JobNotFound
from media.transitions import TERMINAL


class StillOpen(InvalidState):
    """The job has not ended; terminate it first."""


def take_down(*, job_id: UUID, actor_id: UUID | None, reason: str, now: datetime) -> int:
    """Record that the job's files are taken down and delete them from the buckets; how many there were.

    From the commit on no answer names their URLs. A second call deletes again what may be left and records nothing.
    What is billed stays billed. Copies that clients or caches in front of the bucket have made are out of reach.

    Raises:
        JobNotFound: there is no such job; nothing was recorded.
        StillOpen: it still waits or runs; nothing was recorded.
        StorageUnavailable: it is recorded, and the files are deleted by the next sweep that reaches the bucket.
        ValueError: `reason` is empty.
    """
    if not reason.strip():
        raise ValueError("say why")
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            raise JobNotFound
        if job.status not in TERMINAL:
            raise StillOpen(details={"status": job.status})
        if job.taken_down_at is None:
            TakeDown.objects.create(job=job, actor_id=actor_id, reason=reason, at=now)
            append_event(job_id=job.pk, type="taken_down", now=now)
            Job.objects.filter(pk=job.pk).update(taken_down_at=now, sweep_asked_at=now, swept_at=None, updated_at=now)
    return sweep_job(job=job, now=now)
