"""A payout request as its list shows it and as the answer to it is kept."""

from typing import Annotated

from pydantic import Field

from affiliates.models import PayoutRequest
from affiliates.transitions import PAYOUT_STATUSES
from core import clock, ids
from core.messages import Message

PayoutStatus = Annotated[str, Field(json_schema_extra={"enum": list(PAYOUT_STATUSES)})]


class Payout(Message):
    """A payout that was asked for."""

    id: str
    """`pay_…`"""
    status: PayoutStatus
    amount_usd_micros: int
    payout_address: str
    """As it was when this was asked for."""
    note: str | None
    payment_reference: str | None
    """What the operator paid it with."""
    created_at: str
    decided_at: str | None
    """When it was approved, rejected or canceled."""
    finished_at: str | None
    """When it was paid, rejected or canceled."""


def payout_of(request: PayoutRequest) -> Payout:
    """The row as clients see it."""
    return Payout(
        id=ids.encode(ids.PAYOUT, request.pk),
        status=request.status,
        amount_usd_micros=request.amount_micros,
        payout_address=request.payout_address,
        note=request.note or None,
        payment_reference=request.payment_reference or None,
        created_at=clock.rfc3339(request.created_at),
        decided_at=clock.rfc3339(request.decided_at) if request.decided_at else None,
        finished_at=clock.rfc3339(request.finished_at) if request.finished_at else None,
    )
