"""Who may speak for a running attempt."""

from datetime import datetime
from uuid import UUID

from core.errors import ApiError
from media.models import Attempt
from media.selectors import attempt_with_job
from media.transitions import ATTEMPT_RUNNING


class LeaseLost(ApiError):
    """This delivery does not hold the attempt's lease: it ran out, was taken, or the job has ended."""

    code = "lease_lost"
    http_status = 409


class AttemptGone(ApiError):
    """There is nothing to run: the attempt is over or its job has ended."""

    code = "gone"
    http_status = 410


def running_attempt(*, attempt_id: UUID, node_id: str, delivery_id: UUID, now: datetime) -> Attempt:
    """The attempt with its job, while this node's delivery holds its lease.

    Raises:
        LeaseLost: it does not.
    """
    attempt = attempt_with_job(attempt_id=attempt_id)
    if (
        attempt is None
        or (attempt.node_id, attempt.delivery_id, attempt.status) != (node_id, delivery_id, ATTEMPT_RUNNING)
        or attempt.lease_expires_at is None
        or attempt.lease_expires_at <= now
    ):
        raise LeaseLost
    return attempt
