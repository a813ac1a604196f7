"""Whose API key this is: one query, or none when the process has seen the key within a second."""

import hmac
import json
import re
import time
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from accounts.digests import digests
from accounts.models import SecurityEvent

SCHEME = "kt_live_"
CACHE_SECONDS = 1.0
"""How long a process may trust a key it has just looked up, should it not hear of a revocation."""

_FORM = re.compile(rf"({SCHEME}[A-Za-z0-9]{{8}})_[A-Za-z0-9_-]{{43}}")  # 32 random bytes in base64url
MOST_ADDRESSES = 1_000
"""That are noted of one key: who has many addresses must not fill the audit log."""
_MOST_REMEMBERED = 10_000

# A key's first use from an address is noted in the same statement, and only if the whole key is right.
_LOOK_UP = """
WITH found AS MATERIALIZED (
    SELECT key.id, key.user_id, key.digest, key.scopes, key.spend_limits, key.prefix
    FROM accounts_apikey key JOIN accounts_user owner ON owner.id = key.user_id
    WHERE key.prefix = %(prefix)s AND key.revoked_at IS NULL AND owner.is_active
),
first_use AS (
    INSERT INTO accounts_keyaddress (key_id, address, first_used_at)
    SELECT found.id, %(address)s::inet, clock_timestamp() FROM found
    WHERE found.digest = ANY(%(digests)s::bytea[]) AND %(address)s::inet IS NOT NULL AND NOT EXISTS (
        SELECT FROM accounts_keyaddress seen WHERE seen.key_id = found.id AND seen.address = %(address)s::inet
    ) AND (SELECT count(*) FROM accounts_keyaddress seen WHERE seen.key_id = found.id) < %(most)s
    ON CONFLICT (key_id, address) DO NOTHING
    RETURNING key_id
),
noted AS (
    INSERT INTO accounts_securityevent (id, user_id, kind, address, user_agent, key_prefix, details, at)
    SELECT uuidv7(), found.user_id, %(kind)s, %(address)s::inet, %(agent)s, found.prefix, '{}', clock_timestamp()
    FROM found JOIN first_use ON first_use.key_id = found.id
)
SELECT id, user_id, digest, scopes, spend_limits FROM found
"""


class SpendLimit(NamedTuple):
    """What may be spent in a calendar month through one key and those it made."""

    key_id: UUID
    micros: int


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a request acts for, and what it may do."""

    account_id: UUID
    key_id: UUID
    scopes: frozenset[str] | None = None
    """None is every scope."""
    spend_limits: tuple[SpendLimit, ...] = ()
    """Of the key and of the keys above it."""


def recognise(plain: str, *, address: str | None = None, user_agent: str = "") -> Identity | None:
    """Whose key this is, or None. `address` and `user_agent` are noted when the key comes from there first."""
    match = _FORM.fullmatch(plain)
    if match is None:
        return None
    prefix, shown = match.group(1), digests(plain)
    found = _remembered(prefix, address) or _look_up(prefix, shown, address, user_agent)
    if found is None:
        return None
    identity, kept = found
    return identity if _is_one_of(kept, shown) else None


def forget(prefix: str | None = None) -> None:
    """Drop what this process remembers of a key, or of all."""
    for key in [key for key in list(_recent) if prefix in (None, key[0])]:
        _recent.pop(key, None)


_Found = tuple[Identity, bytes]
_recent: dict[tuple[str, str | None], tuple[float, _Found]] = {}


def _remembered(prefix: str, address: str | None) -> _Found | None:
    cached = _recent.get((prefix, address))
    return cached[1] if cached is not None and cached[0] > time.monotonic() else None


def _is_one_of(kept: bytes, shown: list[bytes]) -> bool:
    return any(hmac.compare_digest(kept, one) for one in shown)


def _look_up(prefix: str, shown: list[bytes], address: str | None, user_agent: str) -> _Found | None:
    asked = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(
            _LOOK_UP,
            {
                "prefix": prefix,
                "digests": shown,
                "address": address,
                "agent": user_agent,
                "kind": SecurityEvent.KEY_USED_FROM_NEW_ADDRESS,
                "most": MOST_ADDRESSES,
            },
        )
        row = cursor.fetchone()
    if row is None:
        _recent.pop((prefix, address), None)
        return None
    key_id, account_id, kept, scopes, limits = row
    identity = Identity(
        account_id=account_id,
        key_id=key_id,
        scopes=None if scopes is None else frozenset(scopes),
        spend_limits=tuple(SpendLimit(UUID(one), micros) for one, micros in json.loads(limits)),
    )
    found = identity, bytes(kept)
    if not _is_one_of(found[1], shown):
        return None  # not remembered either: else the right key could come next, from an address that nobody noted
    if not hmac.compare_digest(found[1], shown[0]):
        _keep_under_todays_pepper(key_id, found[1], shown[0])
    if len(_recent) > _MOST_REMEMBERED:
        _recent.clear()
    _recent[prefix, address] = asked + CACHE_SECONDS, found
    return found


def _keep_under_todays_pepper(key_id: UUID, kept: bytes, today: bytes) -> None:
    """The pepper is being replaced: a key that is used moves to the new one, and is as good under either meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_apikey SET digest = %s WHERE id = %s AND digest = %s", [today, key_id, kept])
