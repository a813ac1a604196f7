"""GET /api/v1/balance"""

from typing import Literal

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller_of
from billing.key_spend import monthly_spend
from billing.micros import usd
from billing.selectors import balance
from core import ids
from core.messages import Message
from core.operations import Scope, operation


class MonthlySpend(Message):
    """A monthly limit that the asking key is under: its own, or one of a key above it."""

    key_id: str
    """Whose limit it is."""
    limit_usd_micros: int
    spent_usd_micros: int
    """What counts on it in this calendar month (UTC): charged, or held for jobs under way."""


class AccountBalance(Message):
    """What the account has: micros, and the same in US dollars, exact."""

    ok: Literal[True] = True
    usd_balance_micros: int
    """What it may spend."""
    usd_balance: str
    usd_held_micros: int
    """What its waiting and running jobs hold."""
    usd_held: str
    usd_total_micros: int
    """Both together."""
    usd_total: str
    monthly_spend: list[MonthlySpend]
    """Empty for a key without a limit, and for a session."""


class BalanceView(APIView):
    """What the account may spend, what its jobs hold, and both together."""

    @operation(
        id="getBalance",
        tag="balance",
        summary="What the account has",
        description="What may be spent, what its jobs hold, and both together. Also the cheapest check of a key.",
        scope=Scope.BILLING_READ,
        answers={200: AccountBalance},
    )
    def get(self, request: Request) -> Response:
        """Available, held, total: micros and exact decimals."""
        caller = caller_of(request)
        view = balance(account_id=caller.id)
        spends = monthly_spend(limits=caller.spend_limits) if caller.spend_limits else []
        return Response(
            AccountBalance(
                usd_balance_micros=view.available,
                usd_balance=usd(view.available),
                usd_held_micros=view.held,
                usd_held=usd(view.held),
                usd_total_micros=view.total,
                usd_total=usd(view.total),
                monthly_spend=[
                    MonthlySpend(
                        key_id=ids.encode(ids.API_KEY, one.key_id),
                        limit_usd_micros=one.limit,
                        spent_usd_micros=one.spent,
                    )
                    for one in spends
                ],
            ).wire()
        )
