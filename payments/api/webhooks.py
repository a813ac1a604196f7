"""POST /api/v1/webhooks/stripe and /api/v1/webhooks/crypto: what providers tell us."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clock
from core.operations import PUBLIC, header_parameter, operation
from core.wake import wake_steward
from payments.api.messages import ReceivedEvent
from payments.models import COINBASE, STRIPE
from payments.providers.purchase import InvalidSignature, ProviderNotConfigured
from payments.services.intake import receive_event

_ERRORS = (InvalidSignature, ProviderNotConfigured)
_EVENT = {"type": "object", "description": "An event as the provider signed it, byte by byte."}


class StripeWebhookView(APIView):
    """/api/v1/webhooks/stripe"""

    authentication_classes = ()
    permission_classes = ()
    rate_class = "webhook"

    @operation(
        id="receiveStripeEvent",
        tag="payments",
        summary="For Stripe alone",
        description="Takes an event whose `Stripe-Signature` is right and at most five minutes old. It is kept and "
        "answered at once; what it tells of is asked of Stripe before anything is booked.",
        scope=PUBLIC,
        body=_EVENT,
        parameters=[header_parameter("Stripe-Signature", "Stripe's signature of the body.")],
        answers={200: ReceivedEvent},
        errors=_ERRORS,
    )
    def post(self, request: Request) -> Response:
        """Keep an event of Stripe."""
        return _received(request, STRIPE, request.headers.get("Stripe-Signature", ""))


class CryptoWebhookView(APIView):
    """/api/v1/webhooks/crypto"""

    authentication_classes = ()
    permission_classes = ()
    rate_class = "webhook"

    @operation(
        id="receiveCoinbaseEvent",
        tag="payments",
        summary="For Coinbase Commerce alone",
        description="Takes an event whose `X-CC-Webhook-Signature` is right. It is kept and answered at once; what it "
        "tells of is asked of Coinbase Commerce before anything is booked.",
        scope=PUBLIC,
        body=_EVENT,
        parameters=[header_parameter("X-CC-Webhook-Signature", "Coinbase Commerce's signature of the body.")],
        answers={200: ReceivedEvent},
        errors=_ERRORS,
    )
    def post(self, request: Request) -> Response:
        """Keep an event of Coinbase Commerce."""
        return _received(request, COINBASE, request.headers.get("X-CC-Webhook-Signature", ""))


def _received(request: Request, provider: str, signature: str) -> Response:
    # The bytes themselves are what is signed: no parser has seen them.
    new = receive_event(provider=provider, body=request._request.body, signature=signature, now=clock.now())
    if new:
        wake_steward("payments")
    return Response(ReceivedEvent().wire())
