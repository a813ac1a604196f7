"""What an affiliate may read about itself: never anything about the people it brought."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate

from affiliates.models import Affiliate, AffiliateCode, Attribution, CodeDay, Commission, PayoutRequest
from affiliates.transitions import PAID
from billing.micros import Micros
from billing.selectors import CommissionView, commission

MOST_LISTED = 500
"""More are never listed, whatever limit was asked for."""
_SHARE = Decimal("0.0001")


@dataclass(slots=True)
class Day:
    """What happened on one day (UTC)."""

    day: date
    clicks: int = 0
    captures: int = 0
    bound_accounts: int = 0
    deposits: int = 0
    deposit_micros: Micros = 0
    commission_micros: Micros = 0
    """Of that day's deposits, before anything was taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """An affiliate's figures, of all time and by day."""

    clicks: int
    captures: int
    bound_accounts: int
    deposits: int
    deposit_micros: Micros
    earned: Micros
    clawed_back: Micros
    paid: Micros
    balance: CommissionView
    days: list[Day]

    @property
    def conversion(self) -> str | None:
        """Bound accounts for each click, in four decimals; None before the first click."""
        if not self.clicks:
            return None
        return str((Decimal(self.bound_accounts) / self.clicks).quantize(_SHARE, ROUND_HALF_UP))


def find_affiliate(*, account_id: UUID) -> Affiliate | None:
    """The account's affiliate, whatever its status."""
    return Affiliate.objects.filter(account_id=account_id).first()


def active_code_of(*, affiliate: Affiliate) -> AffiliateCode | None:
    """The code that the affiliate spreads."""
    return AffiliateCode.objects.filter(affiliate=affiliate, retired_at=None).first()


def list_commissions(*, account_id: UUID, limit: int) -> list[Commission]:
    """The account's commissions by the time of their deposits, newest first."""
    own = Commission.objects.filter(affiliate__account_id=account_id)
    return list(own.order_by("-settled_at", "-deposit_id")[: min(limit, MOST_LISTED)])


def list_payout_requests(*, account_id: UUID, limit: int, paid_only: bool = False) -> list[PayoutRequest]:
    """The account's payout requests, newest first: all, or those that were paid."""
    own = PayoutRequest.objects.filter(affiliate__account_id=account_id)
    if paid_only:
        own = own.filter(status=PAID)
    return list(own.order_by("-id")[: min(limit, MOST_LISTED)])


def dashboard(*, account_id: UUID, days: int, now: datetime) -> Dashboard:
    """The affiliate's figures: totals of all time, and each of the last `days` days, today last.

    A commission that is withheld counts nowhere, nor does its deposit. Zeros for an account that never applied.
    """
    visits = CodeDay.objects.filter(code__affiliate__account_id=account_id)
    bound = Attribution.objects.filter(affiliate__account_id=account_id)
    earning = Commission.objects.filter(affiliate__account_id=account_id, withheld="")
    paid = PayoutRequest.objects.filter(affiliate__account_id=account_id, status=PAID)
    followed = visits.aggregate(clicks=Sum("clicks", default=0), captures=Sum("captures", default=0))
    earned = earning.aggregate(
        deposits=Count("pk"),
        deposit_micros=Sum("deposit_micros", default=0),
        earned=Sum("amount_micros", default=0),
        clawed_back=Sum("clawed_back_micros", default=0),
    )
    return Dashboard(
        **followed,
        **earned,
        bound_accounts=bound.count(),
        paid=paid.aggregate(sum=Sum("amount_micros", default=0))["sum"],
        balance=commission(affiliate_id=account_id),
        days=_by_day(visits, bound, earning, days, now),
    )


def _by_day(
    visits: QuerySet[CodeDay], bound: QuerySet[Attribution], earning: QuerySet[Commission], days: int, now: datetime
) -> list[Day]:
    today = now.astimezone(UTC).date()
    shown = [Day(today - timedelta(days=back)) for back in reversed(range(days))]
    found = {day.day: day for day in shown}
    begin, end = (datetime.combine(day, time(), UTC) for day in (shown[0].day, today + timedelta(days=1)))
    followed = visits.filter(day__gte=shown[0].day, day__lte=today).values_list("day").order_by("day")
    for day, clicks, captures in followed.annotate(Sum("clicks"), Sum("captures")):
        found[day].clicks, found[day].captures = clicks, captures
    came = bound.filter(at__gte=begin, at__lt=end).values_list(TruncDate("at")).order_by(TruncDate("at"))
    for day, accounts in came.annotate(Count("pk")):
        found[day].bound_accounts = accounts
    settled = earning.filter(settled_at__gte=begin, settled_at__lt=end)
    sums = settled.values_list(TruncDate("settled_at")).order_by(TruncDate("settled_at"))
    for day, deposits, micros, earned in sums.annotate(Count("pk"), Sum("deposit_micros"), Sum("amount_micros")):
        found[day].deposits, found[day].deposit_micros, found[day].commission_micros = deposits, micros, earned
    return shown
