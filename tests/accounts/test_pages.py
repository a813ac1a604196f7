"""The hosted pages in a browser's hands: signing in and out, the account, the approval of a device link."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiKey, DeviceLink, EmailCode, SecurityEvent, User
from accounts.services.device_links import LIFETIME, StartedLink, start_link
from accounts.services.keys import mint_key
from accounts.services.security_events import Origin
from accounts.services.users import create_account
from accounts.web import sign_in as sign_in_page
from accounts.web.account import _SENTENCES, EVENTS_SHOWN
from core import clock
from core.ui.pages import own_path
from tests.accounts.sign_ins import COOKIE, SOMEBODY, another, client, digits_of, handle_events, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_in")]
STEP = "killa_tamata_sign_in"
HOSTILE = "<script>alert('x')</script>"
ELSEWHERE = Origin(address="203.0.113.9")


@pytest.fixture
def browser() -> Client:
    return client()


@pytest.fixture
def user() -> User:
    return create_account(email=SOMEBODY)


@pytest.fixture
def signed_in(browser: Client, user: User) -> Client:
    """A browser that went through the pages."""
    send_form(browser, "/sign-in", email=SOMEBODY)
    handle_events()
    send_form(browser, "/sign-in/code", code=digits_of(mail.outbox[-1]))
    assert browser.get("/account").status_code == 200
    return browser


def send_form(browser: Client, page: str, to: str | None = None, **fields: str) -> Any:
    """Load a page, fill the form that leads to `to` with what it hides and these fields, send it."""
    content = browser.get(page).content.decode()
    target = to or urlsplit(page).path
    for form in re.findall(r"<form .*?</form>", content, re.DOTALL):
        if f'action="{target}"' in form:
            hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
            return browser.post(target, hidden | fields)
    raise AssertionError(f"{page} has no form to {target}: {content}")


def shows(answer: Any, status: int, *texts: str) -> str:
    """A page with its guards and these texts."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["form-action"].split()[0] == "'self'"
    assert "script-src" not in policy
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    content: str = answer.content.decode()
    for never in ("<script", "style=", "onclick", "http://", "https://"):
        assert never not in content
    for text in texts:
        assert text in content
    return content


def leads_to(answer: Any, place: str) -> None:
    assert answer.status_code == 302, answer.content
    assert answer["Location"] == place
    assert answer["Cache-Control"] == "no-store"


def start(label: str = "cli") -> StartedLink:
    return start_link(label=label, origin=ELSEWHERE, now=clock.now())


def poll(link: StartedLink) -> Any:
    return post("/api/v1/device/link/poll", {"deviceCode": link.device_code})


def kinds(user: User) -> list[str]:
    return list(SecurityEvent.objects.filter(user=user).order_by("id").values_list("kind", flat=True))


