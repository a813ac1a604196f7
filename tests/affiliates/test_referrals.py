"""Links, captures, the cookie and the sign-up: nothing tells whether a code exists, and nothing leads elsewhere."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from affiliates.capture import capture, captured_code
from affiliates.models import Affiliate, AffiliateCode, Attribution, CodeDay
from core import clock, outbox_topics
from core.outbox.models import OutboxEvent
from tests.accounts.sign_ins import (
    BROWSER_GOOGLE,
    BROWSER_VERIFY,
    GOOGLE,
    SOMEBODY,
    VERIFY,
    digits_of,
    handle_events,
    mailed_code,
    post,
)
from tests.accounts.test_pages import send_form
from tests.affiliates.partners import new_affiliate, new_code
from tests.google import token as google_token
from tests.media.customers import error

pytestmark = pytest.mark.django_db
LINK, VALIDATE, CAPTURE = (f"/api/v1/affiliates/{name}" for name in ("r", "validate-code", "capture"))
COOKIE = "killa_tamata_referral"


@pytest.fixture
def affiliate(db: None) -> Affiliate:
    affiliate = new_affiliate()
    new_code(affiliate, "GOOD-CODE")
    return affiliate


def fields(answer: Any) -> dict[str, str]:
    found: dict[str, str] = error(answer, 400, "invalid_request")["details"]["fields"]
    return found


def counted() -> list[tuple[str, int, int]]:
    return list(CodeDay.objects.order_by("code__code").values_list("code__code", "clicks", "captures"))


def alike(answer: Any) -> tuple[int, dict[str, str], set[str], dict[str, Any]]:
    """Everything of an answer that could tell codes apart: what is drawn by chance or by the clock is left out."""
    drawn = {"X-Request-Id", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Content-Length"}
    headers = {name: value for name, value in answer.headers.items() if name not in drawn}
    body = answer.json() if answer.content else {}
    cookie = {key: value for key, value in answer.cookies.get(COOKIE, {}).items() if key != "expires"}
    return answer.status_code, headers, set(body), cookie


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that runs inside, without its values."""
    found: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield found
    found += [re.sub(r"'[^']*'|\bs\d+_x\d+\b|\b\d+\b", "?", query["sql"]) for query in captured.captured_queries]


class TestLink:
    def test_leads_to_our_site_with_a_signed_cookie(self, affiliate: Affiliate, settings: Any) -> None:
        answer = Client().get(LINK, {"code": "good-code"})
        assert (answer.status_code, answer["Location"], answer.content) == (302, "http://127.0.0.1:8000", b"")
        assert answer["Cache-Control"] == "private, no-store"
        cookie = answer.cookies[COOKIE]
        assert (cookie["max-age"], cookie["httponly"], cookie["samesite"]) == (30 * 86_400, True, "Lax")
        assert (cookie["path"], cookie["domain"], cookie["secure"]) == ("/", "", "")
        assert captured_code(cookie.value, now=clock.now()) == "GOOD-CODE"
        assert captured_code(cookie.value, now=clock.now() + timedelta(days=30)) is None
        assert counted() == [("GOOD-CODE", 1, 0)]
        settings.SESSION_COOKIE_SECURE = True
        assert Client().get(LINK, {"code": "GOOD-CODE"}).cookies[COOKIE]["secure"] is True
        assert counted() == [("GOOD-CODE", 2, 0)]

    @pytest.mark.parametrize(
        "elsewhere",
        [
            {"next": "https://evil.example"},
            {"redirect": "//evil.example"},
            {"url": "https://evil.example", "to": "https://evil.example"},
        ],
    )
    def test_leads_nowhere_else(self, affiliate: Affiliate, elsewhere: dict[str, str]) -> None:
        answer = Client().get(LINK, {"code": "GOOD-CODE"} | elsewhere)
        assert fields(answer).keys() == elsewhere.keys()
        assert "Location" not in answer
        assert COOKIE not in answer.cookies
        for code in ("//evil.example", "https://evil.example", "@evil.example/..", "\r\nSet-Cookie: a=b"):
            hostile = Client().get(LINK, {"code": code}, headers={"Host": "127.0.0.1"})
            assert (hostile.status_code, hostile["Location"]) == (302, "http://127.0.0.1:8000")
            assert list(hostile.cookies) == [COOKIE]
        assert counted() == []

    @pytest.mark.parametrize("code", ["", "abc", "A" * 33])
    def test_a_code_of_another_length_is_refused(self, code: str) -> None:
        answer = Client().get(LINK, {"code": code})
        assert fields(answer).keys() == {"code"}
        assert COOKIE not in answer.cookies

    def test_without_a_code(self) -> None:
        assert fields(Client().get(LINK)) == {"code": "is required"}


