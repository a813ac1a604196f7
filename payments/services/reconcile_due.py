"""Ask providers by ourselves: for pages never made, for purchases whose events never came, for later refunds."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db.models import F, QuerySet

from core.errors import Unavailable
from payments.models import HOSTED, Checkout, Deposit
from payments.services.open_checkout import ABANDONED, CheckoutRefused, give_up, send_checkout
from payments.services.reconcile_deposit import reconcile_deposit
from payments.transitions import CHECKOUT

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
LATE = timedelta(days=3)
"""How long an ended purchase is looked at where money may still come late."""
LOST = timedelta(days=30)
"""A purchase that its provider has not ended by then is an operator's."""
_log = structlog.get_logger(__name__)


def reconcile_due(*, limit: int, now: datetime) -> int:
    """Look after up to `limit` checkouts and `limit` deposits of each provider that are due; how many were asked about.

    Each is put off first and asked about then: what cannot be asked about now comes again later, and nothing is
    asked about twice at once. A provider that cannot be reached is spared for the rest of the round.
    """
    return sum(_checkouts(provider, limit, now) + _deposits(provider, limit, now) for provider in HOSTED)


def _checkouts(provider: str, limit: int, now: datetime) -> int:
    asked = 0
    due = Checkout.objects.filter(provider=provider, reconcile_at__lte=now).order_by("reconcile_at")
    for checkout in list(due[:limit]):
        if not _put_off(checkout, now):
            continue
        if not _ask(_look_after, checkout, now):
            break
        asked += 1
    return asked


def _deposits(provider: str, limit: int, now: datetime) -> int:
    asked = 0
    due = Deposit.objects.filter(provider=provider, reconcile_at__lte=now).order_by("reconcile_at")
    for deposit in list(due[:limit]):
        Deposit.objects.filter(pk=deposit.pk).update(reconcile_at=now + LONGEST_PAUSE)
        if not _ask(_reconcile, Checkout.objects.get(pk=deposit.pk), now):
            break
        asked += 1
    return asked


def _ask(look: Callable[[Checkout, datetime], None], checkout: Checkout, now: datetime) -> bool:
    """Whether the provider could be asked at all; what else went wrong is this checkout's alone, and logged."""
    try:
        look(checkout, now)
    except Unavailable as error:
        _log.warning("provider_unavailable", provider=checkout.provider, error=repr(error.__cause__ or error))
        return False
    except Exception:
        _log.exception("reconciliation_failed", checkout_id=str(checkout.pk))
    return True


def _look_after(checkout: Checkout, now: datetime) -> None:
    if checkout.provider_id:
        _reconcile(checkout, now)
        return
    if now > checkout.created_at + ABANDONED:
        give_up(checkout=checkout, note="The provider could not be reached to make its page.", now=now)
        return
    try:
        send_checkout(checkout=checkout, now=now)
    except CheckoutRefused as refusal:
        _log.warning("checkout_refused", checkout_id=str(checkout.pk), error=str(refusal.__cause__))


def _reconcile(checkout: Checkout, now: datetime) -> None:
    reconcile_deposit(provider=checkout.provider, provider_id=checkout.provider_id, now=now)


def _put_off(checkout: Checkout, now: datetime) -> bool:
    """Set when the checkout is looked at next, or that it is not; False when there is nothing to ask."""
    ended = checkout.finished_at is not None and now > checkout.finished_at + LATE
    if ended:
        _own(checkout).update(reconcile_at=None)
        return False
    if now > checkout.created_at + LOST:
        CHECKOUT.apply("flag", _own(checkout), note="Its provider has not ended it.")
        _own(checkout).update(reconcile_at=None)
        return False
    pause = min(FIRST_PAUSE * 2 ** min(checkout.reconcile_tries, 10), LONGEST_PAUSE)
    _own(checkout).update(reconcile_at=now + pause, reconcile_tries=F("reconcile_tries") + 1)
    return True


def _own(checkout: Checkout) -> QuerySet[Checkout]:
    return Checkout.objects.filter(pk=checkout.pk)
