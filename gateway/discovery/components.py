"""Schemas of the document: messages and JSON Schemas, their `$defs` lifted to components under one name each."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from drf_spectacular.plumbing import ComponentRegistry

from core.messages import Message
from core.operations import Schema

Direction = Literal["validation", "serialization"]
"""What may be sent, or what is answered."""


class NameTaken(Exception):
    """Two different schemas have the same name."""


class Components(ComponentRegistry):
    """The generator's registry, for schemas that no serializer stands behind."""

    def __init__(self) -> None:
        super().__init__()
        self.schemas: dict[str, Any] = {}

    def schema_of(self, schema: Schema, *, direction: Direction) -> dict[str, Any]:
        """A schema for use in the document; what it refers to is among the components.

        Raises:
            NameTaken: a component of the same name says something else.
        """
        if isinstance(schema, tuple):
            return {"anyOf": [self.schema_of(one, direction=direction) for one in schema]}
        if isinstance(schema, type):
            return self._lifted(_named(schema, direction))
        return self._lifted(schema if isinstance(schema, Mapping) else schema())

    def add(self, name: str, schema: Mapping[str, Any]) -> None:
        """Name a schema.

        Raises:
            NameTaken: a component of the same name says something else.
        """
        there = self.schemas.setdefault(name, schema)
        if json.dumps(there, sort_keys=True) != json.dumps(schema, sort_keys=True):
            raise NameTaken(name)

    def _lifted(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        for name, definition in schema.get("$defs", {}).items():
            self.add(name, _tidy(definition))
        tidy: dict[str, Any] = _tidy({key: value for key, value in schema.items() if key != "$defs"})
        return tidy


def _named(message: type[Message], direction: Direction) -> dict[str, Any]:
    own = message.model_json_schema(by_alias=True, mode=direction)
    definitions = own.pop("$defs", {})
    if "$ref" not in own:  # else it refers to itself, and stands among its definitions
        definitions[message.__name__] = own
    if direction == "serialization":
        definitions = {name: _answered(definition) for name, definition in definitions.items()}
    return {"$ref": f"#/$defs/{message.__name__}", "$defs": definitions}


def _answered(schema: dict[str, Any]) -> dict[str, Any]:
    """Answers carry every member, but for those that are left out instead of being null."""
    members = schema.get("properties", {})
    always = [name for name, member in members.items() if "default" not in member or _may_be(member, member["default"])]
    return {**schema, "required": always} if always else schema


def _may_be(member: Mapping[str, Any], default: Any) -> bool:
    """Whether a member's default is one of its values."""
    if default is not None:
        return True
    forms = [member, *member.get("anyOf", ())]
    return any(form.get("type") == "null" for form in forms)


def _tidy(schema: Any) -> Any:
    """Without titles made of names and defaults that cannot be sent; references to where components are."""
    match schema:
        case dict():
            return {
                key: f"#/components/schemas/{value.rsplit('/', 1)[-1]}" if key == "$ref" else _tidy(value)
                for key, value in schema.items()
                if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
            }
        case list():
            return [_tidy(member) for member in schema]
        case _:
            return schema
