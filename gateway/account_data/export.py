"""An account's export, written as it is read: memory does not grow with the history."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.api.events_messages import event_of
from accounts.api.keys_messages import listed
from accounts.api.messages import account_of
from accounts.api.notifications import shown_notifications
from accounts.selectors import account_by_id, balance_notice, list_events, list_keys
from accounts.services.attempts import Limit
from affiliates.account_data import affiliate_data
from billing.api.transactions_messages import shown
from billing.statements import Filters, entries
from core import clock
from core.webhooks.messages import shown_delivery
from core.webhooks.selectors import list_deliveries
from media.answers import job_answer
from media.selectors import list_jobs
from payments.account_data import deposits, purchases

EXPORTS = Limit(kind="account_export", most=10)
"""An hour, of one account."""
_PAGE = 200


def export(*, account_id: UUID, now: datetime) -> Iterator[str]:
    """The JSON document in pieces.

    What changes meanwhile may or may not be in it. A failure ends it early, without `complete`.
    """
    head = {
        "ok": True,
        "exportedAt": clock.rfc3339(now),
        "account": account_of(account_by_id(account_id=account_id)).wire(),
        "notifications": shown_notifications(balance_notice(account_id=account_id)),
        "affiliate": affiliate_data(account_id=account_id),
    }
    yield _json(head)[:-1]
    lists: dict[str, Iterable[Mapping[str, Any]]] = {
        "keys": (listed(key, current=False).wire() for key in list_keys(account_id=account_id, most_revoked=None)),
        "securityEvents": _events(account_id),
        "purchases": purchases(account_id=account_id),
        "deposits": deposits(account_id=account_id),
        "transactions": (shown(entry).wire() for entry in entries(account_id=account_id, filters=Filters())),
        "jobs": _jobs(account_id, now),
        "webhookDeliveries": _deliveries(account_id),
    }
    for name, members in lists.items():
        yield f',"{name}":['
        for number, member in enumerate(members):
            yield ("," if number else "") + _json(member)
        yield "]"
    yield ',"complete":true}\n'


def _events(account_id: UUID) -> Iterator[dict[str, Any]]:
    before: UUID | None = None
    while page := list_events(account_id=account_id, kind=None, before=before, limit=_PAGE):
        yield from (event_of(event).wire() for event in page)
        before = page[-1].pk


def _jobs(account_id: UUID, now: datetime) -> Iterator[dict[str, Any]]:
    cursor: UUID | None = None
    while page := list_jobs(
        account_id=account_id, task=None, status=None, before=None, after=None, cursor=cursor, limit=_PAGE
    ):
        yield from (job_answer(job=attempt.job, attempt=attempt, details=True, now=now) for attempt in page)
        cursor = page[-1].job_id


def _deliveries(account_id: UUID) -> Iterator[dict[str, Any]]:
    following: UUID | None = None
    while True:
        page, following = list_deliveries(account_id=account_id, limit=_PAGE, before=following)
        yield from (shown_delivery(delivery).wire() for delivery in page)
        if following is None:
            return


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
