"""POST to a callback URL: one try, no redirects, and an outcome instead of an exception."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpcore

from core.http.body import chunks
from core.http.connection import Line, Meter
from core.http.deadline import Deadline
from core.http.errors import HttpError
from core.http.urls import parse

_POLITE_BYTES = 16 * 1024
_POLITE_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class PostOutcome:
    """How one try went: a status, or one word for what kept us from getting one."""

    status: int | None
    error: str | None
    elapsed_ms: int


def post(url: str, *, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> PostOutcome:
    """Send `body` once; redirects are not followed, the answer's body is not kept.

    Never raises for what the URL or its server does: `error` is the `reason` of the HttpError instead.
    """
    started = time.monotonic()
    status: int | None = None
    error: str | None = None
    deadline = Deadline(timeout_seconds)
    try:
        with Line(parse(url), deadline=deadline) as line:
            response = line.send("POST", headers=headers, body=body)
            status = response.status
            elapsed = time.monotonic() - started
            _read_a_little(response, line.meter)
    except HttpError as failure:
        error = failure.reason
        elapsed = time.monotonic() - started
    return PostOutcome(status=status, error=error, elapsed_ms=round(elapsed * 1000))


def _read_a_little(response: httpcore.Response, meter: Meter) -> None:
    """Take a short answer in before closing, so that a receiver does not see its connection reset."""
    meter.deadline = Deadline(_POLITE_SECONDS)
    try:
        for _ in chunks(response, max_bytes=_POLITE_BYTES, meter=meter):
            pass
    except HttpError:
        return  # the status has come; whatever is wrong with the rest changes nothing
    finally:
        response.close()
