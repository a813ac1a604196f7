"""Around every request: an id, one log line, metrics; a size limit, a rate limit."""

import math
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core import ids
from core.client_address import client_address
from core.errors import RateLimited
from gateway import metrics
from gateway.api_errors import json_error
from gateway.throttling import count
from media.sources import PayloadTooLarge

_log = structlog.get_logger("gateway.access")
_QUIET = ("/readyz", "/metrics", "/workers/")
"""Logged only when they go wrong: probes, and the worker calls whose traces are the job's own events."""
_WORTH_A_LINE = 400

Handler = Callable[[HttpRequest], HttpResponse]


class RequestMiddleware:
    """Gives the request its id and reports how it went. Query strings and headers never reach the log."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve one request."""
        started = time.perf_counter()
        request_id = ids.encode(ids.REQUEST, ids.new())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self._get_response(request)
        response["X-Request-Id"] = request_id
        if not response.streaming and "Content-Length" not in response:
            response["Content-Length"] = str(len(response.content))
        for name, value in getattr(request, "rate_limit_headers", {}).items():
            response[name] = value
        seconds = time.perf_counter() - started
        route = request.resolver_match.route if request.resolver_match else "(none)"
        metrics.REQUESTS.labels(request.method or "", route, str(response.status_code)).observe(seconds)
        if response.status_code >= _WORTH_A_LINE or not request.path.startswith(_QUIET):
            _log.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round(seconds * 1000, 1),
            )
        return response


class LimitMiddleware:
    """Refuses bodies that are too large, and counts the requests that no view's throttle has counted.

    Inside of the CORS headers, so that a page elsewhere can read why it is refused.
    """

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve one request, or refuse it."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        too_large = not length.isdigit() or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        # Here, because DRF's parser reads the stream itself, past Django's own check.
        response = json_error(request, PayloadTooLarge()) if too_large else self._get_response(request)
        if request.path.startswith("/api/") and not hasattr(request, "rate_limit_headers"):
            # It never reached a view's throttle: a bad key, an unknown route, a wrong method. Count its address.
            wait = count(request, identity=client_address(request))
            if wait is not None:
                return json_error(request, RateLimited(retry_after=math.ceil(wait)))
        return response
