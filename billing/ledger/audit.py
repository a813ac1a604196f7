"""Recomputing what is materialised, set-wise, from the transfers alone."""

from dataclasses import dataclass
from uuid import UUID

from billing.ledger.statements import row, rows
from billing.micros import Micros

_MOVED = """
moved AS (
    SELECT account_id, SUM(amount)::bigint AS amount FROM (
        SELECT credit_id AS account_id, SUM(amount) AS amount FROM billing_transfer GROUP BY credit_id
        UNION ALL
        SELECT debit_id, -SUM(amount) FROM billing_transfer GROUP BY debit_id
    ) sides GROUP BY account_id
)
"""

_RECOMPUTED = f"""
{_MOVED},
recomputed AS (
    SELECT a.owner_id, a.bucket,
        COALESCE(SUM(moved.amount) FILTER (WHERE a.kind = 'available'), 0)::bigint AS available,
        COALESCE(SUM(moved.amount) FILTER (WHERE a.kind = 'held'), 0)::bigint AS held,
        COALESCE(-SUM(moved.amount) FILTER (WHERE a.kind = 'receivable'), 0)::bigint AS receivable
    FROM billing_ledgeraccount a LEFT JOIN moved ON moved.account_id = a.id
    WHERE a.owner_id IS NOT NULL AND a.bucket <> 'affiliate'
    GROUP BY a.owner_id, a.bucket
),
recomputed_commission AS (
    SELECT a.owner_id,
        COALESCE(SUM(moved.amount) FILTER (WHERE a.kind = 'pending'), 0)::bigint AS pending,
        COALESCE(SUM(moved.amount) FILTER (WHERE a.kind = 'available'), 0)::bigint AS available,
        COALESCE(SUM(moved.amount) FILTER (WHERE a.kind = 'reserved'), 0)::bigint AS reserved
    FROM billing_ledgeraccount a LEFT JOIN moved ON moved.account_id = a.id
    WHERE a.bucket = 'affiliate'
    GROUP BY a.owner_id
)
"""  # noqa: S608 - constants

# Ways to be wrong: a balance, of a customer or an affiliate, differs from its transfers (or exists on one side only);
# the money held is not what the unsettled holds add up to; a transfer names a ledger account that does not exist; what
# counts on a key's month is not what its holds were charged or still hold.
_AUDIT = f"""
WITH {_RECOMPUTED},
open_holds AS (
    SELECT a.owner_id, a.bucket, SUM(hold.amount)::bigint AS amount
    FROM billing_transfer hold JOIN billing_ledgeraccount a ON a.id = hold.credit_id
    WHERE hold.kind = 'hold' AND NOT EXISTS (
        SELECT FROM billing_transfer settled
        WHERE settled.leg = 0 AND settled.reference = left(hold.reference, -length(':hold')) || ':settle'
    )
    GROUP BY a.owner_id, a.bucket
)
SELECT owner_id, bucket, figure.name, figure.recomputed, figure.materialised
FROM recomputed r FULL JOIN billing_balance b USING (owner_id, bucket) LEFT JOIN open_holds o USING (owner_id, bucket)
CROSS JOIN LATERAL (VALUES
    ('available', r.available, b.available),
    ('held', r.held, b.held),
    ('receivable', r.receivable, b.receivable),
    ('open_holds', COALESCE(o.amount, 0), b.held)
) figure (name, recomputed, materialised)
WHERE figure.recomputed IS DISTINCT FROM figure.materialised
UNION ALL
SELECT owner_id, 'affiliate', figure.name, figure.recomputed, figure.materialised
FROM recomputed_commission r FULL JOIN billing_commissionbalance b USING (owner_id)
CROSS JOIN LATERAL (VALUES
    ('pending', r.pending, b.pending),
    ('available', r.available, b.available),
    ('reserved', r.reserved, b.reserved)
) figure (name, recomputed, materialised)
WHERE figure.recomputed IS DISTINCT FROM figure.materialised
UNION ALL
SELECT NULL, 'ledger account ' || moved.account_id, 'unknown_account', moved.amount, NULL
FROM moved WHERE NOT EXISTS (SELECT FROM billing_ledgeraccount a WHERE a.id = moved.account_id)
UNION ALL
SELECT NULL, 'key ' || spend.key_id || ' in ' || spend.month, 'key_spend', counted.amount, spend.amount
FROM billing_keyspend spend CROSS JOIN LATERAL (
    SELECT COALESCE(SUM(CASE WHEN settled.reference IS NULL THEN hold.amount ELSE COALESCE(charged.amount, 0) END), 0)
        ::bigint AS amount
    FROM billing_keyspendhold link
    JOIN billing_transfer hold ON hold.reference = link.reference AND hold.leg = 0
    LEFT JOIN billing_transfer settled
        ON settled.reference = left(hold.reference, -length(':hold')) || ':settle' AND settled.leg = 0
    LEFT JOIN billing_transfer charged ON charged.reference = settled.reference AND charged.kind = 'capture'
    WHERE link.spend_id = spend.id
) counted
WHERE counted.amount <> spend.amount
ORDER BY 1, 2, 3
"""  # noqa: S608 - constants

