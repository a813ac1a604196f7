"""/api/v1/auth with Google ID tokens over HTTP: every outcome, with its exact answer."""

import logging
from typing import Any

import pytest

from accounts.google import IdTokenRefused
from accounts.models import ApiKey, CountedAttempt, SecurityEvent, User
from accounts.services import key_requests
from accounts.services.attempts import Limit
from accounts.services.keys import MOST_KEYS, mint_key, revoke_key
from accounts.services.users import create_account
from core import clock
from tests.accounts.sign_ins import (
    BROWSER_GOOGLE,
    GOOGLE,
    SOMEBODY,
    VERIFY,
    balance_with,
    issued,
    mailed_code,
    nothing_happened,
    post,
)
from tests.google import Google, token
from tests.media.customers import error

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_in")]


class TestGoogle:
    def test_a_token_makes_account_and_key(self, issuer: Google) -> None:
        key = issued(post(GOOGLE, {"idToken": token()}), "Google sign-in")
        events = SecurityEvent.objects.order_by("pk").values_list("kind", "details")
        assert next(iter(events)) == ("signed_in", {"method": "google"})
        assert balance_with(key).status_code == 200

    def test_google_and_email_are_one_account(self, issuer: Google) -> None:
        issued(post(VERIFY, {"email": SOMEBODY, "code": mailed_code()}), "Email sign-in")
        issued(post(GOOGLE, {"idToken": token(SOMEBODY.title()), "keyLabel": "phone"}), "phone")
        assert (User.objects.count(), ApiKey.objects.count()) == (1, 2)

    @pytest.mark.parametrize("path", [GOOGLE, BROWSER_GOOGLE])
    def test_every_refusal_is_one_answer(self, issuer: Google, path: str, caplog: pytest.LogCaptureFixture) -> None:
        shown = [
            token(aud="another"),
            token(iss="https://accounts.example.com"),
            token(exp=1, iat=1),
            token(email_verified=False),
            token(header={"alg": "none"}),
            token(header={"kid": "nobody"}),
            "this is not a token at all",
            "x" * 8192,
        ]
        answers = []
        with caplog.at_level(logging.DEBUG):
            for one in shown:
                answer = post(path, {"idToken": one})
                assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
                assert answer.cookies == {}
                answers.append(error(answer, 401, "unauthenticated"))
        sentence = IdTokenRefused.__doc__
        assert answers == [{"error": sentence, "code": "unauthenticated", "details": {}}] * len(shown)
        assert not any(piece in caplog.text for one in shown for piece in one.split(".") if len(piece) > 12)
        nothing_happened()

    @pytest.mark.parametrize("path", [GOOGLE, BROWSER_GOOGLE])
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "idToken"),
            ({"idToken": "short"}, "idToken"),
            ({"idToken": "x" * 8193}, "idToken"),
            ({"idToken": 5}, "idToken"),
            ({"idToken": None}, "idToken"),
            ({"id_token": "x" * 30, "idToken": "x" * 30}, "id_token"),
            ({"idToken": "x" * 30, "keyLabel": ""}, "keyLabel"),
            ({"idToken": "x" * 30, "email": SOMEBODY}, "email"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_a_wrong_body_names_its_field(self, issuer: Google, path: str, body: Any, field: str) -> None:
        assert list(error(post(path, body), 400, "invalid_request")["details"]["fields"]) == [field]
        assert issuer.asked == 0
        nothing_happened()

    @pytest.mark.parametrize("path", [GOOGLE, BROWSER_GOOGLE])
    def test_not_set_up(self, path: str, settings: Any) -> None:
        settings.GOOGLE_CLIENT_IDS = []
        answer = post(path, {"idToken": token()})
        assert error(answer, 503, "unavailable")["error"] == (
            "Signing in with Google is not set up on this installation."
        )
        nothing_happened()

    @pytest.mark.parametrize("path", [GOOGLE, BROWSER_GOOGLE])
    def test_google_is_away(self, path: str, issuer: Google) -> None:
        issuer.status = 500
        answer = post(path, {"idToken": token()})
        assert error(answer, 503, "unavailable")["error"] == (
            "Google's certificates cannot be fetched right now; try again shortly."
        )
        assert answer["Retry-After"] == "5"
        nothing_happened()

    def test_a_suspended_account_gets_no_key(self, issuer: Google) -> None:
        create_account(email=SOMEBODY)
        User.objects.update(is_active=False)
        error(post(GOOGLE, {"idToken": token()}), 403, "account_suspended")
        assert not ApiKey.objects.exists()

    def test_an_account_with_all_its_keys_gets_no_more(self, issuer: Google) -> None:
        user = create_account(email=SOMEBODY)
        keys = [mint_key(user=user, label="", now=clock.now()).key.prefix for _ in range(MOST_KEYS)]
        body = error(post(GOOGLE, {"idToken": token()}), 409, "too_many_keys")
        assert body["details"] == {"limit": MOST_KEYS}
        assert ApiKey.objects.count() == MOST_KEYS
        assert not SecurityEvent.objects.filter(kind=SecurityEvent.SIGNED_IN).exists()
        assert not CountedAttempt.objects.exists()
        revoke_key(account_id=user.pk, prefix=keys[0], now=clock.now())
        issued(post(GOOGLE, {"idToken": token()}), "Google sign-in")

    def test_so_many_keys_an_hour(self, issuer: Google, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(key_requests, "KEYS_MADE", Limit(kind="keys_made", most=2))
        for _ in range(2):
            issued(post(GOOGLE, {"idToken": token()}), "Google sign-in")
        answer = post(GOOGLE, {"idToken": token()})
        body = error(answer, 429, "rate_limited")
        assert answer["Retry-After"] == str(body["retryAfter"])
        assert ApiKey.objects.count() == 2
        other = "other@example.com"
        issued(post(GOOGLE, {"idToken": token(other)}), "Google sign-in", other)
        assert post(BROWSER_GOOGLE, {"idToken": token()}).status_code == 200  # it makes no key
