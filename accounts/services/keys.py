"""API keys: made and revoked. The key itself exists only in the answer that mints it."""

import secrets
import string
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from accounts import recognition, revocations
from accounts.digests import digest
from accounts.models import ApiKey, SecurityEvent, User
from accounts.services.security_events import NOWHERE, Origin, record
from core.errors import Forbidden, InvalidState
from core.operations import Scope

MOST_KEYS = 25
"""Usable keys of one account."""
_ALPHABET = string.ascii_letters + string.digits


class TooManyKeys(InvalidState):
    """The account has as many usable keys as it may have; revoke one first."""

    code = "too_many_keys"


class MissingScope(Forbidden):
    """The API key does not have the scope this needs."""

    code = "missing_scope"

    def __init__(self, *scopes: str) -> None:
        super().__init__(details={"scopes": sorted(scopes)})


class NewKey(NamedTuple):
    """A key just minted, with the only copy of its plain text."""

    key: ApiKey
    plain: str


def mint_key(
    *,
    user: User,
    label: str,
    now: datetime,
    parent_id: UUID | None = None,
    scopes: Collection[str] | None = None,
    monthly_spend_limit: int | None = None,
    origin: Origin = NOWHERE,
) -> NewKey:
    """A new key for `user`: `kt_live_<8>_<43 base64url>`.

    A child has no more than its parent: without `scopes` it gets the parent's, and what it spends counts against
    every limit above it. None and no parent is every scope.

    Raises:
        MissingScope: a scope was asked for that the parent does not have.
        TooManyKeys: the account has MOST_KEYS usable keys.
    """
    prefix = recognition.SCHEME + "".join(secrets.choice(_ALPHABET) for _ in range(8))
    plain = f"{prefix}_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two at once must not both be the last one
        if ApiKey.objects.filter(user=user, revoked_at=None).count() >= MOST_KEYS:
            raise TooManyKeys(details={"limit": MOST_KEYS})
        parent = ApiKey.objects.get(pk=parent_id, user=user) if parent_id is not None else None
        key = ApiKey(
            user=user,
            label=label,
            prefix=prefix,
            digest=digest(plain),
            parent=parent,
            scopes=_scopes(parent, scopes),
            monthly_spend_limit=monthly_spend_limit,
            created_at=now,
        )
        own = [[str(key.pk), monthly_spend_limit]] if monthly_spend_limit is not None else []
        key.spend_limits = own + (parent.spend_limits if parent is not None else [])
        key.save(force_insert=True)
        record(
            account_id=user.pk,
            kind=SecurityEvent.KEY_CREATED,
            origin=origin,
            now=now,
            key_prefix=prefix,
            label=label,
            scopes=key.scopes,
            parentKeyPrefix=parent.prefix if parent is not None else None,
        )
    return NewKey(key, plain)


def revoke_key(*, account_id: UUID, prefix: str, now: datetime, origin: Origin = NOWHERE) -> bool:
    """Revoke the account's key of exactly this prefix; False when it has none or it was revoked before.

    Every web process hears of it at once, or forgets the key within a second.
    """
    with transaction.atomic():
        usable = ApiKey.objects.filter(user_id=account_id, prefix=prefix, revoked_at=None)
        revoked = usable.update(revoked_at=now) == 1
        if revoked:
            record(account_id=account_id, kind=SecurityEvent.KEY_REVOKED, origin=origin, now=now, key_prefix=prefix)
            transaction.on_commit(lambda: revocations.announce([prefix]))
    recognition.forget(prefix)
    return revoked


def revoke_all_keys(
    *, account_id: UUID, now: datetime, origin: Origin = NOWHERE, actor_id: UUID | None = None, reason: str = ""
) -> list[str]:
    """Revoke every usable key of the account; their prefixes, oldest first. Every process hears of it at once.

    The account is locked meanwhile: a key that is being made is either among them or asked for by one of them, and
    then refused. `actor_id` and `reason` are an operator's.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).filter(pk=account_id).first()
        usable = ApiKey.objects.filter(user_id=account_id, revoked_at=None)
        prefixes = list(usable.order_by("id").values_list("prefix", flat=True))
        usable.filter(prefix__in=prefixes).update(revoked_at=now)
        for prefix in prefixes:
            record(
                account_id=account_id,
                kind=SecurityEvent.KEY_REVOKED,
                origin=origin,
                now=now,
                key_prefix=prefix,
                actor_id=actor_id,
                reason=reason,
            )
        transaction.on_commit(lambda: revocations.announce(prefixes))
    for prefix in prefixes:
        recognition.forget(prefix)
    return prefixes


def _scopes(parent: ApiKey | None, wanted: Collection[str] | None) -> list[str] | None:
    unknown = set(wanted or ()) - set(Scope)
    if unknown:
        raise ValueError(f"no such scopes: {', '.join(sorted(unknown))}")
    if parent is None or parent.scopes is None:
        return sorted(set(wanted)) if wanted is not None else None
    lacking = set(wanted if wanted is not None else parent.scopes) - set(parent.scopes)
    if lacking:
        raise MissingScope(*lacking)
    return sorted(set(wanted)) if wanted is not None else list(parent.scopes)
