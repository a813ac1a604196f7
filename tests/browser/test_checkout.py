"""Buying credit by card: the hosted page of the Stripe sandbox, clicked by hand; the balance before and afterwards."""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import expect

from deploy.platform import Platform
from tests.browser.conftest import picture
from tests.browser.visitor import LOOKS, Look, Visitor

STARTER_MICROS = 5_000_000


class Customer:
    """A signed-in visitor who buys the starter package; the API is asked with the browser's session."""

    def __init__(self, visitor: Visitor, email: str) -> None:
        self.visitor, self.page = visitor, visitor.page
        visitor.sign_in(email)
        self.opened: dict[str, Any] = {}

    def open_checkout(self) -> None:
        """Begin a purchase, and go to its payment page."""
        self.opened = self.post("/api/v1/checkout/stripe", {"packageCode": "starter"}, status=201)
        assert self.opened["sandbox"] is True
        self.page.goto(self.opened["url"])
        expect(self.page.get_by_text("SANDBOX")).to_be_visible()
        expect(self.page.get_by_text("$5.00")).to_be_visible()

    def post(self, path: str, body: dict[str, Any], *, status: int) -> dict[str, Any]:
        answer = self.visitor.context.request.post(path, data=body, headers={"Origin": self.visitor.site})
        assert answer.status == status, answer.text()
        found: dict[str, Any] = answer.json()
        return found

    def claim(self, *, status: int) -> dict[str, Any]:
        """Have the provider asked now."""
        return self.post("/api/v1/claim/stripe", {"sessionId": self.opened["sessionId"]}, status=status)

    def balance(self) -> int:
        found: int = self.visitor.context.request.get("/api/v1/balance").json()["usdBalanceMicros"]
        return found

    def deposits(self) -> list[int]:
        """What each deposit brought, by the statement."""
        answer = self.visitor.context.request.get("/api/v1/account/transactions?kind=deposit").json()
        return [one["availableChangeUsdMicros"] for one in answer["transactions"]]

    def click(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_a_paid_checkout_brings_its_credit_once(visit: Any, look: Look) -> None:
    customer = Customer(visit(look), f"payer-{look.name}@example.com")
    page, visitor = customer.page, customer.visitor
    assert customer.balance() == 0
    customer.open_checkout()
    visitor.fits()
    picture(visitor, f"checkout-{look.name}")

    customer.click("Pay")
    expect(page).to_have_url(re.compile(rf"^{visitor.site}/billing/done\?checkout=chk_"))
    expect(page.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    expect(page.get_by_text("$5", exact=False).first).to_be_visible()
    visitor.fits()
    picture(visitor, f"paid-{look.name}")
    assert customer.balance() == STARTER_MICROS

    page.reload()  # and whatever the webhook, the landing page and a claim do at once
    assert customer.claim(status=200)["currentBalanceUsdMicros"] == STARTER_MICROS
    assert (customer.balance(), customer.deposits()) == (STARTER_MICROS, [STARTER_MICROS])
    page.goto("/account")
    visitor.fits()
    picture(visitor, f"account-paid-{look.name}")


def test_the_webhook_alone_brings_the_credit_of_a_bank_that_pays_later(visitor: Visitor) -> None:
    customer = Customer(visitor, "later@example.com")
    customer.open_checkout()
    customer.click("Pay by bank debit")
    expect(customer.page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert customer.claim(status=409)["details"]["status"] == "open"
    assert (customer.balance(), customer.deposits()) == (0, [])
    landing = customer.page.url

    customer.page.goto(customer.opened["url"])
    customer.click("The bank pays")
    expect(customer.page.get_by_text("This is paid.")).to_be_visible()
    deadline = time.monotonic() + 20
    while not customer.balance():  # nobody claims, nobody comes back
        assert time.monotonic() < deadline, "the webhook brought no credit"
        customer.page.wait_for_timeout(50)
    assert (customer.balance(), customer.deposits()) == (STARTER_MICROS, [STARTER_MICROS])
    customer.page.goto(landing)
    expect(customer.page.get_by_role("heading", name="Paid", exact=True)).to_be_visible()


def test_a_canceled_checkout_brings_nothing(visitor: Visitor) -> None:
    customer = Customer(visitor, "leaver@example.com")
    customer.open_checkout()
    customer.click("Cancel")
    expect(customer.page).to_have_url(re.compile(rf"^{visitor.site}/billing/canceled"))
    expect(customer.page.get_by_role("heading", name="Nothing was paid")).to_be_visible()
    visitor.fits()
    picture(visitor, "checkout-canceled")
    customer.claim(status=409)
    assert (customer.balance(), customer.deposits()) == (0, [])


def test_a_failing_card_brings_nothing_and_another_one_may_be_tried(visitor: Visitor) -> None:
    customer = Customer(visitor, "declined@example.com")
    customer.open_checkout()
    customer.click("Pay with a card that fails")
    expect(customer.page.get_by_text("The card was declined.")).to_be_visible()
    picture(visitor, "checkout-declined")
    customer.claim(status=409)
    assert (customer.balance(), customer.deposits()) == (0, [])
    customer.click("Pay")
    expect(customer.page.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    assert (customer.balance(), customer.deposits()) == (STARTER_MICROS, [STARTER_MICROS])


def test_a_bank_that_refuses_brings_nothing(visitor: Visitor) -> None:
    customer = Customer(visitor, "refused@example.com")
    customer.open_checkout()
    customer.click("Pay by bank debit")
    landing = customer.page.url
    customer.page.goto(customer.opened["url"])
    customer.click("The bank refuses")
    expect(customer.page.get_by_text("The bank has refused.")).to_be_visible()
    customer.page.goto(landing)
    expect(customer.page.get_by_role("heading", name="Not paid")).to_be_visible()
    customer.claim(status=409)
    assert (customer.balance(), customer.deposits()) == (0, [])


def test_a_landing_page_of_somebody_else_tells_nothing(visit: Any, platform: Platform) -> None:
    buyer = Customer(visit(), "buyer@example.com")
    buyer.open_checkout()
    buyer.click("Pay")
    expect(buyer.page.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    stranger = Customer(visit(), "stranger@example.com")
    stranger.page.goto(buyer.page.url)
    expect(stranger.page.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(stranger.page.get_by_text("$5")).to_have_count(0)
    stranger.opened = buyer.opened
    assert stranger.claim(status=404)["code"] == "not_found"
    assert (stranger.balance(), buyer.balance()) == (0, STARTER_MICROS)
