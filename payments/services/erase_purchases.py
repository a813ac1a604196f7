"""Forget what purchases and providers' events say of people, and keep what money and disputes need."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from payments.models import COINBASE, HOSTED, STRIPE, Checkout, Deposit, ProviderEvent, Reversal, X402Payment
from payments.transitions import CHECKOUT, IGNORED, PENDING, PROCESSED

ERASED = "erased"
"""Stands in a payload of which only the ids are left."""
_KEPT: Mapping[str, Mapping[str, Any]] = {
    STRIPE: {
        "id": None,
        "type": None,
        "account": None,
        "livemode": None,
        "data": {"object": {"id": None, "object": None, "payment_intent": None}},
    },
    COINBASE: {"event": {"id": None, "type": None, "data": {"id": None}}},
}
"""What `hint` reads of each provider's events, so that one can be judged again: only ids and types."""


def erase_purchases(*, account_id: UUID, now: datetime) -> None:
    """Blank what the account's purchases sent to providers, their pages, signed payloads and the events about them.

    Providers' ids, amounts, wallets and transactions stay: refunds and disputes still find their deposit, events can
    be judged again, and no authorisation counts twice. A purchase that got in at the moment of the deletion and has
    no page yet fails. Safe to repeat.
    """
    with transaction.atomic():
        checkouts = Checkout.objects.filter(account_id=account_id)
        for checkout_id in checkouts.filter(status=PENDING).values_list("pk", flat=True):
            CHECKOUT.apply(
                "fail",
                Checkout.objects.filter(pk=checkout_id, provider_id=""),
                note="The account was deleted.",
                finished_at=now,
                reconcile_at=None,
            )
        checkouts.update(request={}, url="")
        X402Payment.objects.filter(account_id=account_id).update(payload={})
        for provider in HOSTED:
            _erase_events(provider, account_id)


def forget_payloads(*, limit: int, now: datetime) -> int:
    """Reduce to their ids up to `limit` events that ended PROVIDER_EVENT_DAYS ago; how many.

    Not those that an operator must look at: they end first.
    """
    before = now - timedelta(days=settings.PROVIDER_EVENT_DAYS)
    ended = ProviderEvent.objects.filter(status__in=(PROCESSED, IGNORED), finished_at__lt=before)
    old = list(ended.exclude(payload__has_key=ERASED).order_by("id")[:limit])
    for event in old:
        _reduce(event)
    return len(old)


def _erase_events(provider: str, account_id: UUID) -> None:
    deposits = Deposit.objects.filter(account_id=account_id, provider=provider)
    payments = set(deposits.values_list("provider_id", flat=True))
    known = payments | set(
        Checkout.objects.filter(account_id=account_id, provider=provider).values_list("provider_id", flat=True)
    )
    reversals = Reversal.objects.filter(deposit__in=deposits)
    # The rest of a dispute that was taken later has the dispute's id and a number.
    known |= {name.partition(":")[0] for name in reversals.values_list("provider_id", flat=True)}
    about = Q(object_id__in=known - {""}) | Q(payload__data__object__payment_intent__in=payments)
    for event in ProviderEvent.objects.filter(about, provider=provider).exclude(payload__has_key=ERASED):
        _reduce(event)


def _reduce(event: ProviderEvent) -> None:
    ids = _only(event.payload, _KEPT[event.provider])
    ProviderEvent.objects.filter(pk=event.pk).update(payload={**ids, ERASED: True})


def _only(given: Any, kept: Mapping[str, Any]) -> dict[str, Any]:
    found = given if isinstance(given, Mapping) else {}
    # A member that stands for something else than its id is dropped: it would bring the person back.
    return {
        name: _only(found[name], below) if below is not None else found[name]
        for name, below in kept.items()
        if name in found and (below is not None or not isinstance(found[name], Mapping))
    }
