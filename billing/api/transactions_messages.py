"""Bodies of /api/v1/account/transactions."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from django.utils.dateparse import parse_datetime
from pydantic import AfterValidator, Field, model_validator

from billing import statements
from billing.micros import usd
from core import clock, ids
from core.messages import Message, Text


def _kind(kind: str) -> str:
    if kind not in statements.KINDS:
        raise ValueError(f"must be one of {', '.join(statements.KINDS)}")
    return kind


def _format(name: str) -> str:
    if name not in {"json", "csv"}:
        raise ValueError("must be json or csv")
    return name


def _time(text: str) -> str:
    if moment_of(text) is None:
        raise ValueError("must be an RFC 3339 time")
    return text


def moment_of(text: str | None) -> datetime | None:
    """The moment that a query names; its `+` may have come as a space. None where it names none."""
    try:
        moment = parse_datetime(text.replace(" ", "+")) if text else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _id(prefix: str) -> AfterValidator:
    def check(text: str) -> str:
        if ids.decode(prefix, text) is None:
            raise ValueError(f"must be an id that starts with {prefix}_")
        return text

    return AfterValidator(check)


Kind = Annotated[Text, AfterValidator(_kind), Field(json_schema_extra={"enum": list(statements.KINDS)})]
Time = Annotated[Text, AfterValidator(_time)]


class TransactionsQuery(Message):
    """Which lines, and in which form."""

    kind: Kind | None = None
    job_id: Annotated[Text, _id(ids.JOB)] | None = None
    deposit_id: Annotated[Text, _id(ids.DEPOSIT)] | None = None
    after: Time | None = None
    before: Time | None = None
    cursor: Annotated[Text, _id(ids.TRANSFER)] | None = None
    limit: Annotated[int, Field(ge=1, le=statements.MOST)] | None = None
    format: Annotated[Text, AfterValidator(_format)] | None = None

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if self.job_id and self.deposit_id:
            raise ValueError("name a job or a deposit, not both")
        return self

    def filters(self) -> statements.Filters:
        """What restricts the lines."""
        return statements.Filters(
            kind=self.kind,
            job_id=_uuid(ids.JOB, self.job_id),
            deposit_id=_uuid(ids.DEPOSIT, self.deposit_id),
            after=moment_of(self.after),
            before=moment_of(self.before),
        )

    def before_line(self) -> UUID | None:
        """Where the page starts."""
        return _uuid(ids.TRANSFER, self.cursor)


class Transaction(Message):
    """Money that moved: micros, and the same in US dollars, exact."""

    id: str
    """`txn_…`"""
    at: str
    kind: Kind
    """What happened."""
    label: str
    """The same in words."""
    job_id: str | None
    """The job that it is about."""
    deposit_id: str | None
    """The deposit that it is about."""
    available_change_usd_micros: int
    """What came to (above zero) or left what may be spent."""
    available_change_usd: str
    held_change_usd_micros: int
    """The same of what waiting and running jobs hold."""
    held_change_usd: str
    owed_change_usd_micros: int
    """The same of what is owed after a reversed deposit: above zero is more debt."""
    owed_change_usd: str
    available_after_usd_micros: int
    """What could be spent once this had happened."""
    available_after_usd: str
    reason: str
    """Why, where a person decided it; else empty."""


class TransactionList(Message):
    """One page of the statement, newest first."""

    ok: Literal[True] = True
    transactions: list[Transaction]
    next_cursor: str | None
    """Send it as `cursor` for the next page; null at the end. A page with filters may be short, or empty, before it."""


def shown(entry: statements.Entry) -> Transaction:
    """A line as the list shows it."""
    line = entry.line
    return Transaction(
        id=ids.encode(ids.TRANSFER, line.id),
        at=clock.rfc3339(line.at),
        kind=line.kind,
        label=line.label,
        job_id=ids.encode(ids.JOB, entry.job_id) if entry.job_id else None,
        deposit_id=ids.encode(ids.DEPOSIT, entry.deposit_id) if entry.deposit_id else None,
        available_change_usd_micros=line.available_change,
        available_change_usd=usd(line.available_change),
        held_change_usd_micros=line.held_change,
        held_change_usd=usd(line.held_change),
        owed_change_usd_micros=line.debt_change,
        owed_change_usd=usd(line.debt_change),
        available_after_usd_micros=line.available_after,
        available_after_usd=usd(line.available_after),
        reason=line.reason,
    )


def _uuid(prefix: str, text: str | None) -> UUID | None:
    return ids.decode(prefix, text) if text else None
