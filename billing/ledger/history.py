"""One customer's transfers, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from billing.ledger.models import RARE_CREDITS, RARE_DEBITS, CustomerAccount, TransferKind
from billing.ledger.statements import Row, rows
from billing.micros import Micros

MOST_SCANNED = 5_000
"""Entries of one ledger account that a filtered page looks through before it answers with what it has."""
CLOCK_SLACK_MS = 5_000
"""How far the clock inside a transfer's id may be from the time beside it: servers' clocks are steered, not stepped."""

_AVAILABLE, _HELD, _RECEIVABLE = (
    CustomerAccount.AVAILABLE.value,
    CustomerAccount.HELD.value,
    CustomerAccount.RECEIVABLE.value,
)
_LABELS = {kind.value: str(kind.label) for kind in TransferKind}
_NO_CHANGE: dict[Any, Micros] = dict.fromkeys((_AVAILABLE, _HELD, _RECEIVABLE), 0)
_FIRST, _AFTER_ALL = UUID(int=0), UUID(int=(1 << 128) - 1)


class _Source(NamedTuple):
    """One end of an index: the transfers of the customer's ledger account of this kind, on one side."""

    side: str
    account: str
    rare: bool = False
    """Only the kinds that are rare on that side, which have an index of their own."""


# Each of the customer's few ledger accounts is read from its own end of an index, so that a page costs the same in a
# long history as in a short one. Where a kind is asked for, one or two ends hold all of it; there it may lie behind
# many others (a capture behind a million releases), so that a page looks through a bounded number of entries and
# says how far it came.
_ALL = tuple(_Source(side, account) for side in ("debit", "credit") for account in CustomerAccount.values)
_OF_KIND: dict[str, tuple[_Source, ...]] = {
    TransferKind.HOLD: (_Source("debit", _AVAILABLE),),
    TransferKind.CAPTURE: (_Source("debit", _HELD),),
    TransferKind.RELEASE: (_Source("credit", _AVAILABLE),),
    TransferKind.DEPOSIT: (_Source("credit", _AVAILABLE, rare=True),),
    TransferKind.REPAYMENT: (_Source("credit", _RECEIVABLE),),
    TransferKind.REVERSAL: (_Source("debit", _AVAILABLE, rare=True),),
    TransferKind.DEBT: (_Source("debit", _RECEIVABLE),),
    TransferKind.ADJUSTMENT: (_Source("credit", _AVAILABLE, rare=True), _Source("debit", _AVAILABLE, rare=True)),
}
_OF_DEPOSITS = tuple(
    dict.fromkeys(
        source
        for kind in (TransferKind.DEPOSIT, TransferKind.REPAYMENT, TransferKind.REVERSAL, TransferKind.DEBT)
        for source in _OF_KIND[kind]
    )
)
CUSTOMER_KINDS = tuple(_OF_KIND)
"""The kinds that a customer's statement can show."""

_COLUMNS = """t.id, t.created_at, t.reference, t.kind, t.amount, t.available_after, t.reason,
    debit.kind, debit.owner_id IS NOT NULL, credit.kind, credit.owner_id IS NOT NULL"""
_ACCOUNTS = """
JOIN billing_ledgeraccount debit ON debit.id = t.debit_id
JOIN billing_ledgeraccount credit ON credit.id = t.credit_id
"""
_MOMENTS = "t.created_at < %(before)s::timestamptz AND t.created_at > %(after)s::timestamptz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which of a customer's transfers are asked for; what is left out restricts nothing."""

    kind: str | None = None
    references: Sequence[str] = ()
    """Exactly these."""
    deposit_start: str = ""
    """Of a reference about a deposit: `deposit:<id>:`."""
    after: datetime | None = None
    before: datetime | None = None
    """Later and earlier than these moments."""


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


class Page(NamedTuple):
    """Lines, newest first, and the id below which the next page starts; None at the end.

    A filtered page may be short, or empty, and still not the last.
    """

    lines: list[StatementLine]
    following: UUID | None


def history(account_id: UUID, limit: int, below: UUID | None = None, wanted: Wanted | None = None) -> Page:
    """Up to `limit` of the wanted transfers of the customer whose ids are below `below`, newest first."""
    wanted = wanted or Wanted()
    parameters = {
        "account": account_id,
        "below": min(below or _AFTER_ALL, _id_at(wanted.before, CLOCK_SLACK_MS) or _AFTER_ALL),
        "from": _id_at(wanted.after, -CLOCK_SLACK_MS) or _FIRST,
        "before": wanted.before or "infinity",
        "after": wanted.after or "-infinity",
        "start": wanted.deposit_start,
        "references": list(wanted.references),
        "kind": wanted.kind,
    }
    if wanted.references:
        return _page(rows(_by_reference(limit), parameters), limit, None)
    # Most filters are met at once; only where they are not is it worth looking further.
    page = _scanned(parameters, wanted, limit, scan=limit + 1)
    if page.following is not None and len(page.lines) < limit:
        return _scanned(parameters, wanted, limit, scan=max(MOST_SCANNED, limit + 1))
    return page


