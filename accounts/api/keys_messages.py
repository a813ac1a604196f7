"""Bodies of the routes under /api/v1/keys."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from accounts.api.messages import Account, KeyLabel
from accounts.google import LONGEST_TOKEN
from accounts.models import ApiKey
from core import clock, ids
from core.messages import Message, Omissible, Text
from core.operations import Scope

LARGEST_LIMIT = 2**53 - 1
"""Micros: what every JSON reader holds exactly."""
DEFAULT_LABEL = "API key"

ScopeName = Annotated[str, Field(json_schema_extra={"enum": [str(scope) for scope in Scope]})]
SpendLimitMicros = Annotated[int, Field(ge=0, le=LARGEST_LIMIT)]


def _unique(scopes: list[Scope]) -> list[Scope]:
    if len(set(scopes)) != len(scopes):
        raise ValueError("must not name a scope twice")
    return scopes


AskedScopes = Annotated[
    list[Annotated[Scope, Field(strict=False)]],
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_unique),
]


class CreateKeyRequest(Message):
    """What the new key is to be."""

    label: KeyLabel = DEFAULT_LABEL
    """A name for people."""
    id_token: Omissible[Annotated[Text, Field(min_length=20, max_length=LONGEST_TOKEN)]] = None
    """Google's ID token, where there is no API key and no session yet."""
    scopes: AskedScopes | None = None
    """What the key may do: no more than the asking key may. Without it, the same as the asking key."""
    monthly_spend_limit_usd_micros: SpendLimitMicros | None = None
    """The most that it and the keys it makes may spend in a calendar month (UTC); 1 000 000 is one dollar."""


class CreatedKey(Message):
    """The one answer that shows the key."""

    ok: Literal[True] = True
    api_key: str
    """The key itself. It is stored nowhere and never shown again."""
    key_prefix: str
    """How lists name it."""
    id: str
    """`key_…`"""
    label: str
    scopes: list[ScopeName] | None
    """What it may do; null is everything."""
    monthly_spend_limit_usd_micros: int | None
    """Its own limit; those of the keys above it count too."""
    account: Account


class ListedKey(Message):
    """One key as a list shows it."""

    id: str
    """`key_…`"""
    key_prefix: str
    """Its first 16 characters; what revoking takes."""
    label: str
    scopes: list[ScopeName] | None
    """What it may do; null is everything."""
    monthly_spend_limit_usd_micros: int | None
    parent_key_prefix: str | None
    """The key that made it or approved its device link; null after a sign-in."""
    created_at: str
    revoked_at: str | None
    current: bool
    """Whether this very request came with it."""


class KeyList(Message):
    """The account's keys, newest first."""

    ok: Literal[True] = True
    keys: list[ListedKey]


class RevokeKeyRequest(Message):
    """Which key is to end."""

    key_prefix: Annotated[Text, Field(min_length=1, max_length=64)]
    """Exactly as the list shows it."""


class RevokedKey(Message):
    """The key that is no more."""

    ok: Literal[True] = True
    key_prefix: str
    revoked_at: str
    """The first time it was revoked."""


class RevokeAllKeysRequest(Message):
    """Nothing to say."""


class RevokedKeys(Message):
    """The keys that are no more."""

    ok: Literal[True] = True
    key_prefixes: list[str]
    """Those that were usable until now, oldest first; the key of this request is among them."""
    revoked_at: str


def listed(key: ApiKey, *, current: bool) -> ListedKey:
    """A key with its parent, as lists show it."""
    return ListedKey(
        id=ids.encode(ids.API_KEY, key.pk),
        key_prefix=key.prefix,
        label=key.label,
        scopes=key.scopes,
        monthly_spend_limit_usd_micros=key.monthly_spend_limit,
        parent_key_prefix=key.parent.prefix if key.parent is not None else None,
        created_at=clock.rfc3339(key.created_at),
        revoked_at=clock.rfc3339(key.revoked_at) if key.revoked_at is not None else None,
        current=current,
    )
