"""What can go wrong, by class: catch `KillaTamataError` for all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from killatamata.models import Job


class PlainHttpWarning(UserWarning):
    """The key crosses a network without encryption."""


class KillaTamataError(Exception):
    """Anything this package raises on purpose. Its text never holds a key."""


class UsageError(KillaTamataError):
    """This package was used wrongly: an address that is none, a file that cannot be sent. Nothing was asked yet."""


class TransportError(KillaTamataError):
    """No usable answer came: the server could not be reached, was too slow, or is not a Killa Tamata server."""


class ApiError(KillaTamataError):
    """The server refused the request."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        message: str,
        details: dict[str, Any] | None = None,
        request_id: str | None = None,
        billed: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.status = status
        """The HTTP status."""
        self.code = code
        """What happened, for programs: `invalid_request`, `insufficient_balance`, …"""
        self.message = message
        """What happened, as a sentence."""
        self.details = details or {}
        """What belongs to the code, such as `fields` of an invalid request."""
        self.request_id = request_id
        """Names the request to the operator."""
        self.billed = billed
        """False where the route could have cost something; None where it never does."""
        self.retry_after = retry_after
        """Seconds after which the server wants to be asked again, where it said so."""
        super().__init__(message)

    def __str__(self) -> str:
        named = f", request {self.request_id}" if self.request_id else ""
        return f"{self.message} ({self.code}{named})"


class InvalidRequest(ApiError):
    """400, 413, 415: the request itself is wrong; `fields` says where."""

    @property
    def fields(self) -> dict[str, str]:
        """Path of each wrong field → what is wrong with it."""
        fields = self.details.get("fields")
        return dict(fields) if isinstance(fields, dict) else {}


class AuthenticationError(ApiError):
    """401: no key, or one that the server does not accept."""


class InsufficientBalance(ApiError):
    """402: the account cannot pay; `details` has `requiredUsdMicros` and `availableUsdMicros` or what is owed."""


class PermissionDenied(ApiError):
    """403: the key may not do that: a scope is missing or its spend limit is reached."""


class NotFound(ApiError):
    """404: there is no such object, or it is another account's."""


class Conflict(ApiError):
    """409: the object's state, or an idempotency key used before with another request, forbids it."""


class KeyNotShown(Conflict):
    """409: a key was made, but the answer that held it was lost, and it is shown only once: revoke it."""

    @property
    def key_prefix(self) -> str:
        """Names the key to revoke."""
        return str(self.details.get("keyPrefix") or "")


class RateLimited(ApiError):
    """429: too many requests, and too many again after the pauses that the server asked for."""


class Unavailable(ApiError):
    """502, 503, 504: a part of the service is down, and was still down at the last try."""


class JobFailed(KillaTamataError):
    """The job ended without a result; it was not billed unless `job.billed` says so."""

    def __init__(self, job: Job) -> None:
        self.job = job
        """The job as it ended."""
        why = job.error or f"The job ended as {job.status}."
        super().__init__(f"{why} ({job.error_code or job.status}, {job.id})")


class WaitTimeout(KillaTamataError, TimeoutError):
    """The job had not ended when the time to wait was over. It goes on."""

    def __init__(self, job: Job) -> None:
        self.job = job
        """The job as it was last seen."""
        super().__init__(f"{job.id} is still {job.status}; it goes on without being watched.")


class DownloadFailed(KillaTamataError):
    """There is nothing to download, or a file did not arrive whole: it was not written, nor any after it.

    The files of the same job that arrived before it stay where they are.
    """


class LinkRefused(KillaTamataError):
    """A device link ended without a key: it was denied or ran out."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        """`access_denied` or `expired_token`."""
        super().__init__(message)


_BY_STATUS: dict[int, type[ApiError]] = {
    400: InvalidRequest,
    401: AuthenticationError,
    402: InsufficientBalance,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    413: InvalidRequest,
    415: InvalidRequest,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_of(status: int) -> type[ApiError]:
    """The class of errors with this HTTP status."""
    return _BY_STATUS.get(status, ApiError)
