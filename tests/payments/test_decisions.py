"""Purchases in review and flagged events: an operator decides, once, and never over what the provider received."""

from typing import Any

import pytest
from pytest_django import Settings

from billing.ledger.models import Transfer
from core import clock, ids
from core.errors import ApiError, InvalidRequest, InvalidState, NotFound
from payments import audit as payments_audit
from payments import provider_audit
from payments.models import Deposit, ProviderEvent, Reversal
from payments.providers.purchase import ProviderUnavailable
from payments.services.decide_checkout import decide_checkout
from payments.services.decide_x402 import OwnPayment
from payments.services.process_events import EventNotFlagged, dismiss_event
from payments.services.reconcile_deposit import Result
from tests.billing.racing import race
from tests.desk.staff import make_staff, signed_in
from tests.media.customers import Customer, error
from tests.payments.shop import CHECKOUT, CREATOR_MICROS, Bought, Shop, books_agree, ledger, money, topics

pytestmark = pytest.mark.django_db(transaction=True)


def short(shop: Shop, customer: Customer) -> Bought:
    """A charge that is a cent short."""
    bought = shop.buy(customer, "crypto")
    shop.coinbase.underpay(bought.provider_id)
    shop.coinbase.confirm(bought.provider_id)
    assert bought.reconcile().result is Result.FLAGGED
    assert bought.row.status == "review"
    return bought


def decide(bought: Bought, actor: Customer, **how: Any) -> None:
    how = {"action": "credit", "cents": 1_999, "reason": "ticket 7"} | how
    decide_checkout(checkout_id=bought.checkout_id, actor_id=actor.id, now=clock.now(), **how)


def refused(kind: type[ApiError], bought: Bought, actor: Customer, **how: Any) -> None:
    """Nothing comes of it."""
    before = (bought.row.status, bought.row.note, Transfer.objects.count(), Deposit.objects.count())
    with pytest.raises(kind):
        decide(bought, actor, **how)
    assert (bought.row.status, bought.row.note, Transfer.objects.count(), Deposit.objects.count()) == before


def test_what_was_received_is_credited_once(shop: Shop, customer: Customer, other: Customer) -> None:
    bought = short(shop, customer)
    decide(bought, other)
    row, deposit = bought.row, bought.deposit
    assert (row.status, row.reconcile_at) == ("paid", None)
    assert row.note == f"credited_by_operator: {other.public_id}: ticket 7"
    assert (deposit.usd_cents, deposit.amount_micros, deposit.provider_id) == (1_999, 19_990_000, bought.provider_id)
    assert ledger(bought) == [("paid", "deposit", 19_990_000)]
    assert topics() == ["deposit_settled"]
    refused(InvalidState, bought, other)
    # What the provider says from now on is no news.
    assert bought.reconcile().result is Result.IN_LINE
    assert bought.claim().json()["depositUsdCents"] == 1_999
    assert money(customer) == (19_990_000, 0, 0)
    books_agree()
    assert payments_audit.differences() == []
    assert provider_audit.differences() == []