_HOUSE = f"""
WITH {_MOVED}
SELECT a.kind, COALESCE(moved.amount, 0) FROM billing_ledgeraccount a LEFT JOIN moved ON moved.account_id = a.id
WHERE a.owner_id IS NULL ORDER BY a.kind
"""  # noqa: S608 - constants

_TRIAL = """
SELECT COUNT(*),
    COALESCE(SUM(available), 0)::bigint, COALESCE(SUM(held), 0)::bigint, COALESCE(SUM(receivable), 0)::bigint,
    (SELECT COALESCE(SUM(pending + available + reserved), 0)::bigint FROM billing_commissionbalance)
FROM billing_balance
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """One customer's figures in one bucket."""

    available: Micros
    held: Micros
    receivable: Micros


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that the transfers do not bear out. None: that side has no such row."""

    owner_id: UUID | None
    bucket: str
    figure: str
    recomputed: Micros | None
    materialised: Micros | None


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Every ledger account summed up. All of it together is zero, because each transfer has two sides."""

    customers: int
    available: Micros
    held: Micros
    receivable: Micros
    commissions: Micros
    """What affiliates have: pending, available and reserved together."""
    house: dict[str, Micros]

    @property
    def total(self) -> Micros:
        """Zero, unless a materialised balance is wrong."""
        return self.available + self.held - self.receivable + self.commissions + sum(self.house.values())


Balances = dict[tuple[UUID, str], Figures]


def audit() -> list[Difference]:
    """Every difference between the transfers and what is materialised, in one snapshot; [] is a sound ledger."""
    return [Difference(*found) for found in rows(_AUDIT, {})]


def recomputed_balances() -> Balances:
    """(owner, bucket) → what the transfers add up to."""
    found = rows(f"WITH {_RECOMPUTED} SELECT owner_id, bucket, available, held, receivable FROM recomputed", {})  # noqa: S608
    return {(owner, bucket): Figures(*figures) for owner, bucket, *figures in found}


def materialised_balances() -> Balances:
    """(owner, bucket) → what the balance rows say."""
    found = rows("SELECT owner_id, bucket, available, held, receivable FROM billing_balance", {})
    return {(owner, bucket): Figures(*figures) for owner, bucket, *figures in found}


def house_totals() -> dict[str, Micros]:
    """House account → credits less debits: revenue stands above zero, the providers' cash below it."""
    return dict(rows(_HOUSE, {}))


def trial_balance() -> TrialBalance:
    """The materialised balances beside the house's totals."""
    customers, available, held, receivable, commissions = row(_TRIAL, {}) or (0, 0, 0, 0, 0)
    return TrialBalance(customers, available, held, receivable, commissions, house_totals())
