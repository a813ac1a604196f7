"""The ledger against itself, and how the audits of the rooms above compare their rows with it.

A room's `audit.py` has `differences() -> list[Finding]`: set-wise SQL over its own tables and the relations below, in
the snapshot of the caller's transaction. It reads; it never mends.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from billing.ledger.audit import audit
from billing.ledger.statements import rows
from core import ids

Figure = int | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Two records of the same fact that differ."""

    room: str
    """Whose rows are compared."""
    subject: str
    """What they are about, by its public id where it has one."""
    figure: str
    """Which of its figures."""
    expected: Figure
    """What the room's own rows call for; of a balance, what its transfers add up to. None: nothing."""
    found: Figure
    """What the ledger, the balance or the provider has. None: nothing."""


CASH = """
SELECT t.reference, COALESCE(debit.owner_id, credit.owner_id) AS account_id,
    CASE WHEN debit.owner_id IS NULL THEN debit.kind ELSE credit.kind END AS house,
    SUM(CASE WHEN debit.owner_id IS NULL THEN t.amount ELSE -t.amount END)::bigint AS amount,
    MIN(t.created_at) AS at
FROM billing_transfer t
JOIN billing_ledgeraccount debit ON debit.id = t.debit_id
JOIN billing_ledgeraccount credit ON credit.id = t.credit_id
WHERE debit.owner_id IS NULL AND debit.kind LIKE 'cash:%%' AND credit.bucket <> 'affiliate'
    OR credit.owner_id IS NULL AND credit.kind LIKE 'cash:%%' AND debit.bucket <> 'affiliate'
GROUP BY 1, 2, 3
"""
"""Per reference: what came to a customer from a provider's cash (above zero), or went back (below)."""

HOLDS = """
SELECT left(hold.reference, -length(':hold')) AS base, account.owner_id AS account_id, hold.amount,
    settled.reference IS NOT NULL AS settled, COALESCE(settled.captured, 0)::bigint AS captured
FROM billing_transfer hold
JOIN billing_ledgeraccount account ON account.id = hold.credit_id
LEFT JOIN (
    SELECT reference, SUM(amount) FILTER (WHERE kind = 'capture') AS captured
    FROM billing_transfer WHERE reference LIKE '%%:settle' GROUP BY reference
) settled ON settled.reference = left(hold.reference, -length(':hold')) || ':settle'
WHERE hold.kind = 'hold'
"""
"""Per hold: whose it is, how much, whether it was settled, and what was charged then."""

COMMISSIONS = """
SELECT t.reference, COALESCE(debit.owner_id, credit.owner_id) AS account_id, t.kind, t.amount,
    t.amount * ((credit.owner_id IS NOT NULL AND credit.kind = 'pending')::int
        - (debit.owner_id IS NOT NULL AND debit.kind = 'pending')::int) AS pending,
    t.amount * ((credit.owner_id IS NOT NULL AND credit.kind = 'available')::int
        - (debit.owner_id IS NOT NULL AND debit.kind = 'available')::int) AS available,
    t.amount * ((credit.owner_id IS NOT NULL AND credit.kind = 'reserved')::int
        - (debit.owner_id IS NOT NULL AND debit.kind = 'reserved')::int) AS reserved
FROM billing_transfer t
JOIN billing_ledgeraccount debit ON debit.id = t.debit_id
JOIN billing_ledgeraccount credit ON credit.id = t.credit_id
WHERE debit.bucket = 'affiliate' OR credit.bucket = 'affiliate'
"""
"""Per transfer of an affiliate's: whose, and how it changed each of the three figures."""


def differences() -> list[Finding]:
    """Balances, open holds, key spends and ledger accounts that the transfers do not bear out."""
    return [
        Finding(
            room="billing",
            subject=f"{_account(one.owner_id)} {one.bucket}".strip(),
            figure=one.figure,
            expected=one.recomputed,
            found=one.materialised,
        )
        for one in audit()
    ]


def findings(room: str, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Finding]:
    """What `sql` finds: rows of (id's prefix, id, what else tells it apart, figure, expected, found)."""
    return [
        Finding(
            room=room,
            subject=f"{ids.encode(prefix, id_)} {detail}".strip() if id_ is not None else detail,
            figure=figure,
            expected=expected,
            found=found,
        )
        for prefix, id_, detail, figure, expected, found in rows(sql, parameters or {})
    ]


def _account(owner_id: UUID | None) -> str:
    return ids.encode(ids.ACCOUNT, owner_id) if owner_id is not None else ""
