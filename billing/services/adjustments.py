"""Adjustments by hand: asked for by one operator, posted at once where they are small, else decided by another."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.db.models.functions import Abs

from billing.adjustments import ADJUSTMENT, POSTED, AdjustmentRequest
from billing.ledger.postings import InsufficientBalance
from billing.micros import Micros, positive
from billing.services.adjust import adjust
from core.errors import Forbidden, InvalidState, NotFound

__all__ = [
    "AlreadyDecided",
    "InsufficientBalance",
    "NeedsSecondPerson",
    "OwnAccount",
    "approve_adjustment",
    "reject_adjustment",
    "request_adjustment",
]

COUNTED_FOR = timedelta(hours=24)
"""What one person posts alone within this time, to whichever accounts, counts together."""


class NeedsSecondPerson(Forbidden):
    """Somebody other than its requester must approve this adjustment."""


class OwnAccount(Forbidden):
    """Nobody asks for or decides adjustments of their own account."""


class AlreadyDecided(InvalidState):
    """This adjustment was decided before."""


def counted_amount(*, amount: Micros, requested_by: UUID, now: datetime) -> Micros:
    """What an adjustment of this size would count: itself, and what its requester posted alone within a day."""
    alone = AdjustmentRequest.objects.filter(
        requested_by_id=requested_by,
        decided_by_id=requested_by,
        status=POSTED,
        decided_at__gt=now - COUNTED_FOR,
    )
    posted: Micros = alone.aggregate(sum=Sum(Abs("amount_micros")))["sum"] or 0
    return abs(amount) + posted


def request_adjustment(
    *,
    request_id: UUID,
    account_id: UUID,
    amount: Micros,
    reason: str,
    source: Literal["adjustment", "promotion"],
    requested_by: UUID,
    now: datetime,
) -> AdjustmentRequest:
    """Give (`amount` above zero) or take (below zero) on an operator's word, once per `request_id`.

    Below ADJUSTMENT_APPROVAL_MICROS it is posted at once. From there on it waits for a second person; so that
    nobody gets past that in small steps, what the same person posted alone within a day counts, to whichever accounts.

    Raises:
        OwnAccount: the account is that of `requested_by`; nothing was written.
        InsufficientBalance: less than what is to be taken is available; nothing moved and nothing was written.
        InvalidState: `request_id` was used before for something else.
        TypeError, ValueError: `amount` is no integer or zero, or `reason` is empty.
    """
    positive(amount if amount > 0 else -amount)
    if not reason.strip():
        raise ValueError("an adjustment says why")
    if account_id == requested_by:
        raise OwnAccount
    with transaction.atomic():
        # One person's adjustments take turns: two small ones at once must not both be the small one.
        _take_turns(requested_by)
        earlier = AdjustmentRequest.objects.filter(pk=request_id).first()
        if earlier is not None:
            same = (earlier.account_id, earlier.amount_micros, earlier.source, earlier.requested_by_id)
            if same != (account_id, amount, source, requested_by):
                raise InvalidState("This request was made before, for something else.")
            return earlier
        request = AdjustmentRequest.objects.create(
            id=request_id,
            account_id=account_id,
            amount_micros=amount,
            source=source,
            reason=reason.strip(),
            counted_micros=counted_amount(amount=amount, requested_by=requested_by, now=now),
            threshold_micros=settings.ADJUSTMENT_APPROVAL_MICROS,
            requested_by_id=requested_by,
            requested_at=now,
        )
        if not request.needs_second_person:
            _post(request, decided_by=requested_by, note="", now=now)
    return request


def approve_adjustment(*, request_id: UUID, decided_by: UUID, note: str, now: datetime) -> AdjustmentRequest:
    """Post what somebody else asked for. Of several approvals at once, one posts.

    Raises:
        NotFound: there is no such adjustment.
        NeedsSecondPerson: `decided_by` asked for it.
        OwnAccount: the account is that of `decided_by`.
        AlreadyDecided: it was posted or rejected before; nothing moved.
        InsufficientBalance: less than what is to be taken is available; it goes on waiting.
    """
    with transaction.atomic():
        request = _find(request_id, decided_by)
        if request.requested_by_id == decided_by:
            raise NeedsSecondPerson
        _post(request, decided_by=decided_by, note=note, now=now)
    return request


def reject_adjustment(*, request_id: UUID, decided_by: UUID, note: str, now: datetime) -> AdjustmentRequest:
    """Decide against an adjustment; its requester may do so, too. Nothing moves.

    Raises:
        NotFound: there is no such adjustment.
        OwnAccount: the account is that of `decided_by`.
        AlreadyDecided: it was posted or rejected before.
        ValueError: `note` is empty; a rejection says why.
    """
    if not note.strip():
        raise ValueError("a rejection says why")
    with transaction.atomic():
        request = _find(request_id, decided_by)
        _decide(request, "reject", decided_by=decided_by, note=note, now=now)
    return request


def _find(request_id: UUID, decided_by: UUID) -> AdjustmentRequest:
    request = AdjustmentRequest.objects.filter(pk=request_id).first()
    if request is None:
        raise NotFound
    if request.account_id == decided_by:
        raise OwnAccount
    return request


def _post(request: AdjustmentRequest, *, decided_by: UUID, note: str, now: datetime) -> None:
    _decide(request, "post", decided_by=decided_by, note=note, now=now)
    adjust(
        account_id=request.account_id,
        amount=request.amount_micros,
        reason=request.reason,
        reference=f"adjustment:{request.pk}",
        actor=request.requested_by_id,
        source="promotion" if request.source == "promotion" else "adjustment",
    )


def _decide(request: AdjustmentRequest, transition: str, *, decided_by: UUID, note: str, now: datetime) -> None:
    row = AdjustmentRequest.objects.filter(pk=request.pk)
    if not ADJUSTMENT.apply(transition, row, decided_by=decided_by, decided_at=now, decision_note=note.strip()):
        raise AlreadyDecided
    request.refresh_from_db()


def _take_turns(requested_by: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"adjust:{requested_by}"])
