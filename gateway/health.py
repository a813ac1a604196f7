"""Is it up, and is everything it needs."""

import time
from collections.abc import Callable
from typing import Annotated, Any, Literal

import structlog
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import signed_in_user
from core import clock
from core.client_address import client_address
from core.errors import NotFound
from core.messages import Message
from core.operations import PUBLIC, operation
from core.valkey import valkey
from gateway import metrics
from gateway.api_errors import json_error
from gateway.discovery.release import API_VERSION, COMPATIBILITY, SKILL_NAME, SKILL_ROOT, SKILLS_PATH
from media import buckets
from media.fleet.selectors import pool_states

Url = Annotated[str, Field(json_schema_extra={"format": "uri"})]
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_HOST", "HTTP_VIA")
"""What proxies add to a request on its way."""
_log = structlog.get_logger(__name__)


class SkillVersion(Message):
    """The skill that describes this API, and where it is."""

    name: str
    version: str
    compatible_api_version: str
    """The release of the API that it is for."""
    compatibility_policy: Literal["exact"]
    """It fits that release alone."""
    auto_update: bool
    """Whether an installed copy should follow."""
    manifest_url: Url
    metadata_url: Url
    root_url: Url
    entrypoint_url: Url


class VersionInfo(Message):
    """What runs here."""

    release: str
    """The platform's own version."""
    api: str
    """The API's release."""
    skill: SkillVersion


class Health(Message):
    """It is up."""

    status: Literal["ok"] = "ok"
    service: str = SKILL_NAME
    timestamp: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    """The server's clock."""
    version: VersionInfo


class HealthView(APIView):
    """GET /api/v1/health"""

    authentication_classes = ()
    permission_classes = ()

    @operation(
        id="getHealth",
        tag="health",
        summary="Is it up, and which versions",
        description="Answers as long as the server runs, whatever it needs is up or not. No credential is needed.",
        scope=PUBLIC,
        answers={200: Health},
    )
    def get(self, request: Request) -> Response:
        """The contract's HealthResponse."""
        root = f"{settings.SITE_URL}{SKILL_ROOT}"
        skill = SkillVersion(
            name=SKILL_NAME,
            version=API_VERSION,
            compatible_api_version=API_VERSION,
            compatibility_policy=COMPATIBILITY,
            auto_update=True,
            manifest_url=f"{settings.SITE_URL}{SKILLS_PATH}",
            metadata_url=f"{root}version.json",
            root_url=root,
            entrypoint_url=f"{root}SKILL.md",
        )
        version = VersionInfo(release=settings.VERSION, api=API_VERSION, skill=skill)
        return Response(Health(timestamp=clock.rfc3339(clock.now()), version=version).wire())


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every dependency answers, else 503. Which one is told only to loopback and signed-in staff.

    Everybody is told which payment providers are sandboxes, where some are.
    """
    checks = {"database": _database, "valkey": _valkey, "bucket": _bucket, "workers": _workers}
    report = {name: _check(name, check) for name, check in checks.items()}
    ready = all(entry["ok"] for entry in report.values())
    body: dict[str, Any] = {"ready": ready}
    if settings.PAYMENTS_SANDBOX:
        body["sandbox"] = list(settings.PAYMENTS_SANDBOX)
    if _may_look_inside(request):
        body["checks"] = report
    return JsonResponse(body, status=200 if ready else 503)


def metrics_page(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format; closed outside loopback unless signed in as staff."""
    if not _may_look_inside(request):
        return json_error(request, NotFound())
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


def _may_look_inside(request: HttpRequest) -> bool:
    return _is_loopback(request) or _is_staff(request)


def _is_staff(request: HttpRequest) -> bool:
    user = signed_in_user(request)
    return user is not None and user.is_staff


def _is_loopback(request: HttpRequest) -> bool:
    """Whether it comes from this machine itself, and not through a proxy on it that nobody has told us of."""
    forwarded = any(name in request.META for name in _FORWARDED)
    return client_address(request) in _LOOPBACK and (bool(settings.TRUSTED_PROXIES) or not forwarded)


def _check(name: str, check: Callable[[], str]) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        detail, ok = check(), True
    except Exception as error:
        _log.warning("not_ready", dependency=name, error=repr(error))
        detail, ok = type(error).__name__, False
    return {"ok": ok, "detail": detail, "ms": round((time.perf_counter() - started) * 1000, 1)}


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM media_job WHERE false")
    return "answers"


def _valkey() -> str:
    valkey().ping()
    return "answers"


def _bucket() -> str:
    for bucket in (settings.S3_PUBLIC_BUCKET, settings.S3_PRIVATE_BUCKET):
        buckets.client().head_bucket(Bucket=bucket)
    return "answers"


class NoWorker(Exception):
    """No node is alive."""


def _workers() -> str:
    living = sorted(name for name, state in pool_states(now=clock.now()).items() if state.live_nodes)
    if not living:
        raise NoWorker
    return ", ".join(living)
