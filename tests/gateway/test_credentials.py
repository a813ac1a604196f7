"""Key or session over the real routes: what a scope opens, what a session must show, and which of two goes first."""

from typing import Any

import pytest
from django.middleware.csrf import _get_new_csrf_string, _mask_cipher_secret
from django.test import Client

from accounts.models import User
from accounts.services.keys import mint_key, revoke_key
from core import clock, ids
from core.operations import Scope
from tests.media.customers import ESTIMATE, IMAGE, JOBS, PROMPT, Customer, error, new_customer

pytestmark = pytest.mark.django_db
SUBMIT = {"task": IMAGE, "input": PROMPT}


def limited(customer: Customer, *scopes: str) -> Customer:
    """The same account with a key of these scopes."""
    user = User.objects.get(pk=customer.id)
    minted = mint_key(user=user, label="limited", now=clock.now(), scopes=scopes)
    return Customer(id=customer.id, key_id=minted.key.pk, key=minted.plain)


def signed_in(customer: Customer, **more: Any) -> Client:
    browser = Client(raise_request_exception=False, **more)
    browser.force_login(User.objects.get(pk=customer.id))
    return browser


class TestScopes:
    def test_a_scope_opens_its_routes_and_no_other(self, customer: Customer) -> None:
        reader = limited(customer, Scope.MEDIA_READ)
        assert reader.get(JOBS).status_code == 200
        assert reader.post(ESTIMATE, SUBMIT).status_code == 200
        with customer.untouched():
            assert error(reader.submit(), 403, "missing_scope")["details"] == {"scopes": ["media:write"]}
            assert reader.submit().json()["billed"] is False
        assert error(reader.get("/api/v1/balance"), 403, "missing_scope")["details"] == {"scopes": ["billing:read"]}
        assert limited(customer, Scope.BILLING_READ).get("/api/v1/balance").status_code == 200

    def test_a_key_without_scopes_opens_all(self, customer: Customer) -> None:
        assert customer.submit().status_code == 201
        assert customer.get("/api/v1/balance").status_code == 200

    def test_a_wrong_method_is_a_wrong_method_for_everybody(self, customer: Customer) -> None:
        error(limited(customer, Scope.STUDIO).post("/api/v1/balance"), 405, "method_not_allowed")


class TestSessions:
    def test_a_session_reads(self, customer: Customer) -> None:
        assert signed_in(customer).get("/api/v1/balance").json()["usdBalanceMicros"] == 10_000_000

    @pytest.mark.parametrize("origin", ["http://testserver", "http://127.0.0.1:8000"])
    def test_it_writes_from_our_own_pages(self, customer: Customer, origin: str) -> None:
        browser = signed_in(customer)
        answer = browser.post(JOBS, SUBMIT, content_type="application/json", headers={"Origin": origin})
        assert answer.status_code == 201
        assert customer.job(answer.json()["externalJobId"]).api_key_id is None

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example", ""])
    def test_it_does_not_from_anybody_elses_token_or_not(self, customer: Customer, origin: str) -> None:
        browser = signed_in(customer)
        secret = _get_new_csrf_string()
        browser.cookies["csrftoken"] = secret
        headers = {"Origin": origin, "X-CSRFToken": _mask_cipher_secret(secret)}
        with customer.untouched():
            answer = browser.post(JOBS, SUBMIT, content_type="application/json", headers=headers)
            error(answer, 403, "forbidden")

    def test_without_an_origin_it_needs_the_token(self, customer: Customer) -> None:
        browser = signed_in(customer, enforce_csrf_checks=True)
        with customer.untouched():
            error(browser.post(JOBS, SUBMIT, content_type="application/json"), 403, "forbidden")
            wrong = {"X-CSRFToken": _mask_cipher_secret(_get_new_csrf_string())}
            error(browser.post(JOBS, SUBMIT, content_type="application/json", headers=wrong), 403, "forbidden")
        secret = _get_new_csrf_string()
        browser.cookies["csrftoken"] = secret
        headers = {"X-CSRFToken": _mask_cipher_secret(secret)}
        assert browser.post(JOBS, SUBMIT, content_type="application/json", headers=headers).status_code == 201

    def test_a_suspended_accounts_session_is_nobodys(self, customer: Customer) -> None:
        browser = signed_in(customer)
        User.objects.filter(pk=customer.id).update(is_active=False)
        error(browser.get("/api/v1/balance"), 401, "unauthenticated")

    @pytest.mark.parametrize("cookie", ["", "x" * 64, "a" * 32, "é"])
    def test_a_made_up_cookie_is_nobodys(self, customer: Customer, cookie: str) -> None:
        browser = Client(raise_request_exception=False)
        browser.cookies["killa_tamata_browser_session"] = cookie
        error(browser.get("/api/v1/balance"), 401, "unauthenticated")


class TestBoth:
    def test_the_key_goes_before_the_session(self, customer: Customer, node: Any) -> None:
        other = new_customer(123)
        browser = signed_in(customer)
        headers = {"Authorization": f"Bearer {other.key}"}
        assert browser.get("/api/v1/balance", headers=headers).json()["usdBalanceMicros"] == 123

    def test_a_bad_key_is_not_saved_by_a_session(self, customer: Customer) -> None:
        other = new_customer(0)
        prefix = other.key[:16]
        revoke_key(account_id=other.id, prefix=prefix, now=clock.now())
        headers = {"Authorization": f"Bearer {other.key}"}
        error(signed_in(customer).get("/api/v1/balance", headers=headers), 401, "unauthenticated")

    def test_a_key_needs_no_token_whatever_the_origin(self, customer: Customer) -> None:
        answer = customer.submit(headers={"Origin": "https://any.example"})
        assert answer.status_code == 201
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer


class TestSpendLimits:
    def test_the_balance_shows_the_limits_that_the_asking_key_is_under(self, customer: Customer) -> None:
        user = User.objects.get(pk=customer.id)
        parent = mint_key(user=user, label="parent", now=clock.now(), monthly_spend_limit=100_000)
        child = mint_key(user=user, label="child", now=clock.now(), parent_id=parent.key.pk, monthly_spend_limit=60_000)
        asking = Customer(id=customer.id, key_id=child.key.pk, key=child.plain)
        assert asking.submit().status_code == 201
        assert asking.get("/api/v1/balance").json()["monthlySpend"] == [
            {"keyId": ids.encode("key", child.key.pk), "limitUsdMicros": 60_000, "spentUsdMicros": 40_000},
            {"keyId": ids.encode("key", parent.key.pk), "limitUsdMicros": 100_000, "spentUsdMicros": 40_000},
        ]
        with customer.untouched():
            error(asking.submit(), 403, "spend_limit_exceeded")
        assert customer.get("/api/v1/balance").json()["monthlySpend"] == []
