"""What people and programs ask about keys: another one, and the end of one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import google
from accounts.models import ApiKey, User
from accounts.services.attempts import Limit, count_attempt
from accounts.services.email_codes import judge_guess, use_code
from accounts.services.keys import NewKey, mint_key, revoke_key
from accounts.services.security_events import Origin
from accounts.services.sign_in import EMAIL_CODE, GOOGLE, enter, refused
from core.errors import ApiError, NotFound
from core.idempotency import services as idempotency

IDEMPOTENCY_ROUTE = "POST keys"
CREATED = 201
KEYS_MADE = Limit(kind="keys_made", most=100)
"""Keys that an account makes over HTTP, revoked ones too: else rows could be made without end."""


class NoLongerValid(ApiError):
    """The credential of this request was revoked, or its account suspended, while it was being served."""

    code = "unauthenticated"
    http_status = 401


class KeyNotFound(NotFound):
    """The account has no API key of exactly this prefix."""


class AlreadyShown(idempotency.IdempotencyConflict):
    """This idempotency key has made an API key already, and a key is shown once: use it, or revoke it and ask anew."""


@dataclass(frozen=True, kw_only=True)
class AskedKey:
    """What the new key is to be."""

    label: str
    scopes: Collection[str] | None = None
    monthly_spend_limit: int | None = None
    """Micros."""
    idempotency_key: str | None = None

    def guard(self, account_id: UUID) -> idempotency.Key | None:
        """The idempotency key in the account's scope, with this request's fingerprint."""
        if self.idempotency_key is None:
            return None
        request = {
            "label": self.label,
            "scopes": sorted(self.scopes) if self.scopes is not None else None,
            "monthlySpendLimit": self.monthly_spend_limit,
        }
        return idempotency.Key(
            account_id=account_id,
            route=IDEMPOTENCY_ROUTE,
            key=self.idempotency_key,
            fingerprint=idempotency.fingerprint(request),
        )


def create_key(
    *, account_id: UUID, asking_key_id: UUID | None, asked: AskedKey, origin: Origin, now: datetime
) -> NewKey:
    """A key for the account, a child of the key that asks (None: a person asks); once per idempotency key.

    Of the idempotency key is kept which API key it made, never the answer, which holds the secret.

    Raises:
        NoLongerValid: the account is suspended or the asking key revoked by now; nothing was made.
        MissingScope: a scope was asked for that the asking key does not have.
        TooManyKeys: the account has as many as it may.
        RateLimited: the account made KEYS_MADE within an hour.
        AlreadyShown: this idempotency key made a key with the same request; details.keyPrefix names it.
        IdempotencyConflict: it did with another request.
    """
    with transaction.atomic():
        user = lock_minting_account(account_id=account_id, key_id=asking_key_id)
        if user is None:
            raise NoLongerValid
        return _make_key(user, asking_key_id, asked, origin, now)


def key_for_email_code(*, email: str, code: str, asked: AskedKey, origin: Origin, now: datetime) -> NewKey:
    """A key for the account of an address (in its normal form) whose newest code this is; made at the first time.

    The code is used up by the key: one transaction has both, and where the key is refused the code is good still.
    The guess stays counted.

    Raises:
        CodeRefused: it proves nothing.
        AccountSuspended: the address is proven, and still; the code is used up.
        TooManyKeys, RateLimited, AlreadyShown, IdempotencyConflict: as `create_key`; nothing was made.
        RuntimeError: called inside a transaction.
    """
    code_id = judge_guess(email=email, code=code, now=now)
    with transaction.atomic():
        use_code(code_id=code_id, now=now)
        user, refusal = enter(email=email, method=EMAIL_CODE, origin=origin, now=now)
        if refusal is None:
            return _make_key(user, None, asked, origin, now)
    raise refused(refusal)


def key_for_google(*, id_token: str, asked: AskedKey, origin: Origin, now: datetime) -> NewKey:
    """A key for the account of a Google ID token's address, which is made at the first time.

    May fetch Google's certificates, in no transaction.

    Raises:
        IdTokenRefused, GoogleNotConfigured, GoogleUnreachable: it proves nothing, or cannot be judged.
        AccountSuspended: the address is proven, and still.
        TooManyKeys, RateLimited, AlreadyShown, IdempotencyConflict: as `create_key`; nothing was made.
    """
    email = google.verified_address(id_token)
    with transaction.atomic():
        user, refusal = enter(email=email, method=GOOGLE, origin=origin, now=now)
        if refusal is None:
            return _make_key(user, None, asked, origin, now)
    raise refused(refusal)


def end_key(*, account_id: UUID, prefix: str, origin: Origin, now: datetime) -> datetime:
    """Revoke the account's key of exactly this prefix; when that happened, now or before: the first time stays.

    The keys that it made stay usable: each is revoked by itself.

    Raises:
        KeyNotFound: the account has no such key.
    """
    # Not in one block: revoke_key tells the processes after its own commit, and what is revoked stays so.
    revoke_key(account_id=account_id, prefix=prefix, now=now, origin=origin)
    revoked_at = ApiKey.objects.filter(user_id=account_id, prefix=prefix).values_list("revoked_at", flat=True).first()
    if revoked_at is None:
        raise KeyNotFound
    return revoked_at


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


def _make_key(user: User, parent_id: UUID | None, asked: AskedKey, origin: Origin, now: datetime) -> NewKey:
    """In the transaction that has locked the account: whatever is refused here is as if it was never asked."""
    guard = asked.guard(user.pk)
    if guard is not None:
        _require_unused(guard)
    count_attempt(subjects=[(KEYS_MADE, str(user.pk))], now=now)
    minted = mint_key(
        user=user,
        label=asked.label,
        now=now,
        parent_id=parent_id,
        scopes=asked.scopes,
        monthly_spend_limit=asked.monthly_spend_limit,
        origin=origin,
    )
    if guard is not None:
        idempotency.claim(key=guard, subject_id=minted.key.pk, status=CREATED, body=None, now=now)
    return minted


def _require_unused(key: idempotency.Key) -> None:
    """Nobody claims it between this and our own claim: whoever would waits for the account's lock."""
    record = idempotency.find(key=key)
    if record is not None:
        raise AlreadyShown(details={"keyPrefix": ApiKey.objects.get(pk=record.subject_id).prefix})
