"""What every answer of the desk is sent with: nothing from elsewhere runs in it, frames it, or keeps it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

_PATH = "/admin/"
# The desk's own scripts come as files. 'unsafe-eval' is what Alpine's expressions need, which unfold is written in;
# inline styles are its colours. No inline script runs.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class DeskHeaders:
    """Sets them on the admin's pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve one request."""
        response = self._get_response(request)
        if request.path.startswith(_PATH):
            response.headers.setdefault("Content-Security-Policy", _POLICY)
            response.headers["Cache-Control"] = "no-store"
        return response
