"""A request as a sandbox sees it, and its answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
"""For our pages. It says nothing of forms: browsers hold a form's target also against where its answer redirects."""


@dataclass(frozen=True)
class Request:
    """One HTTP request. `path` begins after the provider's prefix; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        """The fields of a plain HTML form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass
class Answer:
    """What goes back."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(content).encode(), headers=dict(headers or {}))


def page_answer(html: str, status: int = 200) -> Answer:
    """An HTML page that loads nothing and is kept nowhere."""
    headers = {"Content-Security-Policy": PAGE_POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return Answer(status, html.encode(), "text/html; charset=utf-8", headers)


def redirect(location: str) -> Answer:
    """Go there with a GET."""
    return Answer(303, b"", "text/plain", {"Location": location, "Cache-Control": "no-store"})
