"""Opening ledger accounts. They are opened once and never closed."""

from uuid import UUID

from billing.ledger.models import AFFILIATE, COMMISSION, PREPAID, REVENUE, CommissionAccount, CustomerAccount
from billing.ledger.statements import row, rows, run

_OPEN = """
INSERT INTO billing_ledgeraccount (owner_id, kind, bucket)
SELECT %(owner)s::uuid, kind, %(bucket)s FROM unnest(%(kinds)s::text[]) WITH ORDINALITY AS wanted (kind, position)
WHERE NOT EXISTS (
    SELECT FROM billing_ledgeraccount known
    WHERE known.owner_id IS NOT DISTINCT FROM %(owner)s::uuid AND known.kind = wanted.kind AND known.bucket = %(bucket)s
)
ORDER BY position
ON CONFLICT (owner_id, kind, bucket) DO NOTHING
"""

_OPEN_BALANCE = """
INSERT INTO billing_balance (owner_id, bucket) VALUES (%(owner)s, %(bucket)s) ON CONFLICT (owner_id, bucket) DO NOTHING
"""

_OPEN_COMMISSION = """
INSERT INTO billing_commissionbalance (owner_id) VALUES (%(owner)s) ON CONFLICT (owner_id) DO NOTHING
"""


def open_customer(owner_id: UUID) -> None:
    """The customer's ledger accounts and zero balance, and the revenue account that captures will need."""
    open_house(REVENUE)
    run(_OPEN, {"owner": owner_id, "kinds": CustomerAccount.values, "bucket": PREPAID})
    run(_OPEN_BALANCE, {"owner": owner_id, "bucket": PREPAID})


def open_house(kind: str) -> int:
    """The id of the house's account of this kind, opened when it is missing."""
    known = _house(kind)
    if known is None:
        run(_OPEN, {"owner": None, "kinds": [kind], "bucket": ""})
        known = _house(kind)
    if known is None:
        raise LookupError(kind)  # opened by nobody and refused to nobody: cannot be under READ COMMITTED
    return known


def open_affiliate(owner_id: UUID) -> None:
    """The affiliate's ledger accounts and zero balance, and the account that commissions are paid from."""
    open_house(COMMISSION)
    run(_OPEN, {"owner": owner_id, "kinds": CommissionAccount.values, "bucket": AFFILIATE})
    run(_OPEN_COMMISSION, {"owner": owner_id})


def customer_ids(owner_id: UUID) -> dict[str, int]:
    """The customer's prepaid ledger accounts: kind → id."""
    return _ids(owner_id, PREPAID)


def affiliate_ids(owner_id: UUID) -> dict[str, int]:
    """The affiliate's ledger accounts: kind → id."""
    return _ids(owner_id, AFFILIATE)


def _ids(owner_id: UUID, bucket: str) -> dict[str, int]:
    return dict(
        rows(
            "SELECT kind, id FROM billing_ledgeraccount WHERE owner_id = %(owner)s AND bucket = %(bucket)s",
            {"owner": owner_id, "bucket": bucket},
        )
    )


def _house(kind: str) -> int | None:
    found = row("SELECT id FROM billing_ledgeraccount WHERE owner_id IS NULL AND kind = %(kind)s", {"kind": kind})
    return None if found is None else int(found[0])
