"""What is served to programs and agents that find their way by themselves; read by anybody, changed by nobody."""

import hashlib
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from core.errors import Unavailable
from gateway.api_errors import json_error
from gateway.discovery import manifests, texts
from gateway.discovery.document import openapi_bytes
from gateway.discovery.release import OPENAPI_PATH, SKILL_ROOT, TITLE

MAX_AGE = 300
JSON = "application/json"
SKILL_TYPES = {
    "SKILL.md": "text/markdown; charset=utf-8",
    "version.json": JSON,
    "agents/openai.yaml": "application/yaml",
}
_REDOC_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self' blob:",  # its search index
        "style-src 'self' 'unsafe-inline'",  # it writes its styles as it runs
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
_LEGAL_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """/openapi.json"""
    return _served(request, openapi_bytes(), JSON)


@require_safe
def llms(request: HttpRequest) -> HttpResponse:
    """/llms.txt: with today's prices, so not without the database."""
    try:
        text = texts.llms_text()
    except (OperationalError, InterfaceError):
        connection.close()
        return json_error(request, Unavailable())
    return _served(request, text.encode(), "text/plain; charset=utf-8")


@require_safe
def plugin(request: HttpRequest) -> HttpResponse:
    """/.well-known/ai-plugin.json"""
    return _served(request, manifests.plugin_manifest(), JSON)


@require_safe
def skills(request: HttpRequest) -> HttpResponse:
    """/.well-known/agent-skills.json"""
    return _served(request, manifests.skills_manifest(), JSON)


@require_safe
def skill_root(request: HttpRequest) -> HttpResponse:
    """/skills/killatamata/"""
    return HttpResponseRedirect(f"{SKILL_ROOT}SKILL.md")


@require_safe
def skill_file(request: HttpRequest, path: str) -> HttpResponse:
    """A file of the skill."""
    if path not in SKILL_TYPES:
        raise Http404
    return _served(request, manifests.skill_files()[path], SKILL_TYPES[path])


@require_safe
def logo(request: HttpRequest) -> HttpResponse:
    """/logo.svg"""
    return _served(request, _logo(), "image/svg+xml")


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """/api-docs: Redoc over our own document, without anything from elsewhere."""
    response = render(request, "discovery/api_docs.html", {"title": TITLE, "openapi": OPENAPI_PATH})
    response["Content-Security-Policy"] = _REDOC_POLICY
    response["Cache-Control"] = f"public, max-age={MAX_AGE}"
    return response


@require_safe
def legal(request: HttpRequest) -> HttpResponse:
    """/legal: what the platform does with money and data; the operator's own terms are elsewhere (LEGAL_INFO_URL)."""
    response = render(request, "discovery/legal.html", {"contact": settings.CONTACT_EMAIL})
    response["Content-Security-Policy"] = _LEGAL_POLICY
    response["Cache-Control"] = f"public, max-age={MAX_AGE}"
    return response


def _served(request: HttpRequest, content: bytes, media_type: str) -> HttpResponse:
    """The bytes, or 304 for who has them."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    answer = HttpResponse(content, content_type=media_type)
    answer["ETag"] = etag
    answer["Cache-Control"] = f"public, max-age={MAX_AGE}"
    conditional = get_conditional_response(request, etag=etag, response=answer)
    return conditional if isinstance(conditional, HttpResponse) else answer


@cache
def _logo() -> bytes:
    path = finders.find("core/mark.svg")
    if path is None:
        raise Http404
    return Path(path).read_bytes()
