"""What an account asks about its keys: another one, and the end of one."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import ApiKey, User
from accounts.services.keys import NewKey, mint_key, revoke_key
from accounts.services.security_events import Origin
from core.errors import ApiError, NotFound
from core.idempotency import services as idempotency

IDEMPOTENCY_ROUTE = "POST keys"
CREATED = 201


class NoLongerValid(ApiError):
    """The credential of this request was revoked, or its account suspended, while it was being served."""

    code = "unauthenticated"
    http_status = 401


class KeyNotFound(NotFound):
    """The account has no API key of exactly this prefix."""


class AlreadyShown(idempotency.IdempotencyConflict):
    """This idempotency key has made an API key already, and a key is shown once: use it, or revoke it and ask anew."""


def create_key(
    *,
    account_id: UUID,
    asking_key_id: UUID | None,
    label: str,
    scopes: Collection[str] | None,
    monthly_spend_limit: int | None,
    idempotency_key: idempotency.Key | None,
    origin: Origin,
    now: datetime,
) -> NewKey:
    """A key for the account, a child of the key that asks (None: a person asks); once per idempotency key.

    Of the idempotency key is kept which API key it made, never the answer, which holds the secret.

    Raises:
        NoLongerValid: the account is suspended or the asking key revoked by now; nothing was made.
        MissingScope: a scope was asked for that the asking key does not have.
        TooManyKeys: the account has as many as it may.
        AlreadyShown: this idempotency key made a key with the same request; details.keyPrefix names it.
        IdempotencyConflict: it did with another request.
    """
    with transaction.atomic():
        user = lock_minting_account(account_id=account_id, key_id=asking_key_id)
        if user is None:
            raise NoLongerValid
        if idempotency_key is not None:
            _require_unused(idempotency_key)
        minted = mint_key(
            user=user,
            label=label,
            now=now,
            parent_id=asking_key_id,
            scopes=scopes,
            monthly_spend_limit=monthly_spend_limit,
            origin=origin,
        )
        if idempotency_key is not None:
            idempotency.claim(key=idempotency_key, subject_id=minted.key.pk, status=CREATED, body=None, now=now)
    return minted


def end_key(*, account_id: UUID, prefix: str, origin: Origin, now: datetime) -> ApiKey:
    """The account's key of exactly this prefix, revoked now or before; the first time stays.

    The keys that it made stay usable: each is revoked by itself.

    Raises:
        KeyNotFound: the account has no such key.
    """
    # Not in one block: revoke_key tells the processes after its own commit, and what is revoked stays so.
    revoke_key(account_id=account_id, prefix=prefix, now=now, origin=origin)
    key = ApiKey.objects.filter(user_id=account_id, prefix=prefix).first()
    if key is None:
        raise KeyNotFound
    return key


def lock_minting_account(*, account_id: UUID, key_id: UUID | None) -> User | None:
    """The account if a key may still be made for it by this key (None: by a person), else None.

    Until the transaction ends nobody else mints for the account, and the key is not revoked: no child outlives its
    parent's revocation by a race. Everybody locks the account first, then the key.
    """
    user = User.objects.select_for_update(no_key=True).filter(pk=account_id, is_active=True).first()
    if user is None or key_id is None:
        return user
    usable = ApiKey.objects.select_for_update(no_key=True).filter(pk=key_id, user=user, revoked_at=None)
    return user if usable.exists() else None


def _require_unused(key: idempotency.Key) -> None:
    """Nobody claims it between this and our own claim: whoever would waits for the account's lock."""
    record = idempotency.find(key=key)
    if record is not None:
        raise AlreadyShown(details={"keyPrefix": ApiKey.objects.get(pk=record.subject_id).prefix})
