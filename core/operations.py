"""What a route declares of itself, once: who may call it, and what `/openapi.json` says about it.

`@operation` stands on a view's method. `accounts.authentication.Authenticated` enforces the scope that it names, and
`gateway.discovery` makes the published documents from the rest, so that behaviour and documentation cannot drift apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from core.errors import ApiError
from core.messages import Message

_View = TypeVar("_View", bound=Callable[..., Any])
Schema = type[Message] | tuple[type[Message], ...] | Mapping[str, Any] | Callable[[], Mapping[str, Any]]
"""A message, one of several, a JSON Schema, or what makes one when the document is written.

A schema's `$defs` become components.
"""


class Scope(StrEnum):
    """What a key may be limited to."""

    MEDIA_WRITE = "media:write"
    MEDIA_READ = "media:read"
    BILLING_READ = "billing:read"
    BILLING_WRITE = "billing:write"
    STUDIO = "studio"
    ARCADE = "arcade"
    AFFILIATES = "affiliates"
    KEYS = "keys"


PUBLIC = "public"
"""Instead of a scope: no credential is needed."""
BOOTSTRAP = "bootstrap"
"""Instead of a scope: the view itself decides, since its body may carry the credential."""


class ErrorBody(Message):
    """What every refused request answers."""

    error: str
    """A sentence for people."""
    code: str
    """What happened, for programs."""
    details: dict[str, Any]
    """What belongs to the code; `{}` where nothing does."""
    billed: Literal[False] | SkipJsonSchema[None] = None
    """On routes that may cost something: always false; absent where nobody knows yet whether money moved."""
    retry_after: Annotated[int, Field(ge=1)] | SkipJsonSchema[None] = None
    """With 429: seconds to wait."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a request outside its body."""

    name: str
    location: Literal["query", "header"]
    description: str
    required: bool
    schema: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What `@operation` was told."""

    tag: str
    summary: str
    description: str
    scope: Scope | str
    body: Schema | None
    body_required: bool
    answers: Mapping[int, Schema | str]
    errors: Sequence[type[ApiError]]
    parameters: Sequence[Parameter]
    deprecated: bool
    id: str
    """Its name in generated clients; empty: made from method and path."""
    headers: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """By status: headers beside those that every answer, or every error, has."""


def operation(
    *,
    tag: str,
    summary: str,
    description: str = "",
    scope: Scope | str,
    body: Schema | None = None,
    body_required: bool = True,
    answers: Mapping[int, Schema | str],
    errors: Sequence[type[ApiError]] = (),
    parameters: Sequence[Parameter] = (),
    deprecated: bool = False,
    id: str = "",
    headers: Mapping[int, Sequence[str]] | None = None,
) -> Callable[[_View], _View]:
    """Declare one method of a view.

    `answers` maps each status of success to its message, to a JSON schema, or to a sentence where the body is none of
    ours. `errors` are what this route raises of its own; what every route may answer is added by `gateway.discovery`.
    `body` is the request's message, or its JSON schema. Only `scope` acts at run time.
    """

    def declare(view: _View) -> _View:
        declared: Any = view
        declared.declaration = Declaration(
            tag=tag,
            summary=summary,
            description=description or summary,
            scope=scope,
            body=body,
            body_required=body_required,
            answers=answers,
            errors=tuple(errors),
            parameters=tuple(parameters),
            deprecated=deprecated,
            id=id,
            headers=headers or {},
        )
        return view

    return declare


def query_parameter(
    name: str, description: str, *, required: bool = False, schema: Mapping[str, Any] | None = None
) -> Parameter:
    """One parameter of the query; a text unless `schema` says otherwise."""
    return Parameter(
        name=name, location="query", description=description, required=required, schema=schema or {"type": "string"}
    )


def header_parameter(name: str, description: str, *, schema: Mapping[str, Any] | None = None) -> Parameter:
    """One header that may be sent; a text unless `schema` says otherwise."""
    return Parameter(
        name=name, location="header", description=description, required=False, schema=schema or {"type": "string"}
    )
