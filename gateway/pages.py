"""Django's middleware for people's browsers, out of the way of machines.

Workers' routes carry signatures, not cookies: for them all of it is work without effect, several times a job. The API
takes a browser's session, too; messages, framing and the like it does not need.
"""

from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse
from django.middleware import clickjacking, common, csrf
from whitenoise import middleware as whitenoise

WORKER_PATHS = ("/workers/",)
MACHINE_PATHS = ("/api/", *WORKER_PATHS)


class PagesOnly:
    """Steps aside for machine paths."""

    get_response: Any
    not_for: tuple[str, ...] = MACHINE_PATHS

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The wrapped middleware for pages; straight on for machines."""
        if request.path.startswith(self.not_for):
            answer: HttpResponse = self.get_response(request)
            return answer
        page: HttpResponse = super().__call__(request)  # type: ignore[misc]  # the middleware mixed with
        return page


class WhiteNoiseMiddleware(PagesOnly, whitenoise.WhiteNoiseMiddleware):
    """Static files."""


class SessionMiddleware(PagesOnly, sessions.SessionMiddleware):
    """Sessions; nothing is read before somebody asks for one."""

    not_for = WORKER_PATHS


class CommonMiddleware(PagesOnly, common.CommonMiddleware):
    """Slashes and user agents."""


class CsrfViewMiddleware(PagesOnly, csrf.CsrfViewMiddleware):
    """CSRF tokens. The API's views are exempt from its check and make their own (`accounts.authentication`)."""

    not_for = WORKER_PATHS


class AuthenticationMiddleware(PagesOnly, auth.AuthenticationMiddleware):
    """Who is signed in."""


class MessageMiddleware(PagesOnly, messages.MessageMiddleware):
    """One-time messages."""


class XFrameOptionsMiddleware(PagesOnly, clickjacking.XFrameOptionsMiddleware):
    """Framing."""
