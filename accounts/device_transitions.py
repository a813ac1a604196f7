"""The state machine of a device link. Expiry is a time, not a state: `status_at` says what a link is to the world."""

from datetime import datetime

from accounts.models import DeviceLink
from core.transitions import Transitions

PENDING, APPROVED, DENIED, CONSUMED = DeviceLink.STATUSES
EXPIRED = "expired"
SHOWN_STATUSES = (PENDING, APPROVED, DENIED, EXPIRED, CONSUMED)

LINK = Transitions(
    {
        "approve": (PENDING, APPROVED),  # a person let the program have a key; none exists yet
        "deny": (PENDING, DENIED),  # a person refused
        "consume": (APPROVED, CONSUMED),  # a poll got the key
        "withdraw": (APPROVED, DENIED),  # who approved may not any more: suspended, or the key was revoked
    }
)


def status_at(link: DeviceLink, now: datetime) -> str:
    """One of SHOWN_STATUSES: what was decided stays true, what was not carried out in time is expired."""
    if link.status in {PENDING, APPROVED} and link.expires_at <= now:
        return EXPIRED
    return link.status
