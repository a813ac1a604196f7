"""Sign in with Google by redirect: a browser, our pages and a stand-in for Google, over real HTTP where Google is."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import ApiKey, SecurityEvent, User
from accounts.services.users import create_account
from accounts.sessions import SessionStore
from core import outbox_topics
from core.outbox.models import OutboxEvent
from deploy import ports
from tests.accounts import google_site
from tests.accounts.google_site import ACCESS_TOKEN, CLIENT_SECRET, GoogleSite
from tests.accounts.sign_ins import COOKIE, SOMEBODY, client, refusals
from tests.google import CLIENT_ID, Google, Key, token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_in")]
LOGIN = "/accounts/google/login/"
CALLBACK = "/accounts/google/login/callback/"
FAILED = "Signing in with Google did not work. Please try again."
UNPROVEN = "The Google ID token is not valid here"


@pytest.fixture
def site(issuer: Google, settings: Any) -> Iterator[GoogleSite]:
    with google_site.serve() as serving:
        settings.GOOGLE_CLIENT_ID = CLIENT_ID
        settings.GOOGLE_CLIENT_SECRET = CLIENT_SECRET
        settings.GOOGLE_AUTHORIZE_URL = serving.authorize_url
        settings.GOOGLE_TOKEN_URL = serving.token_url
        yield serving


@pytest.fixture
def browser(site: GoogleSite) -> Client:
    return client()


def set_out(browser: Client, next_page: str = "", query: str = "") -> Any:
    """Press the button."""
    browser.get("/sign-in")
    form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"].value, "next": next_page}
    return browser.post(LOGIN + query, form)


def way_back(browser: Client, next_page: str = "") -> str:
    """Press the button, answer Google's page; the path on our site that Google then sends the browser to."""
    answer = set_out(browser, next_page)
    assert answer.status_code == 302, answer.content
    at_google = requests.get(answer["Location"], allow_redirects=False, timeout=10)
    parts = urlsplit(at_google.headers["Location"])
    assert (f"{parts.scheme}://{parts.netloc}", parts.path) == ("http://127.0.0.1:8000", CALLBACK)
    return f"{parts.path}?{parts.query}"


def refused(browser: Client, answer: Any, status: int, sentence: str) -> None:
    """The sign-in page with a sentence, and nobody signed in."""
    assert answer.status_code == status, answer.content
    content = answer.content.decode()
    assert sentence in content
    assert 'action="/sign-in"' in content
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "no-store"
    assert browser.get("/account").status_code == 302
    assert not SecurityEvent.objects.exists()
    assert not ApiKey.objects.exists()


