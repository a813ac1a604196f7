"""Buy credit with x402: verify the signature, keep the payment, have it settled, credit it.

The order is the safety. A payment is committed as pending before anybody may move its money, so whatever is lost
after that (an answer, this process, the facilitator) leaves a row, and `reconcile_x402` asks the chain about it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from x402.http import (
    PAYMENT_REQUIRED_HEADER,
    PAYMENT_RESPONSE_HEADER,
    encode_payment_required_header,
    encode_payment_response_header,
)
from x402.schemas import SettleResponse

from core import ids
from core.errors import ApiError, Unavailable
from core.idempotency import services as idempotency
from core.wake import wake_steward
from payments import transitions
from payments.models import X402Payment
from payments.providers import x402_facilitator as facilitator
from payments.services.referral import CodeOutcome, Referral, bind_referral
from payments.services.settle_x402 import IDEMPOTENCY_ROUTE, fail_payment, settle_payment
from payments.x402.authorization import SignedPayment, read_payment
from payments.x402.requirements import Asked, ask, plain

LOOP = "x402"
"""The steward's loop that asks the chain."""
PATIENCE = timedelta(seconds=facilitator.SETTLE_SECONDS + 20)
"""How long the chain is not asked about a payment whose settlement may be under way."""
RETRY_AFTER_SECONDS = 2
ASKED = "settlement_asked"
"""The note of a pending payment that the facilitator was told to settle, until there is more to say of it."""
_CREATED = 201


class PaymentRequired(ApiError):
    """Pay with x402: sign what `details.accepts` asks for; `details.reason` says what is wrong with what was sent.

    The same is in the header PAYMENT-REQUIRED, and after a refused settlement its answer in PAYMENT-RESPONSE.
    """

    code = "payment_required"
    http_status = 402

    def __init__(self, asked: Asked, *, reason: str, message: str | None = None, payer: str | None = None) -> None:
        """`payer` is given where a settlement was refused."""
        required = asked.required(error=reason)
        headers = {PAYMENT_REQUIRED_HEADER: encode_payment_required_header(required)}
        if payer is not None:
            settlement = SettleResponse(
                success=False, error_reason=reason, transaction="", network=asked.requirements.network, payer=payer
            )
            headers[PAYMENT_RESPONSE_HEADER] = encode_payment_response_header(settlement)
        told = {name: value for name, value in plain(required).items() if name != "error"}
        super().__init__(message, details={"reason": reason, **told}, headers=headers)


class PaymentPending(Unavailable):
    """It is not known yet whether this payment's money moved: if it did, it is credited, once.

    Send the same payment again to learn of it; a new one would pay twice.
    """

    code = "payment_pending"
    outcome_unknown = True

    def __init__(self, payment: X402Payment) -> None:
        details = {"paymentId": ids.encode(ids.X402_PAYMENT, payment.pk), "status": payment.status}
        super().__init__(details=details, retry_after=RETRY_AFTER_SECONDS)


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """A settled purchase."""

    payment: X402Payment
    replayed: bool
    """It was settled before this request."""
    affiliate: CodeOutcome | None
    """What came of the affiliate code, where this request named one and settled."""

    @property
    def response_header(self) -> str:
        """PAYMENT-RESPONSE."""
        return encode_payment_response_header(
            SettleResponse(
                success=True,
                transaction=self.payment.transaction,
                network=self.payment.network,
                payer=self.payment.payer,
                amount=str(self.payment.atomic_units),
            )
        )


def purchase_x402(
    *,
    account_id: UUID,
    usd_cents: int,
    header: str | None,
    referral: Referral,
    idempotency_key: str | None,
    now: datetime,
) -> Purchase:
    """Settle the payment in `header` (PAYMENT-SIGNATURE) and credit it, once for its payer and nonce.

    The same payment again, or the same idempotency key, gives the first purchase. A code that cannot be bound never
    stops a purchase.

    Raises:
        X402NotConfigured, FacilitatorUnavailable: nothing was paid.
        InvalidRequest: the header is no version 2 payment.
        IdempotencyConflict: the key was used for another purchase.
        PaymentRequired: there is no payment, or it was refused; nothing was credited.
        PaymentPending: the outcome is unknown, or another request is settling it right now.
    """
    asked = ask(usd_cents=usd_cents)
    key = _key(account_id, usd_cents, referral.code, idempotency_key)
    signed = None if header is None else read_payment(header)
    earlier = _earlier(key)
    if earlier is not None:
        if earlier.status == transitions.SETTLED:
            return Purchase(payment=earlier, replayed=True, affiliate=None)
        if signed is None or (signed.payer, signed.nonce) != (earlier.payer, earlier.nonce):
            raise PaymentPending(earlier)
    if signed is None:
        raise PaymentRequired(asked, reason="payment_missing")
    mismatch = signed.mismatch(asked.requirements)
    if mismatch is not None:
        raise PaymentRequired(asked, reason=mismatch.reason, message=mismatch.sentence)
    payment = _find(asked, signed)
    if payment is None:
        payment = _verified(asked, signed, now)
    if payment is None:
        payment = _begin(account_id, asked, signed, key, now)
    if payment.account_id != account_id or payment.usd_cents != usd_cents:
        raise _refusal(asked, "invalid_exact_evm_nonce_already_used")
    with _alone(payment.pk) as mine:
        payment.refresh_from_db()
        if payment.status == transitions.SETTLED:
            return Purchase(payment=payment, replayed=True, affiliate=None)
        if payment.status == transitions.FAILED:
            raise _refusal(asked, payment.note.partition(":")[0], payer=payment.payer)
        if not mine or signed.untimely(now) is not None:
            raise PaymentPending(payment)
        bound = bind_referral(account_id=account_id, referral=referral, now=now)
        return _settle(payment, asked, signed, bound, now=now)


