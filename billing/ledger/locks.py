"""The only place that locks balance rows, always in primary-key order.

House accounts are never locked: they have no balance row, they are summed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from billing.ledger.models import PREPAID
from billing.ledger.statements import row, rows
from billing.micros import Micros

LOCKED_BALANCE = f"""
    SELECT id, owner_id, bucket, available, held, receivable FROM billing_balance
    WHERE owner_id = %(account)s::uuid AND bucket = '{PREPAID}' FOR NO KEY UPDATE
"""  # noqa: S608 - a constant
"""One customer's balance, locked, as the first part of a larger statement (parameter `account`).

The row comes back as it is once the lock is ours, whatever the statement's snapshot says; everything else the
statement reads is as old as the snapshot. So what decides must stand in this row.
"""

_LOCK_MANY = """
SELECT owner_id, available, held, receivable FROM billing_balance
WHERE owner_id = ANY(%(accounts)s::uuid[]) AND bucket = %(bucket)s ORDER BY id FOR NO KEY UPDATE
"""

_LOCK_COMMISSION = """
SELECT pending, available, reserved FROM billing_commissionbalance
WHERE owner_id = %(owner)s::uuid FOR NO KEY UPDATE
"""


@dataclass(frozen=True, slots=True)
class LockedBalance:
    """A balance that nobody else can change until this transaction ends."""

    available: Micros
    held: Micros
    receivable: Micros


@dataclass(frozen=True, slots=True)
class LockedCommission:
    """An affiliate's balance that nobody else can change until this transaction ends."""

    pending: Micros
    available: Micros
    reserved: Micros


def lock_commission(owner_id: UUID) -> LockedCommission | None:
    """Lock one affiliate's balance until the transaction ends; None when it has none.

    A transaction that also touches customers' balances locks those first, and one affiliate at most.
    """
    found = row(_LOCK_COMMISSION, {"owner": owner_id})
    return None if found is None else LockedCommission(*found)


def lock_balances(account_ids: Iterable[UUID]) -> dict[UUID, LockedBalance]:
    """Lock the balances of these customers until the transaction ends; customers without one are left out.

    A transaction that will touch several customers calls this first, with all of them: two such transactions
    then wait for each other in one order and cannot deadlock.
    """
    found = rows(_LOCK_MANY, {"accounts": list(account_ids), "bucket": PREPAID})
    return {owner_id: LockedBalance(*figures) for owner_id, *figures in found}
