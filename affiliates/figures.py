"""What the operator's front page tells of affiliates."""

from typing import NamedTuple

from django.db.models import Count, Sum

from affiliates.models import Affiliate, PayoutRequest
from affiliates.transitions import PAYOUT_OPEN, PENDING


class Payouts(NamedTuple):
    """Payout requests of one status."""

    requests: int
    amount_micros: int


def payouts_waiting() -> dict[str, Payouts]:
    """Requests that wait for a decision (`requested`) and for the payment (`approved`)."""
    waiting = PayoutRequest.objects.filter(status__in=PAYOUT_OPEN).values_list("status")
    found = {
        status: Payouts(count, amount) for status, count, amount in waiting.annotate(Count("pk"), Sum("amount_micros"))
    }
    return {status: found.get(status, Payouts(0, 0)) for status in PAYOUT_OPEN}


def applications_waiting() -> int:
    """How many want to become affiliates."""
    return Affiliate.objects.filter(status=PENDING).count()
