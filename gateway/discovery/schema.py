"""One operation of `/openapi.json`, made from what its view declares and from what every route may answer."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry

from accounts.authentication import SAFE_METHODS, BrowserSessionAuthentication, ForeignOrigin, Unauthenticated
from accounts.services.keys import MissingScope
from core.errors import ApiError, InvalidRequest, RateLimited, Unavailable
from core.messages import Message
from core.operations import BOOTSTRAP, Declaration, ErrorBody, Parameter, Scope
from gateway.api_errors import InternalError, MalformedBody, UnsupportedMediaType
from gateway.discovery.components import Components
from gateway.discovery.routes import declaration_of, operation_id, path_variables
from media.sources import PayloadTooLarge

CREDENTIALS = ("BearerAuth", "ApiKeyHeader", "SessionCookie")
EVERYWHERE: tuple[type[ApiError], ...] = (RateLimited, InternalError, Unavailable)
WITH_BODY: tuple[type[ApiError], ...] = (InvalidRequest, MalformedBody, UnsupportedMediaType, PayloadTooLarge)
HEADERS = {
    "X-Request-Id": ("The request's id; name it when you ask for help.", {"type": "string", "pattern": "^req_"}),
    "X-RateLimit-Limit": ("Requests allowed in this minute.", {"type": "integer", "minimum": 0}),
    "X-RateLimit-Remaining": ("Requests left in this minute.", {"type": "integer", "minimum": 0}),
    "X-RateLimit-Reset": ("When the minute ends: Unix time in seconds.", {"type": "integer", "minimum": 0}),
    "Retry-After": ("Seconds to wait before the next try.", {"type": "integer", "minimum": 1}),
    "WWW-Authenticate": ("How to send a credential.", {"type": "string"}),
    "Location": ("Where to go on.", {"type": "string", "format": "uri"}),
    "Set-Cookie": ("What this browser is to remember.", {"type": "string"}),
    "Idempotent-Replay": ("`true`: this is the answer to an earlier request.", {"type": "string", "const": "true"}),
    "PAYMENT-REQUIRED": ("What an x402 payment must satisfy: base64 JSON, version 2.", {"type": "string"}),
    "PAYMENT-RESPONSE": ("How an x402 settlement went: base64 JSON, version 2.", {"type": "string"}),
    "Deprecation": ("`true`: another route replaces this one.", {"type": "string", "const": "true"}),
}
ON_EVERY_ANSWER = ("X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
ON_ERRORS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}


class RouteSchema(AutoSchema):
    """What drf-spectacular's generator asks for each method of a view."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any]:
        """The operation object; its schemas are added to the generator's registry.

        Raises:
            ImproperlyConfigured: the method declares nothing.
        """
        if not isinstance(registry, Components):
            raise TypeError("only gateway.discovery.document makes this document")
        return operation_object(self.view, path, method.upper(), registry)


def operation_object(view: Any, path: str, method: str, components: Components) -> dict[str, Any]:
    """One operation. `view` is an instance of the view."""
    declaration = declaration_of(view, method)
    scope = declaration.scope
    operation: dict[str, Any] = {
        "operationId": operation_id(path, method, declaration),
        "tags": [declaration.tag],
        "summary": declaration.summary,
        "description": declaration.description,
        "security": _security(scope),
    }
    if isinstance(scope, Scope):
        operation["x-required-scope"] = str(scope)
    if declaration.deprecated:
        operation["deprecated"] = True
    parameters = [*_path_parameters(path), *(_parameter(parameter) for parameter in declaration.parameters)]
    if parameters:
        operation["parameters"] = parameters
    if declaration.body is not None:
        operation["requestBody"] = {
            "required": declaration.body_required,
            "content": _json(components.schema_of(declaration.body, direction="validation")),
        }
    operation["responses"] = _responses(declaration, refusals(view, method), components)
    return operation


def refusals(view: Any, method: str) -> list[type[ApiError]]:
    """Every error that this method of the view may answer."""
    declaration = declaration_of(view, method)
    found = [*declaration.errors, *EVERYWHERE]
    if declaration.body is not None:
        found += WITH_BODY
    if declaration.parameters:
        found.append(InvalidRequest)
    if isinstance(declaration.scope, Scope):
        found += (Unauthenticated, MissingScope)
    elif view.authentication_classes:  # a credential that is sent although none is needed must be right, too
        found.append(Unauthenticated)
    if BrowserSessionAuthentication in view.authentication_classes and method not in SAFE_METHODS:
        found.append(ForeignOrigin)
    return list(dict.fromkeys(found))


def _security(scope: Scope | str) -> list[dict[str, list[str]]]:
    credentials: list[dict[str, list[str]]] = [{name: []} for name in CREDENTIALS]
    if isinstance(scope, Scope):
        return credentials
    return [{}, *credentials] if scope == BOOTSTRAP else []


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for name in path_variables(path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.location,
        "required": parameter.required,
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }


def _responses(
    declaration: Declaration, errors: list[type[ApiError]], components: Components
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for status, answer in declaration.answers.items():
        headers = _headers(*ON_EVERY_ANSWER, *declaration.headers.get(status, ()))
        if isinstance(answer, str):
            found[str(status)] = {"description": answer, "headers": headers}
            continue
        description = HTTPStatus(status).phrase
        if isinstance(answer, type) and issubclass(answer, Message):
            description = (answer.__doc__ or description).strip().splitlines()[0]
        found[str(status)] = {
            "description": description,
            "headers": headers,
            "content": _json(components.schema_of(answer, direction="serialization")),
        }
    for status in sorted({error.http_status for error in errors}):
        found[str(status)] = _refusal(
            status, [e for e in errors if e.http_status == status], declaration.headers.get(status, ()), components
        )
    return dict(sorted(found.items()))


def _refusal(
    status: int, errors: list[type[ApiError]], headers: Sequence[str], components: Components
) -> dict[str, Any]:
    codes = list(dict.fromkeys(error.code for error in errors))
    schema = {
        "allOf": [
            components.schema_of(ErrorBody, direction="serialization"),
            {"type": "object", "properties": {"code": {"enum": codes}}},
        ]
    }
    return {
        "description": "\n".join(f"- `{error.code}`: {sentence(error)}" for error in errors),
        "headers": _headers(*ON_EVERY_ANSWER, *ON_ERRORS.get(status, ()), *headers),
        "content": _json(schema),
    }


def sentence(error: type[ApiError]) -> str:
    """What an error means: the first paragraph of its docstring on one line."""
    return " ".join((error.__doc__ or "").strip().split("\n\n")[0].split())


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
