"""A customer's statement: the ledger's transfers in a customer's words, by pages or as one CSV file."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import NamedTuple
from uuid import UUID

from billing.ledger.history import CUSTOMER_KINDS, StatementLine, Wanted, history
from billing.ledger.models import TransferKind
from billing.micros import Micros, usd
from core import clock, ids

__all__ = ["CSV_COLUMNS", "KINDS", "Entry", "Filters", "StatementPage", "csv_file", "entries", "page"]

KINDS = tuple(TransferKind(kind).value for kind in CUSTOMER_KINDS)
"""What a line can be."""
DEFAULT_LIMIT, MOST = 100, 500

_CSV_PAGE = 1_000
_ABOUT = re.compile(r"(job|deposit):([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}):")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which lines are wanted; None restricts nothing."""

    kind: str | None = None
    job_id: UUID | None = None
    deposit_id: UUID | None = None
    after: datetime | None = None
    before: datetime | None = None
    """Later and earlier than these moments."""

    def wanted(self) -> Wanted:
        """The same in the ledger's terms: a job's money moves under two references, a deposit's under several."""
        return Wanted(
            kind=self.kind,
            references=(f"job:{self.job_id}:hold", f"job:{self.job_id}:settle") if self.job_id else (),
            deposit_start=f"deposit:{self.deposit_id}:" if self.deposit_id else "",
            after=self.after,
            before=self.before,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a statement, and what it is about."""

    line: StatementLine
    job_id: UUID | None
    deposit_id: UUID | None


class StatementPage(NamedTuple):
    """Entries, newest first, and where the next page starts; None at the end."""

    entries: list[Entry]
    following: UUID | None


def page(
    *, account_id: UUID, filters: Filters, limit: int = DEFAULT_LIMIT, cursor: UUID | None = None
) -> StatementPage:
    """At most `limit` of the account's lines that were written before the line `cursor`, newest first.

    A page with filters costs no more than one without: where it would have to look through too many other lines it
    is short, or empty, and `following` says where to go on. `filters` names a job or a deposit, not both.
    """
    found = history(account_id, limit, cursor, filters.wanted())
    return StatementPage([_entry(line) for line in found.lines], found.following)


def entries(*, account_id: UUID, filters: Filters) -> Iterator[Entry]:
    """Every wanted line, newest first, read page by page: memory does not grow with the history.

    What is written meanwhile is newer than the first line and does not appear.
    """
    cursor: UUID | None = None
    while True:
        found = page(account_id=account_id, filters=filters, limit=_CSV_PAGE, cursor=cursor)
        yield from found.entries
        cursor = found.following
        if cursor is None:
            return


CSV_COLUMNS = (
    "id",
    "at",
    "kind",
    "label",
    "jobId",
    "depositId",
    "availableChangeUsd",
    "heldChangeUsd",
    "owedChangeUsd",
    "availableAfterUsd",
    "availableChangeUsdMicros",
    "heldChangeUsdMicros",
    "owedChangeUsdMicros",
    "availableAfterUsdMicros",
    "reason",
)


def csv_file(*, account_id: UUID, filters: Filters) -> Iterator[str]:
    """The statement as CSV (RFC 4180), in pieces: a header, then every wanted line, newest first."""
    yield _csv_rows([CSV_COLUMNS])
    rows: list[tuple[str, ...]] = []
    for entry in entries(account_id=account_id, filters=filters):
        rows.append(_csv_row(entry))
        if len(rows) == _CSV_PAGE:
            yield _csv_rows(rows)
            rows = []
    if rows:
        yield _csv_rows(rows)


def _csv_row(entry: Entry) -> tuple[str, ...]:
    line = entry.line
    changes: tuple[Micros, ...] = (
        line.available_change,
        line.held_change,
        line.debt_change,
        line.available_after,
    )
    return (
        ids.encode(ids.TRANSFER, line.id),
        clock.rfc3339(line.at),
        line.kind,
        line.label,
        ids.encode(ids.JOB, entry.job_id) if entry.job_id else "",
        ids.encode(ids.DEPOSIT, entry.deposit_id) if entry.deposit_id else "",
        *(usd(change) for change in changes),
        *(str(change) for change in changes),
        _harmless(line.reason),
    )


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) or text[:1] in {"\t", "\r", "\n"} else text


def _csv_rows(rows: list[tuple[str, ...]]) -> str:
    written = StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()


def _entry(line: StatementLine) -> Entry:
    about = _ABOUT.match(line.reference)
    found = {about.group(1): UUID(about.group(2))} if about else {}
    return Entry(line, found.get("job"), found.get("deposit"))
