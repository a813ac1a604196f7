"""Correct an account by hand, or give it credit."""

from typing import Literal
from uuid import UUID

from billing.ledger.models import TransferKind
from billing.ledger.postings import InsufficientBalance, Posting, ReferenceReused, post
from billing.micros import Micros, positive

__all__ = ["InsufficientBalance", "Posting", "ReferenceReused", "adjust"]


def adjust(
    *,
    account_id: UUID,
    amount: Micros,
    reason: str,
    reference: str,
    actor: UUID | None,
    source: Literal["adjustment", "promotion"] = "adjustment",
) -> Posting:
    """Give (`amount` above zero) or take (below zero) at the house's expense, once per `reference`.

    `actor` is the operator's account, None when the platform itself does it; `reason` is kept for good. `source`
    is the house account on the other side: `promotion` is credit given away. What is given repays debt first.

    Raises:
        InsufficientBalance: less than what is to be taken is available; nothing moved.
        ReferenceReused: `reference` was used before with another account, amount or source; nothing moved.
        TypeError, ValueError: `amount` is no integer or zero, or `reason` is empty.
    """
    positive(abs(amount))
    if not reason.strip():
        raise ValueError("an adjustment says why")
    return post(
        account_id=account_id,
        house=source,
        kind=TransferKind.ADJUSTMENT,
        amount=amount,
        reference=reference,
        reason=reason,
        actor_id=actor,
    )
