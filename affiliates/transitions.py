"""The state machines of the affiliates room: an affiliate, a commission, a payout request."""

from core.transitions import Transitions

PENDING, APPROVED, REJECTED, SUSPENDED = "pending", "approved", "rejected", "suspended"
AFFILIATE_STATUSES = (PENDING, APPROVED, REJECTED, SUSPENDED)

AFFILIATE = Transitions(
    {
        "approve": (PENDING, APPROVED),
        "reject": (PENDING, REJECTED),
        "apply_again": (REJECTED, PENDING),
        "suspend": (APPROVED, SUSPENDED),
        "reinstate": (SUSPENDED, APPROVED),
    }
)

AVAILABLE = "available"
COMMISSION_STATUSES = (PENDING, AVAILABLE)

COMMISSION = Transitions({"mature": (PENDING, AVAILABLE)})

REQUESTED, PAID, CANCELED = "requested", "paid", "canceled"
PAYOUT_STATUSES = (REQUESTED, APPROVED, PAID, REJECTED, CANCELED)
PAYOUT_OPEN = (REQUESTED, APPROVED)

PAYOUT = Transitions(
    {
        "approve": (REQUESTED, APPROVED),
        "reject": (PAYOUT_OPEN, REJECTED),
        "cancel": (PAYOUT_OPEN, CANCELED),
        "pay": (APPROVED, PAID),
    }
)
