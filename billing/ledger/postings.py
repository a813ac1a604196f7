"""Money that enters or leaves a customer's balance, against one house account, once per reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.db import transaction

from billing.ledger.accounts import customer_ids, open_customer, open_house
from billing.ledger.locks import LOCKED_BALANCE, LockedBalance, lock_balances
from billing.ledger.models import CustomerAccount, TransferKind
from billing.ledger.statements import row, rows
from billing.micros import Micros
from core.errors import ApiError, InvalidState

_INSERT = """
INSERT INTO billing_transfer (reference, leg, kind, debit_id, credit_id, amount, reason, actor_id)
VALUES (%(reference)s, %(leg)s, %(kind)s, %(debit)s, %(credit)s, %(amount)s, %(reason)s, %(actor)s)
ON CONFLICT (reference, leg) DO NOTHING
RETURNING available_after
"""

_READ = """
SELECT COALESCE(debit.owner_id, credit.owner_id), debit.owner_id IS NULL,
    debit.kind, credit.kind, t.amount, t.available_after
FROM billing_transfer t
JOIN billing_ledgeraccount debit ON debit.id = t.debit_id
JOIN billing_ledgeraccount credit ON credit.id = t.credit_id
WHERE t.reference = %(reference)s ORDER BY t.leg
"""

# The usual credit in one statement: whoever inserts leg 0 has credited, and writes the other leg. Only the last leg
# changes what is available, as the insert trigger asks of several legs in one statement.
_CREDIT = f"""
WITH balance AS MATERIALIZED ({LOCKED_BALANCE}),
part AS (
    SELECT row_number() OVER (ORDER BY part.position) - 1 AS leg,
        part.kind, house.id AS debit_id, part.credit_id, part.amount
    FROM balance
    JOIN billing_ledgeraccount available
        ON available.owner_id = balance.owner_id AND available.kind = 'available' AND available.bucket = balance.bucket
    JOIN billing_ledgeraccount receivable
        ON receivable.owner_id = balance.owner_id AND receivable.kind = 'receivable'
        AND receivable.bucket = balance.bucket
    JOIN billing_ledgeraccount house ON house.owner_id IS NULL AND house.kind = %(house)s
    CROSS JOIN LATERAL (VALUES
        (1, 'repayment', receivable.id, LEAST(%(amount)s::bigint, balance.receivable)),
        (2, %(kind)s, available.id, %(amount)s::bigint - LEAST(%(amount)s::bigint, balance.receivable))
    ) part (position, kind, credit_id, amount)
    WHERE part.amount > 0
),
first AS (
    INSERT INTO billing_transfer (reference, leg, kind, debit_id, credit_id, amount, reason, actor_id)
    SELECT %(reference)s, leg, kind, debit_id, credit_id, amount, %(reason)s, %(actor)s::uuid FROM part WHERE leg = 0
    ON CONFLICT (reference, leg) DO NOTHING
    RETURNING leg, kind, amount, available_after
),
others AS (
    INSERT INTO billing_transfer (reference, leg, kind, debit_id, credit_id, amount, reason, actor_id)
    SELECT %(reference)s, part.leg, part.kind, part.debit_id, part.credit_id, part.amount, %(reason)s, %(actor)s::uuid
    FROM part CROSS JOIN first WHERE part.leg > 0
    RETURNING leg, kind, amount, available_after
)
SELECT kind, amount, available_after FROM (TABLE first UNION ALL TABLE others) legs ORDER BY leg
"""  # noqa: S608 - constants

_Leg = tuple[TransferKind, int, int, Micros]


class InsufficientBalance(ApiError):
    """The account's available balance is too low."""

    code: ClassVar[str] = "insufficient_balance"
    http_status: ClassVar[int] = 402

    def __init__(self, *, required: Micros, available: Micros) -> None:
        super().__init__(details={"requiredUsdMicros": required, "availableUsdMicros": available})
        self.required = required
        self.available = available


class ReferenceReused(InvalidState):
    """The reference was used before for something else."""

    code: ClassVar[str] = "reference_reused"


@dataclass(frozen=True, slots=True)
class Posting:
    """What one reference did to a customer."""

    account_id: UUID
    reference: str
    house: str
    """The house account on the other side: `cash:stripe`, `adjustment`, …"""
    amount: Micros
    """Above zero to the customer, below zero from the customer, debt included."""
    debt: Micros
    """How what the customer owes changed: below zero was repaid, above zero is owed."""
    available_after: Micros


