"""An operator closes an account's doors, and opens them again. What runs is finished, and told of, as before."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts import recognition, revocations
from accounts.device_transitions import APPROVED, LINK
from accounts.models import ApiKey, DeviceLink, SecurityEvent, User
from accounts.services.security_events import NOWHERE, record
from core import outbox_topics
from core.errors import Forbidden, NotFound
from core.outbox.services import emit

LAST_REQUESTS = timedelta(seconds=recognition.CACHE_SECONDS + 1)
"""After this long no request is served any more that came in before the suspension was heard of everywhere."""


class AccountNotFound(NotFound):
    """There is no such account."""


class NotFromTheDesk(Forbidden):
    """Staff are suspended with `manage.py suspend_account` alone, and nobody suspends themselves."""


def suspend_account(
    *, account_id: UUID, actor_id: UUID | None, reason: str, now: datetime, end_jobs: bool = False
) -> bool:
    """Refuse the account's keys within a second, end its sessions, make its device links and codes useless.

    Nothing is deleted: keys work again after a reinstatement, sessions and device links do not. Jobs go on and their
    callbacks are sent; with `end_jobs` those that wait or run are terminated, not billed, a moment later. False when
    it was suspended before; then only `end_jobs` has an effect.

    Raises:
        AccountNotFound: there is no such account.
        NotFromTheDesk: an operator (`actor_id`) asks for it, and the account is staff's or their own.
        ValueError: `reason` is empty.
    """
    with transaction.atomic():
        user = _lock(account_id, reason)
        if actor_id is not None and (user.is_staff or user.is_superuser or user.pk == actor_id):
            raise NotFromTheDesk
        if end_jobs:
            payload = {"accountId": str(user.pk), "actorId": str(actor_id) if actor_id else None, "reason": reason}
            emit(topic=outbox_topics.OPEN_JOBS_UNWANTED, payload=payload, due_at=now + LAST_REQUESTS)
        if not user.is_active:
            return False
        User.objects.filter(pk=user.pk).update(is_active=False, session_epoch=F("session_epoch") + 1)
        withdraw_links(account_id=user.pk)
        record(
            account_id=user.pk,
            kind=SecurityEvent.ACCOUNT_SUSPENDED,
            origin=NOWHERE,
            now=now,
            actor_id=actor_id,
            reason=reason,
        )
        prefixes = announce_usable_keys(account_id=user.pk)
    for prefix in prefixes:
        recognition.forget(prefix)
    return True


def reinstate_account(*, account_id: UUID, actor_id: UUID | None, reason: str, now: datetime) -> bool:
    """Let a suspended account in again, with the keys it had. False when it is not suspended.

    Raises:
        AccountNotFound: there is no such account, or it was deleted.
        ValueError: `reason` is empty.
    """
    with transaction.atomic():
        user = _lock(account_id, reason)
        if user.is_active:
            return False
        if user.deleted_at is not None:
            raise AccountNotFound
        User.objects.filter(pk=user.pk).update(is_active=True)
        record(
            account_id=user.pk,
            kind=SecurityEvent.ACCOUNT_REINSTATED,
            origin=NOWHERE,
            now=now,
            actor_id=actor_id,
            reason=reason,
        )
    return True


def withdraw_links(*, account_id: UUID) -> None:
    """No program gets the key any more that a device link of this account was approved for."""
    for link_id in DeviceLink.objects.filter(approved_by_id=account_id, status=APPROVED).values_list("pk", flat=True):
        LINK.apply("withdraw", DeviceLink.objects.filter(pk=link_id))


def announce_usable_keys(*, account_id: UUID) -> list[str]:
    """After the commit every process looks the account's usable keys up anew; their prefixes, for this process."""
    prefixes = list(ApiKey.objects.filter(user_id=account_id, revoked_at=None).values_list("prefix", flat=True))
    transaction.on_commit(lambda: revocations.announce(prefixes))
    return prefixes


def _lock(account_id: UUID, reason: str) -> User:
    if not reason.strip():
        raise ValueError("say why")
    user = User.objects.select_for_update(no_key=True).filter(pk=account_id).first()
    if user is None:
        raise AccountNotFound
    return user
