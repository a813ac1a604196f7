"""Holds: money set aside for work, then charged or given back. Each is one SQL statement on the usual path."""

from dataclasses import dataclass
from uuid import UUID

from billing.ledger.locks import LOCKED_BALANCE
from billing.ledger.models import TransferKind
from billing.ledger.statements import row, rows
from billing.micros import Micros
from core.errors import InvalidState

_HOLD_ENDING, _SETTLE_ENDING = ":hold", ":settle"

# The row lock makes submits of one account wait for each other, and only for each other. A concurrent duplicate
# of the reference waits there too, then meets the first one's row and inserts nothing.
_PLACE = f"""
WITH balance AS MATERIALIZED ({LOCKED_BALANCE}),
placed AS (
    INSERT INTO billing_transfer (reference, leg, kind, debit_id, credit_id, amount)
    SELECT %(reference)s, 0, 'hold', available.id, held.id, %(amount)s
    FROM balance
    JOIN billing_ledgeraccount available
        ON available.owner_id = balance.owner_id AND available.kind = 'available' AND available.bucket = balance.bucket
    JOIN billing_ledgeraccount held
        ON held.owner_id = balance.owner_id AND held.kind = 'held' AND held.bucket = balance.bucket
    WHERE balance.available >= %(amount)s AND balance.receivable = 0
    ON CONFLICT (reference, leg) DO NOTHING
    RETURNING available_after
)
SELECT placed.available_after, balance.available, balance.receivable FROM balance LEFT JOIN placed ON true
"""  # noqa: S608 - constants

# What is not captured repays debt first and is released with the rest. Whoever inserts leg 0 settles the hold and
# writes the other legs; a second settlement finds leg 0 taken and writes nothing. What was not captured counts no
# longer on the spend limits of the key (billing.key_spend).
_SETTLE = f"""
WITH balance AS MATERIALIZED ({LOCKED_BALANCE}),
part AS (
    SELECT row_number() OVER (ORDER BY part.position) - 1 AS leg,
        part.kind, held.id AS debit_id, part.credit_id, part.amount
    FROM balance
    JOIN billing_transfer hold
        ON hold.reference = %(hold)s AND hold.leg = 0 AND hold.kind = 'hold' AND hold.amount = %(amount)s
    JOIN billing_ledgeraccount held ON held.id = hold.credit_id AND held.owner_id = balance.owner_id
    JOIN billing_ledgeraccount receivable
        ON receivable.owner_id = balance.owner_id AND receivable.kind = 'receivable'
        AND receivable.bucket = balance.bucket
    JOIN billing_ledgeraccount revenue ON revenue.owner_id IS NULL AND revenue.kind = 'revenue'
    CROSS JOIN LATERAL (VALUES
        (1, 'capture', revenue.id, %(captured)s::bigint),
        (2, 'repayment', receivable.id, LEAST(hold.amount - %(captured)s, balance.receivable)),
        (3, 'release', hold.debit_id, GREATEST(hold.amount - %(captured)s - balance.receivable, 0))
    ) part (position, kind, credit_id, amount)
    WHERE part.amount > 0
),
first AS (
    INSERT INTO billing_transfer (reference, leg, kind, debit_id, credit_id, amount)
    SELECT %(reference)s, leg, kind, debit_id, credit_id, amount FROM part WHERE leg = 0
    ON CONFLICT (reference, leg) DO NOTHING
    RETURNING leg, kind, amount, available_after
),
others AS (
    INSERT INTO billing_transfer (reference, leg, kind, debit_id, credit_id, amount)
    SELECT %(reference)s, part.leg, part.kind, part.debit_id, part.credit_id, part.amount
    FROM part CROSS JOIN first WHERE part.leg > 0
    RETURNING leg, kind, amount, available_after
),
not_spent AS (
    UPDATE billing_keyspend spend SET amount = spend.amount - (%(amount)s::bigint - %(captured)s::bigint)
    FROM billing_keyspendhold counted CROSS JOIN first
    WHERE counted.reference = %(hold)s AND spend.id = counted.spend_id AND %(amount)s::bigint > %(captured)s::bigint
)
SELECT kind, amount, available_after FROM (TABLE first UNION ALL TABLE others) legs ORDER BY leg
"""  # noqa: S608 - constants