class TestNothingTells:
    @pytest.mark.parametrize("status", ["pending", "rejected", "suspended", "approved"])
    def test_of_a_code_that_is_not_in_use(self, affiliate: Affiliate, status: str) -> None:
        """Same status, headers, body, cookie and statements for a code in use, one that is not, and one of nobody."""
        new_code(new_affiliate(status=status), "NOT-SO-GOOD")
        if status == "approved":
            AffiliateCode.objects.filter(code="NOT-SO-GOOD").update(retired_at=clock.now())
        asked = {
            "link": lambda code: Client().get(LINK, {"code": code}),
            "capture": lambda code: post(CAPTURE, {"code": code}, browser=Client()),
            "validate": lambda code: post(VALIDATE, {"code": code}, browser=Client()),
        }
        for name, ask in asked.items():
            seen = []
            for code in ("GOOD-CODE", "NOT-SO-GOOD", "NOBODY-HAS-IT"):
                with statements() as sql:
                    answer = ask(code)
                seen.append((alike(answer), tuple(sql)))
            assert seen[0] == seen[1] == seen[2], name
            assert seen[0][0][0] in {200, 302}
        assert counted() == [("GOOD-CODE", 1, 1)]

    def test_validating_asks_no_database(self, affiliate: Affiliate, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            known = post(VALIDATE, {"code": "good-code"}, browser=Client()).json()
            unknown = post(VALIDATE, {"code": "best-code"}, browser=Client()).json()
        assert known == {"ok": True, "code": "GOOD-CODE", "wellFormed": True}
        assert unknown == {"ok": True, "code": "BEST-CODE", "wellFormed": True}
        odd = post(VALIDATE, {"code": "so good!"}, browser=Client()).json()
        assert odd == {"ok": True, "code": "so good!", "wellFormed": False}

    @pytest.mark.parametrize("path", [VALIDATE, CAPTURE])
    @pytest.mark.parametrize(
        "body", [{}, {"code": "abc"}, {"code": "A" * 33}, {"code": 1234}, {"code": None}, {"code": "good\0"}]
    )
    def test_what_is_no_code_is_refused(self, path: str, body: Any) -> None:
        assert fields(post(path, body, browser=Client())).keys() == {"code"}

    @pytest.mark.parametrize("path", [VALIDATE, CAPTURE])
    def test_bodies_are_closed(self, path: str) -> None:
        assert fields(post(path, {"code": "GOOD-CODE", "url": "x"}, browser=Client())).keys() == {"url"}

    def test_a_wrong_key_in_the_request_does_nothing(self, affiliate: Affiliate) -> None:
        answer = post(CAPTURE, {"code": "GOOD-CODE"}, browser=Client(), Authorization="Bearer nonsense")
        assert answer.status_code == 200


class TestCapture:
    def test_gives_a_token_and_the_same_as_a_cookie(self, affiliate: Affiliate) -> None:
        before = clock.now().replace(microsecond=0)
        answer = post(CAPTURE, {"code": "good-code"}, browser=Client())
        body = answer.json()
        assert body.keys() == {"ok", "captureToken", "expiresAt"}
        assert 24 <= len(body["captureToken"]) <= 4_096
        assert answer.cookies[COOKIE].value == body["captureToken"]
        assert captured_code(body["captureToken"], now=clock.now()) == "GOOD-CODE"
        expires = clock.rfc3339(before + timedelta(days=30))
        assert expires <= body["expiresAt"] <= clock.rfc3339(clock.now() + timedelta(days=30))
        assert counted() == [("GOOD-CODE", 0, 1)]
        assert len(post(CAPTURE, {"code": "????"}, browser=Client()).json()["captureToken"]) >= 24


class TestRateLimit:
    def test_each_address_has_its_own(self, affiliate: Affiliate, settings: Any) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "referral": 3}
        here, there = Client(REMOTE_ADDR="198.51.100.7"), Client(REMOTE_ADDR="198.51.100.8")
        seen = [
            here.get(LINK, {"code": "GOOD-CODE"}).status_code,
            post(VALIDATE, {"code": "GOOD-CODE"}, browser=here).status_code,
            post(CAPTURE, {"code": "GOOD-CODE"}, browser=here).status_code,
        ]
        assert seen == [302, 200, 200]
        for refused in (here.get(LINK, {"code": "GOOD-CODE"}), post(CAPTURE, {"code": "NOBODY"}, browser=here)):
            error(refused, 429, "rate_limited")
            assert int(refused["Retry-After"]) >= 1
            assert COOKIE not in refused.cookies
        assert there.get(LINK, {"code": "GOOD-CODE"}).status_code == 302
        assert counted() == [("GOOD-CODE", 2, 1)]

    def test_codes_cannot_be_tried_with_a_key_either(self, affiliate: Affiliate, customer: Any, settings: Any) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "referral": 2}
        tried = [customer.post("/api/v1/affiliates/me/bind-code", {"code": f"TRY-{n}"}).status_code for n in range(3)]
        assert tried == [404, 404, 429]


