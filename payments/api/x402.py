"""/api/v1/credits/purchase/x402, and its alias of former times."""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from x402.http import PAYMENT_REQUIRED_HEADER, PAYMENT_RESPONSE_HEADER

from accounts.authentication import caller_of
from billing.micros import MICROS_PER_CENT, usd
from billing.selectors import balance
from core import clock, ids
from core.idempotency import services as idempotency
from core.messages import read_body
from core.operations import Scope, header_parameter, operation
from payments.api.x402_messages import X402CreditPurchaseRequest, X402Purchase, affiliate_outcome
from payments.models import X402
from payments.providers.x402_facilitator import FacilitatorUnavailable
from payments.services.purchase_x402 import PaymentPending, PaymentRequired, Purchase, purchase_x402
from payments.services.referral import Referral
from payments.x402.authorization import HEADER
from payments.x402.requirements import ROUTE, X402NotConfigured

_DECLARED: dict[str, Any] = {
    "tag": "credits",
    "scope": Scope.BILLING_WRITE,
    "body": X402CreditPurchaseRequest,
    "answers": {201: X402Purchase, 200: X402Purchase},
    "errors": [
        PaymentRequired,
        PaymentPending,
        FacilitatorUnavailable,
        X402NotConfigured,
        idempotency.IdempotencyConflict,
    ],
    "parameters": [
        header_parameter(
            HEADER,
            "The signed x402 payment, version 2, scheme `exact` with an EIP-3009 authorization: JSON in base64. "
            "Without it the answer is 402 and tells what to sign.",
            schema={"type": "string", "contentEncoding": "base64", "maxLength": 16384},
        ),
        *(
            header_parameter(
                name,
                "At most one purchase is made with a key: a repetition answers the settled one, whatever payment "
                "comes with it.",
                schema={"type": "string", "minLength": 1, "maxLength": 200},
            )
            for name in idempotency.HEADERS
        ),
    ],
}
_DESCRIPTION = (
    "Ask without a payment first: 402 tells in PAYMENT-REQUIRED (and in `details.accepts`) what to sign. Ask again "
    "with the signed payment in PAYMENT-SIGNATURE: 201 when it is settled and credited. The same payment again is "
    "answered with 200 and credited once. After a 503 `payment_pending` send the same payment again, never a new one: "
    "if its money moved it is credited, once."
)
_SETTLED = [PAYMENT_RESPONSE_HEADER]
_HEADERS = {201: _SETTLED, 200: [*_SETTLED, "Idempotent-Replay"], 402: [PAYMENT_REQUIRED_HEADER, *_SETTLED]}


class X402PurchaseView(APIView):
    """POST /api/v1/credits/purchase/x402"""

    @operation(
        id="purchaseCreditsX402",
        summary="Buy credit with x402",
        description=_DESCRIPTION,
        headers=_HEADERS,
        **_DECLARED,
    )
    def post(self, request: Request) -> Response:
        """201 settled, 200 settled before, 402 to be paid."""
        asked = read_body(request, X402CreditPurchaseRequest)
        caller = caller_of(request)
        bought = purchase_x402(
            account_id=caller.id,
            usd_cents=asked.usd_cents,
            header=request.headers.get(HEADER),
            # A key's requests come from programs; only a browser's own were led here by a link.
            referral=Referral(
                code=asked.affiliate_code,
                captured=request.COOKIES.get(settings.REFERRAL_COOKIE_NAME) if caller.key_id is None else None,
            ),
            idempotency_key=idempotency.one_key(header=idempotency.header_of(request.headers)),
            now=clock.now(),
        )
        return _answer(bought)


class X402DepositView(X402PurchaseView):
    """POST /api/v1/deposit/x402: the same under its former name."""

    @operation(
        id="depositX402",
        summary="Former name of buying credit with x402",
        description=f"The same as `POST {ROUTE}`, which replaces it.",
        headers={status: [*names, "Deprecation"] for status, names in _HEADERS.items()},
        deprecated=True,
        **_DECLARED,
    )
    def post(self, request: Request) -> Response:
        """What the new route answers."""
        return super().post(request)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Every answer says that the route is deprecated, and by what it is replaced."""
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        answer["Deprecation"] = "true"
        answer["Link"] = f'<{settings.API_BASE_URL}{ROUTE}>; rel="successor-version"'
        return answer


def _answer(bought: Purchase) -> Response:
    payment = bought.payment
    available = balance(account_id=payment.account_id).available
    message = X402Purchase(
        deposit_id=ids.encode(ids.DEPOSIT, payment.pk),
        deposit_usd_cents=payment.usd_cents,
        deposit_usd_micros=payment.usd_cents * MICROS_PER_CENT,
        current_balance_usd_micros=available,
        current_balance_usd=usd(available),
        transaction=payment.transaction,
        network=payment.network,
        payer=payment.payer,
        replayed=bought.replayed,
        affiliate=affiliate_outcome(bought.affiliate),
        sandbox=X402 in settings.PAYMENTS_SANDBOX,
    )
    headers = {PAYMENT_RESPONSE_HEADER: bought.response_header}
    if bought.replayed:
        headers["Idempotent-Replay"] = "true"
    return Response(message.wire(), status=200 if bought.replayed else 201, headers=headers)
