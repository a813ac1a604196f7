"""What an account may read about its credentials."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from accounts.balance_notices import WARNED, BalanceNotice
from accounts.models import ApiKey, SecurityEvent, User

MOST_REVOKED_KEYS = 100
"""How many revoked keys a list shows, the newest: usable ones are limited anyway."""


def account_by_id(*, account_id: UUID) -> User:
    """The account.

    Raises:
        User.DoesNotExist: there is none.
    """
    return User.objects.get(pk=account_id)


def list_keys(*, account_id: UUID, most_revoked: int | None = MOST_REVOKED_KEYS) -> list[ApiKey]:
    """The account's keys with their parents, newest first: every usable one and the newest of those revoked."""
    own = ApiKey.objects.filter(user_id=account_id)
    revoked = own.exclude(revoked_at=None).order_by("-id").values("pk")[:most_revoked]
    return list(own.filter(Q(revoked_at=None) | Q(pk__in=revoked)).select_related("parent").order_by("-id"))


def list_events(*, account_id: UUID, kind: str | None, before: UUID | None, limit: int) -> list[SecurityEvent]:
    """The account's security events, newest first, older than the event `before`."""
    events = SecurityEvent.objects.filter(user_id=account_id).order_by("-id")
    if kind is not None:
        events = events.filter(kind=kind)
    if before is not None:
        events = events.filter(id__lt=before)
    return list(events[:limit])


def email_addresses(*, account_ids: Collection[UUID]) -> dict[UUID, str]:
    """Account → its address; without those that do not exist."""
    return dict(User.objects.filter(pk__in=account_ids).values_list("pk", "email"))


@dataclass(frozen=True, slots=True)
class WatchedBalance:
    """An account that wants to hear when less than so much is available to it."""

    account_id: UUID
    threshold_micros: int
    warned: bool
    """Whether it has been told."""


def balance_notice(*, account_id: UUID) -> BalanceNotice:
    """What the account wants to hear of its balance; nothing, where it never said."""
    return BalanceNotice.objects.filter(pk=account_id).first() or BalanceNotice(account_id=account_id)


def watched_balances(*, after: UUID | None, limit: int) -> list[WatchedBalance]:
    """Accounts that are to be told, in the order of their ids, from the one after `after`."""
    watched = BalanceNotice.objects.filter(
        ~Q(by_mail=False, webhook_url=""), threshold_micros__isnull=False, account__is_active=True
    )
    if after is not None:
        watched = watched.filter(pk__gt=after)
    found = watched.order_by("pk").values_list("pk", "threshold_micros", "status")[:limit]
    return [
        WatchedBalance(account_id, threshold, status == WARNED)
        for account_id, threshold, status in found
        if threshold is not None
    ]
