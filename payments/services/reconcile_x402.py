"""Learn from the chain what became of x402 payments whose outcome is unknown."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import F

from core import ids
from core.wake import wake_steward
from payments import transitions
from payments.models import X402Payment
from payments.providers.x402_chain import Authorization, ChainUnavailable, Moved, Spoilt, Untraceable, Unused, fate
from payments.services.settle_x402 import CERTAIN_AFTER, fail_payment, flag_payment, settle_payment

LONGEST_PAUSE = timedelta(minutes=5)
MOST_LOOKS = 12
"""So often a used authorization's transfer is looked for before an operator must: about half an hour."""
UNUSED_LOOKS = 4
SILENT_LOOKS = 8
"""What looks that found the authorization unused, or no node, count at most: the others are still to come."""
_log = structlog.get_logger(__name__)


def reconcile_due(*, limit: int, now: datetime) -> int:
    """Ask about up to `limit` payments that are due, the longest due first; how many were asked about."""
    due = X402Payment.objects.filter(reconcile_at__lte=now).order_by("reconcile_at")
    looked = 0
    for payment in due[:limit]:
        if _postpone(payment, now):
            reconcile_payment(payment_id=payment.pk, now=now)
            looked += 1
    return looked


def reconcile_payment(*, payment_id: UUID, now: datetime) -> None:
    """Settle the payment, give it up, or leave it to an operator, as the chain says; else nothing changes.

    The chain is asked outside any transaction. Safe at any time and in any number: a settled payment stays settled.
    """
    payment = X402Payment.objects.get(pk=payment_id)
    if payment.status == transitions.SETTLED:
        return
    if not settings.X402_RPC_URL:
        _without_a_node(payment)
        return
    try:
        found = fate(_sought(payment))
    except ChainUnavailable as error:
        _log.warning("x402_chain_unavailable", payment=ids.encode(ids.X402_PAYMENT, payment.pk), error=error.message)
        _count_at_most(payment, SILENT_LOOKS)
        return
    match found:
        case Moved(transaction):
            if settle_payment(payment_id=payment.pk, transaction_hash=transaction, now=now):
                wake_steward("outbox")
        case Spoilt(why):
            _give_up(payment, why, now)
        case Unused(chain_time) if chain_time > (payment.valid_before + CERTAIN_AFTER).timestamp():
            _give_up(payment, "authorization_expired_unused", now)
        case Untraceable() if payment.reconcile_tries >= MOST_LOOKS:
            _untraceable(payment)
        case Unused():
            _count_at_most(payment, UNUSED_LOOKS)
        case Untraceable():
            pass  # asked again at reconcile_at


def _give_up(payment: X402Payment, why: str, now: datetime) -> None:
    """It can never be used again, so a payment that was given up before needs no more watching either."""
    if not fail_payment(payment_id=payment.pk, note=why, now=now, for_good=True):
        _stop_watching(payment)


def _untraceable(payment: X402Payment) -> None:
    note = "The authorization is used, and the node does not show the transfer: look it up in an explorer."
    flag_payment(payment_id=payment.pk, note=note)


def _without_a_node(payment: X402Payment) -> None:
    note = f"The outcome is unknown ({payment.note or 'no answer'}), and X402_RPC_URL is not set."
    flag_payment(payment_id=payment.pk, note=note)


def _count_at_most(payment: X402Payment, looks: int) -> None:
    X402Payment.objects.filter(pk=payment.pk, reconcile_tries__gt=looks).update(reconcile_tries=looks)


def _stop_watching(payment: X402Payment) -> None:
    X402Payment.objects.filter(pk=payment.pk, status=transitions.FAILED).update(reconcile_at=None)


def _postpone(payment: X402Payment, now: datetime) -> bool:
    """Set the next time before asking, so that a payment that cannot be asked about holds up no other."""
    pause = min(timedelta(seconds=2 ** min(payment.reconcile_tries + 1, 16)), LONGEST_PAUSE)
    mine = X402Payment.objects.filter(pk=payment.pk, reconcile_at=payment.reconcile_at)
    return mine.update(reconcile_at=now + pause, reconcile_tries=F("reconcile_tries") + 1) == 1


def _sought(payment: X402Payment) -> Authorization:
    return Authorization(
        network=payment.network,
        asset=payment.asset,
        payer=payment.payer,
        nonce=payment.nonce,
        pay_to=payment.pay_to,
        atomic_units=int(payment.atomic_units),
        since=payment.created_at,
        transaction=payment.transaction,
    )
