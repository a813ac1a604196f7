"""What a route declares of itself, once: who may call it, and what `/openapi.json` says about it.

`@operation` stands on a view's method. `accounts.authentication.Authenticated` enforces the scope that it names, and
the published document is generated from the rest, so that behaviour and documentation cannot drift apart.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from core.errors import ApiError
from core.messages import Message

_View = TypeVar("_View", bound=Callable[..., Any])


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
    billed: bool | None = None
    """On routes that may cost something: always false."""
    retry_after: int | None = None
    """With 429: seconds to wait."""


def operation(
    *,
    tag: str,
    summary: str,
    description: str = "",
    scope: Scope | str,
    body: type[Message] | dict[str, Any] | None = None,
    body_required: bool = True,
    answers: Mapping[int, Any],
    errors: Sequence[type[ApiError]] = (),
    parameters: Sequence[OpenApiParameter] = (),
    deprecated: bool = False,
) -> Callable[[_View], _View]:
    """Declare one method of a view.

    `answers` maps each status of success to its message, to a JSON schema, or to a sentence where the body is none of
    ours. `errors` are what this route raises of its own; what every route may answer is added by `gateway.discovery`.
    `body` is the request's message, or its JSON schema. Only `scope` acts at run time.
    """

    def declare(view: _View) -> _View:
        responses: dict[Any, Any] = {}
        for status, answer in answers.items():
            responses[status] = (
                OpenApiResponse(description=answer)
                if isinstance(answer, str)
                else OpenApiResponse(response=answer, description=HTTPStatus(status).phrase)
            )
        extend_schema(
            tags=[tag],
            summary=summary,
            description=description or summary,
            request={"application/json": body} if body is not None else None,
            responses=responses,
            parameters=list(parameters),
            deprecated=deprecated or None,
            extensions={"x-required-scope": str(scope)} if isinstance(scope, Scope) else None,
        )(view)
        declared: Any = view
        declared.scope = scope
        declared.own_errors = tuple(errors)
        declared.body_required = body_required
        return view

    return declare


def query_parameter(
    name: str, description: str, *, required: bool = False, schema: dict[str, Any] | None = None
) -> OpenApiParameter:
    """One parameter of the query; a text unless `schema` says otherwise."""
    return OpenApiParameter(
        name=name,
        location=OpenApiParameter.QUERY,
        required=required,
        description=description,
        type=schema or {"type": "string"},
    )
