"""What an account has and owes, held still until the caller's transaction ends."""

from dataclasses import dataclass
from uuid import UUID

from billing.ledger.locks import lock_balances, lock_commission
from billing.micros import Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedAccount:
    """Figures that nobody else can change until the transaction ends."""

    available: Micros
    held: Micros
    """For waiting and running jobs."""
    receivable: Micros
    """Owed after a reversed deposit."""
    pending_commission: Micros
    """Earned as an affiliate, and not available yet."""
    available_commission: Micros
    """Below zero it is owed."""
    reserved: Micros
    """Of an open payout request."""


def lock_account(*, account_id: UUID) -> LockedAccount:
    """Lock the account's balance, then its commission balance; zeros where it has none.

    Call it before anything else is locked: a submit holds the balance when it looks at the account's row.
    """
    balance = lock_balances([account_id]).get(account_id)
    commission = lock_commission(account_id)
    return LockedAccount(
        available=balance.available if balance else 0,
        held=balance.held if balance else 0,
        receivable=balance.receivable if balance else 0,
        pending_commission=commission.pending if commission else 0,
        available_commission=commission.available if commission else 0,
        reserved=commission.reserved if commission else 0,
    )
