"""Credit money that a payment provider has received."""

from uuid import UUID

from billing.ledger.models import TransferKind
from billing.ledger.postings import Posting, ReferenceReused, post
from billing.micros import Micros, positive

__all__ = ["Posting", "ReferenceReused", "credit_deposit"]


def credit_deposit(*, account_id: UUID, amount: Micros, provider: str, reference: str) -> Posting:
    """Bring `amount` from the provider's cash to the account, once per `reference`.

    Debt is repaid first; only the rest becomes available. Opens the account's ledger accounts when it has none.
    The same call again returns what the first one did.

    Raises:
        ReferenceReused: `reference` was used before with another account, amount or provider; nothing moved.
        TypeError, ValueError: `amount` is no positive integer.
    """
    return post(
        account_id=account_id,
        house=f"cash:{provider}",
        kind=TransferKind.DEPOSIT,
        amount=positive(amount),
        reference=reference,
    )
