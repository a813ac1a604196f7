"""The SQL of a submit, a status read, a round of money: taken from a real one, so that no floor can drift from it.

What differs between two of them (ids, account, time) is replaced by a `Slot`; everything else stays as it was sent.
Two renderings exist: `bind` gives the parameters for Django's cursor, `pgbench_script` a script for pgbench.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg.sql import Literal
from psycopg.types.json import Jsonb


class Slot(StrEnum):
    """A parameter that every submit, or every round of money, fills anew."""

    JOB = "job"
    ATTEMPT = "attempt"
    ACCOUNT = "account"
    HOLD = "hold"
    """The hold's reference, `job:<job id>:hold`."""
    SETTLEMENT = "settlement"
    """Its settlement's, `job:<job id>:settle`."""
    DEPOSIT = "deposit"
    """A deposit's reference, `deposit:<job id>:paid`: a round has one id for all it does."""
    AVAILABLE = "available"
    RECEIVABLE = "receivable"
    """The ids of the account's ledger accounts."""
    NOW = "now"


Values = Mapping[Slot, Any]
Parameters = list[Any] | dict[str, Any]

_TYPES: dict[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "uuid": (UUID, str, UUID),
    "json": (Jsonb, lambda value: value.obj, Jsonb),
    "time": (datetime, datetime.isoformat, datetime.fromisoformat),
}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement; `parameters` by position or by name, some of them slots."""

    sql: str
    parameters: Parameters

    def bind(self, values: Values) -> Parameters:
        """The parameters with their slots filled."""
        return _map(self.parameters, lambda value: values[value] if isinstance(value, Slot) else value)

    def packed(self) -> dict[str, Any]:
        """As JSON."""
        return {"sql": self.sql, "parameters": _map(self.parameters, _pack)}

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any]) -> "Statement":
        """The inverse of `packed`."""
        return cls(sql=packed["sql"], parameters=_map(packed["parameters"], _unpack))


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A statement as it went to the database."""

    sql: str
    parameters: Parameters
    in_transaction: bool


@contextmanager
def recording() -> Iterator[list[Recorded]]:
    """Every statement that Django's connection sends meanwhile."""
    seen: list[Recorded] = []

    def note(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        named = isinstance(parameters, Mapping)
        kept = dict(parameters) if named else list(parameters or ())
        seen.append(Recorded(sql=str(sql), parameters=kept, in_transaction=connection.in_atomic_block))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        yield seen


def generalise(recorded: Sequence[Recorded], known: Values) -> list[Statement]:
    """The statements with every value that `known` names, and every time, turned into its slot; in lists too."""

    def slot(value: Any) -> Any:
        if isinstance(value, list):
            return [slot(one) for one in value]
        if isinstance(value, datetime):
            return Slot.NOW
        return next((name for name, own in known.items() if type(own) is type(value) and own == value), value)

    return [Statement(sql=one.sql, parameters=_map(one.parameters, slot)) for one in recorded]


PGBENCH_HEADER = r"""\set kt_n :kt_n + 1
\set kt_r random(100000000000, 999999999999)
\set kt_a 100000000000 + {account}
"""
"""pgbench has no UUIDs, but a decimal digit is a hexadecimal one: `kt_n` counts up from eight digits, so keys arrive
in order as UUIDv7 do, and twelve random digits keep the clients apart."""

_JOB = ":kt_n || '-1111-7000-8000-' || :kt_r"
_SPELLED = {
    Slot.JOB: f"({_JOB})::uuid",
    Slot.ATTEMPT: "(:kt_n || '-2222-7000-8000-' || :kt_r)::uuid",
    Slot.ACCOUNT: "('00000000-0000-7000-8000-' || :kt_a)::uuid",
    Slot.HOLD: f"('job:' || {_JOB} || ':' || 'hold')",
    Slot.SETTLEMENT: f"('job:' || {_JOB} || ':' || 'settle')",
    Slot.DEPOSIT: f"('deposit:' || {_JOB} || ':' || 'paid')",
    Slot.NOW: "now()",
}
_VARIABLE = re.compile(":(?=[A-Za-z_])")


ACCOUNT_NUMBER = "(:kt_a - 100000000000)"
"""The number of the script's account, for what `spelled` adds."""


def pgbench_script(statements: Sequence[Statement], *, account: str) -> str:
    """The statements as one pgbench transaction; `account` is pgbench's expression for the account's number."""
    return pgbench_steps([statements], account=account)


Step = Statement | Sequence[Statement]
"""A transaction of several statements, or one statement that commits by itself."""


def pgbench_steps(steps: Sequence[Step], *, account: str, spelled: Mapping[Slot, str] | None = None) -> str:
    """Steps one after the other in one script; `spelled` is SQL for slots that only the caller can spell.

    Made for the prepared protocol: what varies stands in expressions over pgbench's variables.
    """
    spellings = {**_SPELLED, **(spelled or {})}
    lines = [PGBENCH_HEADER.format(account=account).strip()]
    for step in steps:
        alone = isinstance(step, Statement)
        texts = [f"{_render(one, spellings)};" for one in ([step] if isinstance(step, Statement) else step)]
        lines += texts if alone else ["BEGIN;", *texts, "COMMIT;"]
    return "\n".join([*lines, ""])


def steps_of(recorded: Sequence[Recorded], known: Values) -> list[Step]:
    """What one service sent, as steps: what it sent inside its one transaction, and around it."""
    steps: list[Step] = []
    for inside, sent in groupby(recorded, key=attrgetter("in_transaction")):
        statements = generalise(list(sent), known)
        steps += [statements] if inside else statements
    return steps


def _render(statement: Statement, spellings: Mapping[Slot, str]) -> str:
    def spell(value: Any) -> str:
        if isinstance(value, Slot):
            return spellings[value]
        if isinstance(value, list) and any(isinstance(one, Slot) for one in value):
            return f"ARRAY[{', '.join(map(spell, value))}]"
        return _literal(value)

    texts = _map(statement.parameters, spell)
    return statement.sql.strip() % (texts if isinstance(texts, dict) else tuple(texts))


def _literal(value: Any) -> str:
    """A value in SQL, with no colon in it that pgbench would take for the start of a variable."""
    connection.ensure_connection()
    text = Literal(value).as_string(connection.connection).strip()
    opening = text.find("'")
    if opening < 0 or not _VARIABLE.search(text[opening : text.rfind("'")]):
        return text
    closing = text.rfind("'")
    body = text[opening + 1 : closing]
    if not text.upper().startswith("E"):
        body = body.replace("\\", "\\\\")
    return "E'" + body.replace(":", "\\x3A") + text[closing:]


def hold_reference(job_id: UUID) -> str:
    """The reference that media.services.submit_job gives a job's hold; a test compares the two."""
    return f"job:{job_id}:hold"


def _map(parameters: Parameters, change: Callable[[Any], Any]) -> Parameters:
    if isinstance(parameters, Mapping):
        return {name: change(value) for name, value in parameters.items()}
    return [change(value) for value in parameters]


def _pack(value: Any) -> Any:
    if isinstance(value, Slot):
        return {"slot": value.value}
    for name, (kind, write, _) in _TYPES.items():
        if isinstance(value, kind):
            return {name: write(value)}
    return {"plain": value}


def _unpack(packed: Mapping[str, Any]) -> Any:
    ((name, value),) = packed.items()
    if name == "slot":
        return Slot(value)
    return value if name == "plain" else _TYPES[name][2](value)
