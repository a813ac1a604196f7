"""Ask for a payout of everything that is available, and take the wish back.

Locked in this order: the affiliate, its payout request, the ledger. So of any number of requests at once one is made.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from affiliates.answers import payout_of
from affiliates.eligibility import MINIMUM_PAYOUT, Eligibility, payout_eligibility
from affiliates.models import Affiliate, Decision, PayoutRequest
from affiliates.transitions import PAYOUT, PAYOUT_OPEN
from billing.services.reserve_payout import InsufficientCommission, reserve_payout
from billing.services.settle_payout import settle_payout
from core.errors import InvalidState
from core.idempotency import services as idempotency

IDEMPOTENCY_ROUTE = "POST affiliates/me/payout-requests"
CREATED = 201
BALANCE_CHANGED = "balance_changed"
"""The one reason that no list shows: what was available became less while the payout was being asked for."""


class NotEligible(InvalidState):
    """No payout can be asked for now: details.reasons says why."""


class NoOpenRequest(InvalidState):
    """There is no payout request that could be canceled."""


@dataclass(frozen=True, slots=True)
class AskedPayout:
    """The answer to a request for a payout, new or from before."""

    body: dict[str, Any]
    replayed: bool


def request_payout(*, account_id: UUID, note: str | None, idempotency_key: str | None, now: datetime) -> AskedPayout:
    """Reserve all that is available for the account's affiliate, at least MINIMUM_PAYOUT; once per idempotency key.

    Raises:
        NotEligible: nothing was reserved; details has the reasons, the minimum and what is available.
        IdempotencyConflict: the key was used with another note.
    """
    key = None
    if idempotency_key is not None:
        key = idempotency.Key(
            account_id=account_id,
            route=IDEMPOTENCY_ROUTE,
            key=idempotency_key,
            fingerprint=idempotency.fingerprint({"note": note}),
        )
    with transaction.atomic():
        affiliate = lock_affiliate_of(account_id)
        earlier = idempotency.find(key=key) if key is not None else None
        if earlier is not None and earlier.body is not None:
            return AskedPayout(body=earlier.body, replayed=True)
        asked = _reserve(affiliate, note or "", now)
        body = payout_of(asked).wire()
        if key is not None:
            idempotency.claim(key=key, subject_id=asked.pk, status=CREATED, body=body, now=now)
    return AskedPayout(body=body, replayed=False)


def cancel_payout(*, account_id: UUID, now: datetime) -> PayoutRequest:
    """End the account's open request; what it reserved is available again.

    Raises:
        NoOpenRequest: there is none, or it was decided at the same moment.
    """
    with transaction.atomic():
        affiliate = lock_affiliate_of(account_id)
        open_ones = PayoutRequest.objects.select_for_update(no_key=True).filter(status__in=PAYOUT_OPEN)
        asked = open_ones.filter(affiliate=affiliate).first() if affiliate is not None else None
        if asked is None:
            raise NoOpenRequest
        own = PayoutRequest.objects.filter(pk=asked.pk)
        if not PAYOUT.apply("cancel", own, decided_at=asked.decided_at or now, finished_at=now):
            raise NoOpenRequest
        settle_payout(
            affiliate_id=account_id, amount=asked.amount_micros, reference=settlement_reference(asked.pk), paid=False
        )
        Decision.objects.create(affiliate=asked.affiliate, payout=asked, action="cancel", actor_id=account_id, at=now)
    asked.refresh_from_db()
    return asked


def lock_affiliate_of(account_id: UUID) -> Affiliate | None:
    """The account's affiliate, its row locked until the transaction ends; None where the account never applied."""
    return Affiliate.objects.select_for_update(no_key=True).filter(account_id=account_id).first()


def settlement_reference(payout_id: UUID) -> str:
    """Where a payout ends in the ledger, whichever way: so it ends once."""
    return f"payout:{payout_id}:settle"


def _reserve(affiliate: Affiliate | None, note: str, now: datetime) -> PayoutRequest:
    found = payout_eligibility(affiliate=affiliate)
    if affiliate is None or not found.eligible:
        raise _not_eligible(found)
    asked = PayoutRequest.objects.create(
        affiliate=affiliate,
        amount_micros=found.available,
        payout_address=affiliate.payout_address,
        note=note,
        created_at=now,
    )
    try:
        reserve_payout(
            affiliate_id=affiliate.account_id, amount=found.available, reference=f"payout:{asked.pk}:reserve"
        )
    except InsufficientCommission as error:
        # A refund took some of it since we looked: whoever asks again is told of what is left.
        raise _not_eligible(Eligibility(reasons=[BALANCE_CHANGED], available=error.available)) from None
    return asked


def _not_eligible(found: Eligibility) -> NotEligible:
    return NotEligible(
        details={
            "reasons": found.reasons,
            "minimumUsdMicros": MINIMUM_PAYOUT,
            "availableUsdMicros": found.available,
        }
    )