class TestSignIn:
    def test_the_whole_way(self, browser: Client) -> None:
        shows(browser.get("/sign-in?next=/link%3Fcode%3DX"), 200, 'value="/link?code=X"', 'type="email"')
        answer = send_form(browser, "/sign-in?next=/link%3Fcode%3DX", "/sign-in", email="  SomeBody@Example.com ")
        leads_to(answer, "/sign-in/code")
        step = answer.cookies[STEP]
        assert (step["httponly"], step["samesite"], step["path"], step["max-age"]) == (True, "Lax", "/sign-in", 600)
        assert not Session.objects.exists()
        shows(browser.get("/sign-in/code"), 200, SOMEBODY, "10 minutes", 'autocomplete="one-time-code"')
        handle_events()
        code = digits_of(mail.outbox[-1])
        answer = send_form(browser, "/sign-in/code", code=f" {code[:3]} {code[3:]} ")
        leads_to(answer, "/link?code=X")
        assert answer.cookies[STEP]["max-age"] == 0
        assert answer.cookies[COOKIE]["httponly"] is True
        user = User.objects.get()
        assert user.email == SOMEBODY
        assert kinds(user) == ["signed_in"]
        assert SecurityEvent.objects.get().details == {"method": "email_code"}
        assert not ApiKey.objects.exists()
        shows(browser.get("/account"), 200, SOMEBODY, "You have no key yet")

    def test_without_next_it_leads_to_the_account(self, browser: Client) -> None:
        send_form(browser, "/sign-in", email=SOMEBODY)
        handle_events()
        leads_to(send_form(browser, "/sign-in/code", code=digits_of(mail.outbox[-1])), "/account")

    @pytest.mark.parametrize(
        "target",
        [
            "//evil.example",
            "https://evil.example/",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "account",
            "/\t/evil.example",
            "///evil.example",
            " //evil.example",
            "",
        ],
    )
    def test_it_never_leads_elsewhere(self, browser: Client, signed_in: Client, target: str) -> None:
        leads_to(signed_in.get("/sign-in", {"next": target}), "/account")

    @pytest.mark.parametrize(
        ("address", "sentence"),
        [
            ("", "Enter your email address."),
            ("nobody", "The address is not a valid email address."),
            ("é@example.com", "must be ASCII"),
            (f"{'a' * 250}@example.com", "at most 254 characters"),
            (HOSTILE, "The address is not a valid email address."),
        ],
    )
    def test_a_wrong_address_is_told(self, browser: Client, address: str, sentence: str) -> None:
        shows(send_form(browser, "/sign-in", email=address), 400, sentence, 'aria-invalid="true"')
        assert not EmailCode.objects.exists()

    def test_a_null_character_is_refused(self, browser: Client) -> None:
        shows(send_form(browser, "/sign-in", email="a\0@example.com"), 400)
        assert not EmailCode.objects.exists()

    def test_known_and_unknown_addresses_look_and_cost_the_same(self, user: User) -> None:
        seen = []
        for address in (SOMEBODY, "nobody@example.com"):
            browser = client()
            browser.get("/sign-in")
            form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"].value, "email": address}
            with CaptureQueriesContext(connection) as asked:
                answer = browser.post("/sign-in", form)
            page = browser.get("/sign-in/code").content.decode().replace(address, "ADDRESS")
            page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)
            seen.append((answer.status_code, answer["Location"], len(asked), page))
        assert seen[0] == seen[1]

    def test_five_codes_an_hour(self, browser: Client) -> None:
        for _ in range(5):
            leads_to(send_form(browser, "/sign-in", email=SOMEBODY), "/sign-in/code")
        answer = send_form(browser, "/sign-in", email=SOMEBODY)
        shows(answer, 429, "Too many attempts; try again later.", f'value="{SOMEBODY}"')
        assert 3590 <= int(answer["Retry-After"]) <= 3600
        assert EmailCode.objects.count() == 5

    def test_without_a_mail_server(self, browser: Client, settings: Any) -> None:
        settings.EMAIL_HOST = ""
        shows(send_form(browser, "/sign-in", email=SOMEBODY), 503, "This installation cannot send mail")
        assert not EmailCode.objects.exists()

    def test_without_a_csrf_token_nothing_is_mailed(self, browser: Client) -> None:
        browser.get("/sign-in")
        answer = browser.post("/sign-in", {"email": SOMEBODY})
        assert answer.status_code == 403
        assert b"This form is out of date" in answer.content
        assert not EmailCode.objects.exists()

    def test_the_button_for_google_is_there_when_it_is_set_up(self, browser: Client, settings: Any) -> None:
        assert "Google" not in shows(browser.get("/sign-in"), 200)
        settings.GOOGLE_CLIENT_ID = "id"
        assert "Google" not in shows(browser.get("/sign-in"), 200)
        settings.GOOGLE_CLIENT_SECRET = "secret"
        answer = browser.get("/sign-in?next=/link")
        content = shows(answer, 200, "Continue with Google", 'action="/accounts/google/login/"')
        assert content.count('value="/link"') == 2
        assert "form-action 'self' https://accounts.google.com" in answer["Content-Security-Policy"]


