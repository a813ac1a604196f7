"""Around every request: an id, the client's address, one log line, one shape of error under /api."""

import ipaddress
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core import ids
from gateway import metrics

_log = structlog.get_logger("gateway.access")
_QUIET = ("/readyz", "/metrics")

Handler = Callable[[HttpRequest], HttpResponse]


class RequestMiddleware:
    """Gives the request its id and reports how it went. Query strings and headers never reach the log."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve one request."""
        started = time.perf_counter()
        request_id = ids.encode(ids.REQUEST, ids.new())
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self._get_response(request)
        response["X-Request-Id"] = request_id
        for name, value in getattr(request, "rate_limit_headers", {}).items():
            response[name] = value
        seconds = time.perf_counter() - started
        route = request.resolver_match.route if request.resolver_match else "(none)"
        metrics.REQUESTS.labels(request.method or "", route, str(response.status_code)).observe(seconds)
        if not request.path.startswith(_QUIET):
            _log.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round(seconds * 1000, 1),
                account_id=getattr(request, "account_public_id", None),
            )
        return response


def client_address(request: HttpRequest) -> str:
    """The client's address: the connection's, or what a configured proxy says."""
    address = request.META.get("REMOTE_ADDR", "")
    if _is_trusted(address):
        for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            candidate = hop.strip()
            if candidate and not _is_trusted(candidate):
                return candidate
    return address


def _is_trusted(address: str) -> bool:
    if not settings.TRUSTED_PROXIES:
        return False
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in ipaddress.ip_network(network, strict=False) for network in settings.TRUSTED_PROXIES)
