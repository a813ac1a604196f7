"""Coinbase Commerce: charges of a fixed price, over its HTTP API."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
from django.conf import settings

from core import ids
from core.errors import InvalidRequest
from payments.models import COINBASE
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
    UnknownPurchase,
    metadata,
    named,
)

API_VERSION = "2018-03-22"
_OF_CHARGES = "charge:"
_ENDED = {"EXPIRED": Standing.EXPIRED, "FAILED": Standing.FAILED, "CANCELED": Standing.CANCELED}
_WITH_MONEY = ("COMPLETED", "RESOLVED", "UNRESOLVED")
_CONFIRMED = ("CONFIRMED", "COMPLETED")


class CoinbaseCommerce:
    """`payments.providers.purchase.Provider`"""

    name = COINBASE
    follows_refunds = False
    takes_late_payments = True

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
        """The body of a charge; Commerce has no use for an address."""
        return {
            "name": name[:100],
            "description": f"Prepaid credit: {name}"[:200],
            "pricing_type": "fixed_price",
            "local_price": {"amount": f"{usd_cents // 100}.{usd_cents % 100:02d}", "currency": "USD"},
            "metadata": metadata(checkout_id=checkout_id, account_id=account_id, package_code=package_code),
            "redirect_url": return_url,
            "cancel_url": cancel_url,
        }

    def open(self, *, checkout_id: UUID, request: Mapping[str, Any]) -> HostedPage:
        """Make the charge.

        Commerce knows no idempotency keys: a second try makes a second charge. Only one is kept, the other's page is
        shown to nobody and expires.
        """
        return _page(_asked("POST", "/charges", json=dict(request)))

    def read(self, provider_id: str, *, thorough: bool) -> Purchase:
        """The charge with its payments. Commerce has no refunds and no disputes."""
        charge = _asked("GET", f"/charges/{quote(provider_id, safe='')}")
        price = (charge.get("pricing") or {}).get("local") or {}
        written = charge.get("metadata") or {}
        standing, received, note = _standing(charge, _cents(price.get("amount")))
        return Purchase(
            provider=COINBASE,
            page=_page(charge),
            standing=standing,
            names_checkout=named(ids.CHECKOUT, written.get("checkout_id")),
            names_account=named(ids.ACCOUNT, written.get("account_id")),
            currency=str(price.get("currency", "")).lower(),
            cents=_cents(price.get("amount")),
            received_cents=received,
            payment_id=charge["id"],
            note=note,
        )

    def purchase_of(self, payment_id: str) -> str | None:
        """A charge is its own payment."""
        return payment_id

    def verify(self, *, body: bytes, signature: str) -> Event:
        """Check `X-CC-Webhook-Signature`. It carries no time: an event that is sent again is known by its id."""
        if not settings.COINBASE_WEBHOOK_SECRETS:
            raise ProviderNotConfigured
        given = signature.strip().lower().encode("utf-8", "replace")
        right = [
            hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode(), given)
            for secret in settings.COINBASE_WEBHOOK_SECRETS
        ]
        if not any(right):
            raise InvalidSignature
        try:
            payload = json.loads(body)
            event = payload["event"]
            return Event(
                event_id=str(event["id"]),
                type=str(event["type"]),
                object_id=str((event.get("data") or {}).get("id") or ""),
                payload=payload,
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InvalidRequest({"": "the body is no event of Coinbase Commerce"}) from None

    def hint(self, payload: Mapping[str, Any]) -> Hint:
        """The charge that an event tells of."""
        event = payload["event"]
        charge_id = (event.get("data") or {}).get("id")
        if not str(event["type"]).startswith(_OF_CHARGES) or not charge_id:
            return Hint(ignore="Events of this type change nothing here.")
        return Hint(purchase_id=str(charge_id))


@cache
def _client(key: str, base: str) -> httpx.Client:
    connect, answer = TIMEOUT_SECONDS
    return httpx.Client(
        base_url=base,
        headers={"X-CC-Api-Key": key, "X-CC-Version": API_VERSION, "Accept": "application/json"},
        timeout=httpx.Timeout(answer, connect=connect),
    )


def _asked(method: str, path: str, **more: Any) -> dict[str, Any]:
    """The charge that Commerce answers with, its errors in words of ours."""
    if not settings.COINBASE_API_KEY:
        raise ProviderNotConfigured
    try:
        answer = _client(settings.COINBASE_API_KEY, settings.COINBASE_API_BASE).request(method, path, **more)
    except httpx.TransportError as error:
        raise ProviderUnavailable from error
    if answer.status_code == 404 and method == "GET":
        raise UnknownPurchase(path)
    # A key that is refused (401, 403) is ours to put right: nobody's purchase fails for it.
    if answer.status_code >= 500 or answer.status_code in (401, 403, 404, 408, 409, 429):
        raise ProviderUnavailable from httpx.HTTPStatusError(
            f"{method} {path}: {answer.status_code}", request=answer.request, response=answer
        )
    if answer.status_code >= 300:
        raise ProviderRefused(answer.text[:500])
    try:
        charge: dict[str, Any] = answer.json()["data"]
        charge["id"], charge["timeline"][-1]["status"]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ProviderUnavailable("The payment provider's answer cannot be read; try again shortly.") from error
    return charge


def _page(charge: Mapping[str, Any]) -> HostedPage:
    return HostedPage(
        provider_id=str(charge["id"]),
        url=str(charge.get("hosted_url") or ""),
        expires_at=datetime.fromisoformat(charge["expires_at"]) if charge.get("expires_at") else None,
    )


def _standing(charge: Mapping[str, Any], price: int | None) -> tuple[Standing, int | None, str]:
    """How it stands, what was received, and what is odd about it.

    Commerce calls a charge UNRESOLVED when what came is not what was asked, or came late. If at least the price is
    confirmed the package is paid; what came beyond it is for an operator to return.
    """
    last = charge["timeline"][-1]
    state = str(last["status"]).upper()
    if state in _ENDED:
        return _ENDED[state], None, ""
    if state not in _WITH_MONEY:
        return Standing.OPEN, None, ""
    sure = _CONFIRMED if state == "UNRESOLVED" else (*_CONFIRMED, "PENDING")  # COMPLETED itself says that it is sure
    paid = [one for one in charge.get("payments") or () if str(one.get("status", "")).upper() in sure]
    received = int(sum(Decimal(one["value"]["local"]["amount"]) for one in paid) * 100)
    context = f"{state} {last.get('context') or ''}".strip()
    if price is None or received < price:
        return Standing.SHORT, received, f"The charge is {context}: {received} cents are confirmed of {price}."
    if received > price:
        return Standing.PAID, received, f"The charge is {context}: {received - price} cents more than the price came."
    return Standing.PAID, received, "" if state == "COMPLETED" else f"The charge is {context}; its price is confirmed."


def _cents(amount: Any) -> int | None:
    """Whole cents of a decimal text; None when it is none, or no whole number of cents."""
    try:
        cents = Decimal(str(amount)) * 100
        return int(cents) if cents.is_finite() and cents == cents.to_integral_value() else None
    except InvalidOperation:
        return None
