"""Bring the books in line with what a provider says of one purchase now: the only way that its money gets in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from affiliates.services.attribution import close_attribution
from billing.micros import MICROS_PER_CENT, Micros
from billing.services.credit_deposit import credit_deposit
from billing.services.reverse_deposit import reverse_deposit
from core import clock, ids, outbox_topics
from core.outbox.services import emit
from payments.models import Checkout, Deposit, Reversal
from payments.providers.purchase import Purchase, Standing, Taking, UnknownPurchase
from payments.providers.registry import provider_of
from payments.services.open_checkout import keep_page
from payments.transitions import CANCELED, CHECKOUT, DISPUTE, PAID, POSTED, REFUND, RESTORED, REVERSAL, REVIEW

WATCHED = timedelta(days=120)
"""How long after a deposit its refunds and disputes are looked for; one that is undecided then, until it is."""
CREDITED, CLOSED = "credited_by_operator", "closed_by_operator"
"""How the note of a checkout starts that an operator decided about: part of its money was credited, or none.

Nothing takes the place of such a note, and what does not fit reopens the checkout no more.
"""
WATCH_PAUSE = timedelta(days=1)
_log = structlog.get_logger(__name__)
_LAST = {Standing.EXPIRED: "expire", Standing.FAILED: "fail", Standing.CANCELED: "cancel"}


class Result(StrEnum):
    """What a reconciliation found."""

    IN_LINE = "in_line"
    """The books say what the provider says."""
    FLAGGED = "flagged"
    """Something does not fit: an operator must look."""
    NOT_OURS = "not_ours"
    """No checkout of ours is behind it."""


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """What a reconciliation did."""

    result: Result
    checkout_id: UUID | None = None
    note: str = ""


def reconcile_deposit(*, provider: str, provider_id: str, now: datetime) -> Reconciled:
    """Re-read the provider's session or charge, then post what is missing of it in one transaction.

    A paid purchase is credited once, and only if its amount, currency, checkout and account are those of the checkout
    it names. A refund or a dispute is taken once, never more of them together than the deposit; one that failed or
    was won is given back once. Safe to call in any order, any number of times, from anywhere: what is in the books
    is never done again, and an older answer of the provider undoes nothing that a newer one did.

    Raises:
        ProviderNotConfigured, ProviderUnavailable: try again; nothing was written.
    """
    known = Checkout.objects.filter(provider=provider, provider_id=provider_id).values_list("pk", flat=True).first()
    thorough = known is not None and Reversal.objects.filter(deposit_id=known).exists()
    in_books = known is not None and Deposit.objects.filter(pk=known).exists()
    try:
        purchase = provider_of(provider).read(provider_id, thorough=thorough)
    except UnknownPurchase:
        return _flagged(known, f"The provider knows no {provider_id}.")
    checkout_id = known or purchase.names_checkout
    if checkout_id is None:
        return Reconciled(result=Result.NOT_OURS, note="It names no checkout of ours.")
    with transaction.atomic(durable=True):
        return _bring_in_line(checkout_id, purchase, now, in_books=in_books)


def _bring_in_line(checkout_id: UUID, purchase: Purchase, now: datetime, *, in_books: bool) -> Reconciled:
    checkout = Checkout.objects.select_for_update().filter(pk=checkout_id, provider=purchase.provider).first()
    if checkout is None:
        return _flagged(checkout_id, f"It names {ids.encode(ids.CHECKOUT, checkout_id)}, which is not in the books.")
    if not checkout.provider_id and keep_page(checkout_id=checkout.pk, page=purchase.page):
        checkout.refresh_from_db()  # the provider made the page and we never heard the answer
    if checkout.provider_id != purchase.page.provider_id:
        if purchase.standing in (Standing.PAID, Standing.SHORT):
            return _flagged(
                checkout.pk, f"Money came through {purchase.page.provider_id}, another page of this checkout."
            )
        return Reconciled(result=Result.IN_LINE, checkout_id=checkout.pk, note="Another page of the checkout, unpaid.")
    if purchase.standing is Standing.SHORT and checkout.status != PAID:
        return _review(checkout, purchase.note)
    if purchase.standing is Standing.PAID:
        return _paid(checkout, purchase, now)
    if in_books and not _received_enough(checkout, purchase):  # an answer from before the deposit says nothing odd
        note = f"It is credited, and its provider says now that it is {purchase.standing}."
        _remark(checkout, note)
        return _flagged(checkout.pk, note)
    last = _LAST.get(purchase.standing)
    if last is not None:
        still = None if not provider_of(purchase.provider).takes_late_payments else checkout.reconcile_at
        CHECKOUT.apply(last, _own(checkout), finished_at=now, reconcile_at=still)
    return Reconciled(result=Result.IN_LINE, checkout_id=checkout.pk, note=f"It is {purchase.standing}.")


def _paid(checkout: Checkout, purchase: Purchase, now: datetime) -> Reconciled:
    deposit = Deposit.objects.select_for_update().filter(pk=checkout.pk).first()
    if deposit is None:
        wrong = _mismatches(checkout, purchase)
        if wrong and checkout.status == CANCELED and _returned(purchase):
            return Reconciled(result=Result.IN_LINE, checkout_id=checkout.pk, note="All of it was given back.")
        if wrong:
            return _review(checkout, f"Paid, and not credited: {'; '.join(wrong)}.")
        deposit = _credit(checkout, purchase, now, cents=checkout.usd_cents, note=purchase.note)
    return _settled(checkout, deposit, purchase, now)


def credit_received(*, checkout_id: UUID, purchase: Purchase, cents: int, note: str, now: datetime) -> bool:
    """Credit so much of what `purchase` shows as received to a checkout in review; False when it is not any more.

    The deposit is like any other: what is or will be refunded or disputed of it is taken. In the caller's transaction.
    """
    checkout = Checkout.objects.select_for_update().get(pk=checkout_id)
    if checkout.status != REVIEW:
        return False
    _settled(checkout, _credit(checkout, purchase, now, cents=cents, note=note), purchase, now)
    return True


def _settled(checkout: Checkout, deposit: Deposit, purchase: Purchase, now: datetime) -> Reconciled:
    """Take what came back of a deposit; the deposit and its checkout are locked."""
    # What came back first: it makes room for what is taken.
    takings = sorted(purchase.takings, key=lambda taking: not taking.given_back)
    odd = [text for taking in takings if (text := _settle(deposit, taking, now))]
    _watch(deposit, purchase, now)
    if odd:
        _remark(checkout, " ".join(odd))
        return _flagged(checkout.pk, " ".join(odd))
    return Reconciled(result=Result.IN_LINE, checkout_id=checkout.pk, note=purchase.note or "It is paid.")


def _received_enough(checkout: Checkout, purchase: Purchase) -> bool:
    """Whether the provider still has what an operator credited of a payment that was short."""
    deposit = Deposit.objects.get(pk=checkout.pk)
    return purchase.standing is Standing.SHORT and (purchase.received_cents or 0) >= deposit.usd_cents


def _mismatches(checkout: Checkout, purchase: Purchase) -> list[str]:
    wrong = []
    if purchase.names_checkout != checkout.pk:
        wrong.append("it names another checkout")
    if purchase.names_account != checkout.account_id:
        wrong.append("it names another account")
    if purchase.currency != "usd":
        wrong.append(f"its currency is {purchase.currency or 'unknown'}")
    if purchase.cents != checkout.usd_cents:
        wrong.append(f"its price is {purchase.cents} cents and not {checkout.usd_cents}")
    if (purchase.received_cents or 0) < checkout.usd_cents:
        wrong.append(f"{purchase.received_cents} cents of {checkout.usd_cents} were received")
    return wrong


def _returned(purchase: Purchase) -> bool:
    taken = sum(taking.cents or 0 for taking in purchase.takings if not taking.given_back)
    return taken >= (purchase.received_cents or 0) > 0


def _credit(checkout: Checkout, purchase: Purchase, now: datetime, *, cents: int, note: str) -> Deposit:
    amount = cents * MICROS_PER_CENT
    close_attribution(account_id=checkout.account_id, now=now)
    deposit = Deposit.objects.create(
        pk=checkout.pk,
        account_id=checkout.account_id,
        provider=checkout.provider,
        provider_id=purchase.payment_id,
        package_code=checkout.package_code,
        usd_cents=cents,
        amount_micros=amount,
        settled_at=now,
    )
    if not CHECKOUT.apply("pay", _own(checkout), note=note, finished_at=now, reconcile_at=None):
        raise LookupError(f"checkout {checkout.pk} is {checkout.status} without a deposit")
    emit(topic=outbox_topics.DEPOSIT_SETTLED, payload=_facts(deposit))
    credit_deposit(
        account_id=deposit.account_id,
        amount=amount,
        provider=deposit.provider,
        reference=f"deposit:{deposit.pk}:paid",
    )
    return deposit


def _settle(deposit: Deposit, taking: Taking, now: datetime) -> str:
    """Move one refund or dispute forward: untold → posted → restored, never back. What an operator must know of it.

    All refunds and disputes together take no more than the deposit. Where one found too little left and another came
    back since, its rest is taken under a name of its own: `<provider's id>:2`.
    """
    what = f"{taking.kind} {taking.provider_id}"
    if taking.cents is None:
        return f"The {what} is not in US dollars."
    asked = taking.cents * MICROS_PER_CENT
    of_it = Q(provider_id=taking.provider_id) | Q(provider_id__startswith=f"{taking.provider_id}:")
    known = list(Reversal.objects.filter(of_it, deposit=deposit, kind=taking.kind))
    if taking.given_back:
        for reversal in known:
            if reversal.status == POSTED:
                _give_back(deposit, reversal, now)
        if not known:
            # Nothing was taken, and an older answer of the provider must not take it now.
            _reversal(deposit, taking, taking.provider_id, asked, now, status=RESTORED, restored_at=now)
        return ""
    if any(reversal.status == RESTORED for reversal in known):
        return ""  # this answer is older than the one that gave it back
    missing = asked - sum(reversal.amount_micros for reversal in known)
    left = deposit.amount_micros - deposit.reversed_micros
    if missing > 0 and left > 0:
        name = f"{taking.provider_id}:{len(known) + 1}" if known else taking.provider_id
        _take(deposit, _reversal(deposit, taking, name, min(missing, left), now))
    return f"The {what} is over {asked} micros, {missing - left} more than is left of the deposit." * (missing > left)


def _reversal(
    deposit: Deposit, taking: Taking, name: str, amount: Micros, now: datetime, **more: str | datetime
) -> Reversal:
    return Reversal.objects.create(
        deposit=deposit,
        kind=taking.kind,
        provider_id=name,
        amount_micros=amount,
        reason=taking.reason,
        created_at=now,
        **more,
    )


def _take(deposit: Deposit, reversal: Reversal) -> None:
    deposit.reversed_micros += reversal.amount_micros
    deposit.save(update_fields=["reversed_micros"])
    emit(topic=outbox_topics.DEPOSIT_REVERSED, payload=_reversal_facts(deposit, reversal))
    reverse_deposit(
        account_id=deposit.account_id,
        amount=reversal.amount_micros,
        provider=deposit.provider,
        reference=_reference(deposit, reversal, {REFUND: "", DISPUTE: ":opened"}),
    )


def _give_back(deposit: Deposit, reversal: Reversal, now: datetime) -> None:
    if not REVERSAL.apply("restore", Reversal.objects.filter(pk=reversal.pk), restored_at=now):
        raise LookupError(f"{reversal} moved although its deposit is locked")
    deposit.reversed_micros -= reversal.amount_micros
    deposit.save(update_fields=["reversed_micros"])
    emit(topic=outbox_topics.DEPOSIT_RESTORED, payload=_reversal_facts(deposit, reversal))
    credit_deposit(
        account_id=deposit.account_id,
        amount=reversal.amount_micros,
        provider=deposit.provider,
        reference=_reference(deposit, reversal, {REFUND: ":failed", DISPUTE: ":won"}),
    )


def _watch(deposit: Deposit, purchase: Purchase, now: datetime) -> None:
    """Set when the provider is asked for refunds and disputes again."""
    watched = now < deposit.settled_at + WATCHED or any(taking.undecided for taking in purchase.takings)
    follows = provider_of(deposit.provider).follows_refunds
    deposit.reconcile_at = now + WATCH_PAUSE if follows and watched else None
    deposit.save(update_fields=["reconcile_at"])


def _review(checkout: Checkout, note: str) -> Reconciled:
    """Money that does not fit stays uncredited until an operator decides."""
    if checkout.status == CANCELED and checkout.note.startswith(CLOSED):
        return _flagged(checkout.pk, note)
    still = checkout.reconcile_at if provider_of(checkout.provider).takes_late_payments else None
    CHECKOUT.apply("flag", _own(checkout), note=note, reconcile_at=still)
    return _flagged(checkout.pk, note)


def _remark(checkout: Checkout, note: str) -> None:
    """Note what is odd of a paid checkout, once, behind an operator's decision."""
    if not checkout.note.startswith(CREDITED):
        _own(checkout).update(note=note)
    elif note not in checkout.note:
        _own(checkout).update(note=f"{checkout.note} | {note}")


def _flagged(checkout_id: UUID | None, note: str) -> Reconciled:
    _log.warning("payment_flagged", checkout_id=str(checkout_id), note=note)
    return Reconciled(result=Result.FLAGGED, checkout_id=checkout_id, note=note)


def _own(checkout: Checkout) -> QuerySet[Checkout]:
    return Checkout.objects.filter(pk=checkout.pk)


def _reference(deposit: Deposit, reversal: Reversal, steps: dict[str, str]) -> str:
    return f"deposit:{deposit.pk}:{reversal.kind}:{reversal.provider_id}{steps[reversal.kind]}"


def _facts(deposit: Deposit) -> dict[str, str | int]:
    return {
        "depositId": str(deposit.pk),
        "accountId": str(deposit.account_id),
        "depositMicros": deposit.amount_micros,
        "settledAt": clock.rfc3339(deposit.settled_at),
    }


def _reversal_facts(deposit: Deposit, reversal: Reversal) -> dict[str, str | int]:
    return {**_facts(deposit), "reversalId": str(reversal.pk), "reversedMicros": reversal.amount_micros}
