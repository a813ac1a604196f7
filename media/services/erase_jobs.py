"""A deleted account's jobs: what they were asked goes, what they cost stays."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from media.models import Job, JobInput


def erase_jobs(*, account_id: UUID, after: UUID | None, limit: int, now: datetime) -> UUID | None:
    """Erase up to `limit` jobs, in the order of their ids; the last one's id where there may be more, else None.

    Inputs, parameters, results, messages and addresses are blanked, and the next sweep deletes the files. Task,
    price, times and the history stay. Erasing again changes nothing.
    """
    jobs = Job.objects.filter(account_id=account_id).order_by("id")
    if after is not None:
        jobs = jobs.filter(id__gt=after)
    found = list(jobs.values_list("pk", flat=True)[:limit])
    with transaction.atomic():
        these = Job.objects.filter(pk__in=found)
        these.filter(swept_at=None, sweep_asked_at=None).update(sweep_asked_at=now)
        these.update(
            effective_input={},
            params={},
            adjustments=[],
            result={},
            outputs=[],
            callback_url="",
            error_message="",
        )
        JobInput.objects.filter(job_id__in=found).update(source_url="", pinned={})
    return found[-1] if len(found) == limit else None
