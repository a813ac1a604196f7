"""POST /api/v1/claim/stripe and /api/v1/claim/crypto"""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller_of
from core import clock
from core.messages import read_body
from core.operations import Scope, operation
from payments.api.messages import ClaimCryptoRequest, ClaimStripeRequest, SettledPurchase, settled_purchase
from payments.models import COINBASE, STRIPE
from payments.providers.purchase import ProviderNotConfigured, ProviderUnavailable
from payments.selectors import CheckoutNotFound
from payments.services.claim_deposit import NotSettled, claim_deposit

_ERRORS = (CheckoutNotFound, NotSettled, ProviderNotConfigured, ProviderUnavailable)


class ClaimStripeView(APIView):
    """/api/v1/claim/stripe"""

    @operation(
        id="claimStripe",
        tag="payments",
        summary="Settle a card purchase now",
        description="Asks Stripe whether the session is paid, and credits it if it is. A purchase is credited without "
        "being claimed, too, and once in any case; claiming again answers the same.",
        scope=Scope.BILLING_WRITE,
        body=ClaimStripeRequest,
        answers={200: SettledPurchase},
        errors=_ERRORS,
    )
    def post(self, request: Request) -> Response:
        """Settle a session."""
        body = read_body(request, ClaimStripeRequest)
        return _claimed(request, STRIPE, body.session_id)


class ClaimCryptoView(APIView):
    """/api/v1/claim/crypto"""

    @operation(
        id="claimCrypto",
        tag="payments",
        summary="Settle a crypto purchase now",
        description="Asks Coinbase Commerce whether the charge is paid, and credits it if it is. A purchase is "
        "credited without being claimed, too, and once in any case; claiming again answers the same.",
        scope=Scope.BILLING_WRITE,
        body=ClaimCryptoRequest,
        answers={200: SettledPurchase},
        errors=_ERRORS,
    )
    def post(self, request: Request) -> Response:
        """Settle a charge."""
        body = read_body(request, ClaimCryptoRequest)
        return _claimed(request, COINBASE, body.charge_id)


def _claimed(request: Request, provider: str, provider_id: str) -> Response:
    claimed = claim_deposit(
        account_id=caller_of(request).id, provider=provider, provider_id=provider_id, now=clock.now()
    )
    return Response(settled_purchase(claimed).wire())
