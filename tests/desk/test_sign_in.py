"""Signing in at the desk: the password opens nothing, the authenticator's code or a recovery code does, once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import SecurityEvent, User
from accounts.services.users import create_account
from core import clock
from gateway.desk import sign_in
from tests.billing.racing import race
from tests.desk.staff import code_of, desk, make_staff, signed_in

pytestmark = pytest.mark.django_db
LOGIN, SECOND, HOME = "/admin/login/", "/admin/second-factor/", "/admin/"
EMAIL, PASSWORD = "op@staff.example", "a long password"
COOKIE = django_settings.SESSION_COOKIE_NAME
INSIDE = (HOME, "/admin/accounts/user/", "/admin/billing/transfer/", "/admin/jsi18n/", "/admin/password_change/")


@pytest.fixture(autouse=True)
def _cheap_hashes(settings: Any) -> None:
    """A real hash takes a third of a second on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def operator() -> User:
    return create_account(email=EMAIL, password=PASSWORD, is_staff=True, is_superuser=True)


def give_password(browser: Client, password: str = PASSWORD, *, email: str = EMAIL, to: str = LOGIN) -> Any:
    return browser.post(to, {"username": email, "password": password})


def give_code(browser: Client, code: str) -> Any:
    return browser.post(SECOND, {"code": code})


def is_shut(browser: Client) -> bool:
    """No page of the desk, nothing of the API, nothing inside: whoever this is, they are nobody."""
    pages = [browser.get(path) for path in INSIDE]
    return (
        all(answer.status_code == 302 and answer["Location"].startswith(LOGIN) for answer in pages)
        and browser.get("/api/v1/balance").status_code == 401
        and browser.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404
    )


def kinds() -> list[str]:
    return list(SecurityEvent.objects.order_by("id").values_list("kind", flat=True))


def enrolled(browser: Client) -> tuple[TOTPDevice, list[str]]:
    """The password, the first code; the device and the recovery codes that were shown."""
    answer = give_password(browser)
    assert (answer.status_code, answer["Location"]) == (302, SECOND)
    assert browser.get(SECOND).status_code == 200
    device = TOTPDevice.objects.get()
    answer = give_code(browser, code_of(device))
    assert answer.status_code == 200
    shown = re.findall(r"<li>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</li>", answer.content.decode())
    device.refresh_from_db()
    return device, shown


def forgive(device: TOTPDevice) -> None:
    """The wait after a wrong code is over."""
    TOTPDevice.objects.filter(pk=device.pk).update(throttling_failure_timestamp=clock.now() - timedelta(hours=1))


class TestEnrolment:
    def test_the_first_sign_in_sets_up_an_authenticator(self, operator: User) -> None:
        browser = Client()
        give_password(browser)
        assert is_shut(browser)
        page = browser.get(SECOND).content.decode()
        device = TOTPDevice.objects.get()
        assert (device.user, device.confirmed) == (operator, False)
        assert "<svg" in page
        assert re.search(r'id="secret">([A-Z2-7]{4} ){7}[A-Z2-7]{4}<', page)
        assert browser.get(SECOND).content.decode().count("<svg") == 1
        assert TOTPDevice.objects.get().key == device.key  # a reload shows the same secret
        answer = give_code(browser, code_of(device))
        assert answer.status_code == 200
        assert answer.content.decode().count("<li>") == 10
        assert browser.get(HOME).status_code == 200
        assert browser.get("/api/v1/balance").status_code == 200
        assert browser.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 200
        assert kinds() == ["second_factor_enrolled", "signed_in"]

    def test_a_wrong_code_enrols_nothing(self, operator: User) -> None:
        browser = Client()
        give_password(browser)
        browser.get(SECOND)
        device = TOTPDevice.objects.get()
        wrong = f"{(int(code_of(device)) + 1) % 1_000_000:06d}"
        assert "not valid" in give_code(browser, wrong).content.decode()
        assert not TOTPDevice.objects.filter(confirmed=True).exists()
        assert not StaticToken.objects.exists()
        assert is_shut(browser)

    def test_recovery_codes_are_shown_once_and_kept_as_digests(self, operator: User) -> None:
        browser = Client()
        _, codes = enrolled(browser)
        assert len(set(codes)) == 10
        kept = set(StaticToken.objects.values_list("token", flat=True))
        assert len(kept) == 10
        assert not kept & {code.replace("-", "") for code in codes}
        page = browser.get(SECOND)
        assert page.status_code == 302

    def test_a_second_window_cannot_replace_what_is_enrolled(self, operator: User) -> None:
        browser, other = Client(), Client()
        give_password(other)
        other.get(SECOND)
        device, _ = enrolled(browser)
        answer = other.get(SECOND)
        assert "<svg" not in answer.content.decode()
        give_code(other, code_of(device))  # used already
        assert is_shut(other)
        assert TOTPDevice.objects.get() == device


