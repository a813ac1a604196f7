"""The main API's dialect of errors: `{"error", "code", "details"}`, on every path under /api and /workers."""

from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from core.errors import ApiError, NotFound, RateLimited, Unavailable
from media.sources import PayloadTooLarge

_log = structlog.get_logger(__name__)
_BILLED_PATHS = ("/api/v1/media/", "/api/v1/checkout/", "/api/v1/claim/", "/api/v1/credits/", "/api/v1/deposit/")


class InternalError(ApiError):
    """Something went wrong on our side; the request id tells us what."""

    code = "internal_error"
    http_status = 500
    retryable = True


class RouteNotFound(ApiError):
    """There is no such route."""

    code = "route_not_found"
    http_status = 404


class BadRequest(ApiError):
    """The request cannot be understood: its Host header or its form is wrong."""

    code = "invalid_request"


class MalformedBody(ApiError):
    """The body is not valid JSON."""

    code = "invalid_request"


class MethodNotAllowed(ApiError):
    """This route does not take this method."""

    code = "method_not_allowed"
    http_status = 405


class UnsupportedMediaType(ApiError):
    """Send the body as application/json."""

    code = "unsupported_media_type"
    http_status = 415


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: every error becomes an ApiError and is rendered here."""
    request = context["request"]._request
    translated = _translate(error)
    if translated.http_status >= 500 and not isinstance(translated, Unavailable):
        _log.exception("unhandled_error", exc_info=error)
    elif isinstance(translated, Unavailable):
        _log.warning("unavailable", error=repr(error), cause=repr(error.__cause__))
    headers = _headers(translated)
    view = context.get("view")
    if translated.http_status == 401 and view is not None:
        challenge = view.get_authenticate_header(context["request"])
        if challenge:
            headers["WWW-Authenticate"] = challenge
    if isinstance(translated, MethodNotAllowed) and view is not None:
        headers["Allow"] = ", ".join(view.allowed_methods)
    return Response(_body(translated, request.path), status=translated.http_status, headers=headers)


def json_error(request: HttpRequest, error: ApiError) -> JsonResponse:
    """The same rendering outside DRF: unknown routes and errors in middleware."""
    return JsonResponse(_body(error, request.path), status=error.http_status, headers=_headers(error))


def _body(error: ApiError, path: str) -> dict[str, Any]:
    body: dict[str, Any] = {"error": error.message, "code": error.code, "details": error.details}
    if path.startswith(_BILLED_PATHS) and not error.outcome_unknown:
        body["billed"] = False
    if error.retry_after is not None and error.http_status == 429:
        body["retryAfter"] = error.retry_after
    return body


def _headers(error: ApiError) -> dict[str, str]:
    waiting = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    return {**error.headers, **waiting}


def _translate(error: Exception) -> ApiError:
    match error:
        case ApiError():
            return error
        case exceptions.ParseError():
            return MalformedBody(str(error.detail))
        case RecursionError():
            return MalformedBody("The body is nested too deeply.")
        case exceptions.MethodNotAllowed():
            return MethodNotAllowed(str(error.detail))
        case exceptions.UnsupportedMediaType():
            return UnsupportedMediaType()
        case exceptions.Throttled():
            return RateLimited(retry_after=max(1, round(getattr(error, "wait", None) or 1)))
        case RequestDataTooBig():
            return PayloadTooLarge()
        case Http404():
            return NotFound()
        case OperationalError() | InterfaceError():
            connection.close()
            return Unavailable("The database cannot be reached right now; try again shortly.")
        case _:
            return InternalError()
