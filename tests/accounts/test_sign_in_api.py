"""/api/v1/auth over HTTP: every outcome of getting a key, with its exact answer."""

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import OperationalError, connection

from accounts.models import ApiKey, CountedAttempt, EmailCode, SecurityEvent, User
from accounts.services import key_requests
from accounts.services.attempts import Limit
from accounts.services.keys import MOST_KEYS, mint_key, revoke_key
from accounts.services.users import create_account
from billing.selectors import balance
from core import clock
from core.outbox.models import OutboxEvent
from media.fleet.services import register_node
from media.models import Job
from media.services.publish_prices import publish_missing_prices
from tests.accounts.sign_ins import (
    AUTH,
    BROWSER_GOOGLE,
    BROWSER_VERIFY,
    GOOGLE,
    SESSION,
    SOMEBODY,
    START,
    VERIFY,
    another,
    balance_with,
    client,
    handle_events,
    issued,
    mailed_code,
    nothing_happened,
    post,
    refusals,
)
from tests.google import Google, token
from tests.media.customers import IMAGE, JOBS, PROMPT, error
from tests.media.standin import StandIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_in")]
CODE_REFUSED = "The code is wrong, used or expired; ask for a new one."


class TestEmailStart:
    def test_a_known_and_an_unknown_address_get_the_same_answer(self) -> None:
        create_account(email=SOMEBODY)
        answers = []
        for email in (SOMEBODY, "nobody@example.com", "  NoBody@Example.COM "):
            answer = post(START, {"email": email})
            headers = {name: value for name, value in answer.headers.items() if not name.startswith("X-R")}
            answers.append((answer.status_code, answer.json(), headers))
        assert answers == [answers[0]] * 3
        assert answers[0][:2] == (200, {"ok": True, "expiresInSeconds": 600})
        assert answers[0][2]["Cache-Control"] == "no-store"
        emails = EmailCode.objects.order_by("pk").values_list("email", flat=True)
        assert list(emails) == [SOMEBODY, "nobody@example.com", "nobody@example.com"]
        assert User.objects.count() == 1

    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            ({}, {"email": "is required"}),
            ({"email": "somebody"}, {"email": "is not a valid email address"}),
            ({"email": ""}, {"email": "is not a valid email address"}),
            ({"email": "a@b@example.com"}, {"email": "is not a valid email address"}),
            ({"email": "a@example.com\nBcc: b@example.com"}, {"email": "must not have control characters"}),
            ({"email": '"a b"@example.com'}, {"email": 'must not have a quoted part; write it without "'}),
            (
                {"email": "a@[127.0.0.1]"},
                {"email": "must have a domain name after the @, not an IP address in brackets"},
            ),
            ({"email": "a@example.com, b@example.com"}, {"email": "is not a valid email address"}),
            (
                {"email": "\u212aim@example.com"},
                {"email": "must be ASCII; write a domain in another script in its xn-- form"},
            ),
            ({"email": f"{'a' * 60}@{'b' * 200}.com"}, {"email": "String should have at most 254 characters"}),
            ({"email": 5}, {"email": "Input should be a valid string"}),
            ({"email": None}, {"email": "Input should be a valid string"}),
            ({"email": [SOMEBODY]}, {"email": "Input should be a valid string"}),
            ({"email": "a\0@example.com"}, {"email": "must not have control characters"}),
            (
                {"email": "a\ud800@example.com"},
                {"email": "Input should be a valid string, unable to parse raw data as a unicode string"},
            ),
            ({"email": SOMEBODY, "code": "123456"}, {"code": "is not a field of this request"}),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_a_wrong_body_names_its_field(self, body: Any, fields: dict[str, str]) -> None:
        assert error(post(START, body), 400, "invalid_request")["details"] == {"fields": fields}
        assert not EmailCode.objects.exists()
        assert not OutboxEvent.objects.exists()
        assert not CountedAttempt.objects.exists()

    def test_the_sixth_within_an_hour_is_told_when_to_come_back(self) -> None:
        for number in range(5):
            assert post(START, {"email": f"n{number}@example.com"}).status_code == 200
        create_account(email=SOMEBODY)
        for email in (SOMEBODY, "nobody@example.com"):
            answer = post(START, {"email": email})
            body = error(answer, 429, "rate_limited")
            assert 3590 <= body["retryAfter"] <= 3600
            assert answer["Retry-After"] == str(body["retryAfter"])
            assert "billed" not in body
        assert EmailCode.objects.count() == 5
        handle_events()
        assert len(mail.outbox) == 5

    def test_without_a_mail_server(self, settings: Any) -> None:
        settings.EMAIL_HOST = ""
        answer = post(START, {"email": SOMEBODY})
        body = error(answer, 503, "unavailable")
        assert body["error"] == "This installation cannot send mail, so it has no sign-in by email code."
        assert answer["Retry-After"]
        assert not EmailCode.objects.exists()


