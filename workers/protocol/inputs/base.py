"""What all task inputs share: closed, strict, camelCase on the wire, frozen in memory."""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticCustomError, Url
from pydantic_core.core_schema import CoreSchema, WithDefaultSchema

FIELDS_TOGETHER = "fields_together"
"""The type of the errors that `fault_of` makes."""


class Wire(BaseModel):
    """A model that crosses a process: unknown fields and loose types are errors."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        strict=True,
        frozen=True,
        use_attribute_docstrings=True,
    )

    def wire(self) -> dict[str, Any]:
        """The JSON object, camelCase, without what is None."""
        return self.model_dump(by_alias=True, mode="json", exclude_none=True)

    @classmethod
    def published_schema(cls) -> dict[str, Any]:
        """The JSON Schema of what a client may send."""
        return cls.model_json_schema(by_alias=True, schema_generator=_Published)


class _Published(GenerateJsonSchema):
    """JSON Schema without `"default": null`: what may be left out may not be sent as null."""

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if "default" in found and found["default"] is None:
            del found["default"]
        return found


class _NotNull:
    """Takes null out of an optional type: the contract lets such a field be absent, not null."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        if schema["type"] != "nullable":
            raise TypeError("Omissible[X] wraps X | None")
        inner: CoreSchema = schema["schema"]
        return inner


_T = TypeVar("_T")
Omissible = Annotated[_T | None, _NotNull()]
"""A field that may be left out, and is then None; an explicit null is as wrong as any other type."""


def at_least_one(*fields: str) -> dict[str, Any]:
    """What the published schema of an input says where one of several fields, by wire name, is required."""
    return {"anyOf": [{"required": [name]} for name in fields]}


def fault_of(*fields: str, reason: str) -> PydanticCustomError:
    """The error of several fields together, by their names on the wire: who renders it names each of them."""
    return PydanticCustomError(FIELDS_TOGETHER, "{reason}", {"reason": reason, "fields": fields})


def _http_url(text: str) -> str:
    try:
        url = Url(text)
    except ValueError:
        raise ValueError("must be an absolute http or https URL") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("must be an absolute http or https URL")
    return text


UrlText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4096),
    AfterValidator(_http_url),
    Field(json_schema_extra={"format": "uri"}),
]
"""An http(s) URL kept exactly as sent. Whether it may be fetched is `core.http`'s decision, not the model's."""
