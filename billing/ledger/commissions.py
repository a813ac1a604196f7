"""An affiliate's commission: earned, available, reserved for a payout, paid out, taken back."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from billing.ledger.accounts import affiliate_ids, open_affiliate, open_house
from billing.ledger.locks import LockedCommission, lock_commission
from billing.ledger.models import CommissionAccount, TransferKind
from billing.ledger.postings import ReferenceReused
from billing.ledger.statements import row
from billing.micros import Micros

_INSERT = """
INSERT INTO billing_transfer (reference, leg, kind, debit_id, credit_id, amount, reason, actor_id)
VALUES (%(reference)s, 0, %(kind)s, %(debit)s, %(credit)s, %(amount)s, %(reason)s, %(actor)s)
ON CONFLICT (reference, leg) DO NOTHING
RETURNING id
"""

_READ = "SELECT kind, debit_id, credit_id, amount FROM billing_transfer WHERE reference = %(reference)s AND leg = 0"


class InsufficientCommission(Exception):
    """Less commission is available than is asked for."""

    def __init__(self, *, required: Micros, available: Micros) -> None:
        super().__init__(f"{required} micros are asked for and {available} are available")
        self.required = required
        self.available = available


@dataclass(frozen=True, slots=True)
class Movement:
    """What one reference did to an affiliate's commission."""

    reference: str
    amount: Micros
    repeated: bool
    """Whether an earlier call had done it already."""


def move(
    *,
    owner_id: UUID,
    kind: TransferKind,
    source: str,
    target: str,
    amount: Micros,
    reference: str,
    covered: bool = False,
    reason: str = "",
    actor_id: UUID | None = None,
) -> Movement:
    """Move `amount` between two of the affiliate's accounts, or one of them and a house account, once per `reference`.

    `source` and `target` are kinds: one of `CommissionAccount` is the affiliate's, any other the house's. `covered`
    asks that as much is available.

    Raises:
        InsufficientCommission: `covered`, and less is available; nothing moved.
        ReferenceReused: `reference` was used for something else; nothing moved.
    """
    with transaction.atomic():
        balance = _lock_or_open(owner_id)
        own = affiliate_ids(owner_id)
        sides = [own[kind_] if kind_ in CommissionAccount.values else open_house(kind_) for kind_ in (source, target)]
        wanted = (kind.value, *sides, amount)
        earlier = row(_READ, {"reference": reference})
        if earlier is not None:
            if earlier != wanted:
                raise ReferenceReused(details={"reference": reference})
            return Movement(reference, amount, repeated=True)
        if covered and balance.available < amount:
            raise InsufficientCommission(required=amount, available=balance.available)
        inserted = row(
            _INSERT,
            {
                "reference": reference,
                "kind": kind.value,
                "debit": sides[0],
                "credit": sides[1],
                "amount": amount,
                "reason": reason,
                "actor": actor_id,
            },
        )
        if inserted is None:  # another account's transfer of this reference was written while ours was under way
            raise ReferenceReused(details={"reference": reference})
    return Movement(reference, amount, repeated=False)


def _lock_or_open(owner_id: UUID) -> LockedCommission:
    locked = lock_commission(owner_id)
    if locked is None:
        open_affiliate(owner_id)
        locked = lock_commission(owner_id)
    if locked is None:
        raise LookupError(owner_id)  # opened above: cannot be under READ COMMITTED
    return locked
