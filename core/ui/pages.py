"""What every hosted page answers with besides its content."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme

View = Callable[Concatenate[HttpRequest, ...], HttpResponseBase]
_POLICY = (
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)


def page(view: View) -> View:
    """A view whose answers run no script, are framed by nobody and are kept by no cache: they are about one person.

    A form on it may be sent to ourselves; for more, the view calls `allow_form_target` on its answer.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Content-Security-Policy", _policy())
        response.headers["Cache-Control"] = "no-store"
        return response

    return answer


def allow_form_target(response: HttpResponse, url: str) -> None:
    """Let a form of this page lead to the site of `url`: browsers hold a form's redirects to the policy, too."""
    parts = urlsplit(url)
    response.headers["Content-Security-Policy"] = _policy(f"{parts.scheme}://{parts.netloc}")


def refusal_page(sentence: str, *, status: int, retry_after: int | None = None) -> HttpResponse:
    """A page for a request that is not even looked at."""
    answer = HttpResponse(render_to_string("refused.html", {"sentence": sentence}), status=status)
    answer.headers["Content-Security-Policy"] = _policy()
    answer.headers["Cache-Control"] = "no-store"
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def own_path(target: str | None, default: str) -> str:
    """`target` if it is a path on this site, else `default`: a link elsewhere must not make us send people there."""
    if target and target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return target
    return default


def _policy(*form_targets: str) -> str:
    return "; ".join([*_POLICY, " ".join(["form-action 'self'", *form_targets])])
