"""Says on every page that payments are a sandbox's, where they are."""

from django.conf import settings
from django.http import HttpRequest


def sandbox_banner(request: HttpRequest) -> dict[str, bool]:
    """A context processor: whether this installation has payment sandboxes."""
    return {"payments_are_sandboxes": bool(settings.PAYMENTS_SANDBOX)}
