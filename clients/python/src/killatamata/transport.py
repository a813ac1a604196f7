"""One HTTP call, tried again where that is safe."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, TypeVar

import httpx

from killatamata.config import LOOPBACK_HOSTS
from killatamata.errors import ApiError, TransportError, error_of
from killatamata.version import VERSION

TRIES = 4
CONNECT_SECONDS = 10.0
LONGEST_PAUSE = 8.0
LONGEST_RETRY_AFTER = 60.0
"""A server that wants to be left alone for longer than this gets no second try."""
_FIRST_PAUSE = 0.5

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_LOOPBACK = {f"all://[{host}]" if ":" in host else f"all://{host}": None for host in sorted(LOOPBACK_HOSTS)}
"""Never through a proxy: what answers there is a platform of one's own."""


_T = TypeVar("_T")


class Retry(Enum):
    """When a call may be tried again."""

    REPEATABLE = "repeatable"
    """Whenever no answer or a passing failure came: to do it twice is to do it once, or harms nobody."""
    IF_REFUSED = "if refused"
    """Only when it was not carried out: no connection, 429. A 503 may follow a commit whose outcome is unknown."""

    def allows(self, failure: Exception) -> bool:
        """Whether a call that ended so may be made again."""
        if isinstance(failure, ApiError):
            statuses = {429} if self is Retry.IF_REFUSED else {429, 500, 502, 503, 504}
            return failure.status in statuses and (failure.retry_after or 0) <= LONGEST_RETRY_AFTER
        return isinstance(failure, _NOT_SENT if self is Retry.IF_REFUSED else httpx.TransportError)


@dataclass(frozen=True)
class Reply:
    """A success."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass
class Pacing:
    """The clock and the pauses, so that tests need not wait."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    jitter: Callable[[float, float], float] = field(default=random.uniform)

    def before_try(self, number: int, failure: Exception) -> float:
        """Seconds to wait before the try after `number` failed ones: full jitter, and not before the server wants."""
        pause = self.jitter(0, min(LONGEST_PAUSE, _FIRST_PAUSE * 2**number))
        asked = failure.retry_after if isinstance(failure, ApiError) else None
        return pause if asked is None else asked + min(pause, 1.0)


class Transport:
    """The connection to one server. The key goes to this server and nowhere else."""

    def __init__(self, *, base_url: str, api_key: str | None, timeout: float, pacing: Pacing) -> None:
        self.base_url = base_url
        self.pacing = pacing
        self._authorization = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._http = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
            headers={"User-Agent": f"killatamata-python/{VERSION}"},
            follow_redirects=False,  # a redirect would take the key, and the body, to another place
            mounts=_LOOPBACK,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Reply:
        """GET; parameters that are None are left out."""
        return self._call("GET", path, retry=Retry.REPEATABLE, query=query)

    def post(
        self, path: str, body: Mapping[str, Any], *, retry: Retry, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """POST a JSON object."""
        return self._call("POST", path, retry=retry, body=body, headers=headers)

    def _call(
        self,
        method: str,
        path: str,
        *,
        retry: Retry,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Make the call, again and again if need be.

        Raises:
            ApiError: the server refused it.
            TransportError: no usable answer came.
        """
        request = self._http.build_request(
            method,
            f"{self.base_url}{path}",
            params={name: value for name, value in (query or {}).items() if value is not None},
            json=body,
            headers={**self._authorization, **(headers or {})},
        )
        return self.repeat(lambda: self._once(request), retry=retry)

    def repeat(self, attempt: Callable[[], _T], *, retry: Retry) -> _T:
        """What `attempt` gives, after as many tries as `retry` and TRIES allow.

        Raises:
            ApiError, TransportError: from the last try.
        """
        for number in range(TRIES):
            try:
                return attempt()
            except (ApiError, httpx.TransportError) as failure:
                if number == TRIES - 1 or not retry.allows(failure):
                    if isinstance(failure, ApiError):
                        raise
                    raise TransportError(f"{self.base_url}: {_told(failure)}") from failure
                pause = self.pacing.before_try(number, failure)
            self.pacing.sleep(pause)
        raise AssertionError("the loop above returns or raises")

    def _once(self, request: httpx.Request) -> Reply:
        try:
            answer = self._http.send(request)
        except httpx.TransportError:
            raise
        except httpx.HTTPError as error:  # an answer that cannot be decoded, say
            raise TransportError(f"{self.base_url}: {_told(error)}") from error
        if not answer.is_success:
            raise refusal(answer)
        try:
            return Reply(status=answer.status_code, body=answer.json(), headers=answer.headers)
        except ValueError:
            raise TransportError(
                f"{self.base_url} answered {answer.status_code} with something that is not JSON; "
                "is this the address of a Killa Tamata server?"
            ) from None

    @contextmanager
    def stream(self, url: str) -> Iterator[httpx.Response]:
        """GET an output without the key: outputs are open to whoever knows their address.

        Raises:
            ApiError: the status is not one of success.
            httpx.TransportError: the connection failed, before or while the body comes.
        """
        with self._http.stream("GET", url, follow_redirects=True) as answer:
            if not answer.is_success:
                answer.read()
                raise refusal(answer)
            yield answer


def refusal(answer: httpx.Response) -> ApiError:
    """The error that an answer without success stands for."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    body = found if isinstance(found, dict) else {}
    status = answer.status_code
    code = body.get("code") if isinstance(body.get("code"), str) else f"http_{status}"
    message = body.get("error") if isinstance(body.get("error"), str) else f"The server answered {status}."
    details = body.get("details")
    return error_of(status)(
        status=status,
        code=str(code),
        message=str(message),
        details=details if isinstance(details, dict) else {},
        request_id=answer.headers.get("X-Request-Id"),
        billed=body.get("billed") if isinstance(body.get("billed"), bool) else None,
        retry_after=retry_after_of(answer.headers),
    )


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """The seconds that a Retry-After header asks for, in either of its forms."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=timezone.utc)
    return max(0.0, (at - datetime.now(timezone.utc)).total_seconds())


def _told(failure: httpx.HTTPError) -> str:
    """The failure as a sentence; httpx often has none."""
    kinds: dict[type[httpx.HTTPError], str] = {
        httpx.ConnectError: "no connection could be made",
        httpx.ConnectTimeout: "no connection could be made in time",
        httpx.ReadTimeout: "no answer came in time",
        httpx.RemoteProtocolError: "the connection broke before an answer came",
        httpx.ReadError: "the connection broke before an answer came",
    }
    kind = kinds.get(type(failure), "the request failed")
    detail = str(failure)
    return f"{kind} ({detail})." if detail else f"{kind}."
