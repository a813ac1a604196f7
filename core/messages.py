"""Bodies of the API's requests and answers as models: closed, strict, camelCase on the wire.

From them come validation and the published schemas, so that the two cannot differ.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, ValidationError
from rest_framework.request import Request

from core.errors import InvalidRequest
from workers.protocol.inputs.base import Omissible, Wire

__all__ = [
    "STORABLE",
    "Message",
    "Omissible",
    "Text",
    "read_body",
    "read_query",
    "shown",
    "why_unstorable",
    "wrong_fields",
]


class Message(Wire):
    """A request's or an answer's JSON object. A field's docstring is its published description."""

    def wire(self) -> dict[str, Any]:
        """The JSON object, camelCase; what is None is null, since answers always carry every member."""
        return self.model_dump(by_alias=True, mode="json")


def why_unstorable(text: str) -> str | None:
    """What is wrong with a text that JSON may carry and PostgreSQL cannot keep."""
    if "\0" in text:
        return "must not contain the character U+0000"
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return "must not contain half of a surrogate pair"
    return None


def _storable(value: Any) -> Any:
    reason = why_unstorable(value) if isinstance(value, str) else None
    if reason is not None:
        raise ValueError(reason)
    return value


STORABLE = BeforeValidator(_storable)
"""After a text's other constraints: `Annotated[str, Field(max_length=64), STORABLE]`. What follows it is told of in
words about items, and a pattern that follows it is not published."""
Text = Annotated[str, STORABLE]
"""A text that can be stored."""


_M = TypeVar("_M", bound=Message)


def read_body(request: Request, model: type[_M]) -> _M:
    """The request's body as a message; no body at all reads as `{}`.

    Raises:
        InvalidRequest: naming each wrong field.
    """
    data = request.data
    if not isinstance(data, dict):
        raise InvalidRequest({"": "the body must be a JSON object"})
    return _read(model, dict(data))


def read_query(request: Request, model: type[_M]) -> _M:
    """The query's parameters as a message whose fields are texts or lax numbers.

    Raises:
        InvalidRequest: naming each wrong or unknown parameter.
    """
    return _read(model, {name: request.query_params[name] for name in request.query_params}, strict=False)


def _read(model: type[_M], data: dict[str, Any], *, strict: bool | None = None) -> _M:
    try:
        return model.model_validate(data, strict=strict, by_alias=True, by_name=False)
    except ValidationError as error:
        raise InvalidRequest(wrong_fields(error)) from None


def wrong_fields(
    error: ValidationError,
    *,
    root: tuple[str, ...] = (),
    unknown: str = "is not a field of this request",
    together: Callable[[Any], tuple[str, ...]] = lambda entry: (),
) -> dict[str, str]:
    """Path → what is wrong there. `together` names the fields that one error is about, where it is about several."""
    fields: dict[str, str] = {}
    for entry in error.errors(include_url=False, include_input=False):
        steps = [str(step) for step in entry["loc"] if not str(step).startswith("<")]
        path = ".".join([*root, *(shown(step) for step in steps)])
        reason = unknown if entry["type"] == "extra_forbidden" else entry["msg"].removeprefix("Value error, ")
        if entry["type"] == "missing":
            reason = "is required"
        for named in [f"{path}.{name}" for name in together(entry)] or [path]:
            fields.setdefault(named, reason)
    return fields


def shown(name: str) -> str:
    """A client's own word, safe to repeat in an answer."""
    return name[:80].encode("utf-8", "replace").decode()
