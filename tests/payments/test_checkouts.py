"""Packages, and beginning to buy one: what is asked of the provider, once, and what is refused before."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import User
from affiliates.capture import capture
from affiliates.models import Attribution
from billing.ledger.models import Transfer
from core import clock
from core.idempotency.models import IdempotencyRecord
from payments.models import Checkout, Package
from payments.services.open_checkout import ABANDONED, FIRST_LOOK
from payments.services.reconcile_due import reconcile_due
from tests.accounts.credentials import OWN, browser_of, limited
from tests.affiliates.partners import new_affiliate, new_code
from tests.media.customers import Customer, error, refused_fields
from tests.payments.shop import CHECKOUT, Shop

pytestmark = pytest.mark.django_db
STRIPE, CRYPTO = f"{CHECKOUT}/stripe", f"{CHECKOUT}/crypto"
KEY = {"Idempotency-Key": "purchase-1"}
CREATOR = {"packageCode": "creator"}


def sessions(shop: Shop) -> int:
    return len(shop.stripe.store.newest("stripe.session"))


def charges(shop: Shop) -> int:
    return len(shop.coinbase.store.newest("coinbase.charge"))


def test_packages_are_public_and_say_what_is_a_sandbox(shop: Shop) -> None:
    Package.objects.filter(code="studio").update(retired_at=clock.now())
    answer = shop.http.get("/api/v1/packages")
    assert answer.status_code == 200
    body = answer.json()
    assert [package["code"] for package in body["packages"]] == ["starter", "creator", "scale"]
    assert body["packages"][1] == {
        "code": "creator",
        "name": Package.objects.get(code="creator").name,
        "usdCents": 2_000,
        "usd": "20",
        "creditUsdMicros": 20_000_000,
    }
    assert body["methods"] == [
        {"provider": name, "available": True, "sandbox": True} for name in ("stripe", "coinbase", "x402")
    ]
    assert body["sandbox"] is True


def test_without_providers_nothing_can_be_bought_and_packages_say_so(
    shop: Shop, customer: Customer, settings: Settings
) -> None:
    settings.STRIPE_SECRET_KEY = settings.COINBASE_API_KEY = settings.X402_FACILITATOR_URL = ""
    settings.PAYMENTS_SANDBOX = []
    body = shop.http.get("/api/v1/packages").json()
    assert {method["available"] for method in body["methods"]} == {False}
    assert body["sandbox"] is False
    for path in (STRIPE, CRYPTO):
        assert error(customer.post(path, CREATOR), 503, "unavailable")["billed"] is False


def test_a_session_is_what_was_ordered(shop: Shop, customer: Customer, settings: Settings) -> None:
    bought = shop.buy(customer)
    row, session = bought.row, shop.stripe.get("session", bought.provider_id)
    assert bought.body == {
        "ok": True,
        "checkoutId": bought.body["checkoutId"],
        "provider": "stripe",
        "sessionId": session["id"],
        "chargeId": None,
        "url": session["url"],
        "packageCode": "creator",
        "usdCents": 2_000,
        "usd": "20",
        "status": "open",
        "expiresAt": clock.rfc3339(row.expires_at),
        "affiliate": None,
        "sandbox": True,
    }
    assert (session["amount_total"], session["currency"], session["mode"]) == (2_000, "usd", "payment")
    assert session["client_reference_id"] == bought.body["checkoutId"]
    assert session["metadata"] == {
        "checkout_id": bought.body["checkoutId"],
        "account_id": customer.public_id,
        "package_code": "creator",
    }
    assert session["success_url"] == f"{settings.SITE_URL}/billing/done?checkout={bought.body['checkoutId']}"
    assert session["cancel_url"] == f"{settings.SITE_URL}/billing/canceled"
    assert session["customer_email"] is None
    assert (row.status, row.account_id, row.usd_cents) == ("open", customer.id, 2_000)
    assert row.reconcile_at == row.created_at + FIRST_LOOK
    assert not Transfer.objects.exists()


def test_a_charge_is_what_was_ordered(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer, "crypto", "starter", redirectUrl="https://shop.example/thanks")
    charge = shop.coinbase.get(bought.provider_id)
    assert (bought.body["provider"], bought.body["sessionId"], bought.body["chargeId"]) == (
        "coinbase",
        None,
        charge["id"],
    )
    assert bought.body["url"] == charge["hosted_url"]
    assert charge["pricing"]["local"] == {"amount": "5.00", "currency": "USD"}
    assert charge["metadata"]["checkout_id"] == bought.body["checkoutId"]
    assert charge["redirect_url"] == "https://shop.example/thanks"


def test_the_price_is_that_of_the_beginning(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    Package.objects.filter(code="creator").update(usd_cents=9_900)
    shop.stripe.pay(bought.provider_id)
    assert bought.claim().json()["depositUsdCents"] == 2_000


def test_only_the_accounts_own_address_is_filled_in(shop: Shop, customer: Customer) -> None:
    own = User.objects.get(pk=customer.id).email
    for given, filled in ((own, own), ("somebody@else.example", None), ("no address at all", None)):
        session = shop.stripe.get("session", shop.buy(customer, email=given).provider_id)
        assert session["customer_email"] == filled


@pytest.mark.parametrize("path", [STRIPE, CRYPTO])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "packageCode"),
        ({"packageCode": ""}, "packageCode"),
        ({"packageCode": "gold"}, "packageCode"),
        ({"packageCode": "retired"}, "packageCode"),
        ({"packageCode": "creator\0"}, "packageCode"),
        ({"packageCode": 7}, "packageCode"),
        (CREATOR | {"usdCents": 1}, "usdCents"),
        (CREATOR | {"affiliateCode": "abc"}, "affiliateCode"),
        (CREATOR | {"affiliateCode": "a" * 33}, "affiliateCode"),
        (CREATOR | {"cancelUrl": None}, "cancelUrl"),
    ],
)
def test_what_cannot_be_bought_leaves_nothing(
    shop: Shop, customer: Customer, path: str, body: dict[str, Any], field: str
) -> None:
    Package.objects.get_or_create(code="retired", name="Retired", usd_cents=100, retired_at=clock.now())
    assert refused_fields(customer.post(path, body)).keys() == {field}
    assert not Checkout.objects.exists()


@pytest.mark.parametrize(("path", "field"), [(STRIPE, "successUrl"), (STRIPE, "cancelUrl"), (CRYPTO, "redirectUrl")])
@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/",
        "//evil.example/",
        "/billing/done",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https:///path",
        "https://user@evil.example/",
        "https://user:word@evil.example/",
        "https://127.0.0.1:8000@evil.example/",
        "https://evil.example/#https://shop.example",
        "https://evil.example#",
        "https:\\\\evil.example",
        "https://evil.example\\@shop.example/",
        "https://shop.example/\r\nSet-Cookie: a=b",
        " https://shop.example/",
        "https://shop.example:port/",
        "https://b\u00fccher.example/",
        "http://127.0.0.1:8000.evil.example/",
        "ftp://shop.example/",
        "https://shop.example/" + "a" * 2048,
        "",
    ],
)
def test_open_redirects_are_refused(shop: Shop, customer: Customer, path: str, field: str, url: str) -> None:
    assert refused_fields(customer.post(path, CREATOR | {field: url})).keys() == {field}
    assert not Checkout.objects.exists()


def test_https_and_our_own_pages_may_be_returned_to(shop: Shop, customer: Customer, settings: Settings) -> None:
    for url in ("https://shop.example/thanks?session={CHECKOUT_SESSION_ID}", f"{settings.SITE_URL}/account"):
        session = shop.stripe.get("session", shop.buy(customer, successUrl=url, cancelUrl=url).provider_id)
        assert (session["success_url"], session["cancel_url"]) == (url, url)


def test_buying_needs_a_credential_and_its_scope(shop: Shop, customer: Customer) -> None:
    for path in (STRIPE, CRYPTO, "/api/v1/claim/stripe", "/api/v1/claim/crypto"):
        assert shop.http.post(path, CREATOR, content_type="application/json").status_code == 401
        assert error(limited(customer, "billing:read").post(path, CREATOR), 403, "missing_scope")["billed"] is False
    assert not Checkout.objects.exists()


# -- once per idempotency key -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "made"), [(STRIPE, sessions), (CRYPTO, charges)])
def test_a_repetition_opens_the_same_page(shop: Shop, customer: Customer, path: str, made: Any) -> None:
    before = made(shop)
    first = customer.post(path, CREATOR, headers=KEY)
    again = customer.post(path, CREATOR, headers={"X-Idempotency-Key": "purchase-1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert "Idempotent-Replay" not in first
    assert again["Idempotent-Replay"] == "true"
    assert again.json() == first.json()
    assert made(shop) == before + 1
    assert Checkout.objects.count() == 1


def test_a_repetition_answers_the_same_whatever_became_of_the_purchase(shop: Shop, customer: Customer) -> None:
    first = customer.post(STRIPE, CREATOR, headers=KEY).json()
    shop.stripe.pay(first["sessionId"])
    assert customer.post("/api/v1/claim/stripe", {"sessionId": first["sessionId"]}).status_code == 200
    Package.objects.all().update(retired_at=clock.now())
    assert customer.post(STRIPE, CREATOR, headers=KEY).json() == first


def test_another_request_under_the_same_key_is_a_conflict(shop: Shop, customer: Customer, other: Customer) -> None:
    customer.post(STRIPE, CREATOR, headers=KEY)
    for body in ({"packageCode": "starter"}, CREATOR | {"successUrl": "https://shop.example/"}):
        error(customer.post(STRIPE, body, headers=KEY), 409, "idempotency_conflict")
    assert other.post(STRIPE, CREATOR, headers=KEY).status_code == 201
    assert customer.post(CRYPTO, CREATOR, headers=KEY).status_code == 201
    assert Checkout.objects.count() == 3


def test_two_keys_in_one_request_are_refused(shop: Shop, customer: Customer) -> None:
    answer = customer.post(STRIPE, CREATOR, headers=KEY | {"X-Idempotency-Key": "other"})
    assert refused_fields(answer).keys() == {"idempotencyKey"}


# -- the provider is away ---------------------------------------------------------------------------------------------


def test_an_answer_of_stripe_that_is_lost_is_healed_by_repeating(shop: Shop, customer: Customer) -> None:
    """Stripe makes the session, both of its answers are lost; the same request again gets that session."""
    before = sessions(shop)
    shop.stripe.faults.drop_next(2, on="POST /v1/checkout/sessions", after=True)
    assert error(customer.post(STRIPE, CREATOR, headers=KEY), 503, "unavailable")["billed"] is False
    row = Checkout.objects.get()
    assert (row.status, row.provider_id) == ("pending", "")
    answer = customer.post(STRIPE, CREATOR, headers=KEY)
    assert (answer.status_code, answer["Idempotent-Replay"]) == (200, "true")
    assert sessions(shop) == before + 1
    assert Checkout.objects.get().provider_id == answer.json()["sessionId"]


def test_the_periodic_pass_makes_the_page_that_a_crash_left_out(shop: Shop, customer: Customer) -> None:
    before = sessions(shop)
    shop.stripe.faults.fail_next(2, 503, on="POST /v1/checkout/sessions")
    error(customer.post(STRIPE, CREATOR, headers=KEY), 503, "unavailable")
    created_at = Checkout.objects.get().created_at
    assert reconcile_due(limit=10, now=created_at + FIRST_LOOK - timedelta(seconds=1)) == 0
    assert sessions(shop) == before
    assert reconcile_due(limit=10, now=created_at + FIRST_LOOK) == 1
    row = Checkout.objects.get()
    assert row.status == "open"
    assert sessions(shop) == before + 1
    answer = customer.post(STRIPE, CREATOR, headers=KEY)
    assert (answer.status_code, answer.json()["sessionId"]) == (200, row.provider_id)
    assert sessions(shop) == before + 1


def test_a_page_that_could_not_be_made_for_long_is_given_up(shop: Shop, customer: Customer) -> None:
    shop.stripe.faults.fail_next(2, 500, on="POST /v1/checkout/sessions")
    customer.post(STRIPE, CREATOR, headers=KEY)
    before = sessions(shop)
    reconcile_due(limit=10, now=Checkout.objects.get().created_at + ABANDONED + timedelta(seconds=1))
    row = Checkout.objects.get()
    assert (row.status, row.reconcile_at, row.provider_id) == ("failed", None, "")
    assert sessions(shop) == before
    assert not IdempotencyRecord.objects.exists()


def test_an_answer_of_coinbase_that_is_lost_makes_no_second_page_for_the_customer(
    shop: Shop, customer: Customer
) -> None:
    before = charges(shop)
    shop.coinbase.faults.drop_next(1, on="POST /charges", after=True)
    error(customer.post(CRYPTO, CREATOR, headers=KEY), 503, "unavailable")
    assert charges(shop) == before + 1
    # The lost charge's own event tells of it: it becomes the checkout's page.
    shop.tell_all("crypto")
    shop.judge()
    lost = shop.coinbase.store.newest("coinbase.charge")[0]
    answer = customer.post(CRYPTO, CREATOR, headers=KEY)
    assert (answer.status_code, answer.json()["chargeId"], answer.json()["url"]) == (
        200,
        lost["id"],
        lost["hosted_url"],
    )
    assert charges(shop) == before + 1


def test_a_purchase_that_the_provider_refuses_has_failed(shop: Shop, customer: Customer) -> None:
    Package.objects.filter(code="creator").update(usd_cents=100_000_000)  # more than Stripe takes
    body = error(customer.post(STRIPE, CREATOR, headers=KEY), 409, "checkout_refused")
    assert body["billed"] is False
    row = Checkout.objects.get()
    assert (row.status, row.reconcile_at) == ("failed", None)
    assert "999,999.99" in row.note
    # Only what succeeded is remembered: the same key may be used once the cause is mended.
    assert not IdempotencyRecord.objects.exists()
    Package.objects.filter(code="creator").update(usd_cents=2_000)
    assert customer.post(STRIPE, CREATOR, headers=KEY).status_code == 201
    row.refresh_from_db()
    assert row.status == "failed"


def test_a_key_that_stripe_refuses_fails_nobodys_purchase(shop: Shop, customer: Customer, settings: Settings) -> None:
    right = settings.STRIPE_SECRET_KEY
    settings.STRIPE_SECRET_KEY = "sk_test_revoked"
    error(customer.post(STRIPE, CREATOR, headers=KEY), 503, "unavailable")
    assert Checkout.objects.get().status == "pending"
    settings.STRIPE_SECRET_KEY = right
    assert customer.post(STRIPE, CREATOR, headers=KEY).status_code == 200


# -- who brought the buyer --------------------------------------------------------------------------------------------


def test_a_code_is_bound_before_the_purchase_and_never_in_its_way(shop: Shop, customer: Customer) -> None:
    code = new_code(new_affiliate())
    unknown = shop.buy(customer, affiliateCode="NOBODYS-CODE")
    assert unknown.body["affiliate"] == {"applied": False, "reason": "unknown_code"}
    bound = customer.post(STRIPE, CREATOR | {"affiliateCode": code.lower()}, headers=KEY).json()
    assert bound["affiliate"] == {"applied": True, "reason": "applied"}
    assert Attribution.objects.get(account_id=customer.id).code.code == code
    assert customer.post(STRIPE, CREATOR | {"affiliateCode": code.lower()}, headers=KEY).json() == bound
    again = shop.buy(customer, affiliateCode=new_code(new_affiliate()))
    assert again.body["affiliate"] == {"applied": False, "reason": "already_bound"}


def test_after_the_first_deposit_a_code_comes_too_late(shop: Shop, customer: Customer) -> None:
    shop.paid(customer)
    late = shop.buy(customer, affiliateCode=new_code(new_affiliate()))
    assert late.body["affiliate"] == {"applied": False, "reason": "too_late"}
    assert Attribution.objects.get(account_id=customer.id).affiliate is None


def test_a_browsers_capture_binds_at_the_first_checkout(
    shop: Shop, customer: Customer, other: Customer, settings: Settings
) -> None:
    code = new_code(new_affiliate())
    token = capture(code=code, now=clock.now()).token
    browser = browser_of(customer)
    browser.cookies[settings.REFERRAL_COOKIE_NAME] = token
    answer = browser.post(STRIPE, CREATOR, content_type="application/json", headers=OWN)
    assert (answer.status_code, answer.json()["affiliate"]) == (201, None)
    bound = Attribution.objects.get(account_id=customer.id)
    assert (bound.code.code, bound.source) == (code, "cookie")
    # A program's request has no browser, whatever cookie it sends along.
    other.http.cookies[settings.REFERRAL_COOKIE_NAME] = token
    assert other.post(STRIPE, CREATOR).status_code == 201
    assert not Attribution.objects.filter(account_id=other.id).exists()


def test_no_key_means_a_purchase_each_time(shop: Shop, customer: Customer) -> None:
    assert shop.buy(customer).provider_id != shop.buy(customer).provider_id
    assert not IdempotencyRecord.objects.exists()