class TestEmailVerify:
    def test_a_code_makes_account_and_key(self) -> None:
        code = mailed_code()
        nothing_happened()
        key = issued(post(VERIFY, {"email": SOMEBODY, "code": code}), "Email sign-in")
        user = User.objects.get()
        events = SecurityEvent.objects.order_by("pk").values_list("kind", "details", "key_prefix", "address")
        assert list(events) == [
            ("signed_in", {"method": "email_code"}, "", "127.0.0.1"),
            (
                "key_created",
                {"label": "Email sign-in", "scopes": None, "parentKeyPrefix": None},
                key[:16],
                "127.0.0.1",
            ),
        ]
        answer = balance_with(key)  # before the ledger has opened its accounts
        assert (answer.status_code, answer.json()["usdBalanceMicros"]) == (200, 0)
        handle_events()
        view = balance(account_id=user.pk)
        assert (view.available, view.held, view.receivable) == (0, 0, 0)
        assert balance_with(key).status_code == 200

    def test_a_key_may_be_used_before_the_ledger_has_opened_its_accounts(self) -> None:
        publish_missing_prices()
        StandIn(credential=register_node(node_id="node-1", pools=["image"])).heartbeat(slots=2)
        key = issued(post(VERIFY, {"email": SOMEBODY, "code": mailed_code()}), "Email sign-in")
        assert OutboxEvent.objects.filter(topic="accounts.user_created").exists()
        body = {"task": IMAGE, "input": PROMPT}
        for _ in range(2):
            answer = post(JOBS, body, Authorization=f"Bearer {key}")
            assert error(answer, 402, "insufficient_balance")["billed"] is False
            handle_events()
        assert not Job.objects.exists()

    def test_signing_in_again_makes_another_key_of_the_same_account(self) -> None:
        first = issued(post(VERIFY, {"email": SOMEBODY, "code": mailed_code(), "keyLabel": "laptop"}), "laptop")
        shouted = {"email": f" {SOMEBODY.upper()} ", "code": mailed_code(), "keyLabel": "é" * 64}
        second = issued(post(VERIFY, shouted), "é" * 64)
        assert first != second
        assert User.objects.count() == 1
        assert balance_with(first).status_code == 200

    def test_wrong_used_expired_and_unknown_get_one_answer(self) -> None:
        code = mailed_code()
        used = {"email": "used@example.com", "code": mailed_code("used@example.com")}
        assert post(VERIFY, used).status_code == 200
        expired = {"email": "late@example.com", "code": mailed_code("late@example.com")}
        EmailCode.objects.filter(email="late@example.com").update(expires_at=clock.now())
        keys, users = ApiKey.objects.count(), User.objects.count()
        answers = []
        for body in (
            {"email": SOMEBODY, "code": another(code)},
            used,
            expired,
            {"email": "nobody@example.com", "code": code},
        ):
            answer = post(VERIFY, body)
            assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
            assert answer["Cache-Control"] == "no-store"
            answers.append(error(answer, 401, "unauthenticated"))
        assert answers == [{"error": CODE_REFUSED, "code": "unauthenticated", "details": {}}] * 4
        assert (ApiKey.objects.count(), User.objects.count()) == (keys, users)

    def test_five_guesses_end_a_code_for_key_and_browser_alike(self) -> None:
        code = mailed_code()
        for number in range(5):
            path = (VERIFY, BROWSER_VERIFY)[number % 2]
            error(post(path, {"email": SOMEBODY, "code": another(code)}), 401, "unauthenticated")
        for path in (VERIFY, BROWSER_VERIFY):
            error(post(path, {"email": SOMEBODY, "code": code}), 401, "unauthenticated")
        assert EmailCode.objects.get().tries == 5
        nothing_happened()

    @pytest.mark.parametrize(
        "code",
        [
            "12345",
            "1234567",
            "12345a",
            "",
            " 12345",
            "123456\n",
            "１２３４５６",
            "١٢٣٤٥٦",
            "+12345",
            123456,
            None,
            ["1"],
        ],
        ids=repr,
    )
    def test_what_has_not_the_form_of_a_code_is_no_guess(self, code: Any) -> None:
        mailed_code()
        body = error(post(VERIFY, {"email": SOMEBODY, "code": code}), 400, "invalid_request")
        assert list(body["details"]["fields"]) == ["code"]
        assert EmailCode.objects.get().tries == 0
        nothing_happened()

    @pytest.mark.parametrize("path", [VERIFY, BROWSER_VERIFY])
    @pytest.mark.parametrize("label", ["", "x" * 65, None, 5, "a\0b", "\ud800"], ids=repr)
    def test_a_wrong_label_costs_no_guess(self, path: str, label: Any) -> None:
        code = mailed_code()
        body = error(post(path, {"email": SOMEBODY, "code": code, "keyLabel": label}), 400, "invalid_request")
        assert list(body["details"]["fields"]) == ["keyLabel"]
        assert EmailCode.objects.get().tries == 0
        nothing_happened()

    def test_a_suspended_account_gets_no_key(self) -> None:
        user = create_account(email=SOMEBODY)
        User.objects.update(is_active=False)
        body = error(post(VERIFY, {"email": SOMEBODY, "code": mailed_code()}), 403, "account_suspended")
        assert body["error"] == "This account is suspended."
        assert not ApiKey.objects.filter(user=user).exists()

    def test_an_account_with_all_its_keys_keeps_its_code_until_one_is_revoked(self) -> None:
        user = create_account(email=SOMEBODY)
        keys = [mint_key(user=user, label="", now=clock.now()).key.prefix for _ in range(MOST_KEYS)]
        shown = {"email": SOMEBODY, "code": mailed_code()}
        events = SecurityEvent.objects.count()
        for tries in (1, 2):
            body = error(post(VERIFY, shown), 409, "too_many_keys")
            assert body["details"] == {"limit": MOST_KEYS}
            code = EmailCode.objects.get()
            assert (code.tries, code.used_at) == (tries, None)  # the guess counts, the code is good
        assert ApiKey.objects.count() == MOST_KEYS
        assert SecurityEvent.objects.count() == events
        assert not CountedAttempt.objects.filter(kind="keys_made").exists()
        revoke_key(account_id=user.pk, prefix=keys[0], now=clock.now())
        issued(post(VERIFY, shown), "Email sign-in")
        error(post(VERIFY, shown), 401, "unauthenticated")
        assert ApiKey.objects.count() == MOST_KEYS + 1

    @pytest.mark.django_db(transaction=True)  # the connection is given up after such an error
    def test_a_key_that_cannot_be_stored_leaves_the_code_good(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shown = {"email": SOMEBODY, "code": mailed_code()}

        def fails(*args: Any, **kwargs: Any) -> None:
            raise OperationalError("gone")

        with monkeypatch.context() as broken:
            broken.setattr(ApiKey, "save", fails)
            error(post(VERIFY, shown), 503, "unavailable")
        code = EmailCode.objects.get()
        assert (code.tries, code.used_at) == (1, None)
        nothing_happened()
        issued(post(VERIFY, shown), "Email sign-in")

    def test_a_suspended_accounts_code_is_used_up(self) -> None:
        create_account(email=SOMEBODY)
        User.objects.update(is_active=False)
        shown = {"email": SOMEBODY, "code": mailed_code()}
        before = refusals("suspended")
        error(post(VERIFY, shown), 403, "account_suspended")
        assert refusals("suspended") == before + 1
        assert EmailCode.objects.get().used_at is not None
        User.objects.update(is_active=True)
        error(post(VERIFY, shown), 401, "unauthenticated")
        assert not ApiKey.objects.exists()

    def test_so_many_keys_an_hour_and_the_code_stays_good(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(key_requests, "KEYS_MADE", Limit(kind="keys_made", most=2))
        for _ in range(2):
            issued(post(VERIFY, {"email": SOMEBODY, "code": mailed_code()}), "Email sign-in")
        shown = {"email": SOMEBODY, "code": mailed_code()}
        answer = post(VERIFY, shown)
        body = error(answer, 429, "rate_limited")
        assert 3590 <= body["retryAfter"] <= 3600
        assert answer["Retry-After"] == str(body["retryAfter"])
        assert (ApiKey.objects.count(), EmailCode.objects.latest("pk").used_at) == (2, None)
        assert post(BROWSER_VERIFY, shown).status_code == 200  # it makes no key

    def test_staff_may_have_keys(self) -> None:
        create_account(email=SOMEBODY, is_staff=True)
        issued(post(VERIFY, {"email": SOMEBODY, "code": mailed_code()}), "Email sign-in")

    def test_another_credential_in_the_request_does_nothing(self) -> None:
        answer = post(VERIFY, {"email": SOMEBODY, "code": mailed_code()}, Authorization="Bearer nonsense")
        issued(answer, "Email sign-in")

    def test_digits_and_key_are_in_no_log_and_no_table(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG):
            code = mailed_code()
            post(VERIFY, {"email": SOMEBODY, "code": another(code)})
            key = issued(post(VERIFY, {"email": SOMEBODY, "code": code}), "Email sign-in")
        assert not re.search(rf"\b({code}|{another(code)})\b", caplog.text)
        assert key[17:] not in caplog.text
        assert "sign_in_refused" in caplog.text
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names():
                cursor.execute(f'SELECT t::text FROM "{table}" t')
                for (row,) in cursor.fetchall():
                    assert not re.search(rf"(?<![\w.+-]){code}(?![\w-])", row), table
                    assert key[17:] not in row


class TestAroundThem:
    @pytest.mark.parametrize("path", [START, VERIFY, GOOGLE, BROWSER_VERIFY, BROWSER_GOOGLE])
    def test_only_posts_of_json(self, path: str) -> None:
        for method in ("get", "put", "delete", "patch"):
            answer = getattr(client(), method)(path)
            error(answer, 405, "method_not_allowed")
            assert answer["Cache-Control"] == "no-store"
        error(client().post(path, {"email": SOMEBODY}), 415, "unsupported_media_type")
        error(client().post(path, "{", content_type="application/json"), 400, "invalid_request")
        error(post(path, [1]), 400, "invalid_request")
        nothing_happened()
        assert not EmailCode.objects.exists()

    def test_each_address_has_so_many_a_minute(self, settings: Any) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "sign_in": 2}
        body = {"email": SOMEBODY, "code": "000000"}
        who = {"REMOTE_ADDR": "198.51.100.77"}
        statuses = [client(**who).post(VERIFY, body, content_type="application/json").status_code for _ in range(2)]
        answer = client(**who).post(BROWSER_VERIFY, body, content_type="application/json")
        assert statuses == [401, 401]
        assert error(answer, 429, "rate_limited")["retryAfter"] <= 60

    def test_refusals_are_counted_where_operators_look(self) -> None:
        before = refusals("email_code_none")
        post(VERIFY, {"email": SOMEBODY, "code": "000000"})
        assert refusals("email_code_none") == before + 1
        text = client().get("/metrics").content.decode()
        assert f'killatamata_sign_in_refusals_total{{reason="email_code_none"}} {before + 1}' in text

    def test_key_calls_may_come_from_any_page_and_session_calls_may_not(self, issuer: Google) -> None:
        answer = post(GOOGLE, {"idToken": token()}, Origin="https://elsewhere.example")
        assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, "*")
        assert "Access-Control-Allow-Credentials" not in answer
        error(post(BROWSER_GOOGLE, {"idToken": token()}, Origin="https://elsewhere.example"), 403, "forbidden")

    def test_there_is_nothing_else_here(self) -> None:
        error(client().get(f"{AUTH}/nothing"), 404, "route_not_found")
        assert client().get(SESSION).status_code == 200


def test_codes_of_long_ago_cannot_be_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    code = mailed_code()
    later = clock.now() + timedelta(minutes=10)
    monkeypatch.setattr("accounts.api.auth.clock.now", lambda: later)
    error(post(VERIFY, {"email": SOMEBODY, "code": code}), 401, "unauthenticated")
    nothing_happened()
