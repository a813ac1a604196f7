"""What a job has left behind: its history and its transfers; and how to make a node look lost."""

from datetime import timedelta
from uuid import UUID

from billing.ledger.models import Transfer
from core import clock
from media.models import Attempt, Job, JobEvent


def events(job: Job) -> list[str]:
    """The types of a job's history, in order."""
    return list(JobEvent.objects.filter(job=job).order_by("seq").values_list("type", flat=True))


def kinds(job: Job) -> list[str]:
    """The transfers of a job's money, in order."""
    return list(
        Transfer.objects.filter(reference__startswith=f"job:{job.pk}:").order_by("id").values_list("kind", flat=True)
    )


def lose_lease(attempt_id: UUID) -> None:
    """Nothing was heard of the attempt's worker for too long."""
    Attempt.objects.filter(pk=attempt_id).update(lease_expires_at=clock.now() - timedelta(seconds=1))
