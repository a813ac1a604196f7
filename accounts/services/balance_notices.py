"""An account's wish to hear of a low balance, and that it has been told. When it is low, billing knows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.balance_notices import NOTICE, BalanceNotice
from core import http
from core.errors import InvalidRequest

LONGEST_URL = 2_048


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be changed; what is not among `fields` stays as it is."""

    fields: frozenset[str]
    threshold_micros: int | None = None
    by_mail: bool = True
    webhook_url: str | None = None


def change_notice(*, account_id: UUID, wanted: Wanted, now: datetime) -> BalanceNotice:
    """Change the account's wish. Another threshold is another question: it is told once for that one, too.

    Raises:
        InvalidRequest: the URL is not one that webhooks may go to.
    """
    if wanted.webhook_url:
        try:
            http.check_url(wanted.webhook_url)
        except http.ForbiddenUrl as refusal:
            raise InvalidRequest({"lowBalanceWebhookUrl": refusal.sentence}) from None
    with transaction.atomic():
        BalanceNotice.objects.get_or_create(account_id=account_id, defaults={"updated_at": now})
        notice = BalanceNotice.objects.select_for_update().get(account_id=account_id)
        if "threshold_micros" in wanted.fields and notice.threshold_micros != wanted.threshold_micros:
            NOTICE.apply("rearm", BalanceNotice.objects.filter(pk=account_id), warned_at=None)
        changes = {name: getattr(wanted, name) for name in wanted.fields} | {"updated_at": now}
        if "webhook_url" in changes:
            changes["webhook_url"] = wanted.webhook_url or ""
        BalanceNotice.objects.filter(pk=account_id).update(**changes)
        notice.refresh_from_db()
    return notice


def warn(*, account_id: UUID, threshold_micros: int, now: datetime) -> BalanceNotice | None:
    """Note, in the caller's transaction, that the account is told; whom to tell it, or None: it has been, or the
    threshold is another by now. Of several at once one gets the notice."""
    mine = BalanceNotice.objects.filter(pk=account_id, threshold_micros=threshold_micros)
    return mine.get() if NOTICE.apply("warn", mine, warned_at=now) else None


def rearm(*, account_id: UUID, threshold_micros: int) -> bool:
    """The balance is back at the threshold or above it: the next fall is told again."""
    mine = BalanceNotice.objects.filter(pk=account_id, threshold_micros=threshold_micros)
    return NOTICE.apply("rearm", mine, warned_at=None)
