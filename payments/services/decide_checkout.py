"""An operator's decision on a purchase whose money does not fit what was agreed."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import transaction

from core import ids
from core.errors import InvalidRequest, InvalidState, NotFound
from core.wake import wake_steward
from payments.models import Checkout, Deposit
from payments.providers.purchase import Purchase, UnknownPurchase
from payments.providers.registry import provider_of
from payments.services.decide_x402 import OwnPayment
from payments.services.reconcile_deposit import CLOSED, CREDITED, credit_received
from payments.transitions import CHECKOUT, REVIEW

Action = Literal["credit", "close"]


def decide_checkout(
    *, checkout_id: UUID, action: Action, cents: int | None, reason: str, actor_id: UUID, now: datetime
) -> None:
    """Credit `cents` of what the provider has received for a purchase in review, or close it without credit.

    What was received is read from the provider now, outside any transaction; no more than that is ever credited, and
    no payment twice. The checkout's note keeps who decided and why.

    Raises:
        NotFound: there is no such checkout.
        OwnPayment: it is the operator's own.
        InvalidRequest: no reason; or to credit, no cents, or more than was received.
        InvalidState: it is not in review, or its provider has no dollars for it that could be credited.
        ProviderNotConfigured, ProviderUnavailable: nobody could be asked; nothing was done.
    """
    if not reason.strip():
        raise InvalidRequest({"reason": "must say why"})
    checkout = Checkout.objects.filter(pk=checkout_id).first()
    if checkout is None:
        raise NotFound
    if checkout.account_id == actor_id:
        raise OwnPayment
    if checkout.status != REVIEW:
        raise InvalidState(f"The purchase is {checkout.status}, not in review.", details={"status": checkout.status})
    why = f"{ids.encode(ids.ACCOUNT, actor_id)}: {reason.strip()}"
    if action == "close":
        own = Checkout.objects.filter(pk=checkout_id)
        decided = CHECKOUT.apply("close", own, note=f"{CLOSED}: {why}"[:1000], finished_at=now, reconcile_at=None)
    else:
        decided = _credit(checkout, cents, f"{CREDITED}: {why}"[:1000], now)
    if not decided:
        raise InvalidState("The purchase was decided a moment ago.")


def _credit(checkout: Checkout, cents: int | None, note: str, now: datetime) -> bool:
    purchase = _received(checkout)
    received = purchase.received_cents or 0
    if cents is None or not 0 < cents <= received:
        raise InvalidRequest({"cents": f"must be from 1 to {received}, what the provider has received"})
    with transaction.atomic(durable=True):
        if Deposit.objects.filter(provider=checkout.provider, provider_id=purchase.payment_id).exists():
            raise InvalidState("This payment is credited already.")
        decided = credit_received(checkout_id=checkout.pk, purchase=purchase, cents=cents, note=note, now=now)
    if decided:
        wake_steward("outbox")
    return decided


def _received(checkout: Checkout) -> Purchase:
    """The purchase as its provider tells of it now, with money in it."""
    if not checkout.provider_id:
        raise InvalidState("Its provider never made a page for it.")
    try:
        purchase = provider_of(checkout.provider).read(checkout.provider_id, thorough=True)
    except UnknownPurchase:
        raise InvalidState("Its provider does not know it.") from None
    if not purchase.payment_id or not purchase.received_cents:
        raise InvalidState("Its provider has received nothing for it.")
    if purchase.currency != "usd":
        raise InvalidState(f"Its provider received {purchase.currency or 'an unknown currency'}, not US dollars.")
    return purchase
