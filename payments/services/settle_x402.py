"""The end of an x402 payment: its money is credited, or it is given up. Each in one transaction."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from affiliates.services.attribution import close_attribution
from billing.micros import MICROS_PER_CENT
from billing.services.credit_deposit import credit_deposit
from core import clock, ids
from core.idempotency import services as idempotency
from core.outbox.services import emit
from core.outbox_topics import DEPOSIT_SETTLED
from payments import transitions
from payments.models import X402, Deposit, X402Payment

IDEMPOTENCY_ROUTE = "POST credits/purchase/x402"
CERTAIN_AFTER = timedelta(minutes=2)
"""So long after an authorization's end, by the chain's own time, an unused one counts as unused for good."""
_log = structlog.get_logger(__name__)


def settle_payment(*, payment_id: UUID, transaction_hash: str, now: datetime, note: str = "") -> bool:
    """Credit the payment, once: whoever learns first that the money moved does it, also after it was given up.

    The payment, its deposit, the transfer, the end of attribution and the event commit together. False when it was
    credited before: nothing changed.
    """
    with transaction.atomic(durable=True):
        moved = transitions.X402.apply(
            "settle",
            X402Payment.objects.filter(pk=payment_id),
            transaction=transaction_hash,
            note=note[:500],
            finished_at=now,
            reconcile_at=None,
        )
        if not moved:
            return False
        payment = X402Payment.objects.get(pk=payment_id)
        amount = payment.usd_cents * MICROS_PER_CENT
        close_attribution(account_id=payment.account_id, now=now)  # before the balance is locked, as every deposit does
        Deposit.objects.create(
            id=payment.pk,
            account_id=payment.account_id,
            provider=X402,
            provider_id=_name(payment),
            usd_cents=payment.usd_cents,
            amount_micros=amount,
            settled_at=now,
            reconcile_at=None,  # what is on the chain cannot be taken back
        )
        credit_deposit(
            account_id=payment.account_id, amount=amount, provider=X402, reference=f"deposit:{payment.pk}:paid"
        )
        emit(
            topic=DEPOSIT_SETTLED,
            payload={
                "depositId": str(payment.pk),
                "accountId": str(payment.account_id),
                "depositMicros": amount,
                "settledAt": clock.rfc3339(now),
                "payer": payment.payer,
            },
        )
    _log.info("x402_settled", payment=ids.encode(ids.X402_PAYMENT, payment_id), transaction=transaction_hash)
    return True


def fail_payment(*, payment_id: UUID, note: str, now: datetime, for_good: bool) -> bool:
    """Give the payment up; its idempotency key is free again. False when it ended otherwise before.

    Unless `for_good`, the chain is asked once more when the authorization has ended: whoever has the signature could
    still have used it, and then the money is credited after all.
    """
    with transaction.atomic(durable=True):
        payment = X402Payment.objects.get(pk=payment_id)
        watched = settings.X402_RPC_URL and not for_good
        moved = transitions.X402.apply(
            "fail",
            X402Payment.objects.filter(pk=payment_id),
            note=note[:500],
            finished_at=now,
            reconcile_at=payment.valid_before + CERTAIN_AFTER if watched else None,
        )
        if moved:
            idempotency.release(account_id=payment.account_id, route=IDEMPOTENCY_ROUTE, subject_id=payment_id)
    return moved


def flag_payment(*, payment_id: UUID, note: str) -> bool:
    """Leave the payment to an operator, since its outcome cannot be learnt. False when it ended otherwise before.

    A refused payment that the chain is still asked about can come to this, too; one that failed for good cannot.
    """
    open_ones = X402Payment.objects.filter(pk=payment_id).exclude(status=transitions.FAILED, reconcile_at=None)
    flagged = transitions.X402.apply("flag", open_ones, note=note[:500], reconcile_at=None, finished_at=None)
    if flagged:
        _log.warning("x402_needs_an_operator", payment=ids.encode(ids.X402_PAYMENT, payment_id), note=note)
    return flagged


def _name(payment: X402Payment) -> str:
    """The deposit's name: the transaction's hash; with the nonce where the transaction carried another payment, too."""
    taken = Deposit.objects.filter(provider=X402, provider_id=payment.transaction).exists()
    return f"{payment.transaction}:{payment.nonce}" if taken else payment.transaction
