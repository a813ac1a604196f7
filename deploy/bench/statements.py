"""The SQL of one submit and of one status read, taken from a real one, so that the floors can never drift from it.

What differs between two submits (ids, account, time) is replaced by a `Slot`; everything else stays as it was sent.
Two renderings exist: `bind` gives the parameters for Django's cursor, `pgbench_script` a script for pgbench.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg.types.json import Jsonb


class Slot(StrEnum):
    """A parameter that every submit fills anew."""

    JOB = "job"
    ATTEMPT = "attempt"
    ACCOUNT = "account"
    HOLD = "hold"
    """The hold's reference, `job:<job id>:hold`."""
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
    """The statements with every value that `known` names, and every time, turned into its slot."""

    def slot(value: Any) -> Any:
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

_STAND_INS = {
    Slot.JOB: (UUID("0b0b0b0b-0000-7000-8000-0b0b0b0b0b0b"), ":kt_n-1111-7000-8000-:kt_r"),
    Slot.ATTEMPT: (UUID("0a0a0a0a-0000-7000-8000-0a0a0a0a0a0a"), ":kt_n-2222-7000-8000-:kt_r"),
    Slot.ACCOUNT: (UUID("0c0c0c0c-0000-7000-8000-0c0c0c0c0c0c"), "00000000-0000-7000-8000-:kt_a"),
}
_MOMENT = datetime(1999, 12, 31, 23, 59, 59, 123456, tzinfo=UTC)


def pgbench_script(statements: Sequence[Statement], *, account: str) -> str:
    """The statements as one pgbench transaction; `account` is pgbench's expression for the account's number.

    The values stand in the text as Django's client-side cursors put them there. Use the simple protocol.
    """
    values: dict[Slot, Any] = {slot: stand_in for slot, (stand_in, _) in _STAND_INS.items()}
    values[Slot.HOLD] = hold_reference(values[Slot.JOB])
    values[Slot.NOW] = _MOMENT
    moment = literal(_MOMENT)
    lines = [PGBENCH_HEADER.format(account=account) + "BEGIN;"]
    for statement in statements:
        text = connection.ops.compose_sql(statement.sql, statement.bind(values)).strip()
        text = text.replace(moment, "now()")
        for stand_in, spelled in _STAND_INS.values():
            # `x::kt_n` would read as a cast: SQL joins literals that only a line break parts.
            text = text.replace(f":{stand_in}", f":'\n'{spelled}")
            text = text.replace(str(stand_in), spelled).replace(stand_in.hex, spelled)
        lines.append(f"{text};")
    return "\n".join([*lines, "COMMIT;", ""])


def literal(value: Any) -> str:
    """A value as Django's cursor writes it into a statement."""
    return str(connection.ops.compose_sql("%s", [value]))


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