class TestCode:
    @pytest.fixture
    def asked(self, browser: Client) -> str:
        send_form(browser, "/sign-in", email=SOMEBODY)
        handle_events()
        return digits_of(mail.outbox[-1])

    def test_the_page_is_for_who_asked(self, browser: Client) -> None:
        leads_to(browser.get("/sign-in/code"), "/sign-in")
        browser.get("/sign-in")
        form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"].value, "code": "123456"}
        leads_to(browser.post("/sign-in/code", form), "/sign-in")

    def test_a_step_that_was_changed_or_is_old_is_nobodys(
        self, browser: Client, asked: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        good = browser.cookies[STEP].value
        browser.cookies[STEP] = good[:-1] + ("A" if good[-1] != "A" else "B")
        leads_to(browser.get("/sign-in/code"), "/sign-in")
        browser.cookies[STEP] = good
        assert browser.get("/sign-in/code").status_code == 200
        monkeypatch.setattr(sign_in_page, "LIFETIME", timedelta(seconds=-1))
        leads_to(browser.get("/sign-in/code"), "/sign-in")

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "१२३४५६", HOSTILE])
    def test_what_is_no_code_is_not_judged(self, browser: Client, asked: str, code: str) -> None:
        shows(send_form(browser, "/sign-in/code", code=code), 400, 'role="alert"')
        assert EmailCode.objects.get().tries == 0

    def test_wrong_codes_count_the_tries_of_the_api(self, browser: Client, asked: str) -> None:
        for _ in range(2):
            answer = post("/api/v1/auth/email/verify", {"email": SOMEBODY, "code": another(asked)})
            assert answer.status_code == 401
        for _ in range(3):
            answer = send_form(browser, "/sign-in/code", code=another(asked))
            content = shows(answer, 401, "The code is wrong, used or expired; ask for a new one.")
            assert another(asked) not in content
        assert EmailCode.objects.get().tries == 5
        shows(send_form(browser, "/sign-in/code", code=asked), 401)
        assert not User.objects.exists()
        assert COOKIE not in browser.cookies

    def test_a_code_works_once(self, browser: Client, asked: str) -> None:
        step = browser.cookies[STEP].value
        leads_to(send_form(browser, "/sign-in/code", code=asked), "/account")
        second = client()
        second.cookies[STEP] = step
        shows(send_form(second, "/sign-in/code", code=asked), 401)
        assert COOKIE not in second.cookies

    def test_a_suspended_account_is_told_after_the_proof_only(self, browser: Client, user: User, asked: str) -> None:
        User.objects.update(is_active=False)
        shows(send_form(browser, "/sign-in/code", code=another(asked)), 401)
        shows(send_form(browser, "/sign-in/code", code=asked), 403, "This account is suspended.")
        assert COOKIE not in browser.cookies

    def test_staff_do_not_sign_in_here(self, browser: Client, asked: str) -> None:
        create_account(email=SOMEBODY, is_staff=True)
        shows(send_form(browser, "/sign-in/code", code=asked), 403, "Staff open a browser session on the admin")
        assert COOKIE not in browser.cookies

    def test_a_session_id_brought_along_is_not_kept(self, browser: Client, asked: str) -> None:
        chosen = browser.session
        chosen["planted"] = "by somebody else"
        chosen.save()
        browser.cookies[COOKIE] = chosen.session_key
        send_form(browser, "/sign-in/code", code=asked)
        assert browser.cookies[COOKIE].value != chosen.session_key
        thief = client()
        thief.cookies[COOKIE] = chosen.session_key
        leads_to(thief.get("/account"), "/sign-in?next=/account")
        assert Session.objects.count() == 1


class TestSignOut:
    def test_the_old_cookie_is_dead(self, signed_in: Client, user: User) -> None:
        old = signed_in.cookies[COOKIE].value
        leads_to(send_form(signed_in, "/account", "/sign-out"), "/sign-in")
        thief = client()
        thief.cookies[COOKIE] = old
        leads_to(thief.get("/account"), "/sign-in?next=/account")
        assert not Session.objects.exists()
        assert kinds(user) == ["signed_in", "signed_out"]

    def test_no_other_site_signs_anybody_out(self, signed_in: Client) -> None:
        assert signed_in.get("/sign-out").status_code == 405
        assert signed_in.post("/sign-out").status_code == 403
        assert signed_in.get("/account").status_code == 200


