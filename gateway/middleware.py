"""Around every request: an id, one log line, metrics; a size limit, a rate limit."""

import math
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core import ids
from core.errors import ApiError, RateLimited
from core.ui.pages import refusal_page
from gateway import metrics
from gateway.api_errors import json_error
from gateway.throttling import count, who
from media.sources import PayloadTooLarge

_log = structlog.get_logger("gateway.access")
_QUIET = ("/readyz", "/metrics", "/workers/")
"""Logged only when they go wrong: probes, and the worker calls whose traces are the job's own events."""
_WORTH_A_LINE = 400
_LARGE_BODIES = ("/api/v1/media/jobs", "/api/v1/media/estimate", "/workers/")
"""They carry media, or a node's signed report, and are read behind a credential."""
SMALL_BODY_BYTES = 64_000
"""All others: parsing megabytes of JSON takes seconds and a hundred times their memory, from anybody."""
_EVENTS = "/api/v1/webhooks/"
EVENT_BYTES = 512_000
"""A payment provider's event: a charge with many refunds is some dozens of kilobytes."""
_UNCOUNTED = ("/api/", "/workers/", "/static/", "/readyz", "/metrics", "/admin/")
"""Not counted as pages: they count themselves, sign their requests, or are for operators."""
_SAFE = ("GET", "HEAD", "OPTIONS")

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
        if not request.path.startswith(_UNCOUNTED):
            return self._page(request)
        # Here, because DRF's parser reads the stream itself, past Django's own check.
        response = json_error(request, PayloadTooLarge()) if _too_large(request) else self._get_response(request)
        if request.path.startswith("/api/") and not hasattr(request, "rate_limit_headers"):
            # It never reached a view's throttle: a bad key, an unknown route, a wrong method. Count its address.
            wait = count(request, identity=who(request))
            if wait is not None:
                return json_error(request, RateLimited(retry_after=math.ceil(wait)))
        if request.path.startswith("/api/") and "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-store"
        return response

    def _page(self, request: HttpRequest) -> HttpResponse:
        """People's pages and what programs discover. What is sent to a page signs somebody in, or decides something."""
        wait = count(request, identity=who(request), rate_class="read" if request.method in _SAFE else "sign_in")
        error: ApiError | None = RateLimited(retry_after=math.ceil(wait)) if wait is not None else None
        if error is None and _too_large(request):
            error = PayloadTooLarge()
        if error is None:
            return self._get_response(request)
        return refusal_page(error.message, status=error.http_status, retry_after=error.retry_after)


def _too_large(request: HttpRequest) -> bool:
    length = request.META.get("CONTENT_LENGTH") or "0"
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE if request.path.startswith(_LARGE_BODIES) else SMALL_BODY_BYTES
    most = EVENT_BYTES if request.path.startswith(_EVENTS) else most
    return not length.isdigit() or int(length) > most
