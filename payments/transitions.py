"""The state machines of the payments room: a checkout, an x402 payment, a provider's event."""

from core.transitions import Transitions

PENDING, OPEN, PAID, EXPIRED, FAILED, CANCELED, REVIEW = (
    "pending",
    "open",
    "paid",
    "expired",
    "failed",
    "canceled",
    "review",
)
CHECKOUT_STATUSES = (PENDING, OPEN, PAID, EXPIRED, FAILED, CANCELED, REVIEW)

CHECKOUT = Transitions(
    {
        "open": (PENDING, OPEN),  # the provider answered with its object
        "pay": ((PENDING, OPEN, EXPIRED, FAILED, CANCELED, REVIEW), PAID),  # the provider has the money; always wins
        "expire": ((PENDING, OPEN), EXPIRED),  # the provider says that nobody paid in time
        "fail": ((PENDING, OPEN), FAILED),  # the provider refused to make it, or the payment failed for good
        "cancel": ((PENDING, OPEN), CANCELED),  # the customer or an operator ended it
        "close": (REVIEW, CANCELED),  # an operator decided that nothing is credited
        "flag": (
            (PENDING, OPEN, EXPIRED, FAILED, CANCELED),
            REVIEW,
        ),  # money came that does not match: an operator decides
    }
)

SETTLED = "settled"
X402_STATUSES = (PENDING, SETTLED, FAILED, REVIEW)

X402 = Transitions(
    {
        "settle": ((PENDING, FAILED, REVIEW), SETTLED),  # the facilitator or the chain says that the money moved
        "fail": ((PENDING, REVIEW), FAILED),  # refused, or unused past its validity
        "flag": ((PENDING, FAILED), REVIEW),  # the outcome cannot be learnt: an operator decides
    }
)

RECEIVED, PROCESSED, IGNORED, FLAGGED = "received", "processed", "ignored", "flagged"
EVENT_STATUSES = (RECEIVED, PROCESSED, IGNORED, FLAGGED)

EVENT = Transitions(
    {
        "process": ((RECEIVED, FLAGGED), PROCESSED),  # what it tells of is in the books
        "ignore": ((RECEIVED, FLAGGED), IGNORED),  # it concerns nothing of ours
        "flag": (RECEIVED, FLAGGED),  # an operator must look: its note says why
        "replay": ((PROCESSED, IGNORED, FLAGGED), RECEIVED),  # an operator wants it judged again
    }
)

REFUND, DISPUTE = "refund", "dispute"
REVERSAL_KINDS = (REFUND, DISPUTE)
POSTED, RESTORED = "posted", "restored"
REVERSAL_STATUSES = (POSTED, RESTORED)

REVERSAL = Transitions(
    {
        "restore": (POSTED, RESTORED),  # a dispute was won, or a refund failed: the money came back
    }
)
