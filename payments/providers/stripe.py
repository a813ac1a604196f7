"""Stripe: Checkout Sessions, their payments, refunds and disputes, through Stripe's own library."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, cast
from uuid import UUID

import stripe
from django.conf import settings

from core import ids
from core.errors import InvalidRequest
from payments.models import STRIPE
from payments.providers.purchase import (
    TIMEOUT_SECONDS,
    Event,
    Hint,
    HostedPage,
    InvalidSignature,
    ProviderNotConfigured,
    ProviderRefused,
    ProviderUnavailable,
    Purchase,
    Standing,
    Taking,
    UnknownPurchase,
    metadata,
    named,
)
from payments.transitions import DISPUTE, REFUND

RETRIES = 1
TOLERANCE_SECONDS = 300
"""How old a signature may be."""
LONGEST_LIST = 100
"""Refunds, or disputes, of one payment: it has a handful."""

_OF_SESSIONS = "checkout.session."
_OF_TAKINGS = ("charge.refunded", "charge.refund.", "refund.", "charge.dispute.")
"""The events that can change what we have booked; a session's own tell of everything before that."""
_INQUIRIES = ("warning_needs_response", "warning_under_review", "warning_closed", "prevented")
"""Disputes that take no money."""
_UNDECIDED = ("needs_response", "under_review")
_T = TypeVar("_T")


