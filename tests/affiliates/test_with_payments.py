"""From a link to a payout and back, over HTTP, with the payment provider's sandbox and the steward in between."""

from typing import Any

import pytest
from django.test import Client

from affiliates.audit import differences
from affiliates.models import Affiliate, Attribution, Commission, PayoutRequest
from affiliates.services.commissions import mature_due
from affiliates.services.decisions import decide_affiliate, decide_payout
from billing.selectors import CommissionView, audit, commission, house_totals
from core import clock
from core.outbox.models import OutboxEvent
from payments.audit import differences as differences_of_payments
from tests.accounts.credentials import browser_of
from tests.accounts.sign_ins import handle_events
from tests.affiliates.partners import DAY
from tests.affiliates.test_routes import APPLICATION, APPLY, BASE, CODE, COMMISSIONS, DASHBOARD, REQUESTS
from tests.media.customers import Customer, error, new_customer
from tests.payments.shop import CHECKOUT, Bought, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(db: None) -> Customer:
    """Without money: every deposit here has a provider behind it."""
    return new_customer(deposit=0)


@pytest.fixture
def other(db: None) -> Customer:
    """The same."""
    return new_customer(deposit=0)


@pytest.fixture
def partner(customer: Customer, other: Customer) -> Customer:
    """Approved, by somebody else."""
    assert customer.post(APPLY, APPLICATION).status_code == 201
    affiliate = Affiliate.objects.get()
    decide_affiliate(affiliate_id=affiliate.pk, action="approve", actor_id=other.id, reason="", now=clock.now())
    return customer


@pytest.fixture
def code(partner: Customer) -> str:
    answer = partner.get(CODE)
    assert answer.status_code == 200
    return str(answer.json()["code"])


def buys(shop: Shop, buyer: Customer, package: str, **body: Any) -> Bought:
    """Paid, claimed, and told to the other rooms."""
    bought = shop.buy(buyer, package=package, **body)
    shop.stripe.pay(bought.provider_id)
    assert bought.claim().status_code == 200
    shop.forget_events()
    handle_events()
    return bought


def hear(shop: Shop) -> None:
    """The provider tells, the steward judges, the other rooms hear of it."""
    shop.tell_all()
    shop.judge()
    handle_events()
    assert not OutboxEvent.objects.exists()


def clean() -> None:
    assert audit() == differences() == differences_of_payments() == []


def test_from_a_purchase_to_a_payout_and_its_claw_back(
    shop: Shop, partner: Customer, other: Customer, code: str
) -> None:
    buyer = new_customer(deposit=0)
    first = buys(shop, buyer, "scale", affiliateCode=code.lower())
    assert first.body["affiliate"] == {"applied": True, "reason": "applied"}
    second = buys(shop, buyer, "scale")
    assert commission(affiliate_id=partner.id) == CommissionView(80_000_000, 0, 0)

    # A fifth of a refund of $50 comes back, once, however often the provider tells of it.
    shop.stripe.refund(shop.payment_of(second), 5_000)
    hear(shop)
    second.reconcile()
    handle_events()
    assert commission(affiliate_id=partner.id) == CommissionView(70_000_000, 0, 0)

    later = clock.now() + 30 * DAY
    assert mature_due(limit=10, now=later) == 2
    asked = partner.post(REQUESTS)
    assert (asked.status_code, asked.json()["payoutRequest"]["amountUsdMicros"]) == (201, 70_000_000)
    payout = PayoutRequest.objects.get()
    for action in ("approve", "pay"):
        decide_payout(
            payout_id=payout.pk,
            action=action,  # type: ignore[arg-type]
            actor_id=other.id,
            payment_reference="wire 1",
            now=later,
        )
    assert commission(affiliate_id=partner.id) == CommissionView(0, 0, 0)
    clean()

    # A dispute of what was paid out already is owed, until it is won.
    dispute = shop.stripe.dispute(shop.payment_of(first))["id"]
    hear(shop)
    assert commission(affiliate_id=partner.id) == CommissionView(0, -40_000_000, 0)
    refused = error(partner.post(REQUESTS), 409, "invalid_state")
    assert (refused["details"]["reasons"], refused["details"]["availableUsdMicros"]) == (["below_minimum"], -40_000_000)
    clean()
    shop.stripe.win_dispute(dispute)
    hear(shop)
    assert commission(affiliate_id=partner.id) == CommissionView(0, 0, 0)
    assert house_totals()["cash:payouts"] == 70_000_000
    figures = partner.get(DASHBOARD).json()
    assert (figures["boundAccounts"], figures["deposits"], figures["depositsUsdMicros"]) == (1, 2, 400_000_000)
    assert figures["commission"]["paidUsdMicros"] == 70_000_000
    assert [one["netUsdMicros"] for one in partner.get(COMMISSIONS).json()["commissions"]] == [30_000_000, 40_000_000]
    clean()


def test_a_code_after_the_first_deposit_is_too_late_and_stops_nobody(shop: Shop, partner: Customer, code: str) -> None:
    buyer = new_customer(deposit=0)
    buys(shop, buyer, "starter")
    late = buys(shop, buyer, "starter", affiliateCode=code)
    assert late.body["affiliate"] == {"applied": False, "reason": "too_late"}
    assert Attribution.objects.get(account_id=buyer.id).source == "deposit"
    assert not Commission.objects.exists()
    assert commission(affiliate_id=partner.id) == CommissionView(0, 0, 0)
    clean()


def test_a_browser_that_followed_the_link_is_bound_by_its_first_checkout(
    shop: Shop, partner: Customer, code: str
) -> None:
    buyer = new_customer(deposit=0)
    browser: Client = browser_of(buyer)
    assert browser.get(f"{BASE}/r", {"code": code}).status_code == 302
    answer = browser.post(
        f"{CHECKOUT}/stripe",
        {"packageCode": "starter"},
        content_type="application/json",
        headers={"Origin": "http://127.0.0.1:8000"},
    )
    assert answer.status_code == 201, answer.content
    bound = Attribution.objects.get(account_id=buyer.id)
    assert (bound.source, bound.affiliate_id) == ("cookie", Affiliate.objects.get(account_id=partner.id).pk)


def test_the_affiliate_earns_nothing_by_its_own_purchase(shop: Shop, partner: Customer, code: str) -> None:
    own = buys(shop, partner, "scale", affiliateCode=code)
    assert own.body["affiliate"] == {"applied": False, "reason": "own_code"}
    assert commission(affiliate_id=partner.id) == CommissionView(0, 0, 0)
    assert not Commission.objects.exists()
    clean()
