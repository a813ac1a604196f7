"""What is kept of a secret that a client will show again."""

import hashlib
import hmac

from django.conf import settings


def digest(plain: str) -> bytes:
    """HMAC-SHA-256 under the server's pepper. The secrets are random, so a slow hash would add nothing but waiting."""
    return hmac.digest(settings.API_KEY_PEPPER.encode(), plain.encode(), hashlib.sha256)
