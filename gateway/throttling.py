"""Rate limits: so many requests a minute for each key (or address, without a key) and class of route."""

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.http import HttpRequest
from redis import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.authentication import Caller
from core.client_address import client_address, subscriber
from core.valkey import valkey

if TYPE_CHECKING:
    from rest_framework.views import APIView  # DRF imports this module while it builds that one

WINDOW_SECONDS = 60
MOST_SHARES = 10_000
_log = structlog.get_logger(__name__)


def count(request: HttpRequest, *, identity: str, rate_class: str | None = None) -> float | None:
    """Count the request in its window and give its answer the X-RateLimit headers.

    None when it may pass, else the seconds until the window ends. A fixed window in Valkey, shared by all web
    processes. Without Valkey requests pass: limits protect the platform's comfort, money is the ledger's to protect.
    """
    rate_class = rate_class or ("write" if request.method in {"POST", "PUT", "PATCH", "DELETE"} else "read")
    limit: int = settings.RATE_LIMITS[rate_class]
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    key = f"ratelimit:{rate_class}:{identity}:{window}"
    try:
        used = _take(key, share=max(1, limit // 100))
    except RedisError as error:
        _log.warning("rate_limit_unavailable", error=repr(error))
        used = 0
    ends = (window + 1) * WINDOW_SECONDS
    request.rate_limit_headers = {  # type: ignore[attr-defined]
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(max(limit - used, 0)),
        "X-RateLimit-Reset": str(ends),
    }
    return None if used <= limit else ends - now


def who(request: HttpRequest) -> str:
    """Whom a request without a credential counts for."""
    return subscriber(client_address(request))


@dataclass
class _Share:
    """Requests that this process has counted in Valkey ahead of their coming."""

    used: int
    left: int


_shares: dict[str, _Share] = {}
_sharing = threading.Lock()


def _take(key: str, *, share: int) -> int:
    """How many requests the window has seen with this one.

    A process counts `share` requests at a time, so that most cost no trip; with several processes the limit may
    then be met up to a share each too early, never too late.
    """
    with _sharing:
        mine = _shares.get(key)
        if mine is not None and mine.left > 0:
            mine.used += 1
            mine.left -= 1
            return mine.used
    # Not under the lock: a Valkey that hangs must hold up those who ask it, not everybody.
    counted = int(valkey().incrby(key, share))
    if counted <= 2 * share:  # the second time too: a crash right after the first must not leave it for ever
        valkey().expire(key, 2 * WINDOW_SECONDS)
    with _sharing:
        if len(_shares) > MOST_SHARES:
            _shares.clear()
        _shares[key] = _Share(used=counted - share + 1, left=share - 1)
    return counted - share + 1


class RateLimit(BaseThrottle):
    """`count` for requests that reached their view: by key or session, else by address.

    A view may name its own class in `rate_class`; those are counted by address, since they serve people without a key.
    """

    _wait: float | None = None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Whether the request may pass."""
        rate_class = getattr(view, "rate_class", None)
        caller = request.user if isinstance(request.user, Caller) and rate_class is None else None
        identity = str(caller.key_id or caller.id) if caller is not None else who(request._request)
        self._wait = count(request._request, identity=identity, rate_class=rate_class)
        return self._wait is None

    def wait(self) -> float | None:
        """Seconds until the window ends."""
        return self._wait