class TestVerification:
    def test_each_session_needs_a_code(self, operator: User) -> None:
        device, _ = enrolled(Client())
        browser = Client()
        answer = give_password(browser)
        assert (answer.status_code, answer["Location"]) == (302, SECOND)
        assert is_shut(browser)
        assert "<svg" not in browser.get(SECOND).content.decode()
        answer = give_code(browser, code_of(device, 1))
        assert (answer.status_code, answer["Location"]) == (302, HOME)
        assert browser.get(HOME).status_code == 200

    def test_it_leads_to_where_one_wanted_to_go_and_nowhere_else(self, operator: User) -> None:
        device, _ = enrolled(Client())
        browser = Client()
        give_password(browser, to=f"{LOGIN}?next=/admin/media/job/")
        assert give_code(browser, code_of(device, 1))["Location"] == "/admin/media/job/"
        TOTPDevice.objects.update(last_t=-1)
        browser = Client()
        give_password(browser, to=f"{LOGIN}?next=https://elsewhere.example/")
        device.refresh_from_db()
        assert give_code(browser, code_of(device))["Location"].startswith("/")

    def test_a_wrong_code_is_refused_noted_and_waited_for(self, operator: User) -> None:
        device, _ = enrolled(Client())
        browser = Client()
        give_password(browser)
        right = code_of(device, 1)
        wrong = f"{(int(right) + 1) % 1_000_000:06d}"
        assert "not valid" in give_code(browser, wrong).content.decode()
        assert "Wait 1 seconds" in give_code(browser, right).content.decode()
        assert is_shut(browser)
        assert kinds()[2:] == ["staff_sign_in_failed"] * 2
        assert SecurityEvent.objects.latest("id").details == {"step": "second_factor"}
        forgive(device)
        assert give_code(browser, right).status_code == 302
        assert browser.get(HOME).status_code == 200

    def test_a_code_works_once(self, operator: User) -> None:
        device, _ = enrolled(Client())
        code = code_of(device, 1)
        first, second = Client(), Client()
        give_password(first)
        give_password(second)
        assert give_code(first, code).status_code == 302
        assert "not valid" in give_code(second, code).content.decode()
        assert is_shut(second)
        assert not is_shut(first)

    def test_a_recovery_code_works_once_however_it_is_typed(self, operator: User) -> None:
        _, codes = enrolled(Client())
        typed = codes[3].upper().replace("-", " ")
        first, second = Client(), Client()
        give_password(first)
        give_password(second)
        assert give_code(first, typed).status_code == 302
        assert "not valid" in give_code(second, codes[3]).content.decode()
        assert is_shut(second)
        assert StaticToken.objects.count() == 9
        used = SecurityEvent.objects.get(kind="recovery_code_used")
        assert used.details == {"codesLeft": 9}

    def test_anothers_codes_are_worth_nothing(self, operator: User) -> None:
        _, codes = enrolled(Client())
        other = create_account(email="other@staff.example", password=PASSWORD, is_staff=True)
        TOTPDevice.objects.create(user=other, confirmed=True, name="authenticator")
        browser = Client()
        give_password(browser, email=other.email)
        assert "not valid" in give_code(browser, codes[0]).content.decode()
        assert is_shut(browser)
        assert StaticToken.objects.count() == 10


