"""The password step of staff's sign-in at the desk: counted before it is judged, noted when it fails."""

from datetime import datetime

from accounts.models import SecurityEvent, User
from accounts.services.attempts import Limit, count_attempt
from accounts.services.security_events import Origin, record
from core.client_address import subscriber

BY_ADDRESS = Limit(kind="staff_password_by_address", most=60)
"""Passwords that one client (an IPv4 address, or the /64 of an IPv6 one) may try within an hour, whoever's."""
BY_PAIR = Limit(kind="staff_password_by_pair", most=20)
"""Passwords that one client may try for one account: nobody elsewhere can lock somebody out."""
BY_ACCOUNT = Limit(kind="staff_password_by_account", most=200)
"""Passwords that the whole world may try for one account."""


def count_password_attempt(*, email: str, origin: Origin, now: datetime) -> None:
    """Count a password that is about to be judged.

    Raises:
        RateLimited: too many were tried; it must not be judged.
    """
    client, account = subscriber(origin.address), email.strip().lower()
    count_attempt(
        subjects=[(BY_ADDRESS, client), (BY_PAIR, f"{client} {account}"), (BY_ACCOUNT, account)],
        now=now,
    )


def note_wrong_password(*, email: str, origin: Origin, now: datetime) -> None:
    """A security event for the staff of this address, if there is one."""
    user = User.objects.filter(email=email.strip().lower(), is_staff=True).first()
    if user is not None:
        note_failed_sign_in(user=user, step="password", origin=origin, now=now)


def note_failed_sign_in(*, user: User, step: str, origin: Origin, now: datetime) -> None:
    """A sign-in of staff that failed at its `password` or its `second_factor`."""
    record(account_id=user.pk, kind=SecurityEvent.STAFF_SIGN_IN_FAILED, origin=origin, now=now, step=step)


def note_sign_in(*, user: User, origin: Origin, now: datetime) -> None:
    """Staff signed in at the desk."""
    record(account_id=user.pk, kind=SecurityEvent.SIGNED_IN, origin=origin, now=now, method="staff_password")
