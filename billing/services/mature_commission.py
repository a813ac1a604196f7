"""Make pending commission available."""

from uuid import UUID

from billing.ledger.commissions import Movement, move
from billing.ledger.models import CommissionAccount, TransferKind
from billing.ledger.postings import ReferenceReused
from billing.micros import Micros, positive

__all__ = ["Movement", "ReferenceReused", "mature_commission"]


def mature_commission(*, affiliate_id: UUID, amount: Micros, reference: str) -> Movement:
    """Move `amount` of the affiliate's commission from pending to available, once per `reference`.

    Raises:
        ReferenceReused: `reference` was used before for something else; nothing moved.
        CommissionBelowZero: less is pending: a bug of the caller, who knows each commission's state.
        TypeError, ValueError: `amount` is no positive integer.
    """
    return move(
        owner_id=affiliate_id,
        kind=TransferKind.MATURITY,
        source=CommissionAccount.PENDING,
        target=CommissionAccount.AVAILABLE,
        amount=positive(amount),
        reference=reference,
    )
