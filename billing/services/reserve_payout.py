"""Set available commission aside for a payout."""

from uuid import UUID

from billing.ledger.commissions import InsufficientCommission, Movement, move
from billing.ledger.models import CommissionAccount, TransferKind
from billing.ledger.postings import ReferenceReused
from billing.micros import Micros, positive

__all__ = ["InsufficientCommission", "Movement", "ReferenceReused", "reserve_payout"]


def reserve_payout(*, affiliate_id: UUID, amount: Micros, reference: str) -> Movement:
    """Move `amount` of the affiliate's commission from available to reserved, once per `reference` (`<base>:reserve`).

    Raises:
        InsufficientCommission: less is available; nothing moved.
        ReferenceReused: `reference` was used before for something else; nothing moved.
        TypeError, ValueError: `amount` is no positive integer.
    """
    return move(
        owner_id=affiliate_id,
        kind=TransferKind.RESERVATION,
        source=CommissionAccount.AVAILABLE,
        target=CommissionAccount.RESERVED,
        amount=positive(amount),
        reference=reference,
        covered=True,
    )
