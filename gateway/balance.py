"""GET /api/v1/balance"""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller_of
from billing.micros import usd
from billing.selectors import balance
from core.operations import Scope, operation


class BalanceView(APIView):
    """What the account may spend, what its jobs hold, and both together."""

    @operation(
        tag="balance", summary="What the account has", scope=Scope.BILLING_READ, answers={200: {"type": "object"}}
    )
    def get(self, request: Request) -> Response:
        """Available, held, total: micros and exact decimals."""
        view = balance(account_id=caller_of(request).id)
        return Response(
            {
                "ok": True,
                "usdBalanceMicros": view.available,
                "usdBalance": usd(view.available),
                "usdHeldMicros": view.held,
                "usdHeld": usd(view.held),
                "usdTotalMicros": view.total,
                "usdTotal": usd(view.total),
            }
        )