class TestSuccess:
    def test_a_new_account(self, browser: Client, site: GoogleSite) -> None:
        site.id_token = token("Somebody@Example.com")
        answer = browser.get(way_back(browser, "/link?code=ABCD-EFGH"))
        assert answer.status_code == 302
        assert answer["Location"] == "/link?code=ABCD-EFGH"
        assert answer["Cache-Control"] == "no-store"
        user = User.objects.get()
        assert (user.email, user.has_usable_password(), user.is_staff) == (SOMEBODY, False, False)
        [event] = SecurityEvent.objects.all()
        assert (event.user, event.kind, event.details) == (user, "signed_in", {"method": "google"})
        created = OutboxEvent.objects.get(topic=outbox_topics.USER_CREATED)
        assert created.payload == {"accountId": str(user.pk)}
        assert SOMEBODY in browser.get("/account").content.decode()
        assert SOMEBODY not in site.exchanged[0].values()

    def test_an_account_that_is_there(self, browser: Client) -> None:
        user = create_account(email=SOMEBODY)
        assert browser.get(way_back(browser))["Location"] == "/account"
        assert User.objects.get() == user
        assert SessionStore(browser.cookies[COOKIE].value).load()["_auth_user_id"] == str(user.pk)

    def test_what_google_is_asked(self, browser: Client, site: GoogleSite) -> None:
        browser.get(way_back(browser))
        [asked] = site.asked
        assert len(asked.pop("state")) >= 16
        assert len(asked.pop("code_challenge")) == 43
        assert set(asked.pop("scope").split()) == {"openid", "email"}
        assert asked == {
            "client_id": CLIENT_ID,
            "redirect_uri": f"http://127.0.0.1:8000{CALLBACK}",
            "response_type": "code",
            "code_challenge_method": "S256",
        }
        [form] = site.exchanged
        assert len(form["code_verifier"]) >= 43

    def test_nothing_of_google_or_allauth_is_kept(self, browser: Client, site: GoogleSite) -> None:
        browser.get(way_back(browser))
        for model in (SocialAccount, SocialApp, SocialToken, EmailAddress):
            assert not model.objects.exists()
        kept = json.dumps(SessionStore(browser.cookies[COOKIE].value).load())
        for secret in (ACCESS_TOKEN, site.exchanged[0]["code_verifier"], site.exchanged[0]["code"], CLIENT_SECRET):
            assert secret not in kept
        assert Session.objects.count() == 1

    def test_the_session_is_a_new_one(self, browser: Client) -> None:
        back = way_back(browser)
        before = browser.cookies[COOKIE].value
        browser.get(back)
        assert browser.cookies[COOKIE].value != before
        thief = client()
        thief.cookies[COOKIE] = before
        assert thief.get("/account").status_code == 302

    def test_it_never_leads_elsewhere(self, browser: Client) -> None:
        assert browser.get(way_back(browser, "//evil.example"))["Location"] == "/account"

    def test_secrets_reach_no_log(self, browser: Client, site: GoogleSite, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        back = way_back(browser)
        browser.get(back)
        browser.get(back)
        site.answer = (400, b'{"error": "invalid_grant", "hint": "a-hint-of-google"}')
        browser.get(way_back(browser))
        [first, second] = site.exchanged
        ours = "\n".join(
            f"{record.getMessage()}{record.exc_info or ''}"
            for record in caplog.records
            if not record.name.startswith(("urllib3", "django.db"))
        )
        for secret in (first["code"], first["code_verifier"], second["code"], ACCESS_TOKEN, "a-hint-of-google"):
            assert secret not in ours


class TestRefusals:
    @pytest.mark.parametrize("state", [None, "", "x" * 16, "é"])
    def test_a_state_that_is_not_ours(self, browser: Client, site: GoogleSite, state: str | None) -> None:
        query = dict(parse_qsl(urlsplit(way_back(browser, "/link")).query)) | {"state": state}
        if state is None:
            del query["state"]
        before = refusals("google_redirect")
        answer = browser.get(CALLBACK, query)
        refused(browser, answer, 401, FAILED)
        assert 'name="next" value="/link"' in answer.content.decode()
        assert refusals("google_redirect") == before + 1
        assert not site.exchanged
        assert not User.objects.exists()

    def test_another_browsers_state(self, browser: Client, site: GoogleSite) -> None:
        back = way_back(browser)
        victim = client()
        victim.get("/sign-in")
        refused(victim, victim.get(back), 401, FAILED)
        set_out(victim)
        refused(victim, victim.get(back), 401, FAILED)
        assert not site.exchanged

    def test_a_way_back_is_gone_once(self, browser: Client, site: GoogleSite) -> None:
        back = way_back(browser)
        assert browser.get(back).status_code == 302
        answer = browser.get(back)
        assert answer.status_code == 401
        assert len(site.exchanged) == 1
        assert SecurityEvent.objects.count() == 1

    def test_a_code_that_google_does_not_take_again(self, browser: Client, site: GoogleSite) -> None:
        back = way_back(browser)
        site.codes.clear()
        refused(browser, browser.get(back), 401, FAILED)
        assert len(site.exchanged) == 1

    def test_another_sessions_code_fails_by_its_verifier(self, browser: Client, site: GoogleSite) -> None:
        stolen = dict(parse_qsl(urlsplit(way_back(browser)).query))["code"]
        thief = client()
        own = dict(parse_qsl(urlsplit(way_back(thief)).query))
        refused(thief, thief.get(CALLBACK, own | {"code": stolen}), 401, FAILED)

    def test_no_consent(self, browser: Client, site: GoogleSite) -> None:
        site.consents = False
        before = refusals("google_cancelled")
        refused(browser, browser.get(way_back(browser)), 401, "You did not sign in with Google.")
        assert refusals("google_cancelled") == before + 1
        assert not site.exchanged

    @pytest.mark.parametrize("query", [{}, {"error": "server_error"}, {"error": "<script>"}])
    def test_no_code(self, browser: Client, site: GoogleSite, query: dict[str, str]) -> None:
        state = dict(parse_qsl(urlsplit(way_back(browser)).query))["state"]
        answer = browser.get(CALLBACK, {"state": state} | query)
        refused(browser, answer, 401, FAILED)
        assert "<script" not in answer.content.decode()
        assert not site.exchanged

    @pytest.mark.parametrize(
        "changed",
        [
            {"email_verified": False},
            {"email_verified": "true"},
            {"email_verified": None},
            {"email": None},
            {"aud": "somebody-elses"},
            {"iss": "https://evil.example"},
            {"exp": 1},
            {"key": Key("key-one")},
            {"header": {"alg": "none"}},
        ],
        ids=str,
    )
    def test_a_token_that_proves_nothing(self, browser: Client, site: GoogleSite, changed: dict[str, Any]) -> None:
        create_account(email="victim@example.com")
        site.id_token = token(**{"email": "victim@example.com"} | changed)
        refused(browser, browser.get(way_back(browser)), 401, UNPROVEN)
        assert User.objects.count() == 1

    @pytest.mark.parametrize(
        ("status", "content"),
        [
            (200, b'{"access_token": "x"}'),
            (200, b'{"access_token": "x", "id_token": 7}'),
            (200, b'{"id_token": "x"}'),
            (200, b'{"access_token": "x", "expires_in": "soon"}'),
            (200, b'"access_token"'),
            (200, b"[]"),
            (500, b"{}"),
        ],
    )
    def test_an_answer_without_tokens(self, browser: Client, site: GoogleSite, status: int, content: bytes) -> None:
        site.answer = (status, content)
        refused(browser, browser.get(way_back(browser)), 401, FAILED)

    def test_an_answer_that_is_none(self, browser: Client, site: GoogleSite) -> None:
        site.answer = (200, b"not JSON")
        refused(browser, browser.get(way_back(browser)), 503, "Google cannot be reached right now")

    def test_google_is_away(self, browser: Client, settings: Any) -> None:
        back = way_back(browser)
        nobody = ports.take(name="nobody")
        settings.GOOGLE_TOKEN_URL = f"http://127.0.0.1:{nobody}/token"
        answer = browser.get(back)
        ports.release([nobody])
        refused(browser, answer, 503, "Google cannot be reached right now")
        assert answer["Retry-After"] == "5"

    def test_its_certificates_are_away(self, browser: Client, issuer: Google) -> None:
        issuer.status = 500
        refused(browser, browser.get(way_back(browser)), 503, "certificates cannot be fetched")

    def test_staff(self, browser: Client) -> None:
        create_account(email=SOMEBODY, is_staff=True)
        refused(browser, browser.get(way_back(browser)), 403, "Staff open a browser session on the admin")

    def test_a_suspended_account(self, browser: Client) -> None:
        create_account(email=SOMEBODY)
        User.objects.update(is_active=False)
        refused(browser, browser.get(way_back(browser)), 403, "This account is suspended.")


class TestSettingOut:
    def test_by_post_with_a_token_only(self, browser: Client, site: GoogleSite) -> None:
        assert browser.get(LOGIN).status_code == 405
        browser.get("/sign-in")
        assert browser.post(LOGIN).status_code == 403
        assert browser.post(CALLBACK).status_code in {403, 405}
        assert not Session.objects.exists()

    def test_what_the_query_asks_for_is_not_heard(self, browser: Client, site: GoogleSite) -> None:
        query = (
            "?scope=drive&process=connect&next=//evil.example&action=reauthenticate&auth_params=prompt%3Dnone%26x%3D1"
        )
        asked = dict(parse_qsl(urlsplit(set_out(browser, query=query)["Location"]).query))
        assert set(asked["scope"].split()) == {"openid", "email"}
        assert asked.keys() == {
            "client_id",
            "redirect_uri",
            "scope",
            "response_type",
            "state",
            "code_challenge",
            "code_challenge_method",
        }

    def test_the_address_to_come_back_to_is_ours_whatever_the_host_header_says(self, browser: Client) -> None:
        browser.get("/sign-in")
        form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"].value}
        answer = browser.post(LOGIN, form, headers={"Host": "localhost:9999"})
        asked = dict(parse_qsl(urlsplit(answer["Location"]).query))
        assert asked["redirect_uri"] == f"http://127.0.0.1:8000{CALLBACK}"

    @pytest.mark.parametrize("missing", ["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"])
    def test_without_credentials_there_is_nothing(self, browser: Client, settings: Any, missing: str) -> None:
        setattr(settings, missing, "")
        assert set_out(browser).status_code == 404
        for path in (LOGIN, CALLBACK):
            assert browser.get(path).status_code == 404
