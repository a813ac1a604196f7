"""API keys: made, recognised, revoked. The key itself exists only in the answer that mints it."""

import hashlib
import hmac
import re
import secrets
import string
import time
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from accounts.models import ApiKey, User

_SCHEME = "kt_live_"
_ALPHABET = string.ascii_letters + string.digits
_FORM = re.compile(rf"({_SCHEME}[A-Za-z0-9]{{8}})_[A-Za-z0-9_-]{{43}}")  # 32 random bytes in base64url

CACHE_SECONDS = 1.0
"""How long a process may trust a key it has just looked up; a revocation acts within it."""


class NewKey(NamedTuple):
    """A key just minted, with the only copy of its plain text."""

    key: ApiKey
    plain: str


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a request acts for."""

    account_id: UUID
    key_id: UUID


def mint_key(*, user: User, label: str, now: datetime) -> NewKey:
    """A new key for `user`: `kt_live_<8>_<43 base64url>`."""
    prefix = _SCHEME + "".join(secrets.choice(_ALPHABET) for _ in range(8))
    plain = f"{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(user=user, label=label, prefix=prefix, digest=_digest(plain), created_at=now)
    return NewKey(key, plain)


def revoke_key(*, account_id: UUID, prefix: str, now: datetime) -> bool:
    """Revoke the account's key of exactly this prefix; False when it has none or it was revoked before."""
    revoked = ApiKey.objects.filter(user_id=account_id, prefix=prefix, revoked_at=None).update(revoked_at=now) == 1
    _recent.pop(prefix, None)
    return revoked


def recognise(plain: str) -> Identity | None:
    """Whose key this is, or None. At most one query, none when this process saw the key within CACHE_SECONDS."""
    match = _FORM.fullmatch(plain)
    if match is None:
        return None
    found = _lookup(match.group(1))
    if found is None:
        return None
    identity, digest = found
    return identity if hmac.compare_digest(digest, _digest(plain)) else None


_recent: dict[str, tuple[float, tuple[Identity, bytes]]] = {}


def _lookup(prefix: str) -> tuple[Identity, bytes] | None:
    cached = _recent.get(prefix)
    if cached is not None and cached[0] > time.monotonic():
        return cached[1]
    row = (
        ApiKey.objects.filter(prefix=prefix, revoked_at=None, user__is_active=True)
        .values_list("user_id", "id", "digest")
        .first()
    )
    if row is None:
        _recent.pop(prefix, None)
        return None
    found = Identity(account_id=row[0], key_id=row[1]), bytes(row[2])
    if len(_recent) > 10_000:
        _recent.clear()
    _recent[prefix] = time.monotonic() + CACHE_SECONDS, found
    return found


def _digest(plain: str) -> bytes:
    return hmac.digest(settings.API_KEY_PEPPER.encode(), plain.encode(), hashlib.sha256)
