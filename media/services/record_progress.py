"""A running attempt says how far it is."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Greatest

from media.models import Attempt
from media.services.attempts import LeaseLost, running_attempt
from media.transitions import ATTEMPT_CANCELED, ATTEMPT_RUNNING
from workers.protocol.claim import ProgressAnswer


def record_progress(
    *, attempt_id: UUID, node_id: str, delivery_id: UUID, fraction: float, phase: str, now: datetime
) -> ProgressAnswer:
    """Note the progress and extend the lease; tells the worker to stop when the job should.

    An attempt of this delivery whose job has been ended meanwhile is told to stop, too; nothing is noted of it.
    Past its run limit an attempt's lease is no longer extended: it runs out and the reaper ends the job.

    Raises:
        LeaseLost: this delivery no longer holds the attempt.
    """
    try:
        attempt = running_attempt(attempt_id=attempt_id, node_id=node_id, delivery_id=delivery_id, now=now)
    except LeaseLost:
        ended = Attempt.objects.filter(pk=attempt_id, node_id=node_id, delivery_id=delivery_id, status=ATTEMPT_CANCELED)
        if not ended.exists():
            raise
        return ProgressAnswer(cancel=True, lease_seconds=settings.MEDIA_LEASE_SECONDS)
    overdue = attempt.claimed_at is not None and now > attempt.claimed_at + timedelta(
        seconds=attempt.job.run_limit_seconds
    )
    stop = overdue or attempt.job.cancel_requested_at is not None
    held = Attempt.objects.filter(pk=attempt_id, delivery_id=delivery_id, status=ATTEMPT_RUNNING)
    changes = {"fraction": Greatest(F("fraction"), fraction), "phase": phase}
    if not overdue:
        changes["lease_expires_at"] = now + timedelta(seconds=settings.MEDIA_LEASE_SECONDS)
    if held.update(**changes) != 1:
        raise LeaseLost
    return ProgressAnswer(cancel=stop, lease_seconds=settings.MEDIA_LEASE_SECONDS)
