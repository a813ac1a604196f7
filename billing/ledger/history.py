"""One customer's transfers, newest first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.ledger.models import CustomerAccount, TransferKind
from billing.ledger.statements import rows
from billing.micros import Micros

# Each of the customer's few ledger accounts is read from its own end of an index, so that a page costs the same
# in a long history as in a short one.
_HISTORY = """
WITH own AS (SELECT id FROM billing_ledgeraccount WHERE owner_id = %(account)s::uuid AND bucket <> 'affiliate'),
recent AS (
    SELECT t.id FROM own CROSS JOIN LATERAL (
        SELECT id FROM billing_transfer WHERE debit_id = own.id AND id < %(before)s::uuid
        ORDER BY id DESC LIMIT %(limit)s
    ) t
    UNION
    SELECT t.id FROM own CROSS JOIN LATERAL (
        SELECT id FROM billing_transfer WHERE credit_id = own.id AND id < %(before)s::uuid
        ORDER BY id DESC LIMIT %(limit)s
    ) t
)
SELECT t.id, t.created_at, t.reference, t.kind, t.amount, t.available_after, t.reason,
    debit.kind, debit.owner_id IS NOT NULL, credit.kind, credit.owner_id IS NOT NULL
FROM recent JOIN billing_transfer t USING (id)
JOIN billing_ledgeraccount debit ON debit.id = t.debit_id
JOIN billing_ledgeraccount credit ON credit.id = t.credit_id
ORDER BY t.id DESC LIMIT %(limit)s
"""

_AFTER_ALL = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One transfer as its customer sees it."""

    id: UUID
    at: datetime
    reference: str
    kind: str
    label: str
    available_change: Micros
    held_change: Micros
    debt_change: Micros
    available_after: Micros
    reason: str


def history(account_id: UUID, limit: int, before: UUID | None) -> list[StatementLine]:
    """Up to `limit` transfers of the customer that came before the transfer `before`, newest first."""
    found = rows(_HISTORY, {"account": account_id, "before": before or _AFTER_ALL, "limit": limit})
    lines = []
    for id_, at, reference, kind, amount, available_after, reason, debit, debit_own, credit, credit_own in found:
        changes = dict.fromkeys(CustomerAccount.values, 0)
        if debit_own:
            changes[debit] -= amount
        if credit_own:
            changes[credit] += amount
        lines.append(
            StatementLine(
                id=id_,
                at=at,
                reference=reference,
                kind=kind,
                label=str(TransferKind(kind).label),
                available_change=changes[CustomerAccount.AVAILABLE],
                held_change=changes[CustomerAccount.HELD],
                debt_change=-changes[CustomerAccount.RECEIVABLE],
                available_after=available_after,
                reason=reason,
            )
        )
    return lines