_READ_HOLD = """
SELECT owner.owner_id, hold.amount, hold.available_after
FROM billing_transfer hold JOIN billing_ledgeraccount owner ON owner.id = hold.credit_id
WHERE hold.reference = %(reference)s AND hold.leg = 0 AND hold.kind = 'hold'
"""

_READ_SETTLEMENT = (
    "SELECT kind, amount, available_after FROM billing_transfer WHERE reference = %(reference)s ORDER BY leg"
)


class AlreadySettled(InvalidState):
    """The hold was settled before, with another amount captured."""


class UnknownHold(LookupError):
    """No hold of this reference, account and amount was ever placed."""


@dataclass(frozen=True, slots=True)
class HeldAmount:
    """What names a hold for its settlement, which finds no other than the one of just this account and amount."""

    account_id: UUID
    reference: str
    """`<base>:hold`."""
    amount: Micros


@dataclass(frozen=True, slots=True)
class Hold(HeldAmount):
    """Money of one account set aside, as it was placed."""

    available_after: Micros
    """What was available to the account right after this hold was placed."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a hold ended: `captured` + `repaid` + `released` is the hold's amount."""

    reference: str
    captured: Micros
    repaid: Micros
    released: Micros
    available_after: Micros


@dataclass(frozen=True, slots=True)
class Refused:
    """Why no hold was placed: the figures under the balance's lock."""

    available: Micros
    receivable: Micros


def place(account_id: UUID, amount: Micros, reference: str) -> Hold | Refused:
    """Move `amount` from available to held if it is there and nothing is owed.

    `Refused` with enough available and nothing owed means that the reference is taken.
    """
    _base(reference)
    found = row(_PLACE, {"account": account_id, "amount": amount, "reference": reference})
    if found is None:
        return Refused(available=0, receivable=0)
    available_after, available, receivable = found
    if available_after is None:
        return Refused(available=available, receivable=receivable)
    return Hold(account_id, reference, amount, available_after)


def read_hold(reference: str) -> Hold | None:
    """The hold of this reference as it was placed, settled or not."""
    found = row(_READ_HOLD, {"reference": reference})
    return None if found is None else Hold(found[0], reference, found[1], found[2])


def settle(hold: HeldAmount, captured: Micros) -> Settlement:
    """Charge `captured` of the hold and give back the rest, once.

    Raises:
        AlreadySettled: it was settled with another amount captured; nothing moved.
        UnknownHold: there is no such hold; nothing moved.
    """
    reference = settlement_reference(hold.reference)
    legs = rows(
        _SETTLE,
        {
            "account": hold.account_id,
            "hold": hold.reference,
            "amount": hold.amount,
            "captured": captured,
            "reference": reference,
        },
    )
    if legs:
        return _settlement(reference, legs)
    placed, earlier = read_hold(hold.reference), read_settlement(hold.reference)
    if earlier is None or placed is None or (placed.account_id, placed.amount) != (hold.account_id, hold.amount):
        raise UnknownHold(hold.reference)
    if earlier.captured != captured:
        raise AlreadySettled(details={"reference": hold.reference, "captured": earlier.captured})
    return earlier


def read_settlement(hold_reference: str) -> Settlement | None:
    """How the hold of this reference was settled; None while it is open."""
    reference = settlement_reference(hold_reference)
    legs = rows(_READ_SETTLEMENT, {"reference": reference})
    return _settlement(reference, legs) if legs else None


def settlement_reference(hold_reference: str) -> str:
    """`job:…:hold` → `job:…:settle`: one name for every way a hold can end is what makes it end once."""
    return _base(hold_reference) + _SETTLE_ENDING


def _base(hold_reference: str) -> str:
    base = hold_reference.removesuffix(_HOLD_ENDING)
    if not base or base == hold_reference:
        raise ValueError(f"a hold's reference is <base>{_HOLD_ENDING}, not {hold_reference!r}")
    return base


def _settlement(reference: str, legs: list[tuple[str, Micros, Micros]]) -> Settlement:
    amounts = {kind: amount for kind, amount, _ in legs}
    return Settlement(
        reference,
        captured=amounts.get(TransferKind.CAPTURE, 0),
        repaid=amounts.get(TransferKind.REPAYMENT, 0),
        released=amounts.get(TransferKind.RELEASE, 0),
        available_after=legs[-1][2],
    )
