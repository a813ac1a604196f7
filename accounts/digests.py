"""What is kept of a secret that a client will show again."""

import hashlib
import hmac

from django.conf import settings


def digest(plain: str) -> bytes:
    """HMAC-SHA-256 under the server's pepper. The secrets are random, so a slow hash would add nothing but waiting."""
    return _under(settings.API_KEY_PEPPER, plain)


def digests(plain: str) -> list[bytes]:
    """What may be kept of it: the digest of today first, then those under the peppers that are being replaced."""
    return [_under(pepper, plain) for pepper in (settings.API_KEY_PEPPER, *settings.API_KEY_PEPPER_FALLBACKS)]


def _under(pepper: str, plain: str) -> bytes:
    return hmac.digest(pepper.encode(), plain.encode(), hashlib.sha256)
