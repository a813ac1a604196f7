"""The one base class of every error a client may see.

A module raises a subclass defined beside the function that raises it; a dialect's handler
(`gateway.api_errors` for the main API) renders it. The class says what happened, not how it looks.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class ApiError(Exception):
    """The request could not be carried out."""

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 400
    retryable: ClassVar[bool] = False
    outcome_unknown: ClassVar[bool] = False
    """Whether money may have moved all the same: then the answer does not say `billed: false`."""

    def __init__(
        self,
        message: str | None = None,
        *,
        details: dict[str, Any] | None = None,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message or (self.__doc__ or "").strip().splitlines()[0]
        self.details = details or {}
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        """What the answer's headers say beside this."""
        super().__init__(self.message)


class InvalidRequest(ApiError):
    """The request is not valid."""

    code = "invalid_request"

    def __init__(self, fields: dict[str, str], message: str | None = None) -> None:
        """`fields` maps the path of each wrong field (`input.videoUrls.0`) to what is wrong with it."""
        super().__init__(message or _sentence(fields), details={"fields": fields})
        self.fields = fields


class NotFound(ApiError):
    """There is no such object, or it belongs to another account."""

    code = "not_found"
    http_status = 404


class Unavailable(ApiError):
    """A service this request needs cannot be reached right now; try again shortly."""

    code = "unavailable"
    http_status = 503
    retryable = True

    def __init__(
        self, message: str | None = None, *, details: dict[str, Any] | None = None, retry_after: int | None = 5
    ) -> None:
        super().__init__(message, details=details, retry_after=retry_after)


class InvalidState(ApiError):
    """The object is not in a state that allows this."""

    code = "invalid_state"
    http_status = 409


class RateLimited(ApiError):
    """Too many requests; slow down."""

    code = "rate_limited"
    http_status = 429
    retryable = True


class Forbidden(ApiError):
    """This credential may not do that."""

    code = "forbidden"
    http_status = 403


def _sentence(fields: dict[str, str]) -> str:
    path, reason = next(iter(fields.items()))
    more = f" (and {len(fields) - 1} more)" if len(fields) > 1 else ""
    return f"{path}: {reason}{more}" if path else f"{reason}{more}"
