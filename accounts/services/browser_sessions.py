"""A browser's session: opened for an account that has signed in, and closed."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import login, logout
from django.db import transaction
from django.http import HttpRequest

from accounts.backends import PROVEN_ADDRESS
from accounts.models import SecurityEvent, User
from accounts.services.security_events import origin_of, record


def open_session(request: HttpRequest, *, user: User, now: datetime) -> datetime:
    """Give the browser a new session of this account; when it ends.

    The session that the browser brought along ends, whoever's it was; its id is never kept. The new one has no staff
    power (`accounts.backends.ProvenAddress`).
    """
    expires_at = now + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    with transaction.atomic():
        request.session.flush()  # login alone would keep the id of a session of the same account
        login(request, user, backend=PROVEN_ADDRESS)
        request.session.set_expiry(expires_at)
    return expires_at


def close_session(request: HttpRequest, *, user: User | None, now: datetime) -> None:
    """End the browser's session, `user`'s if somebody is signed in. Its cookie opens nothing afterwards."""
    with transaction.atomic():
        if user is not None:
            record(account_id=user.pk, kind=SecurityEvent.SIGNED_OUT, origin=origin_of(request), now=now)
        logout(request)
