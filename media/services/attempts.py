"""Who may speak for a running attempt."""

from datetime import datetime
from uuid import UUID

from core import clock
from core.errors import ApiError
from media.models import Attempt
from media.transitions import ATTEMPT_RUNNING


class LeaseLost(ApiError):
    """This delivery does not hold the attempt's lease: it ran out, was taken, or the job has ended."""

    code = "lease_lost"
    http_status = 409


class AttemptGone(ApiError):
    """There is nothing to run: the attempt is over or its job has ended."""

    code = "gone"
    http_status = 410


def running_attempt(*, attempt_id: UUID, node_id: str, delivery_id: UUID, now: datetime | None = None) -> Attempt:
    """The attempt with its job, while this node's delivery holds its lease.

    Raises:
        LeaseLost: it does not.
    """
    attempt = (
        Attempt.objects.select_related("job")
        .filter(
            pk=attempt_id,
            node_id=node_id,
            delivery_id=delivery_id,
            status=ATTEMPT_RUNNING,
            lease_expires_at__gt=now or clock.now(),
        )
        .first()
    )
    if attempt is None:
        raise LeaseLost
    return attempt