def _verified(asked: Asked, signed: SignedPayment, now: datetime) -> X402Payment | None:
    """Let a payment pass that nobody has sent before; or the row of the one who sent it in the meantime.

    Raises:
        PaymentRequired: it would not settle.
    """
    untimely = signed.untimely(now)
    if untimely is not None:
        raise PaymentRequired(asked, reason=untimely.reason, message=untimely.sentence)
    reason = facilitator.verify(signed.payload(asked.requirements), asked.requirements)
    if reason is None:
        return None
    meanwhile = _find(asked, signed)  # settled while we asked: that is why the nonce is used
    if meanwhile is None:
        raise _refusal(asked, reason)
    return meanwhile


def _begin(
    account_id: UUID, asked: Asked, signed: SignedPayment, key: idempotency.Key | None, now: datetime
) -> X402Payment:
    """The pending row of this payment, committed: ours, or that of somebody who was faster.

    Raises:
        PaymentPending: the idempotency key was taken by another payment a moment ago.
    """
    requirements = asked.requirements
    payment = X402Payment(
        account_id=account_id,
        **_identity(asked, signed),
        pay_to=requirements.pay_to.lower(),
        atomic_units=signed.value,
        usd_cents=asked.usd_cents,
        valid_before=signed.valid_before,
        payload=plain(signed.payload(requirements)),
        requirements=plain(requirements),
        created_at=now,
        reconcile_at=now + PATIENCE,
    )
    try:
        with transaction.atomic(durable=True):
            X402Payment.objects.bulk_create([payment], ignore_conflicts=True)
            stored = X402Payment.objects.get(**_identity(asked, signed))
            if key is not None and stored.pk == payment.pk:
                idempotency.claim(key=key, subject_id=payment.pk, status=_CREATED, body=None, now=now)
    except IntegrityError:
        raise PaymentPending(_earlier(key) or payment) from None
    return stored


def _settle(
    payment: X402Payment,
    asked: Asked,
    signed: SignedPayment,
    bound: CodeOutcome | None,
    *,
    now: datetime,
) -> Purchase:
    """Ask the facilitator, and act on what is certain. Only while the payment is locked (`_alone`).

    A refusal is believed only the first time, whoever asked: later ones may be because the first try did go through.
    """
    # Noted before it is asked, so that a try whose process died counts, too.
    first = bool(X402Payment.objects.filter(pk=payment.pk, note="").update(note=ASKED))
    outcome = facilitator.settle(signed.payload(asked.requirements), asked.requirements)
    match outcome:
        case facilitator.Settled(transaction_hash):
            moved = settle_payment(payment_id=payment.pk, transaction_hash=transaction_hash, now=now)
            wake_steward("outbox")
            payment.refresh_from_db()
            return Purchase(payment=payment, replayed=not moved, affiliate=bound if moved else None)
        case facilitator.Refused(reason) if first and fail_payment(
            payment_id=payment.pk, note=reason, now=now, for_good=False
        ):
            raise _refusal(asked, reason, payer=payment.payer)
        case facilitator.Unknown(why, transaction_hash):
            _ask_the_chain_soon(payment, why, transaction_hash, now)
        case facilitator.Refused(reason):
            _ask_the_chain_soon(payment, reason, "", now)
    raise PaymentPending(payment)


def _ask_the_chain_soon(payment: X402Payment, why: str, transaction_hash: str, now: datetime) -> None:
    known = {"transaction": transaction_hash} if transaction_hash else {}
    X402Payment.objects.filter(pk=payment.pk, status=transitions.PENDING).update(
        note=why[:500], reconcile_at=now, reconcile_tries=0, **known
    )
    wake_steward(LOOP)


def _identity(asked: Asked, signed: SignedPayment) -> dict[str, str]:
    """What the chain lets happen once."""
    requirements = asked.requirements
    return {
        "network": requirements.network,
        "asset": requirements.asset.lower(),
        "payer": signed.payer,
        "nonce": signed.nonce,
    }


def _find(asked: Asked, signed: SignedPayment) -> X402Payment | None:
    return X402Payment.objects.filter(**_identity(asked, signed)).first()


def _key(account_id: UUID, usd_cents: int, affiliate_code: str | None, key: str | None) -> idempotency.Key | None:
    if key is None:
        return None
    asked = {"usdCents": usd_cents, "affiliateCode": affiliate_code}
    return idempotency.Key(
        account_id=account_id, route=IDEMPOTENCY_ROUTE, key=key, fingerprint=idempotency.fingerprint(asked)
    )


def _earlier(key: idempotency.Key | None) -> X402Payment | None:
    """The payment that the idempotency key stands for."""
    record = None if key is None else idempotency.find(key=key)
    return None if record is None else X402Payment.objects.get(pk=record.subject_id)


def _refusal(asked: Asked, reason: str, payer: str | None = None) -> PaymentRequired:
    return PaymentRequired(asked, reason=reason, message=f"The payment was refused: {reason}.", payer=payer)


@contextmanager
def _alone(payment_id: UUID) -> Iterator[bool]:
    """Whether nobody else is settling this payment. Held by the connection, so a crash lets it go."""
    lock = payment_id.int & (1 << 63) - 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])
