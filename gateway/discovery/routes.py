"""The route table: every method of every view under /api, as the resolver and the views' `@operation` have it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from drf_spectacular.generators import EndpointEnumerator

from core.operations import Declaration

API_PREFIX = "/api/"


@dataclass(frozen=True, kw_only=True)
class Route:
    """One method of one path."""

    path: str
    method: str
    """In capitals."""
    declaration: Declaration


class ApiEndpoints(EndpointEnumerator):
    """The endpoints of the main API; nodes' and people's pages are none."""

    def get_api_endpoints(  # type: ignore[override]  # drf-spectacular's has one part more than DRF's
        self, patterns: Any = None, prefix: str = ""
    ) -> list[tuple[str, str, str, Any]]:
        """(path, its pattern, method, view function), by path."""
        found: list[tuple[str, str, str, Any]] = super().get_api_endpoints(patterns, prefix)
        return [endpoint for endpoint in found if endpoint[0].startswith(API_PREFIX)]


def api_routes() -> list[Route]:
    """Every route, by path and then by method.

    Raises:
        ImproperlyConfigured: a method has no `@operation`.
    """
    return [
        Route(path=path, method=method, declaration=declaration_of(callback.cls, method))
        for path, _, method, callback in ApiEndpoints().get_api_endpoints()
    ]


def declaration_of(view: Any, method: str) -> Declaration:
    """What a view's method declares; `view` is its class or an instance.

    Raises:
        ImproperlyConfigured: nothing.
    """
    declared = getattr(getattr(view, method.lower(), None), "declaration", None)
    if not isinstance(declared, Declaration):
        name = getattr(view, "__name__", type(view).__name__)
        raise ImproperlyConfigured(f"{name}.{method.lower()} has no @operation")
    return declared


def operation_id(path: str, method: str, declaration: Declaration) -> str:
    """The declared one, or `postDeviceLinkStart` for POST /api/v1/device/link/start."""
    if declaration.id:
        return declaration.id
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"^/api/v\d+", "", path))
    return method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def path_variables(path: str) -> Iterable[str]:
    """The names in braces."""
    return re.findall(r"{(\w+)}", path)
