"""Deliver what is due: claim, POST outside any transaction, record the try and what follows from it."""

import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction

from core import http, ids
from core.http import PostOutcome
from core.webhooks.models import DELIVERY, WebhookDelivery, WebhookTry
from core.webhooks.secrets import SecretUnreadable, signing_secrets
from core.webhooks.signing import signature_headers

DELAYS = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 600, 1800, 7200))
"""After the first try, the second … the fifth; the sixth is the last."""
TIMEOUT_SECONDS = 10.0
LEASE = timedelta(seconds=60)
"""A claimed delivery is due again after this: whoever claimed it has died."""
CONCURRENT = 16
CONCURRENT_PER_ACCOUNT = 4
"""So that one account's slow receivers do not hold up everybody else's messages."""
CLAIM_SECONDS = 20.0
"""Nothing is claimed later than this into a call: `now` grows old, and the lease must outlive the POST."""
_RETRIED_STATUSES = frozenset({408, 429})
_FINAL_ERRORS = frozenset({"forbidden_url"})
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """A delivery that is ours until `lease`; the value also proves it when the outcome is recorded."""

    delivery: WebhookDelivery
    lease: datetime


def deliver_due(*, limit: int, now: datetime) -> int:
    """Try up to `limit` due deliveries, several at once; how many were tried.

    Each try is claimed by compare-and-set, so several stewards share the work. A crash between the POST and its
    record lets the lease run out and the message be sent again: at least once, with the same id.

    Database work stays in the calling thread; the others only talk to receivers.
    """
    claimed = 0
    running: dict[Future[PostOutcome], _Claim] = {}
    stop_claiming = time.monotonic() + CLAIM_SECONDS
    with ThreadPoolExecutor(max_workers=CONCURRENT, thread_name_prefix="webhook") as threads:
        while True:
            while claimed < limit and len(running) < CONCURRENT and time.monotonic() < stop_claiming:
                claim = _claim(now=now, busy=_accounts(running))
                if claim is None:
                    break
                running[_start(threads, claim, now)] = claim
                claimed += 1
            if not running:
                return claimed
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                _record(running.pop(future), _outcome(future), now)


def _accounts(running: dict[Future[PostOutcome], _Claim]) -> Counter[UUID]:
    return Counter(claim.delivery.account_id for claim in running.values())


def _claim(*, now: datetime, busy: Counter[UUID]) -> _Claim | None:
    """The delivery that has been due for longest, leased to the caller; None when there is none to take."""
    with transaction.atomic(durable=True):
        delivery = (
            WebhookDelivery.objects.select_for_update(skip_locked=True)
            .filter(status="pending", next_try_at__lte=now)
            .exclude(account_id__in=[account for account, count in busy.items() if count >= CONCURRENT_PER_ACCOUNT])
            .order_by("next_try_at")
            .first()
        )
        if delivery is None:
            return None
        lease = now + LEASE
        WebhookDelivery.objects.filter(pk=delivery.pk).update(next_try_at=lease)
        return _Claim(delivery=delivery, lease=lease)


def _start(threads: ThreadPoolExecutor, claim: _Claim, now: datetime) -> Future[PostOutcome]:
    delivery = claim.delivery
    body = delivery.body.encode()
    try:
        secrets = signing_secrets(account_id=delivery.account_id, now=now)
    except SecretUnreadable:
        _log.exception("webhook_secret_unreadable", account_id=str(delivery.account_id))
        unsent: Future[PostOutcome] = Future()
        unsent.set_result(PostOutcome(status=None, error="secret_unreadable", elapsed_ms=0))
        return unsent
    headers = signature_headers(
        message_id=ids.encode(ids.WEBHOOK_DELIVERY, delivery.pk), at=now, body=body, secrets=secrets
    )
    return threads.submit(
        http.post,
        delivery.url,
        body=body,
        headers={"content-type": "application/json", **headers},
        timeout_seconds=TIMEOUT_SECONDS,
    )


def _outcome(future: Future[PostOutcome]) -> PostOutcome:
    try:
        return future.result()
    except Exception:
        # A defect of ours must not take the other deliveries down with it; this one is tried again.
        _log.exception("webhook_post_broke")
        return PostOutcome(status=None, error="internal_error", elapsed_ms=0)


def _record(claim: _Claim, outcome: PostOutcome, now: datetime) -> None:
    """Write the try and move the delivery on, unless the lease was lost to somebody else meanwhile."""
    delivery = claim.delivery
    tries = delivery.tries + 1
    with transaction.atomic(durable=True):
        ours = WebhookDelivery.objects.filter(pk=delivery.pk, next_try_at=claim.lease)
        if outcome.status is not None and 200 <= outcome.status < 300:
            moved = DELIVERY.apply("deliver", ours, tries=tries, next_try_at=None, finished_at=now)
        elif _worth_another_try(outcome) and tries <= len(DELAYS):
            moved = DELIVERY.apply("retry", ours, tries=tries, next_try_at=now + DELAYS[tries - 1])
        else:
            moved = DELIVERY.apply("fail", ours, tries=tries, next_try_at=None, finished_at=now)
        if not moved:
            _log.warning("webhook_lease_lost", delivery_id=str(delivery.pk))
        WebhookTry.objects.create(
            delivery=delivery,
            at=now,
            http_status=outcome.status,
            error=outcome.error or "",
            elapsed_ms=outcome.elapsed_ms,
        )


def _worth_another_try(outcome: PostOutcome) -> bool:
    if outcome.status is None:
        return outcome.error not in _FINAL_ERRORS
    return outcome.status in _RETRIED_STATUSES or outcome.status >= 500
