"""What the operator's front page tells of money: few rows, bounded ranges."""

from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Count, Sum

from billing.adjustments import REQUESTED, AdjustmentRequest
from billing.ledger.models import REVENUE, Balance, LedgerAccount, Transfer, TransferKind
from billing.micros import Micros
from core import ids


class Debts(NamedTuple):
    """What customers owe after reversed deposits."""

    accounts: int
    amount: Micros


def captured_by_day(*, since: datetime) -> dict[date, Micros]:
    """What was charged for work, by day (UTC). The house's end of the index is read from `since` on, and no more."""
    revenue = LedgerAccount.objects.filter(owner=None, kind=REVENUE, bucket="").values("pk")[:1]
    captured = Transfer.objects.filter(
        credit=revenue, kind=TransferKind.CAPTURE, pk__gte=ids.earliest(since), created_at__gte=since
    )
    return dict(captured.values_list("created_at__date").annotate(sum=Sum("amount")))


def adjustments_waiting() -> int:
    """How many adjustments wait for a second person."""
    return AdjustmentRequest.objects.filter(status=REQUESTED).count()


def debts() -> Debts:
    """Who owes, and how much in all."""
    found = Balance.objects.filter(receivable__gt=0).aggregate(accounts=Count("owner"), amount=Sum("receivable"))
    return Debts(found["accounts"], found["amount"] or 0)
