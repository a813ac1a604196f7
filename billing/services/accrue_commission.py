"""Credit an affiliate with commission."""

from uuid import UUID

from billing.ledger.commissions import Movement, move
from billing.ledger.models import COMMISSION, CommissionAccount, TransferKind
from billing.ledger.postings import ReferenceReused
from billing.micros import Micros, positive

__all__ = ["Movement", "ReferenceReused", "accrue_commission"]


def accrue_commission(*, affiliate_id: UUID, amount: Micros, reference: str, matured: bool = False) -> Movement:
    """Bring `amount` from the house's commissions to the affiliate, once per `reference`.

    It is pending, or available at once if `matured`: so for a commission that was taken back for a dispute and is
    given again when that is won. `affiliate_id` is the affiliate's account. The same call again moves nothing.

    Raises:
        ReferenceReused: `reference` was used before for something else; nothing moved.
        TypeError, ValueError: `amount` is no positive integer.
    """
    return move(
        owner_id=affiliate_id,
        kind=TransferKind.ACCRUAL,
        source=COMMISSION,
        target=CommissionAccount.AVAILABLE if matured else CommissionAccount.PENDING,
        amount=positive(amount),
        reference=reference,
    )