def _scanned(parameters: dict[str, Any], wanted: Wanted, limit: int, *, scan: int) -> Page:
    sources = _OF_KIND[wanted.kind] if wanted.kind else _OF_DEPOSITS if wanted.deposit_start else _ALL
    found = rows(_query(sources, wanted, limit, scan), parameters)
    return _page([tuple(line) for _, *line in found if line[0] is not None], limit, found[0][0])


def _page(found: Sequence[Row], limit: int, horizon: UUID | None) -> Page:
    lines = [_line(one) for one in found[:limit]]
    return Page(lines, lines[-1].id if len(found) > limit else horizon)


def _by_reference(limit: int) -> str:
    return f"""
SELECT {_COLUMNS} FROM billing_transfer t {_ACCOUNTS}
WHERE t.reference = ANY(%(references)s::text[]) AND t.id < %(below)s::uuid AND {_MOMENTS}
    AND (debit.owner_id = %(account)s::uuid AND debit.bucket <> 'affiliate'
        OR credit.owner_id = %(account)s::uuid AND credit.bucket <> 'affiliate')
    AND (%(kind)s::text IS NULL OR t.kind = %(kind)s::text)
ORDER BY t.id DESC LIMIT {limit + 1}
"""  # noqa: S608 - constants


def _query(sources: Sequence[_Source], wanted: Wanted, limit: int, scan: int) -> str:
    """The page's statement: texts of this module and whole numbers alone.

    A kind and the limits stand in it, so that the planner sees that a partial index applies and that little is read.
    Its first column is how far the scan came where it stopped early; it is there even when no line is.
    """
    fits = [f"t.kind = '{TransferKind(wanted.kind).value}'"] if wanted.kind else []
    fits += ["starts_with(t.reference, %(start)s)"] if wanted.deposit_start else []
    scans = "\nUNION ALL\n".join(
        _scan(number, source, " AND ".join(fits) or "true", scan) for number, source in enumerate(sources)
    )
    return f"""
WITH own AS MATERIALIZED (
    SELECT id, kind FROM billing_ledgeraccount WHERE owner_id = %(account)s::uuid AND bucket <> 'affiliate'
),
scanned AS MATERIALIZED ({scans}),
horizon AS (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY source, account ORDER BY id DESC) AS place FROM scanned
    ) numbered WHERE place = {scan} ORDER BY id DESC LIMIT 1
),
line AS (
    SELECT DISTINCT id FROM scanned
    WHERE fits AND id >= COALESCE((SELECT id FROM horizon), '{_FIRST}'::uuid)
    ORDER BY id DESC LIMIT {limit + 1}
)
SELECT stop.id, found.* FROM (SELECT (SELECT id FROM horizon) AS id) stop LEFT JOIN (
    SELECT {_COLUMNS} FROM line JOIN billing_transfer t USING (id) {_ACCOUNTS}
) found ON true
ORDER BY found.id DESC
"""  # noqa: S608 - constants


def _scan(number: int, source: _Source, fits: str, scan: int) -> str:
    """One source, newest first.

    The account's entries are named as a range of (account, id), not by `=`: knowing the account, the planner would
    take the primary key for the better order and read everybody's transfers in search of this account's.
    """
    kinds = RARE_DEBITS if source.side == "debit" else RARE_CREDITS
    only = f"AND t.kind IN ({', '.join(repr(kind.value) for kind in kinds)})" if source.rare else ""
    return f"""
SELECT {number} AS source, own.id AS account, entry.id, entry.fits FROM own CROSS JOIN LATERAL (
    SELECT t.id, {fits} AS fits FROM billing_transfer t
    WHERE (t.{source.side}_id, t.id) >= (own.id, %(from)s::uuid)
        AND (t.{source.side}_id, t.id) < (own.id, %(below)s::uuid) AND {_MOMENTS} {only}
    ORDER BY t.{source.side}_id DESC, t.id DESC LIMIT {scan}
) entry WHERE own.kind = '{source.account}'
"""  # noqa: S608 - constants


def _id_at(moment: datetime | None, slack_ms: int) -> UUID | None:
    """The smallest UUIDv7 of that moment, moved by the slack."""
    if moment is None:
        return None
    return UUID(int=min(max(int(moment.timestamp() * 1000) + slack_ms, 0), (1 << 48) - 1) << 80)


def _line(found: Row) -> StatementLine:
    id_, at, reference, kind, amount, available_after, reason, debit, debit_own, credit, credit_own = found
    changes = _NO_CHANGE.copy()
    if debit_own:
        changes[debit] -= amount
    if credit_own:
        changes[credit] += amount
    return StatementLine(
        id=id_,
        at=at,
        reference=reference,
        kind=kind,
        label=_LABELS[kind],
        available_change=changes[_AVAILABLE],
        held_change=changes[_HELD],
        debt_change=-changes[_RECEIVABLE],
        available_after=available_after,
        reason=reason,
    )
