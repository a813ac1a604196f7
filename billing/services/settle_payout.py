"""End a reserved payout: the money left the house, or it goes back to the affiliate's available commission."""

from uuid import UUID

from billing.ledger.commissions import Movement, move
from billing.ledger.models import CommissionAccount, TransferKind
from billing.ledger.postings import ReferenceReused
from billing.micros import Micros, positive

__all__ = ["CASH_PAYOUTS", "Movement", "ReferenceReused", "settle_payout"]

CASH_PAYOUTS = "cash:payouts"
"""The house account that payouts are paid from."""


def settle_payout(
    *, affiliate_id: UUID, amount: Micros, reference: str, paid: bool, reason: str = "", actor: UUID | None = None
) -> Movement:
    """End the reservation of `amount`, once per `reference` (`<base>:settle`), whichever way it ends.

    `paid`: from reserved to the house's cash; else back to what is available. `actor` is the operator who decided.

    Raises:
        ReferenceReused: it ended the other way, or with another amount; nothing moved.
        CommissionBelowZero: less is reserved: a bug of the caller.
        TypeError, ValueError: `amount` is no positive integer.
    """
    return move(
        owner_id=affiliate_id,
        kind=TransferKind.PAYOUT if paid else TransferKind.RETURN,
        source=CommissionAccount.RESERVED,
        target=CASH_PAYOUTS if paid else CommissionAccount.AVAILABLE,
        amount=positive(amount),
        reference=reference,
        reason=reason,
        actor_id=actor,
    )
