"""Running the ledger's SQL on Django's connection, with the database's refusals named."""

from collections.abc import Mapping
from typing import Any

from django.db import connection

from billing.ledger.refusals import named_refusals

Row = tuple[Any, ...]


def rows(sql: str, parameters: Mapping[str, Any]) -> list[Row]:
    """Every row that `sql` returns."""
    with named_refusals(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[Row] = cursor.fetchall()
        return found


def row(sql: str, parameters: Mapping[str, Any]) -> Row | None:
    """The first row that `sql` returns."""
    with named_refusals(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        first: Row | None = cursor.fetchone()
        return first


def run(sql: str, parameters: Mapping[str, Any]) -> None:
    """Run `sql` for its effect."""
    with named_refusals(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
