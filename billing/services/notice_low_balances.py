"""Tell accounts that their balance is low: once, until it was back."""

import json
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from accounts.selectors import WatchedBalance, email_addresses, watched_balances
from accounts.services import balance_notices
from accounts.services.mail import send_mail
from billing.micros import Micros, usd
from billing.selectors import available_balances
from core import clock, ids, outbox_topics
from core.outbox.services import emit
from core.webhooks.services import enqueue_delivery

TOPIC = "account.balance_low"
PAGE = 500
_SUBJECT = "Your Killa Tamata balance is low"
_TEXT = """Your available balance is ${available}, below the ${threshold} at which you asked to be told.

Jobs that cost more than is available are refused. Add credit at {site}/account
You will be told again only after the balance was back above that amount.
"""
_HTML = """<!doctype html>
<html lang="en"><body style="font-family: sans-serif">
<p>Your available balance is <strong>${available}</strong>, below the ${threshold} at which you asked to be told.</p>
<p>Jobs that cost more than is available are refused. <a href="{site}/account">Add credit</a></p>
<p>You will be told again only after the balance was back above that amount.</p>
</body></html>
"""
_log = structlog.get_logger(__name__)


def notice_low_balances(*, now: datetime) -> int:
    """Compare every watched balance with its threshold; how many accounts were told.

    Plain reads, so that no submit waits for it: what is seen may be a moment old, and the next round sees the rest.
    Each account's state moves by compare-and-set with its messages in one transaction: however many stewards look,
    one tells.
    """
    return sum(_tell(account, available, now) for account, available in _watched())


def mail_low_balance(*, account_id: UUID, available: Micros, threshold: Micros) -> None:
    """Send the mail, unless this installation sends none or the account is gone.

    Talks to the mail server.

    Raises:
        MailFailed: the server is away; tried again.
    """
    address = email_addresses(account_ids=[account_id]).get(account_id)
    if not settings.EMAIL_HOST or address is None:
        _log.info("low_balance_not_mailed", account_id=ids.encode(ids.ACCOUNT, account_id))
        return
    figures = {"available": usd(available), "threshold": usd(threshold), "site": settings.SITE_URL}
    send_mail(
        to=address,
        subject=_SUBJECT,
        text=_TEXT.format(**figures),
        html=_HTML.format(**figures),
        about=f"low balance of {ids.encode(ids.ACCOUNT, account_id)}",
    )


def _watched() -> Iterator[tuple[WatchedBalance, Micros]]:
    after: UUID | None = None
    while True:
        page = watched_balances(after=after, limit=PAGE)
        available = available_balances(account_ids=[account.account_id for account in page])
        yield from ((account, available.get(account.account_id, 0)) for account in page)
        if len(page) < PAGE:
            return
        after = page[-1].account_id


def _tell(account: WatchedBalance, available: Micros, now: datetime) -> bool:
    low = available < account.threshold_micros
    if low == account.warned:
        return False
    if not low:
        balance_notices.rearm(account_id=account.account_id, threshold_micros=account.threshold_micros)
        return False
    with transaction.atomic():
        notice = balance_notices.warn(account_id=account.account_id, threshold_micros=account.threshold_micros, now=now)
        if notice is None:
            return False
        if notice.by_mail:
            payload = {
                "accountId": str(account.account_id),
                "availableMicros": available,
                "thresholdMicros": account.threshold_micros,
            }
            emit(topic=outbox_topics.BALANCE_LOW, payload=payload)
        if notice.webhook_url:
            enqueue_delivery(
                account_id=account.account_id,
                topic=TOPIC,
                subject_id=account.account_id,
                url=notice.webhook_url,
                body=_body(account, available, now),
                now=now,
            )
    return True


def _body(account: WatchedBalance, available: Micros, now: datetime) -> str:
    message = {
        "callbackType": TOPIC,
        "accountId": ids.encode(ids.ACCOUNT, account.account_id),
        "usdBalanceMicros": available,
        "usdBalance": usd(available),
        "lowBalanceThresholdUsdMicros": account.threshold_micros,
        "at": clock.rfc3339(now),
    }
    return json.dumps(message, separators=(",", ":"))
