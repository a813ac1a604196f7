"""Capture tokens: a code that somebody followed, signed, for 30 days. Our cookie holds one, and programs may."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core import signing

LIFETIME = timedelta(days=30)
SHORTEST, LONGEST = 24, 4096
_SALT = "affiliates.capture"


@dataclass(frozen=True, slots=True)
class Capture:
    """A token and the second from which it counts no more."""

    token: str
    expires_at: datetime


def capture(*, code: str, now: datetime) -> Capture:
    """A token for the code, whether or not there is such a code: nobody learns that from it."""
    expires_at = (now + LIFETIME).replace(microsecond=0)
    return Capture(token=signing.dumps([code, int(expires_at.timestamp())], salt=_SALT), expires_at=expires_at)


def captured_code(token: str, *, now: datetime) -> str | None:
    """The code in a token; None when we did not sign it, or it has expired."""
    if not token.isascii() or not SHORTEST <= len(token) <= LONGEST:
        return None
    try:
        code, expires = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    return code if now < datetime.fromtimestamp(expires, UTC) else None