def test_what_may_not_be_credited(
    shop: Shop, customer: Customer, other: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought = short(shop, customer)
    refused(OwnPayment, bought, customer)
    refused(OwnPayment, bought, customer, action="close")
    refused(InvalidRequest, bought, other, reason=" ")
    for cents in (None, 0, -1, 2_000):
        refused(InvalidRequest, bought, other, cents=cents)
    refused(InvalidState, shop.buy(other), customer)
    shop.coinbase.faults.fail_next(5, 500)
    refused(ProviderUnavailable, bought, other)
    shop.coinbase.faults.clear()
    with pytest.raises(NotFound):
        decide_checkout(
            checkout_id=ids.new(), action="close", cents=None, reason="x", actor_id=other.id, now=clock.now()
        )
    assert money(customer) == (0, 0, 0)


def test_another_currency_is_not_credited(shop: Shop, customer: Customer, other: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id, currency="eur")
    bought.reconcile()
    assert bought.row.status == "review"
    refused(InvalidState, bought, other, cents=1)


def test_a_refund_made_before_the_credit_is_taken_from_it(shop: Shop, customer: Customer, other: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id, amount=1_500)
    bought.reconcile()
    assert bought.row.status == "review"
    shop.stripe.refund(shop.payment_of(bought), 400)
    decide(bought, other, cents=1_500)
    assert [amount for _, _, amount in ledger(bought)] == [15_000_000, 4_000_000]
    assert (bought.deposit.reversed_micros, Reversal.objects.count()) == (4_000_000, 1)
    assert money(customer) == (11_000_000, 0, 0)
    books_agree()


def test_closed_it_stays_closed(shop: Shop, customer: Customer, other: Customer) -> None:
    bought = short(shop, customer)
    decide(bought, other, action="close", cents=None)
    note = f"closed_by_operator: {other.public_id}: ticket 7"
    # Neither the customer nor the same news of the provider reopens it.
    assert error(bought.claim(), 409, "invalid_state")["details"] == {"status": "canceled"}
    assert bought.reconcile().result is Result.FLAGGED
    row = bought.row
    assert (row.status, row.note, row.reconcile_at) == ("canceled", note, None)
    assert payments_audit.differences() == []
    assert provider_audit.differences() == []
    refused(InvalidState, bought, other)
    assert not Transfer.objects.exists()
    # The rest of the price always wins.
    shop.coinbase.pay(bought.provider_id, "0.01")
    charge = shop.coinbase.get(bought.provider_id)
    shop.coinbase._confirm_payments(charge)
    shop.coinbase._put(charge)
    assert bought.claim().status_code == 200
    assert ledger(bought) == [("paid", "deposit", CREATOR_MICROS)]


def test_closed_and_refunded_there_is_in_line(shop: Shop, customer: Customer, other: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id, amount=1_500)
    bought.reconcile()
    decide(bought, other, action="close", cents=None)
    shop.stripe.refund(shop.payment_of(bought))
    assert bought.reconcile().result is Result.IN_LINE
    assert (bought.row.status, money(customer), Deposit.objects.count()) == ("canceled", (0, 0, 0), 0)


def test_two_operators_at_once(shop: Shop, customer: Customer, other: Customer) -> None:
    bought = short(shop, customer)
    ways = [{}, {}, {"action": "close", "cents": None}, {}]
    outcomes = race([lambda way=way: decide(bought, other, **way) for way in ways])
    failures = [failure for _, failure in outcomes if failure is not None]
    assert len(failures) == 3
    assert all(isinstance(failure, InvalidState) for failure in failures)
    assert len(ledger(bought)) == (bought.row.status == "paid")
    books_agree()


def test_a_flagged_event_is_closed_with_a_note(shop: Shop, customer: Customer, other: Customer) -> None:
    bought = shop.buy(customer, "crypto")
    shop.forget_events()
    shop.coinbase.underpay(bought.provider_id)
    shop.tell_all("crypto")
    event = ProviderEvent.objects.get()
    with pytest.raises(EventNotFlagged):  # it waits to be judged
        dismiss_event(event_id=event.pk, reason="seen", actor_id=other.id, now=clock.now())
    shop.coinbase.confirm(bought.provider_id)
    shop.judge()
    event.refresh_from_db()
    assert event.status == "flagged"
    said = event.note
    with pytest.raises(InvalidRequest):
        dismiss_event(event_id=event.pk, reason=" ", actor_id=other.id, now=clock.now())
    dismiss_event(event_id=event.pk, reason="seen", actor_id=other.id, now=clock.now())
    event.refresh_from_db()
    assert (event.status, event.note) == ("ignored", f"closed_by_operator: {other.public_id}: seen | {said}")
    assert not Transfer.objects.exists()


def test_at_the_desk(shop: Shop, customer: Customer) -> None:
    bought = short(shop, customer)
    page = f"/admin/payments/checkout/{bought.checkout_id}"
    answers = {"cents": "1999", "reason": "ticket 7"}
    assert signed_in(make_staff("operator")).post(f"{page}/credit_received/", answers).status_code == 403
    assert ledger(bought) == []
    finance = signed_in(make_staff("finance"))
    assert "At most what the provider has received" in finance.get(f"{page}/credit_received/").content.decode()
    answer = finance.post(f"{page}/credit_received/", answers | {"cents": "2000"})
    assert (answer.status_code, ledger(bought)) == (400, [])
    answer = finance.post(f"{page}/credit_received/", answers, follow=True)
    assert "$19.99 credited." in answer.content.decode()
    assert ledger(bought) == [("paid", "deposit", 19_990_000)]
    assert finance.post(f"{page}/close/", {"reason": "no"}).status_code == 400
    flagged = short(shop, customer)
    finance.post(f"/admin/payments/checkout/{flagged.checkout_id}/close/", {"reason": "returned"}, follow=True)
    assert (flagged.row.status, ledger(flagged)) == ("canceled", [])


def test_what_a_provider_takes_back_in_words_alone_is_flagged(
    shop: Shop, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought = shop.buy(customer, "crypto")
    shop.coinbase.pay(bought.provider_id)
    shop.coinbase.confirm(bought.provider_id)
    assert bought.claim().status_code == 200
    charge = shop.coinbase.get(bought.provider_id)
    charge["timeline"].append({**charge["timeline"][-1], "status": "EXPIRED"})
    shop.coinbase._put(charge)
    found = bought.reconcile()
    note = "It is credited, and its provider says now that it is expired."
    assert (found.result, found.note, bought.row.note, bought.row.status) == (Result.FLAGGED, note, note, "paid")
    assert ledger(bought) == [("paid", "deposit", CREATOR_MICROS)]


def test_purchases_under_way_are_limited_exactly(shop: Shop, customer: Customer, settings: Settings) -> None:
    settings.PAYMENTS_MOST_OPEN_CHECKOUTS = 3
    key = {"Idempotency-Key": "once"}
    path, body = f"{CHECKOUT}/stripe", {"packageCode": "creator"}
    assert customer.post(path, body, headers=key).status_code == 201
    answers = [answer for answer, _ in race([lambda: customer.post(path, body)] * 6)]
    assert sorted(answer.status_code for answer in answers) == [201, 201, 429, 429, 429, 429]
    charges = len(shop.coinbase.store.newest("coinbase.charge"))
    answer = customer.post(f"{CHECKOUT}/crypto", body)
    assert error(answer, 429, "too_many_checkouts")["details"] == {"limit": 3}
    assert answer["Retry-After"] == "60"
    assert customer.post(path, body, headers=key).status_code == 200  # a repetition is none more
    assert len(shop.coinbase.store.newest("coinbase.charge")) == charges
    shop.stripe.expire(customer.post(path, body, headers=key).json()["sessionId"])
    assert customer.post(path, body).status_code == 429  # we have not heard of it
    shop.tell_all()
    shop.judge()
    assert customer.post(path, body).status_code == 201


def test_the_audits_see_what_nobody_decided(shop: Shop, customer: Customer, other: Customer) -> None:
    """A decision excuses its own deposit alone, and no more than the provider has."""
    decided, plain = short(shop, customer), shop.paid(customer)
    decide(decided, other, cents=1_000)
    charge = shop.coinbase.get(decided.provider_id)
    charge["payments"] = []
    shop.coinbase._put(charge)
    assert decided.reconcile().result is Result.FLAGGED
    note = decided.row.note
    assert note.startswith(f"credited_by_operator: {other.public_id}: ticket 7 | It is credited, and")
    assert decided.reconcile().result is Result.FLAGGED
    assert decided.row.note == note
    assert [(one.figure, one.expected, one.found) for one in provider_audit.differences()] == [("paid_cents", 1_000, 0)]
    Deposit.objects.filter(pk=plain.checkout_id).update(usd_cents=1_999)
    assert ("deposit", "2000", "1999") in {
        (one.figure, one.expected, one.found) for one in payments_audit.differences()
    }
