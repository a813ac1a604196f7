"""Reading money: balances, holds, statements, and the audit of all of them."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from billing.ledger.audit import (
    Balances,
    Difference,
    Figures,
    TrialBalance,
    audit,
    house_totals,
    materialised_balances,
    recomputed_balances,
    trial_balance,
)
from billing.ledger.history import StatementLine, history
from billing.ledger.holds import Hold, Settlement, read_hold, read_settlement
from billing.ledger.models import PREPAID, Balance, CommissionBalance
from billing.micros import Micros

__all__ = [
    "BalanceView",
    "Balances",
    "CommissionView",
    "Difference",
    "Figures",
    "Hold",
    "Settlement",
    "StatementLine",
    "TrialBalance",
    "audit",
    "available_balances",
    "balance",
    "commission",
    "find_hold",
    "find_settlement",
    "house_totals",
    "materialised_balances",
    "recomputed_balances",
    "transfers",
    "trial_balance",
]

LONGEST_PAGE = 500


@dataclass(frozen=True, slots=True)
class BalanceView:
    """What an account has: to spend, set aside for running work, and what it owes."""

    available: Micros
    held: Micros
    receivable: Micros

    @property
    def total(self) -> Micros:
        """The customer's money with us, spent on nothing yet."""
        return self.available + self.held


def balance(*, account_id: UUID) -> BalanceView:
    """The account's balance; zeros before its first transfer. A plain read: it waits for no lock."""
    found = (
        Balance.objects.filter(owner_id=account_id, bucket=PREPAID)
        .values_list("available", "held", "receivable")
        .first()
    )
    return BalanceView(*(found or (0, 0, 0)))


def available_balances(*, account_ids: Collection[UUID]) -> dict[UUID, Micros]:
    """What is available to each of these accounts; without those that have had no transfer. Waits for no lock."""
    found = Balance.objects.filter(owner_id__in=account_ids, bucket=PREPAID)
    return dict(found.values_list("owner_id", "available"))


@dataclass(frozen=True, slots=True)
class CommissionView:
    """What an affiliate has earned: not yet available, available (below zero: owed), reserved for a payout."""

    pending: Micros
    available: Micros
    reserved: Micros


def commission(*, affiliate_id: UUID) -> CommissionView:
    """The commission balance of an affiliate's account; zeros before its first transfer. Waits for no lock."""
    found = CommissionBalance.objects.filter(owner_id=affiliate_id).values_list("pending", "available", "reserved")
    return CommissionView(*(found.first() or (0, 0, 0)))


def transfers(*, account_id: UUID, limit: int = 100, before: UUID | None = None) -> list[StatementLine]:
    """The account's transfers, newest first: at most `limit` (up to 500) of those before the transfer `before`."""
    return history(account_id, max(1, min(limit, LONGEST_PAGE)), before).lines


def find_hold(*, reference: str) -> Hold | None:
    """The hold placed under `reference`, settled or not."""
    return read_hold(reference)


def find_settlement(*, reference: str) -> Settlement | None:
    """How the hold placed under `reference` ended; None while it is open, or when there is none."""
    return read_settlement(reference)