class TestAccount:
    def test_strangers_sign_in_first(self, browser: Client) -> None:
        leads_to(browser.get("/account"), "/sign-in?next=/account")

    def test_it_shows_the_own_keys_and_events(self, signed_in: Client, user: User) -> None:
        mine = mint_key(user=user, label=HOSTILE, now=clock.now())
        theirs = mint_key(user=create_account(email="other@example.com"), label="theirs", now=clock.now())
        content = shows(
            signed_in.get("/account"),
            200,
            f"{mine.key.prefix}…",
            "&lt;script&gt;",
            "Signed in",
            "Key made",
            'href="/api-docs"',
            "127.0.0.1",
        )
        assert theirs.key.prefix not in content
        assert mine.plain not in content

    def test_it_shows_the_last_events_only(self, signed_in: Client, user: User) -> None:
        key = mint_key(user=user, label="busy", now=clock.now()).key
        for _ in range(EVENTS_SHOWN + 5):
            SecurityEvent.objects.create(user=user, kind="key_used_from_new_address", key_prefix=key.prefix)
        assert shows(signed_in.get("/account"), 200).count("Key used from a new address") == EVENTS_SHOWN

    def test_every_event_has_a_sentence(self) -> None:
        assert set(_SENTENCES) == set(SecurityEvent.KINDS)

    def test_revoking(self, signed_in: Client, user: User) -> None:
        key = mint_key(user=user, label="mine", now=clock.now()).key
        other = mint_key(user=user, label="kept", now=clock.now()).key
        leads_to(send_form(signed_in, "/account", "/account/keys/revoke", keyPrefix=key.prefix), "/account")
        key.refresh_from_db()
        other.refresh_from_db()
        assert key.revoked_at is not None
        assert other.revoked_at is None
        shows(signed_in.get("/account"), 200, "revoked <time")
        assert kinds(user)[-1] == "key_revoked"

    @pytest.mark.parametrize("prefix", ["", "kt_live_", "kt_live_nothing1", "\0", "é", HOSTILE])
    def test_revoking_what_is_not_there_changes_nothing(self, signed_in: Client, user: User, prefix: str) -> None:
        theirs = mint_key(user=create_account(email="other@example.com"), label="theirs", now=clock.now()).key
        mint_key(user=user, label="mine", now=clock.now())
        for tried in (prefix, theirs.prefix):
            leads_to(send_form(signed_in, "/account", "/account/keys/revoke", keyPrefix=tried), "/account")
        assert not ApiKey.objects.exclude(revoked_at=None).exists()

    def test_no_other_site_revokes(self, signed_in: Client, user: User) -> None:
        key = mint_key(user=user, label="mine", now=clock.now()).key
        assert signed_in.post("/account/keys/revoke", {"keyPrefix": key.prefix}).status_code == 403
        assert signed_in.get("/account/keys/revoke", {"keyPrefix": key.prefix}).status_code == 405
        key.refresh_from_db()
        assert key.revoked_at is None

    def test_a_session_ends_with_its_account(self, signed_in: Client) -> None:
        User.objects.update(is_active=False)
        leads_to(signed_in.get("/account"), "/sign-in?next=/account")
        leads_to(signed_in.get("/link?code=ABCD-EFGH"), "/sign-in?next=/link%3Fcode%3DABCD-EFGH")


