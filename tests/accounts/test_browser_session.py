"""A browser's session over the API: opened, inspected, ended; never fixed, forged, or opened from another site."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import retention
from accounts.models import ApiKey, CountedAttempt, DeviceLink, EmailCode, SecurityEvent, User
from accounts.services.users import create_account
from core import clock, ids
from gateway.steward import LOOPS
from tests.accounts.sign_ins import (
    BROWSER_GOOGLE,
    BROWSER_VERIFY,
    COOKIE,
    SESSION,
    SOMEBODY,
    client,
    mailed_code,
    post,
    refusals,
)
from tests.google import token
from tests.media.customers import error

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_in", "issuer")]
OURS = "http://testserver"


def sign_in(browser: Client, email: str = SOMEBODY, **headers: str) -> Any:
    return post(BROWSER_GOOGLE, {"idToken": token(email)}, browser=browser, **headers)


def signed_in(email: str = SOMEBODY) -> Client:
    browser = client()
    assert sign_in(browser, email).status_code == 200
    return browser


def carrying(cookie: str) -> Client:
    """A browser with this cookie and no other."""
    browser = client()
    browser.cookies[COOKIE] = cookie
    return browser


def inspect(browser: Client) -> dict[str, Any]:
    answer = browser.get(SESSION)
    assert answer.status_code == 200, answer.content
    assert answer["Cache-Control"] == "no-store"
    body: dict[str, Any] = answer.json()
    return body


def nobody(body: dict[str, Any]) -> bool:
    return body == {
        "ok": True,
        "authenticated": False,
        "account": None,
        "expiresAt": None,
        "csrfToken": body["csrfToken"],
    }


class TestOpening:
    @pytest.mark.parametrize("way", ["google", "email"])
    def test_the_answer_and_its_cookies(self, way: str) -> None:
        browser = client()
        before = clock.now()
        if way == "google":
            answer = sign_in(browser)
        else:
            answer = post(BROWSER_VERIFY, {"email": SOMEBODY, "code": mailed_code()}, browser=browser)
        assert answer.status_code == 200, answer.content
        assert answer["Cache-Control"] == "no-store"
        body = answer.json()
        user = User.objects.get()
        account = {"id": ids.encode(ids.ACCOUNT, user.pk), "email": SOMEBODY}
        assert body == {
            "ok": True,
            "authenticated": True,
            "account": account,
            "expiresAt": body["expiresAt"],
            "csrfToken": body["csrfToken"],
        }
        ends = datetime.fromisoformat(body["expiresAt"])
        assert timedelta(0) <= ends - before - timedelta(days=14) < timedelta(seconds=10)
        cookie = answer.cookies[COOKIE]
        assert cookie["httponly"]
        assert (cookie["samesite"], cookie["path"], cookie["secure"]) == ("Lax", "/", "")
        assert 1_209_590 <= cookie["max-age"] <= 1_209_600
        assert abs(Session.objects.get().expire_date - ends) < timedelta(seconds=1)
        assert inspect(browser) | {"csrfToken": ""} == body | {"csrfToken": ""}
        assert not ApiKey.objects.exists()
        events = list(SecurityEvent.objects.values_list("kind", "details"))
        assert events == [("signed_in", {"method": "google" if way == "google" else "email_code"})]

    def test_the_session_opens_the_api(self) -> None:
        browser = signed_in()
        answer = browser.get("/api/v1/balance")
        assert (answer.status_code, answer.json()["usdBalanceMicros"]) == (200, 0)
        assert carrying(browser.cookies[COOKIE].value).get("/api/v1/balance").status_code == 200
        error(client().get("/api/v1/balance"), 401, "unauthenticated")

    def test_a_label_is_taken_and_does_nothing(self) -> None:
        answer = post(BROWSER_GOOGLE, {"idToken": token(), "keyLabel": "browser"})
        assert answer.status_code == 200
        assert not ApiKey.objects.exists()

    @pytest.mark.parametrize(
        "origin",
        ["https://elsewhere.example", "null", "", "http://testserver.elsewhere.example", "https://testserver", "x"],
    )
    def test_no_other_site_may_sign_its_visitor_in(self, origin: str) -> None:
        code = mailed_code()
        for path, body in (
            (BROWSER_GOOGLE, {"idToken": token()}),
            (BROWSER_VERIFY, {"email": SOMEBODY, "code": code}),
        ):
            answer = post(path, body, Origin=origin)
            error(answer, 403, "forbidden")
            assert COOKIE not in answer.cookies
        assert not User.objects.exists()
        assert not Session.objects.exists()
        assert (EmailCode.objects.get().tries, EmailCode.objects.get().used_at) == (0, None)

    def test_our_own_pages_may(self, settings: Any) -> None:
        settings.SITE_URL = "https://site.example/somewhere"
        settings.API_BASE_URL = "https://api.example"
        for origin in (OURS, "https://site.example", "https://api.example"):
            assert sign_in(client(), Origin=origin).status_code == 200

    def test_a_suspended_account_stays_outside(self) -> None:
        create_account(email=SOMEBODY)
        User.objects.update(is_active=False)
        before = refusals("suspended")
        for answer in (
            sign_in(client()),
            post(BROWSER_VERIFY, {"email": SOMEBODY, "code": mailed_code()}),
        ):
            assert error(answer, 403, "account_suspended")["error"] == "This account is suspended."
            assert COOKIE not in answer.cookies
        assert refusals("suspended") == before + 2
        assert not Session.objects.exists()
        assert not SecurityEvent.objects.exists()

    def test_one_suspended_meanwhile_is_nobody(self) -> None:
        browser = signed_in()
        User.objects.update(is_active=False)
        assert nobody(inspect(browser))
        error(browser.get("/api/v1/balance"), 401, "unauthenticated")


class TestStaff:
    @pytest.mark.parametrize("power", [{"is_staff": True}, {"is_superuser": True}], ids=str)
    def test_staff_get_no_session_without_their_password(self, power: dict[str, bool]) -> None:
        create_account(email=SOMEBODY, password="a long password", **power)
        before = refusals("staff_session")
        for answer in (
            sign_in(client()),
            post(BROWSER_VERIFY, {"email": SOMEBODY, "code": mailed_code()}),
        ):
            assert error(answer, 403, "forbidden")["error"] == (
                "Staff open a browser session on the admin's own sign-in page, with their password."
            )
            assert COOKIE not in answer.cookies
        assert refusals("staff_session") == before + 2
        assert not Session.objects.exists()
        assert not SecurityEvent.objects.exists()

    def test_a_session_does_not_gain_power_when_its_account_does(self) -> None:
        browser = signed_in()
        User.objects.update(is_staff=True, is_superuser=True)
        answer = browser.get("/admin/")
        assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/admin/")
        assert nobody(inspect(browser))
        error(browser.get("/api/v1/balance"), 401, "unauthenticated")

    def test_the_password_alone_opens_the_second_factor_and_nothing_else(self) -> None:
        create_account(email=SOMEBODY, password="a long password", is_staff=True, is_superuser=True)
        browser = client()
        browser.get("/admin/login/")
        form = {"username": SOMEBODY, "password": "a long password"}
        browser.post("/admin/login/", form | {"csrfmiddlewaretoken": browser.cookies["csrftoken"].value})
        assert browser.get("/admin/second-factor/").status_code == 200
        assert browser.get("/admin/").status_code == 302
        assert nobody(inspect(browser))
        error(browser.get("/api/v1/balance"), 401, "unauthenticated")


class TestFixation:
    def test_an_id_from_before_is_never_kept(self) -> None:
        victim = client()
        session = victim.session  # a row and a cookie that somebody planted
        session["planted"] = "yes"
        session.save()
        planted = session.session_key
        victim.cookies[COOKIE] = planted
        assert sign_in(victim).status_code == 200
        assert victim.cookies[COOKIE].value != planted
        assert nobody(inspect(carrying(str(planted))))
        assert inspect(victim)["authenticated"] is True
        assert Session.objects.count() == 1

    def test_signing_in_again_ends_the_session_before(self) -> None:
        browser = signed_in()
        first = browser.cookies[COOKIE].value
        assert sign_in(browser).status_code == 200
        assert browser.cookies[COOKIE].value != first
        assert nobody(inspect(carrying(first)))

    def test_another_account_takes_nothing_over(self) -> None:
        browser = signed_in()
        first = browser.cookies[COOKIE].value
        assert sign_in(browser, "other@example.com").json()["account"]["email"] == "other@example.com"
        assert nobody(inspect(carrying(first)))
        assert inspect(browser)["account"]["email"] == "other@example.com"

    def test_the_csrf_token_changes(self) -> None:
        browser = client()
        inspect(browser)
        before = browser.cookies["csrftoken"].value
        sign_in(browser)
        assert browser.cookies["csrftoken"].value != before


class TestInspecting:
    def test_nobody(self) -> None:
        browser = client()
        answer = browser.get(SESSION)
        assert nobody(answer.json())
        assert COOKIE not in answer.cookies
        assert answer.json()["csrfToken"]
        assert not Session.objects.exists()

    def test_a_forged_cookie_is_nobody(self, django_assert_num_queries: Any) -> None:
        cookie = signed_in().cookies[COOKIE].value
        forged = [alter(cookie, place) for place in range(0, 64, 7)]
        forged += [cookie[:-1], cookie + "a", cookie.upper(), "", "x" * 64, "é" * 64, "' OR 1=1 --"]
        for one in forged:
            with django_assert_num_queries(0):
                assert nobody(inspect(carrying(one)))
            error(carrying(one).get("/api/v1/balance"), 401, "unauthenticated")
        assert inspect(carrying(cookie))["authenticated"] is True

    def test_one_that_has_ended_is_nobody(self) -> None:
        browser = signed_in()
        Session.objects.update(expire_date=clock.now())
        assert nobody(inspect(browser))

    def test_a_key_in_the_request_changes_nothing(self) -> None:
        browser = signed_in()
        assert browser.get(SESSION, headers={"x-api-key": "nonsense"}).json()["authenticated"] is True


def alter(text: str, place: int) -> str:
    return text[:place] + ("a" if text[place] != "a" else "b") + text[place + 1 :]


class TestEnding:
    def test_the_cookie_is_dead_afterwards(self) -> None:
        browser = signed_in()
        cookie = browser.cookies[COOKIE].value
        other = signed_in()
        answer = browser.delete(SESSION, headers={"Origin": OURS})
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
        assert answer["Cache-Control"] == "no-store"
        assert answer.cookies[COOKIE].value == ""
        assert answer.cookies[COOKIE]["max-age"] == 0
        assert nobody(inspect(carrying(cookie)))
        error(carrying(cookie).get("/api/v1/balance"), 401, "unauthenticated")
        assert inspect(other)["authenticated"] is True
        events = SecurityEvent.objects.filter(kind="signed_out")
        assert list(events.values_list("user__email", "details", "address")) == [(SOMEBODY, {}, "127.0.0.1")]

    def test_again_and_without_a_session_nothing_happens(self) -> None:
        browser = signed_in()
        cookie = browser.cookies[COOKIE].value
        browser.delete(SESSION, headers={"Origin": OURS})
        for one in (browser, client(), carrying(cookie), carrying("nonsense")):
            answer = one.delete(SESSION)
            assert (answer.status_code, answer.json()) == (200, {"ok": True})
        assert SecurityEvent.objects.filter(kind="signed_out").count() == 1

    def test_only_our_own_page_may(self) -> None:
        browser = signed_in()
        for headers in ({}, {"Origin": "https://elsewhere.example"}, {"X-CSRFToken": "x" * 32}):
            answer = browser.delete(SESSION, headers=headers)
            error(answer, 403, "forbidden")
            assert COOKIE not in answer.cookies
        assert inspect(browser)["authenticated"] is True
        assert not SecurityEvent.objects.filter(kind="signed_out").exists()

    def test_the_csrf_token_shows_it_too(self) -> None:
        browser = signed_in()
        token = inspect(browser)["csrfToken"]
        assert browser.delete(SESSION, headers={"X-CSRFToken": token}).json() == {"ok": True}
        assert nobody(inspect(browser))

    def test_other_methods_are_not_taken(self) -> None:
        error(client().post(SESSION, {}, content_type="application/json"), 405, "method_not_allowed")


class TestRetention:
    def test_what_is_over_is_swept_and_nothing_else(self) -> None:
        ended, living = signed_in(), signed_in()
        mailed_code()
        now = clock.now()
        times = {"created_at": now, "expires_at": now + timedelta(minutes=10)}
        DeviceLink.objects.create(device_digest=b"x", user_code="BCDF-GHJK", **times)
        row = Session.objects.order_by("expire_date").first()
        assert row is not None
        Session.objects.filter(pk=row.pk).update(expire_date=now)
        assert retention.sweep(now=now) == 1
        assert [nobody(inspect(browser)) for browser in (ended, living)].count(True) == 1
        assert (EmailCode.objects.count(), CountedAttempt.objects.count()) == (1, 2)
        assert DeviceLink.objects.count() == 1
        assert retention.sweep(now=now + timedelta(hours=24, seconds=1)) == 4
        assert DeviceLink.objects.count() == 0
        assert (EmailCode.objects.count(), CountedAttempt.objects.count()) == (0, 0)
        assert Session.objects.count() == 1
        assert retention.sweep(now=now + timedelta(days=15)) == 1
        assert User.objects.count() == 1

    def test_the_steward_does_it(self) -> None:
        (loop,) = [loop for loop in LOOPS if loop.name == "accounts"]
        assert loop.interval == 300
        assert loop.run() == 0