class StripeCheckout:
    """`payments.providers.purchase.Provider`"""

    name = STRIPE
    follows_refunds = True
    takes_late_payments = False

    def request(
        self,
        *,
        checkout_id: UUID,
        account_id: UUID,
        package_code: str,
        name: str,
        usd_cents: int,
        return_url: str,
        cancel_url: str,
        email: str,
    ) -> dict[str, Any]:
        """The parameters of a Checkout Session."""
        written = metadata(checkout_id=checkout_id, account_id=account_id, package_code=package_code)
        price = {"currency": "usd", "unit_amount": usd_cents, "product_data": {"name": name}}
        parameters: dict[str, Any] = {
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": price}],
            "client_reference_id": written["checkout_id"],
            "metadata": written,
            "payment_intent_data": {"metadata": written, "description": name},
            "success_url": return_url,
            "cancel_url": cancel_url,
        }
        return {**parameters, "customer_email": email} if email else parameters

    def open(self, *, checkout_id: UUID, request: Mapping[str, Any]) -> HostedPage:
        """Make the session: once for each checkout, however often it is asked for."""
        # Stripe holds a key to the body it came with; the database keeps an object's members in an order of its own.
        parameters = json.loads(json.dumps(request, sort_keys=True))
        made = _asked(
            lambda client: client.v1.checkout.sessions.create(
                params=cast(Any, parameters), options={"idempotency_key": str(checkout_id)}
            )
        )
        return _page(made.to_dict())

    def read(self, provider_id: str, *, thorough: bool) -> Purchase:
        """The session with its payment; with its refunds and disputes where its charge has any."""
        found = _asked(
            lambda client: client.v1.checkout.sessions.retrieve(
                provider_id, params={"expand": ["payment_intent.latest_charge"]}
            )
        )
        session = found.to_dict()
        intent = session["payment_intent"] or {}
        charge = intent.get("latest_charge") or {}
        takings: tuple[Taking, ...] = ()
        if intent and (thorough or charge.get("amount_refunded") or charge.get("disputed")):
            takings = _takings(intent["id"])
        written = session.get("metadata") or {}
        paid = _standing(session, intent) is Standing.PAID
        return Purchase(
            provider=STRIPE,
            page=_page(session),
            standing=_standing(session, intent),
            names_checkout=named(ids.CHECKOUT, session.get("client_reference_id") or written.get("checkout_id")),
            names_account=named(ids.ACCOUNT, written.get("account_id")),
            currency=session["currency"] or "",
            cents=session["amount_total"],
            received_cents=intent.get("amount_received", 0) if paid else None,
            payment_id=intent.get("id", ""),
            takings=takings,
        )

    def purchase_of(self, payment_id: str) -> str | None:
        """The session that made this payment intent."""
        try:
            found = _asked(
                lambda client: client.v1.checkout.sessions.list(params={"payment_intent": payment_id, "limit": 1})
            )
        except UnknownPurchase:
            return None
        return found.data[0].id if found.data else None

    def verify(self, *, body: bytes, signature: str) -> Event:
        """Check `Stripe-Signature` by each of our secrets: there are two while one is replaced."""
        if not settings.STRIPE_WEBHOOK_SECRETS:
            raise ProviderNotConfigured
        if not any(_signed(body, signature, secret) for secret in settings.STRIPE_WEBHOOK_SECRETS):
            raise InvalidSignature
        try:
            payload = json.loads(body)
            about = payload["data"]["object"]
            return Event(
                event_id=str(payload["id"]),
                type=str(payload["type"]),
                object_id=str(about.get("id") or ""),
                payload=payload,
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InvalidRequest({"": "the body is no event of Stripe"}) from None

    def hint(self, payload: Mapping[str, Any]) -> Hint:
        """The session, or the payment, that an event tells of."""
        if payload.get("account"):
            return Hint(flag=f"It is about the connected account {payload['account']}, not ours.")
        if bool(payload.get("livemode")) != _live():
            return Hint(flag="It comes from Stripe's other mode: test and live money must not mix.")
        kind, about = payload["type"], payload["data"]["object"]
        if kind.startswith(_OF_SESSIONS):
            return Hint(purchase_id=about["id"])
        if not kind.startswith(_OF_TAKINGS):
            return Hint(ignore="Events of this type change nothing here.")
        if not about.get("payment_intent"):
            return Hint(ignore="It belongs to no payment of a Checkout Session.")
        return Hint(payment_id=about["payment_intent"])


def _signed(body: bytes, signature: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
    except (stripe.SignatureVerificationError, UnicodeError, TypeError):  # the last two: it cannot even be compared
        return False
    return True


def _live() -> bool:
    return "_live_" in settings.STRIPE_SECRET_KEY


@cache
def _client(key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": base},
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
    )


def _asked(ask: Callable[[stripe.StripeClient], _T]) -> _T:
    """What Stripe answers, its errors in words of ours."""
    if not settings.STRIPE_SECRET_KEY:
        raise ProviderNotConfigured
    try:
        return ask(_client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE))
    except stripe.InvalidRequestError as error:
        if error.http_status == 404:
            raise UnknownPurchase(str(error)) from error
        raise ProviderRefused(str(error)) from error
    except stripe.IdempotencyError as error:
        if error.http_status == 409:  # the first of two equal requests is still on its way
            raise ProviderUnavailable from error
        raise ProviderRefused(str(error)) from error
    except stripe.StripeError as error:
        # A key that is refused is ours to put right: nobody's purchase fails for it.
        raise ProviderUnavailable from error


def _page(session: Mapping[str, Any]) -> HostedPage:
    return HostedPage(
        provider_id=session["id"],
        url=session["url"] or "",
        expires_at=datetime.fromtimestamp(session["expires_at"], UTC),
    )


def _standing(session: Mapping[str, Any], intent: Mapping[str, Any]) -> Standing:
    if session["payment_status"] != "unpaid":
        return Standing.PAID
    if session["status"] == "expired":
        return Standing.EXPIRED
    if session["status"] == "complete" and intent.get("status") != "processing":
        return Standing.FAILED  # a bank debit that was ordered and refused
    return Standing.OPEN


def _takings(payment_id: str) -> tuple[Taking, ...]:
    """Every refund and dispute of a payment, oldest first."""
    refunds = _asked(
        lambda client: client.v1.refunds.list(params={"payment_intent": payment_id, "limit": LONGEST_LIST})
    )
    disputes = _asked(
        lambda client: client.v1.disputes.list(params={"payment_intent": payment_id, "limit": LONGEST_LIST})
    )
    found = [(refund.created, _refund(refund.to_dict())) for refund in refunds.data]
    found += [
        (dispute.created, _dispute(dispute.to_dict())) for dispute in disputes.data if dispute.status not in _INQUIRIES
    ]
    return tuple(taking for _, taking in sorted(found, key=lambda one: (one[0], one[1].provider_id)))


def _refund(refund: Mapping[str, Any]) -> Taking:
    """Stripe takes a refund from our balance when it is made, and returns it when it fails."""
    return Taking(
        kind=REFUND,
        provider_id=refund["id"],
        cents=refund["amount"] if refund["currency"] == "usd" else None,
        given_back=refund["status"] in ("failed", "canceled"),
        reason=refund.get("reason") or "",
        undecided=refund["status"] in ("pending", "requires_action"),
    )


def _dispute(dispute: Mapping[str, Any]) -> Taking:
    return Taking(
        kind=DISPUTE,
        provider_id=dispute["id"],
        cents=dispute["amount"] if dispute["currency"] == "usd" else None,
        given_back=dispute["status"] == "won",
        reason=dispute.get("reason") or "",
        undecided=dispute["status"] in _UNDECIDED,
    )
