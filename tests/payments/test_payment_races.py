"""Events, claims, the periodic pass and purchases that meet at the same moment, on connections of their own."""

from threading import Event
from typing import Any

import pytest
from django.db import transaction

from affiliates.models import Attribution
from core import clock
from core.outbox.models import OutboxEvent
from gateway.handlers import HANDLERS
from payments.models import Checkout, Deposit, ProviderEvent, Reversal
from payments.providers.stripe import StripeCheckout
from payments.services.process_events import process_due_events
from payments.services.reconcile_due import reconcile_due
from tests.affiliates.partners import new_affiliate, new_code
from tests.billing.racing import race, results, wait_until_blocked
from tests.media.customers import Customer
from tests.payments.shop import CHECKOUT, CREATOR_MICROS, Shop, books_agree, ledger, money

pytestmark = pytest.mark.django_db(transaction=True)
PAID = ("paid", "deposit", CREATOR_MICROS)


def settled_events() -> int:
    return OutboxEvent.objects.filter(topic="payments.deposit_settled").count()


def subscribers() -> int:
    return len(HANDLERS["payments.deposit_settled"])


def test_one_event_ten_times_at_once_is_kept_and_credited_once(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    event = shop.stripe.events("checkout.session.completed")[0]["id"]
    answers = results(race([lambda: shop.tell(event)] * 10))
    assert {answer.status_code for answer in answers} == {200}
    assert ProviderEvent.objects.count() == 1
    results(race([shop.judge] * 4))
    assert ledger(bought) == [PAID]
    assert settled_events() == subscribers()
    assert ProviderEvent.objects.get().status == "processed"
    books_agree()


def test_events_claims_and_the_periodic_pass_at_once_credit_once(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    shop.tell_all()
    Checkout.objects.update(reconcile_at=clock.now())
    calls: list[Any] = [bought.claim] * 4 + [shop.judge] * 3
    calls += [lambda: reconcile_due(limit=10, now=clock.now())] * 3 + [bought.reconcile] * 2
    outcomes = results(race(calls))
    assert [answer.status_code for answer in outcomes[:4]] == [200] * 4
    assert {answer.json()["currentBalanceUsdMicros"] for answer in outcomes[:4]} == {CREATOR_MICROS}
    assert ledger(bought) == [PAID]
    assert Deposit.objects.count() == 1
    assert settled_events() == subscribers()
    assert money(customer) == (CREATOR_MICROS, 0, 0)
    books_agree()


def test_refund_and_dispute_events_at_once_take_each_once_and_no_more_than_there_was(
    shop: Shop, customer: Customer
) -> None:
    bought = shop.paid(customer)
    payment = shop.payment_of(bought)
    shop.stripe.refund(payment, 1_200)
    shop.stripe.dispute(payment, 2_000)
    for event in shop.new_events():
        shop.tell(event["id"])
    results(race([shop.judge] * 4 + [bought.reconcile] * 4))
    lines = ledger(bought)
    assert lines[0] == PAID
    assert sum(amount for _, kind, amount in lines[1:] if kind == "reversal") == CREATOR_MICROS
    assert Reversal.objects.count() == len(lines) - 1
    assert money(customer) == (0, 0, 0)
    assert bought.deposit.reversed_micros == CREATOR_MICROS
    books_agree()


def test_an_older_answer_of_the_provider_undoes_nothing_that_a_newer_one_did(
    shop: Shop, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One reconciliation reads a refund as pending and is held up; another reads it as failed and is done first."""
    bought = shop.paid(customer)
    refund = shop.stripe.refund(shop.payment_of(bought), 500, pending=True)["id"]
    has_read, may_write = Event(), Event()
    read = StripeCheckout.read
    first = [True]

    def slow_read(self: StripeCheckout, provider_id: str, *, thorough: bool) -> Any:
        found = read(self, provider_id, thorough=thorough)
        if first:
            first.clear()
            has_read.set()
            assert may_write.wait(30)
        return found

    def newer() -> None:
        assert has_read.wait(30)
        try:
            shop.stripe.fail_refund(refund)
            shop.stripe.refund(shop.payment_of(bought), 100)  # so that refunds are hinted at
            bought.reconcile()
        finally:
            may_write.set()

    monkeypatch.setattr(StripeCheckout, "read", slow_read)
    results(race([bought.reconcile, newer]))
    assert [line for line in ledger(bought) if refund in line[0]] == []
    assert money(customer) == (19_000_000, 0, 0)
    assert Reversal.objects.get(provider_id=refund).status == "restored"
    bought.reconcile()
    assert money(customer) == (19_000_000, 0, 0)
    books_agree()


@pytest.mark.parametrize("way", ["stripe", "crypto"])
def test_one_request_many_times_at_once_opens_one_page(shop: Shop, customer: Customer, way: str) -> None:
    def ask() -> Any:
        return customer.post(f"{CHECKOUT}/{way}", {"packageCode": "creator"}, headers={"Idempotency-Key": "once"})

    answers = results(race([ask] * 8))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert Checkout.objects.get().provider_id == answers[0].json()["sessionId" if way == "stripe" else "chargeId"]


def test_a_code_and_the_first_deposit_at_once_leave_one_attribution(shop: Shop, customer: Customer) -> None:
    """Whichever row is written first decides; the deposit is credited either way."""
    code = new_code(new_affiliate())
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)

    def buy_with_code() -> Any:
        return customer.post(f"{CHECKOUT}/stripe", {"packageCode": "starter", "affiliateCode": code}).json()

    claimed, begun = results(race([bought.claim, buy_with_code]))
    assert claimed.status_code == 200
    attribution = Attribution.objects.get(account_id=customer.id)
    assert begun["affiliate"]["applied"] is (attribution.affiliate is not None)
    assert begun["affiliate"]["reason"] == ("applied" if attribution.affiliate else "too_late")
    assert ledger(bought) == [PAID]


def test_a_reconciliation_waits_for_the_one_before_it(shop: Shop, customer: Customer) -> None:
    """The checkout's row is what they meet at: the second finds everything done."""
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    holding, release = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            Checkout.objects.select_for_update().get(pk=bought.checkout_id)
            holding.set()
            assert release.wait(30)

    def credit() -> Any:
        assert holding.wait(30)
        return bought.reconcile()

    def let_go() -> None:
        try:
            wait_until_blocked(2)
            assert money(customer) == (0, 0, 0)
        finally:
            release.set()

    results(race([hold, credit, credit, let_go]))
    assert ledger(bought) == [PAID]


def test_two_stewards_judging_at_once_end_every_event(shop: Shop, customer: Customer) -> None:
    purchases = [shop.buy(customer, package="starter") for _ in range(4)]
    for bought in purchases:
        shop.stripe.pay(bought.provider_id)
    told = shop.tell_all()
    counts = results(race([lambda: process_due_events(limit=100, now=clock.now())] * 3))
    assert sum(counts) == len(told)
    assert not ProviderEvent.objects.filter(status="received").exists()
    assert [ledger(bought) for bought in purchases] == [[("paid", "deposit", 5_000_000)]] * 4
    assert money(customer) == (20_000_000, 0, 0)
    books_agree()
