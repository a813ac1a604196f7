"""An operator's decision on an x402 payment whose outcome could not be learnt."""

import re
from datetime import datetime
from typing import Literal
from uuid import UUID

from core import ids
from core.errors import Forbidden, InvalidRequest, InvalidState, NotFound
from payments import transitions
from payments.models import X402Payment
from payments.services.settle_x402 import fail_payment, settle_payment

Decision = Literal["settle", "fail"]
_HASH = re.compile(r"0x[0-9a-f]{64}")


class OwnPayment(Forbidden):
    """Nobody decides about their own payment."""


def decide_payment(
    *, payment_id: UUID, decision: Decision, actor_id: UUID, reason: str, now: datetime, transaction_hash: str = ""
) -> None:
    """Credit a payment in review that the operator found on the chain, or give it up. The note keeps who and why.

    Raises:
        NotFound: there is no such payment.
        OwnPayment: it is the operator's own.
        InvalidRequest: no reason; or to settle, no transaction's hash, or one that paid for another payment.
        InvalidState: the payment is not in review.
    """
    transaction_hash = transaction_hash.strip().lower()
    if not reason.strip():
        raise InvalidRequest({"reason": "must say why"})
    if decision == "settle" and not _HASH.fullmatch(transaction_hash):
        raise InvalidRequest({"transactionHash": "must be 0x and 64 hexadecimal digits"})
    if (
        decision == "settle"
        and X402Payment.objects.filter(transaction=transaction_hash).exclude(pk=payment_id).exists()
    ):
        raise InvalidRequest({"transactionHash": "paid for another payment"})
    payment = X402Payment.objects.filter(pk=payment_id).first()
    if payment is None:
        raise NotFound
    if payment.account_id == actor_id:
        raise OwnPayment
    if payment.status != transitions.REVIEW:
        raise InvalidState(f"The payment is {payment.status}, not in review.", details={"status": payment.status})
    who = ids.encode(ids.ACCOUNT, actor_id)
    if decision == "settle":
        note = f"settled_by_operator: {who}: {reason.strip()}"
        moved = settle_payment(payment_id=payment_id, transaction_hash=transaction_hash, now=now, note=note)
    else:
        note = f"refused_by_operator: {who}: {reason.strip()}"
        moved = fail_payment(payment_id=payment_id, note=note, now=now, for_good=True)
    if not moved:
        raise InvalidState("The payment was decided a moment ago.")