class TestDeviceLink:
    def test_whoever_is_not_signed_in_comes_back_to_the_code(self, browser: Client) -> None:
        link = start().link
        answer = browser.get(f"/link?code={link.user_code}")
        leads_to(answer, f"/sign-in?next=/link%3Fcode%3D{link.user_code}")
        back = parse_qs(urlsplit(answer["Location"]).query)["next"][0]
        assert own_path(back, "/account") == f"/link?code={link.user_code}"

    def test_looking_decides_nothing(self, signed_in: Client) -> None:
        started = start(HOSTILE)
        code = started.link.user_code
        content = shows(signed_in.get("/link", {"code": code}), 200, code, "203.0.113.9", "&lt;script&gt;", SOMEBODY)
        assert started.device_code not in content
        for query in ({"code": code, "decision": "approve"}, {"code": code, "decision": "deny"}):
            assert signed_in.get("/link", query).status_code == 200
            assert signed_in.head("/link", query).status_code == 200
        assert DeviceLink.objects.get().status == "pending"
        assert poll(started).json()["code"] == "authorization_pending"

    @pytest.mark.parametrize("write", [str, str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} "])
    def test_a_code_typed_by_hand(self, signed_in: Client, write: Callable[[str], str]) -> None:
        code = start().link.user_code
        shows(signed_in.get("/link"), 200, 'name="code"')
        shows(signed_in.get("/link", {"code": write(code)}), 200, "Connect this program?", code)

    def test_approving(self, signed_in: Client, user: User) -> None:
        started = start("cli")
        page = f"/link?code={started.link.user_code}"
        shows(send_form(signed_in, page, decision="approve", label="my laptop"), 200, "Approved", "my laptop")
        assert not ApiKey.objects.exists()
        answer = poll(started).json()
        assert answer["label"] == "my laptop"
        key = ApiKey.objects.get()
        assert (key.user, key.label, key.parent, key.scopes) == (user, "my laptop", None, None)
        assert kinds(user) == ["signed_in", "device_approved", "key_created"]
        shows(signed_in.get(page), 200, "its key was handed over")

    def test_an_empty_name_leaves_the_programs_own(self, signed_in: Client) -> None:
        started = start("cli")
        shows(send_form(signed_in, f"/link?code={started.link.user_code}", decision="approve", label=""), 200, "cli")
        assert poll(started).json()["label"] == "cli"

    def test_denying(self, signed_in: Client, user: User) -> None:
        started = start()
        page = f"/link?code={started.link.user_code}"
        shows(send_form(signed_in, page, decision="deny"), 200, "Denied", "gets no key")
        assert poll(started).json()["code"] == "access_denied"
        assert not ApiKey.objects.exists()
        assert kinds(user) == ["signed_in", "device_denied"]
        shows(signed_in.get(page), 200, "This request was denied before.")

    def test_a_decision_is_final(self, signed_in: Client) -> None:
        started = start()
        page = f"/link?code={started.link.user_code}"
        content = signed_in.get(page).content.decode()
        token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', content)[0]
        form = {"csrfmiddlewaretoken": token, "code": started.link.user_code}
        assert signed_in.post("/link", form | {"decision": "deny"}).status_code == 200
        shows(signed_in.post("/link", form | {"decision": "approve"}), 409, "approved or denied before")
        assert DeviceLink.objects.get().status == "denied"

    @pytest.mark.parametrize(
        "fields", [{"decision": "perhaps"}, {}, {"decision": "approve", "label": "x" * 65}, {"decision": "approve\0"}]
    )
    def test_an_unclear_decision_is_none(self, signed_in: Client, fields: dict[str, str]) -> None:
        started = start()
        shows(send_form(signed_in, f"/link?code={started.link.user_code}", **fields), 400, 'role="alert"')
        assert DeviceLink.objects.get().status == "pending"

    def test_no_other_site_approves(self, signed_in: Client) -> None:
        code = start().link.user_code
        signed_in.get(f"/link?code={code}")
        assert signed_in.post("/link", {"code": code, "decision": "approve"}).status_code == 403
        assert DeviceLink.objects.get().status == "pending"

    def test_an_expired_one(self, signed_in: Client) -> None:
        started = start()
        page = f"/link?code={started.link.user_code}"
        signed_in.get(page)
        DeviceLink.objects.update(expires_at=clock.now() - LIFETIME)
        shows(signed_in.get(page), 200, "This request has expired.")
        token = signed_in.cookies["csrftoken"].value
        form = {"csrfmiddlewaretoken": token, "code": started.link.user_code, "decision": "approve"}
        shows(signed_in.post("/link", form), 410, "The device link has expired")
        assert DeviceLink.objects.get().status == "pending"

    @pytest.mark.parametrize("code", ["BBBB-BBBB", "x", "é", HOSTILE[:20], "ABCDEFGHJ"])
    def test_a_wrong_code(self, signed_in: Client, code: str) -> None:
        start()
        shows(signed_in.get("/link", {"code": code}), 404, "No program shows this code.")

    @pytest.mark.parametrize("code", ["", "A" * 21, "\0"])
    def test_what_is_no_code_is_not_looked_up(self, signed_in: Client, code: str) -> None:
        shows(signed_in.get("/link", {"code": code}), 400, 'role="alert"')

    def test_guessing_is_limited_as_over_the_api(self, signed_in: Client) -> None:
        right = start().link.user_code
        for number in range(10):
            assert signed_in.get("/link", {"code": f"BBBB-{number}"}).status_code == 404
        for number in range(10):
            answer = client().get("/api/v1/device/link/request", {"userCode": f"CCCC-{number:04}"})
            assert answer.status_code == 404
        answer = signed_in.get("/link", {"code": right})
        shows(answer, 429, "Too many attempts")
        assert int(answer["Retry-After"]) <= 600


def test_pages_that_are_not_there_look_like_ours(browser: Client) -> None:
    answer = browser.get("/nothing-here")
    assert answer.status_code == 404
    assert b"There is no page at this address." in answer.content
    assert answer["X-Frame-Options"] == "DENY"


def test_no_page_of_allauth_is_there(browser: Client) -> None:
    for path in ("login", "signup", "password/reset", "email", "3rdparty", "google/login/token", "logout"):
        assert browser.get(f"/accounts/{path}/").status_code == 404