def read_posting(reference: str) -> Posting | None:
    """What `reference` did, from its transfers; None when it did nothing yet.

    A reference of another family (a hold, a settlement) shows as a posting equal to none that could be asked for.
    """
    legs = rows(_READ, {"reference": reference})
    if not legs:
        return None
    amount = debt = 0
    house = ""
    for _, from_house, debit_kind, credit_kind, moved, _ in legs:
        house = debit_kind if from_house else credit_kind
        amount += moved if from_house else -moved
        debt += moved * ((debit_kind == CustomerAccount.RECEIVABLE) - (credit_kind == CustomerAccount.RECEIVABLE))
    return Posting(legs[0][0], reference, house, amount, debt, available_after=legs[-1][5])


def post(
    *,
    account_id: UUID,
    house: str,
    kind: TransferKind,
    amount: Micros,
    reference: str,
    into_debt: bool = False,
    reason: str = "",
    actor_id: UUID | None = None,
) -> Posting:
    """Bring `amount` to the customer (above zero) or take it (below zero), once per `reference`.

    What comes repays debt before it becomes available. What is taken comes out of what is available; the rest is
    owed if `into_debt`.

    Raises:
        InsufficientBalance: less than what is to be taken is available and `into_debt` is false; nothing moved.
        ReferenceReused: `reference` was used for another account, house account or amount; nothing moved.
    """
    if amount > 0:
        credited = _credit(account_id, house, kind, amount, reference, reason, actor_id)
        if credited is not None:
            return credited
    with transaction.atomic():
        balance = _lock_or_open(account_id)
        earlier = read_posting(reference)
        if earlier is not None:
            if (earlier.account_id, earlier.house, earlier.amount) != (account_id, house, amount):
                raise ReferenceReused(details={"reference": reference})
            return earlier
        if amount < 0 and -amount > balance.available and not into_debt:
            raise InsufficientBalance(required=-amount, available=balance.available)
        ids = customer_ids(account_id)
        house_id = open_house(house)
        available, receivable = ids[CustomerAccount.AVAILABLE], ids[CustomerAccount.RECEIVABLE]
        if amount > 0:
            repaid = min(amount, balance.receivable)
            legs = [
                (TransferKind.REPAYMENT, house_id, receivable, repaid),
                (kind, house_id, available, amount - repaid),
            ]
            debt = -repaid
        else:
            taken = min(-amount, balance.available)
            legs = [(kind, available, house_id, taken), (TransferKind.DEBT, receivable, house_id, -amount - taken)]
            debt = -amount - taken
        available_after = _insert(reference, [leg for leg in legs if leg[3]], reason, actor_id)
    return Posting(account_id, reference, house, amount, debt, available_after)


def _credit(
    account_id: UUID,
    house: str,
    kind: TransferKind,
    amount: Micros,
    reference: str,
    reason: str,
    actor_id: UUID | None,
) -> Posting | None:
    """Credit an account that is open, from a house account that is, under a new reference; None for all else."""
    legs = rows(
        _CREDIT,
        {
            "account": account_id,
            "house": house,
            "kind": kind.value,
            "amount": amount,
            "reference": reference,
            "reason": reason,
            "actor": actor_id,
        },
    )
    if not legs:
        return None
    repaid = sum(moved for leg_kind, moved, _ in legs if leg_kind == TransferKind.REPAYMENT)
    return Posting(account_id, reference, house, amount, -repaid, available_after=legs[-1][2])


def _lock_or_open(account_id: UUID) -> LockedBalance:
    locked = lock_balances([account_id])
    if not locked:
        open_customer(account_id)
        locked = lock_balances([account_id])
    return locked[account_id]


def _insert(reference: str, legs: Sequence[_Leg], reason: str, actor_id: UUID | None) -> Micros:
    available_after: Micros = 0
    for number, (kind, debit, credit, amount) in enumerate(legs):
        inserted = row(
            _INSERT,
            {
                "reference": reference,
                "leg": number,
                "kind": kind.value,
                "debit": debit,
                "credit": credit,
                "amount": amount,
                "reason": reason,
                "actor": actor_id,
            },
        )
        if inserted is None:  # another account's transfer of this reference was written while ours was under way
            raise ReferenceReused(details={"reference": reference})
        available_after = inserted[0]
    return available_after
