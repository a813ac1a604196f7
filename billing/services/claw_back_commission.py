"""Take commission back whose deposit was refunded or disputed."""

from uuid import UUID

from billing.ledger.commissions import Movement, move
from billing.ledger.models import COMMISSION, CommissionAccount, TransferKind
from billing.ledger.postings import ReferenceReused
from billing.micros import Micros, positive

__all__ = ["Movement", "ReferenceReused", "claw_back_commission"]


def claw_back_commission(*, affiliate_id: UUID, amount: Micros, reference: str, matured: bool) -> Movement:
    """Return `amount` from the affiliate to the house, once per `reference`.

    From what is pending, or from what is available if the commission has `matured`. Available may go below zero:
    what was paid out already is owed, and until later commission makes it up nothing is paid out.

    Raises:
        ReferenceReused: `reference` was used before for something else; nothing moved.
        CommissionBelowZero: less is pending: a bug of the caller, who knows each commission's state.
        TypeError, ValueError: `amount` is no positive integer.
    """
    return move(
        owner_id=affiliate_id,
        kind=TransferKind.CLAW_BACK,
        source=CommissionAccount.AVAILABLE if matured else CommissionAccount.PENDING,
        target=COMMISSION,
        amount=positive(amount),
        reference=reference,
    )
