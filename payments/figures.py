"""What the operator's front page tells of payments."""

from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Sum

from payments.models import Checkout, Deposit, ProviderEvent, X402Payment
from payments.transitions import FLAGGED, REVIEW


class Flagged(NamedTuple):
    """What an operator must look at."""

    events: int
    checkouts: int
    x402_payments: int


def deposits_by_day(*, since: datetime) -> dict[tuple[date, str], int]:
    """Micros that settled, by day (UTC) and provider."""
    settled = Deposit.objects.filter(settled_at__gte=since).values_list("settled_at__date", "provider")
    return {(day, provider): amount for day, provider, amount in settled.annotate(sum=Sum("amount_micros"))}


def flagged() -> Flagged:
    """How many events and purchases wait for an operator."""
    return Flagged(
        events=ProviderEvent.objects.filter(status=FLAGGED).count(),
        checkouts=Checkout.objects.filter(status=REVIEW).count(),
        x402_payments=X402Payment.objects.filter(status=REVIEW).count(),
    )
