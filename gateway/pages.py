"""Django's middleware for people's browsers, out of the way of machines.

API and worker routes carry keys and signatures, not cookies: for them sessions, messages, CSRF and framing are work
without effect, several times a job.
"""

from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse
from django.middleware import clickjacking, common, csrf
from whitenoise import middleware as whitenoise

MACHINE_PATHS = ("/api/", "/workers/")


class PagesOnly:
    """Steps aside for machine paths."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The wrapped middleware for pages; straight on for machines."""
        if request.path.startswith(MACHINE_PATHS):
            answer: HttpResponse = self.get_response(request)
            return answer
        page: HttpResponse = super().__call__(request)  # type: ignore[misc]  # the middleware mixed with
        return page


class WhiteNoiseMiddleware(PagesOnly, whitenoise.WhiteNoiseMiddleware):
    """Static files."""


class SessionMiddleware(PagesOnly, sessions.SessionMiddleware):
    """Sessions."""


class CommonMiddleware(PagesOnly, common.CommonMiddleware):
    """Slashes and user agents."""


class CsrfViewMiddleware(PagesOnly, csrf.CsrfViewMiddleware):
    """CSRF tokens."""


class AuthenticationMiddleware(PagesOnly, auth.AuthenticationMiddleware):
    """Who is signed in."""


class MessageMiddleware(PagesOnly, messages.MessageMiddleware):
    """One-time messages."""


class XFrameOptionsMiddleware(PagesOnly, clickjacking.XFrameOptionsMiddleware):
    """Framing."""
