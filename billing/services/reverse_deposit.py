"""Take back a deposit that the provider refunded or that was disputed."""

from uuid import UUID

from billing.ledger.models import TransferKind
from billing.ledger.postings import Posting, ReferenceReused, post
from billing.micros import Micros, positive

__all__ = ["Posting", "ReferenceReused", "reverse_deposit"]


def reverse_deposit(*, account_id: UUID, amount: Micros, provider: str, reference: str) -> Posting:
    """Return `amount` from the account to the provider's cash, once per `reference`.

    It comes out of what is available; the rest is owed, and until that is repaid no hold can be placed. Money
    already held stays held: that work is paid for. The same call again returns what the first one did.

    Raises:
        ReferenceReused: `reference` was used before with another account, amount or provider; nothing moved.
        TypeError, ValueError: `amount` is no positive integer.
    """
    return post(
        account_id=account_id,
        house=f"cash:{provider}",
        kind=TransferKind.REVERSAL,
        amount=-positive(amount),
        reference=reference,
        into_debt=True,
    )
