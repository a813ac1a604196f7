"""Rows and model instances without building a query each time, for the few statements that every request runs.

Django's query compiler takes several times as long as PostgreSQL for a wide row; here the SQL is built once.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models

_Model = TypeVar("_Model", bound=models.Model)


@cache
def select_list(model: type[models.Model], alias: str) -> str:
    """The model's columns for a SELECT, in the order that `load` expects."""
    return ", ".join(f"{alias}.{field.column}" for field in model._meta.concrete_fields)


def width(model: type[models.Model]) -> int:
    """How many columns `select_list` names."""
    return len(_loaders(model)[0])


def load(model: type[_Model], values: Sequence[Any]) -> _Model:
    """The instance behind one row of `select_list`."""
    names, converters = _loaders(model)
    converted = list(values)
    for place, convert in converters:
        converted[place] = convert(converted[place])
    return model.from_db("default", names, converted)


def insert_together(*instances: models.Model) -> None:
    """Insert new rows of several tables in one statement: one round trip instead of one each.

    Foreign keys between them hold because Django declares them deferrable.

    Raises:
        django.db.IntegrityError: a constraint refused one of them, hence all.
    """
    values: list[Any] = []
    for instance in instances:
        for field in _inserted(type(instance)):
            value = getattr(instance, field.attname)
            # psycopg takes everything as it is but JSON, which needs its wrapper.
            values.append(field.get_db_prep_save(value, connection) if isinstance(field, models.JSONField) else value)
        instance._state.adding = False
        instance._state.db = "default"
    with connection.cursor() as cursor:
        cursor.execute(_insert_statement(tuple(type(instance) for instance in instances)), values)


@cache
def _loaders(model: type[models.Model]) -> tuple[list[str], list[tuple[int, Callable[[Any], Any]]]]:
    names: list[str] = []
    converters: list[tuple[int, Callable[[Any], Any]]] = []
    for place, field in enumerate(model._meta.concrete_fields):
        names.append(field.attname)
        from_db_value = getattr(field, "from_db_value", None)
        if from_db_value is not None:
            converters.append((place, _converter(from_db_value)))
    return names, converters


def _converter(from_db_value: Callable[[Any, Any, Any], Any]) -> Callable[[Any], Any]:
    return lambda value: from_db_value(value, None, connection)


@cache
def _inserted(model: type[models.Model]) -> "list[models.Field[Any, Any]]":
    """Every column but a primary key that the database draws."""
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]


@cache
def _insert_statement(kinds: tuple[type[models.Model], ...]) -> str:
    *first, last = [_insert(model) for model in kinds]
    if not first:
        return last
    return f"WITH {', '.join(f'insert{n} AS ({insert})' for n, insert in enumerate(first))} {last}"


def _insert(model: type[models.Model]) -> str:
    fields = _inserted(model)
    columns = ", ".join(str(field.column) for field in fields)
    return f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({', '.join(['%s'] * len(fields))})"  # noqa: S608 - names of our own columns
