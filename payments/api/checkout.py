"""POST /api/v1/checkout/stripe and /api/v1/checkout/crypto"""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller_of
from core import clock
from core.idempotency import services as idempotency
from core.messages import read_body
from core.operations import Scope, header_parameter, operation
from payments.api.messages import CryptoCheckoutRequest, OpenedPurchase, StripeCheckoutRequest, opened_purchase
from payments.models import COINBASE, STRIPE
from payments.providers.purchase import ProviderNotConfigured, ProviderUnavailable
from payments.services.open_checkout import (
    AskedCheckout,
    CheckoutRefused,
    TooManyCheckouts,
    idempotency_route,
    open_checkout,
)
from payments.services.referral import Referral

_KEY_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 200}
_KEYS = [
    header_parameter(name, "Makes a repetition of this request harmless.", schema=_KEY_SCHEMA)
    for name in idempotency.HEADERS
]
_ERRORS = (
    ProviderNotConfigured,
    ProviderUnavailable,
    CheckoutRefused,
    TooManyCheckouts,
    idempotency.IdempotencyConflict,
)


class StripeCheckoutView(APIView):
    """/api/v1/checkout/stripe"""

    @operation(
        id="createStripeCheckout",
        tag="payments",
        summary="Buy a package with a card",
        description="Opens a payment page at Stripe. The credit lands when Stripe has the money: by itself within "
        "seconds, or at once when `POST /api/v1/claim/stripe` is called. With an idempotency key a repetition answers "
        "200 with the same page.",
        scope=Scope.BILLING_WRITE,
        body=StripeCheckoutRequest,
        answers={201: OpenedPurchase, 200: OpenedPurchase},
        headers={200: ["Idempotent-Replay"]},
        parameters=_KEYS,
        errors=_ERRORS,
    )
    def post(self, request: Request) -> Response:
        """Open a Checkout Session."""
        body = read_body(request, StripeCheckoutRequest)
        asked = AskedCheckout(
            provider=STRIPE,
            package_code=body.package_code,
            return_url=body.success_url,
            cancel_url=body.cancel_url,
            email=body.email,
            referral=_referral(request, body.affiliate_code),
        )
        return _opened(request, asked, body)


class CryptoCheckoutView(APIView):
    """/api/v1/checkout/crypto"""

    @operation(
        id="createCryptoCheckout",
        tag="payments",
        summary="Buy a package with crypto",
        description="Opens a payment page at Coinbase Commerce. The credit lands when the chain has confirmed the "
        "payment. With an idempotency key a repetition answers 200 with the same page.",
        scope=Scope.BILLING_WRITE,
        body=CryptoCheckoutRequest,
        answers={201: OpenedPurchase, 200: OpenedPurchase},
        headers={200: ["Idempotent-Replay"]},
        parameters=_KEYS,
        errors=_ERRORS,
    )
    def post(self, request: Request) -> Response:
        """Open a charge."""
        body = read_body(request, CryptoCheckoutRequest)
        asked = AskedCheckout(
            provider=COINBASE,
            package_code=body.package_code,
            return_url=body.redirect_url,
            cancel_url=body.cancel_url,
            email=body.email,
            referral=_referral(request, body.affiliate_code),
        )
        return _opened(request, asked, body)


def _referral(request: Request, code: str | None) -> Referral:
    """The named code, and what the browser of a session captured; a program's requests have no browser."""
    by_session = caller_of(request).key_id is None
    return Referral(code=code, captured=request.COOKIES.get(settings.REFERRAL_COOKIE_NAME) if by_session else None)


def _opened(request: Request, asked: AskedCheckout, body: StripeCheckoutRequest | CryptoCheckoutRequest) -> Response:
    account_id = caller_of(request).id
    key = idempotency.one_key(header=idempotency.header_of(request.headers))
    opened = open_checkout(
        account_id=account_id,
        asked=asked,
        idempotency_key=None
        if key is None
        else idempotency.Key(
            account_id=account_id,
            route=idempotency_route(asked.provider),
            key=key,
            fingerprint=idempotency.fingerprint(_sent(body)),
        ),
        now=clock.now(),
    )
    answer = opened_purchase(opened).wire()
    if opened.replayed:
        return Response(answer, headers={"Idempotent-Replay": "true"})
    return Response(answer, status=201)


def _sent(body: StripeCheckoutRequest | CryptoCheckoutRequest) -> dict[str, Any]:
    return body.model_dump(by_alias=True, mode="json", exclude_unset=True)