class TestPassword:
    @pytest.mark.parametrize("password", ["wrong", PASSWORD + " "])
    def test_a_wrong_one_is_noted_and_opens_not_even_the_second_step(self, operator: User, password: str) -> None:
        browser = Client()
        assert give_password(browser, password).status_code == 200
        assert browser.get(SECOND)["Location"] == LOGIN
        assert kinds() == ["staff_sign_in_failed"]
        assert SecurityEvent.objects.get().details == {"step": "password"}

    def test_a_customers_right_password_is_no_way_in(self) -> None:
        create_account(email=EMAIL, password=PASSWORD)
        browser = Client()
        assert give_password(browser).status_code == 200
        assert browser.get(SECOND)["Location"] == LOGIN
        assert kinds() == []
        assert not TOTPDevice.objects.exists()

    def test_guesses_end(self, operator: User) -> None:
        browser = Client()
        for _ in range(20):
            assert "correct" in give_password(browser, "wrong").content.decode()
        assert "Too many attempts" in give_password(browser).content.decode()  # though it is right
        assert browser.get(SECOND)["Location"] == LOGIN
        assert kinds() == ["staff_sign_in_failed"] * 20
        elsewhere = browser.post(LOGIN, {"username": EMAIL, "password": PASSWORD}, REMOTE_ADDR="203.0.113.77")
        assert elsewhere.status_code == 302

    def test_the_addresses_of_one_subscriber_count_together(self, operator: User) -> None:
        browser = Client()
        form = {"username": EMAIL, "password": "wrong"}
        for number in range(20):
            answer = browser.post(LOGIN, form, REMOTE_ADDR=f"2001:db8:1:2::{number + 1:x}")
            assert "correct" in answer.content.decode()
        right = {"username": EMAIL, "password": PASSWORD}
        refused = browser.post(LOGIN, right, REMOTE_ADDR="2001:db8:1:2:ffff::1")
        assert "Too many attempts" in refused.content.decode()
        assert browser.post(LOGIN, right, REMOTE_ADDR="2001:db8:1:3::1").status_code == 302

    def test_it_is_good_for_ten_minutes_and_for_the_password_it_was(
        self, operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = Client()
        give_password(browser)
        operator.set_password("another long password")
        operator.save()
        assert browser.get(SECOND)["Location"] == LOGIN
        give_password(browser, "another long password")
        later = clock.now() + sign_in.PASSWORD_GOOD_FOR + timedelta(seconds=1)
        monkeypatch.setattr(clock, "now", lambda: later)
        assert browser.get(SECOND)["Location"] == LOGIN
        assert not TOTPDevice.objects.filter(confirmed=True).exists()

    def test_a_planted_session_is_not_kept(self, operator: User) -> None:
        browser = Client()
        planted = browser.session
        planted["planted"] = "yes"
        planted.save()
        browser.cookies[COOKIE] = planted.session_key
        enrolled(browser)
        assert browser.cookies[COOKIE].value != planted.session_key
        assert "planted" not in browser.session
        assert Session.objects.count() == 1


class TestSessions:
    def test_a_session_without_the_second_factor_is_nobodys(self, operator: User) -> None:
        browser = Client()
        browser.force_login(operator, backend=sign_in.STAFF_BACKEND)
        assert is_shut(browser)

    def test_a_device_that_is_gone_or_anothers_verifies_nothing(self) -> None:
        user, other = make_staff(superuser=True), make_staff(superuser=True)
        browser = signed_in(user)
        assert not is_shut(browser)
        TOTPDevice.objects.filter(user=user).update(user=other)
        assert is_shut(browser)
        TOTPDevice.objects.all().delete()
        assert is_shut(browser)

    def test_signing_out_ends_it(self) -> None:
        browser = desk(superuser=True)
        browser.post("/admin/logout/")
        assert is_shut(browser)

    def test_without_the_setting_the_password_is_enough(self, operator: User, settings: Any) -> None:
        settings.STAFF_SECOND_FACTOR = False
        browser = Client()
        assert give_password(browser)["Location"] == HOME
        assert browser.get(HOME).status_code == 200
        assert kinds() == ["signed_in"]
        settings.STAFF_SECOND_FACTOR = True
        assert is_shut(browser)

    def test_a_reset_ends_sessions_and_enrols_anew(self, operator: User, capsys: pytest.CaptureFixture[str]) -> None:
        browser = Client()
        _, codes = enrolled(browser)
        assert not is_shut(browser)
        call_command("reset_second_factor", EMAIL, "--reason", "phone lost, seen in person")
        assert "has no second factor any more" in capsys.readouterr().out
        assert is_shut(browser)
        assert not TOTPDevice.objects.exists()
        assert not StaticToken.objects.exists()
        event = SecurityEvent.objects.latest("id")
        assert (event.kind, event.reason) == ("second_factor_reset", "phone lost, seen in person")
        _, fresh = enrolled(browser)
        assert not set(fresh) & set(codes)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_gets_in_with_a_code() -> None:
    create_account(email=EMAIL, password=PASSWORD, is_staff=True, is_superuser=True)
    device, codes = enrolled(Client())
    for code in (codes[0], code_of(device, 1)):
        browsers = [Client() for _ in range(5)]
        for browser in browsers:
            give_password(browser)
        outcomes = race([lambda browser=browser, code=code: give_code(browser, code) for browser in browsers])
        assert sorted(answer.status_code for answer, _ in outcomes) == [200] * 4 + [302]
        assert sum(not is_shut(browser) for browser in browsers) == 1
