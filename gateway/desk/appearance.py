"""What stands at the top of every page of the desk."""

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static


def mark(request: HttpRequest) -> str:
    """Our mark."""
    return static("core/mark.svg")


def environment(request: HttpRequest) -> list[str] | None:
    """A badge where payments are sandboxes: no money moves there."""
    if not settings.PAYMENTS_SANDBOX:
        return None
    return ["Sandbox payments", "warning"]


def title_prefix(request: HttpRequest) -> str | None:
    """The same in the window's title."""
    return "[Sandbox]" if settings.PAYMENTS_SANDBOX else None
