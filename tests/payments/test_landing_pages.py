"""Where customers land after a payment page, and what says that payments are a sandbox's."""

import pytest
from django.test import Client
from pytest_django import Settings

from billing.ledger.models import Transfer
from core.valkey import valkey
from payments.providers.stripe import StripeCheckout
from tests.accounts.credentials import browser_of
from tests.media.customers import Customer
from tests.payments.shop import CREATOR_MICROS, Bought, Shop, ledger, money

pytestmark = pytest.mark.django_db
BANNER = b"Sandbox: payments here are made up"


def landing(browser: Client, bought: Bought) -> str:
    """The page, loaded when the provider may be asked again."""
    valkey().delete(f"payments:looked:{bought.checkout_id}")
    answer = browser.get("/billing/done", {"checkout": bought.body["checkoutId"]})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert "script-src" not in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    return answer.content.decode()


def test_coming_back_from_paying_credits_at_once(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    browser = browser_of(customer)
    assert "load this page again" in landing(browser, bought)
    assert money(customer) == (0, 0, 0)
    shop.stripe.pay(bought.provider_id)
    page = landing(browser, bought)
    assert "<h1>Paid</h1>" in page
    assert "$20 of credit is in your account." in page
    assert "<dd>$20</dd>" in page
    assert landing(browser, bought) == page
    assert ledger(bought) == [("paid", "deposit", CREATOR_MICROS)]


def test_nobody_else_learns_of_a_purchase_or_moves_it(shop: Shop, customer: Customer, other: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    stranger = landing(Client(), bought)
    assert landing(Client(), bought) == stranger
    assert "Thank you" in stranger
    assert "Thank you" in landing(browser_of(other), bought)
    assert Client().get("/billing/done?checkout=chk_nonsense").content.decode() == stranger
    assert bought.row.status == "open"
    assert not Transfer.objects.exists()


def test_a_purchase_that_ended_or_does_not_fit_is_told(shop: Shop, customer: Customer) -> None:
    expired, odd = shop.buy(customer), shop.buy(customer)
    shop.stripe.expire(expired.provider_id)
    shop.stripe.pay(odd.provider_id, amount=1)
    browser = browser_of(customer)
    assert "<h1>Not paid</h1>" in landing(browser, expired)
    assert "<h1>We are looking into it</h1>" in landing(browser, odd)
    assert not Transfer.objects.exists()


def test_while_the_provider_is_away_the_page_says_so(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    shop.stripe.faults.fail_next(2, 500)
    browser = browser_of(customer)
    assert "does not answer right now" in landing(browser, bought)
    assert money(customer) == (0, 0, 0)
    assert "<h1>Paid</h1>" in landing(browser, bought)


def test_loading_the_page_again_and_again_asks_the_provider_once(
    shop: Shop, customer: Customer, other: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought, another = shop.buy(customer), shop.buy(customer)
    asked: list[str] = []
    read = StripeCheckout.read

    def counted(provider: StripeCheckout, provider_id: str, *, thorough: bool) -> object:
        asked.append(provider_id)
        return read(provider, provider_id, thorough=thorough)

    monkeypatch.setattr(StripeCheckout, "read", counted)
    browser, path = browser_of(customer), "/billing/done"
    for stranger in (Client(), browser_of(other)):
        stranger.get(path, {"checkout": bought.body["checkoutId"]})
    for one in (bought, bought, another, bought, another):
        assert "load this page again" in browser.get(path, {"checkout": one.body["checkoutId"]}).content.decode()
    assert asked == [bought.provider_id, another.provider_id]
    assert 0 < valkey().ttl(f"payments:looked:{bought.checkout_id}") <= 5
    landing(browser, bought)
    assert asked[2:] == [bought.provider_id]


def test_going_back_without_paying(shop: Shop) -> None:
    answer = shop.http.get("/billing/canceled")
    assert answer.status_code == 200
    assert b"Nothing was paid" in answer.content


def test_every_page_says_that_payments_are_a_sandboxs_and_only_then(
    shop: Shop, customer: Customer, settings: Settings
) -> None:
    browser = browser_of(customer)
    pages = ("/billing/done", "/billing/canceled", "/account", "/link", "/legal", "/nowhere")
    for path in pages:
        assert BANNER in browser.get(path).content, path
    assert BANNER in Client().get("/sign-in").content
    assert shop.http.get("/readyz").json()["sandbox"] == ["stripe", "coinbase", "x402"]
    settings.PAYMENTS_SANDBOX = []
    for path in pages:
        assert BANNER not in browser.get(path).content, path
    assert "sandbox" not in shop.http.get("/readyz").json()