@pytest.mark.usefixtures("signing_in")
class TestSigningUp:
    """A browser that followed a link signs up, one way or another."""

    def follow(self, code: str = "GOOD-CODE") -> Client:
        browser = Client(raise_request_exception=False)
        assert browser.get(LINK, {"code": code}).status_code == 302
        return browser

    def bound(self, email: str = SOMEBODY) -> Attribution | None:
        handle_events()
        assert not OutboxEvent.objects.exists()
        return Attribution.objects.filter(account__email=email).first()

    def through_pages(self, browser: Client) -> None:
        send_form(browser, "/sign-in", email=SOMEBODY)
        handle_events()
        assert send_form(browser, "/sign-in/code", code=digits_of(mail.outbox[-1])).status_code == 302

    def test_on_the_pages(self, affiliate: Affiliate) -> None:
        self.through_pages(self.follow())
        bound = self.bound()
        assert bound is not None
        assert (bound.affiliate_id, bound.source) == (affiliate.pk, "cookie")

    @pytest.mark.parametrize("path", [VERIFY, BROWSER_VERIFY])
    def test_with_a_mailed_code(self, affiliate: Affiliate, path: str) -> None:
        browser = self.follow()
        assert post(path, {"email": SOMEBODY, "code": mailed_code()}, browser=browser).status_code == 200
        assert self.bound() is not None

    @pytest.mark.parametrize("path", [GOOGLE, BROWSER_GOOGLE, "/api/v1/keys"])
    def test_with_google(self, affiliate: Affiliate, issuer: Any, path: str) -> None:
        answer = post(path, {"idToken": google_token(SOMEBODY)}, browser=self.follow())
        assert answer.status_code == (201 if path == "/api/v1/keys" else 200), answer.content
        assert self.bound() is not None

    def test_an_account_that_is_there_already_is_not_bound_by_signing_in(self, affiliate: Affiliate) -> None:
        User.objects.create_user(SOMEBODY)
        self.through_pages(self.follow())
        assert self.bound() is None

    @pytest.mark.parametrize("cookie", ["", "forged", "x" * 4_097, "ümläut" * 5, 'a"b\\000c'])
    def test_another_cookie_does_nothing(self, affiliate: Affiliate, cookie: str) -> None:
        browser = Client(raise_request_exception=False)
        browser.cookies[COOKIE] = cookie
        self.through_pages(browser)
        assert self.bound() is None
        assert User.objects.filter(email=SOMEBODY).exists()

    def test_an_expired_or_unknown_capture_does_nothing(self, affiliate: Affiliate) -> None:
        for number, value in enumerate(
            (
                capture(code="GOOD-CODE", now=clock.now() - timedelta(days=30)).token,
                capture(code="NOBODY", now=clock.now()).token,
            )
        ):
            browser, email = Client(raise_request_exception=False), f"late-{number}@example.com"
            browser.cookies[COOKIE] = value
            assert post(VERIFY, {"email": email, "code": mailed_code(email)}, browser=browser).status_code == 200
            assert self.bound(email) is None

    def test_the_affiliates_own_alias_is_not_its_customer(self, affiliate: Affiliate) -> None:
        User.objects.filter(pk=affiliate.account_id).update(email="some.body@gmail.com")
        email = "somebody+new@gmail.com"
        browser = self.follow()
        assert post(VERIFY, {"email": email, "code": mailed_code(email)}, browser=browser).status_code == 200
        assert self.bound(email) is None

    def test_without_a_cookie_nobody_is_told(self, affiliate: Affiliate) -> None:
        assert post(VERIFY, {"email": SOMEBODY, "code": mailed_code()}).status_code == 200
        assert not OutboxEvent.objects.filter(topic=outbox_topics.USER_REFERRED).exists()
        assert self.bound() is None

    def test_the_last_link_counts(self, affiliate: Affiliate) -> None:
        last = new_affiliate()
        new_code(last, "LAST-CODE")
        browser = self.follow()
        assert browser.get(LINK, {"code": "LAST-CODE"}).status_code == 302
        self.through_pages(browser)
        bound = self.bound()
        assert bound is not None
        assert bound.affiliate_id == last.pk
