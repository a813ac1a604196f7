"""The program's side of a device link: start, look, poll, and the key at the end."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts import recognition
from accounts.digests import digest
from accounts.models import ApiKey, CountedAttempt, DeviceLink, SecurityEvent, User
from accounts.services import device_links
from accounts.services.keys import MOST_KEYS, mint_key, revoke_key
from core import clock, ids
from tests.accounts.credentials import OWN, browser_of, limited, with_key
from tests.accounts.linking import (
    APPROVE,
    DENY,
    NO_SUCH,
    POLL,
    REQUEST,
    START,
    approve,
    granted,
    look,
    poll,
    post,
    start,
    status,
)
from tests.media.customers import Customer, error

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_in")]


class TestStart:
    def test_answers_what_the_program_needs(self, settings: Any, later: Any) -> None:
        settings.SITE_URL = "https://site.example"
        answer = post(START, {"keyLabel": "laptop"})
        body = answer.json()
        code = body["userCode"]
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
        assert re.fullmatch(r"ktd_[A-Za-z0-9_-]{43}", body["deviceCode"])
        assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", code)
        assert body == {
            "ok": True,
            "deviceCode": body["deviceCode"],
            "userCode": code,
            "verificationUri": "https://site.example/link",
            "verificationUriComplete": f"https://site.example/link?code={code}",
            "expiresIn": 600,
            "interval": 5,
        }
        link = DeviceLink.objects.get()
        assert bytes(link.device_digest) == digest(body["deviceCode"])
        assert (link.user_code, link.label, link.status, link.requested_from) == (
            code,
            "laptop",
            "pending",
            "127.0.0.1",
        )
        assert (link.created_at, link.expires_at) == (clock.now(), clock.now() + timedelta(seconds=600))
        assert (link.approved_by_id, link.approved_with_id, link.polled_at) == (None, None, None)

    def test_no_two_are_alike(self) -> None:
        many = [start() for _ in range(10)]
        assert len({one["deviceCode"] for one in many}) == len({one["userCode"] for one in many}) == 10

    def test_takes_no_body_and_minds_no_credential(self, customer: Customer) -> None:
        answers = [
            Client().generic("POST", START),
            post(START, {}, Authorization="Bearer wrong"),
            customer.post(START, {}),
            browser_of(customer).post(
                START, {}, content_type="application/json", headers={"Origin": "https://x.example"}
            ),
        ]
        assert [answer.status_code for answer in answers] == [200] * 4
        assert DeviceLink.objects.filter(status="pending", approved_by=None).count() == 4

    def test_draws_again_when_a_user_code_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn = iter(["BCDF-GHJK", "BCDF-GHJK", "BCDF-GHJK", "LMNP-QRST"])
        monkeypatch.setattr(device_links, "draw_user_code", lambda: next(drawn))
        assert [start()["userCode"], start()["userCode"]] == ["BCDF-GHJK", "LMNP-QRST"]

    def test_gives_up_when_none_is_free(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(device_links, "draw_user_code", lambda: "BCDF-GHJK")
        start()
        error(post(START), 500, "internal_error")
        assert DeviceLink.objects.count() == 1

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"keyLabel": ""}, "keyLabel"),
            ({"keyLabel": "x" * 65}, "keyLabel"),
            ({"keyLabel": 5}, "keyLabel"),
            ({"keyLabel": None}, "keyLabel"),
            ({"keyLabel": "\0"}, "keyLabel"),
            ({"scopes": ["keys"]}, "scopes"),
            ([], ""),
        ],
        ids=str,
    )
    def test_bad_bodies(self, body: Any, field: str) -> None:
        assert list(error(post(START, body), 400, "invalid_request")["details"]["fields"]) == [field]
        assert not DeviceLink.objects.exists()

    def test_is_limited_by_address(self, settings: Any, customer: Customer) -> None:
        settings.RATE_LIMITS = {"sign_in": 77, "write": 88, "read": 99}
        assert customer.post(START)["X-RateLimit-Limit"] == "77"
        assert post(POLL, {"deviceCode": "x" * 20})["X-RateLimit-Limit"] == "88"


class TestRequest:
    def test_tells_what_became_of_it(self, customer: Customer, later: Any) -> None:
        started = start(keyLabel="laptop")
        code = started["userCode"]
        expected = {
            "ok": True,
            "userCode": code,
            "status": "pending",
            "keyLabel": "laptop",
            "requestedFrom": None,
            "createdAt": clock.rfc3339(clock.now()),
            "expiresAt": clock.rfc3339(clock.now() + timedelta(seconds=600)),
        }
        answer = look(code)
        assert (answer.status_code, answer.json(), answer["Cache-Control"]) == (200, expected, "no-store")
        signed_in = expected | {"requestedFrom": "127.0.0.1"}
        assert customer.get(REQUEST, userCode=code).json() == signed_in
        assert browser_of(customer).get(REQUEST, {"userCode": code}).json() == signed_in
        approve(customer, started)
        assert look(code).json() == expected | {"status": "approved"}
        poll(started)
        assert look(code).json() == expected | {"status": "consumed"}
        assert started["deviceCode"] not in look(code).content.decode()

    def test_takes_any_case_and_no_dash(self) -> None:
        code = start()["userCode"]
        for form in (code, code.lower(), code.replace("-", ""), code.replace("-", "").title(), f" {code} ", f"-{code}"):
            assert look(form).json()["userCode"] == code, form
        assert not CountedAttempt.objects.exists()

    def test_says_expired_after_its_time(self, customer: Customer, later: Any) -> None:
        pending, approved, denied, consumed = (start() for _ in range(4))
        approve(customer, approved)
        customer.post(DENY, {"userCode": denied["userCode"]})
        approve(customer, consumed)
        poll(consumed)
        later(599)
        assert [status(one) for one in (pending, approved, denied, consumed)] == [
            "pending",
            "approved",
            "denied",
            "consumed",
        ]
        later(1)
        assert [status(one) for one in (pending, approved, denied, consumed)] == [
            "expired",
            "expired",
            "denied",
            "consumed",
        ]

    def test_of_no_such_code_is_a_404(self) -> None:
        code = start()["userCode"]
        for wrong in (
            NO_SUCH,
            code[:-1],
            code[:4],
            f"{code}B",
            "????????",
            "ſſſſ-ſſſſ",
            "AEIO-UAEI",
            code.replace("-", "")[::-1] + "A",
        ):
            assert error(look(wrong), 404, "not_found")["details"] == {}

    def test_of_no_form_is_a_400(self) -> None:
        for query in ({}, {"userCode": ""}, {"userCode": "BCD"}, {"userCode": "B" * 33}, {"userCode": "BCDF\0GHJK"}):
            answer = Client().get(REQUEST, query)
            assert list(error(answer, 400, "invalid_request")["details"]["fields"]) == ["userCode"]
        answer = Client().get(REQUEST, {"userCode": NO_SUCH, "deviceCode": "x"})
        assert list(error(answer, 400, "invalid_request")["details"]["fields"]) == ["deviceCode"]
        assert not CountedAttempt.objects.exists()

    def test_with_a_wrong_key_is_a_401(self) -> None:
        error(look(start()["userCode"], Authorization="Bearer wrong"), 401, "unauthenticated")

    def test_guesses_are_counted_by_address(self, later: Any) -> None:
        code = start()["userCode"]
        for _ in range(20):
            assert look(code).status_code == 200  # right codes cost nothing
            error(look(NO_SUCH), 404, "not_found")
        later(10)
        for guess in (NO_SUCH, code):  # no answer tells a right one any more
            answer = look(guess)
            body = error(answer, 429, "rate_limited")
            assert (body["retryAfter"], answer["Retry-After"]) == (590, "590")
        assert look(code, address="203.0.113.7").status_code == 200
        later(590)
        assert look(code).status_code == 200
        error(look(NO_SUCH), 404, "not_found")


class TestPoll:
    def test_hands_the_key_over_once(self, customer: Customer, later: Any) -> None:
        started = start(keyLabel="laptop")
        approve(customer, started)
        body = granted(poll(started))
        key = ApiKey.objects.get(prefix=body["keyPrefix"])
        assert body == {
            "ok": True,
            "status": "approved",
            "apiKey": body["apiKey"],
            "keyPrefix": body["apiKey"][:16],
            "label": "laptop",
            "account": {"id": customer.public_id, "email": User.objects.get(pk=customer.id).email},
        }
        assert (key.user_id, key.parent_id, key.label, key.created_at) == (
            customer.id,
            customer.key_id,
            "laptop",
            clock.now(),
        )
        assert with_key(customer, body["apiKey"]).get("/api/v1/balance").status_code == 200
        again = poll(started)
        assert body["apiKey"][17:] not in again.content.decode()
        error(again, 400, "expired_token")
        assert ApiKey.objects.count() == 2
        made = SecurityEvent.objects.get(kind=SecurityEvent.KEY_CREATED, key_prefix=key.prefix)
        assert made.details["parentKeyPrefix"] == customer.key[:16]

    def test_waits_at_the_interval(self, customer: Customer, later: Any) -> None:
        started = start()
        for _ in range(3):
            body = error(poll(started), 400, "authorization_pending")
            assert body["details"] == {"interval": 5}
            later(5)
        approve(customer, started)
        granted(poll(started))

    def test_too_soon_slows_down_for_good(self, customer: Customer, later: Any) -> None:
        started = start()
        seen = []
        for pause in (0, 4.9, 9.9, 15, 14.9, 20):
            later(pause)
            body = poll(started).json()
            seen.append((body["code"], body["details"]["interval"]))
        assert seen == [
            ("authorization_pending", 5),
            ("slow_down", 10),
            ("slow_down", 15),
            ("authorization_pending", 15),
            ("slow_down", 20),
            ("authorization_pending", 20),
        ]
        approve(customer, started)
        granted(poll(started))  # nothing is pending any more

    def test_never_slows_down_past_the_links_own_life(self, later: Any) -> None:
        started = start()
        DeviceLink.objects.update(interval_seconds=597, polled_at=clock.now())
        for _ in range(2):
            assert error(poll(started), 400, "slow_down")["details"] == {"interval": 600}

    def test_unknown_expired_and_used_up_are_one_answer(self, customer: Customer, later: Any) -> None:
        pending, approved, used = start(), start(), start()
        approve(customer, approved)
        approve(customer, used)
        granted(poll(used))
        later(600)
        answers = [poll(pending), poll(approved), poll(used), post(POLL, {"deviceCode": f"ktd_{'x' * 43}"})]
        bodies = [error(answer, 400, "expired_token") for answer in answers]
        assert all(body == bodies[0] for body in bodies)
        assert ApiKey.objects.count() == 2

    def test_minds_no_credential(self, customer: Customer) -> None:
        started = start()
        answer = post(POLL, {"deviceCode": started["deviceCode"]}, Authorization="Bearer wrong")
        error(answer, 400, "authorization_pending")

    def test_the_user_code_is_no_device_code(self, customer: Customer) -> None:
        started = start()
        approve(customer, started)
        for wrong in (
            started["userCode"] * 3,
            started["deviceCode"][:-1],
            started["deviceCode"].upper(),
            f"{started['deviceCode']} ",
        ):
            error(post(POLL, {"deviceCode": wrong}), 400, "expired_token")
        granted(poll(started))

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "deviceCode"),
            ({"deviceCode": "x" * 19}, "deviceCode"),
            ({"deviceCode": "x" * 257}, "deviceCode"),
            ({"deviceCode": 5}, "deviceCode"),
            ({"deviceCode": "\0" * 30}, "deviceCode"),
            ({"deviceCode": "x" * 47, "interval": 1}, "interval"),
        ],
        ids=str,
    )
    def test_bad_bodies(self, body: Any, field: str) -> None:
        assert list(error(post(POLL, body), 400, "invalid_request")["details"]["fields"]) == [field]

    def test_a_child_has_no_more_than_the_approving_key(self, customer: Customer) -> None:
        asking = limited(customer, "keys", "media:read", monthly_spend_limit=4_000_000)
        started = start()
        approve(asking, started)
        key = ApiKey.objects.get(prefix=granted(poll(started))["keyPrefix"])
        assert (key.parent_id, key.scopes) == (asking.key_id, ["keys", "media:read"])
        assert key.spend_limits == [[str(asking.key_id), 4_000_000]]

    def test_gets_nothing_when_the_approving_key_is_revoked(self, customer: Customer) -> None:
        started = start()
        approve(customer, started)
        revoke_key(account_id=customer.id, prefix=customer.key[:16], now=clock.now())
        for _ in range(2):
            error(poll(started), 400, "access_denied")
        assert status(started) == "denied"
        assert ApiKey.objects.count() == 1

    def test_gets_nothing_when_the_account_is_suspended(self, customer: Customer) -> None:
        started = start()
        browser_of(customer).post(
            APPROVE, {"userCode": started["userCode"]}, content_type="application/json", headers=OWN
        )
        User.objects.filter(pk=customer.id).update(is_active=False)
        error(poll(started), 400, "access_denied")
        User.objects.filter(pk=customer.id).update(is_active=True)
        error(poll(started), 400, "access_denied")
        assert ApiKey.objects.count() == 1

    def test_too_many_keys_leave_it_approved(self, customer: Customer) -> None:
        started, user = start(), User.objects.get(pk=customer.id)
        approve(customer, started)
        extra = [mint_key(user=user, label="", now=clock.now()).key.prefix for _ in range(MOST_KEYS - 1)]
        for _ in range(2):
            assert error(poll(started), 409, "too_many_keys")["details"] == {"limit": MOST_KEYS}
        assert status(started) == "approved"
        revoke_key(account_id=user.pk, prefix=extra[0], now=clock.now())
        granted(poll(started))


def test_old_links_are_forgotten(later: Any) -> None:
    old = start()
    later(86_400)
    fresh = start()
    assert device_links.forget_old(now=clock.now()) == 0
    later(1)
    assert device_links.forget_old(now=clock.now(), limit=0) == 0
    assert device_links.forget_old(now=clock.now()) == 1
    error(poll(old), 400, "expired_token")
    assert list(DeviceLink.objects.values_list("user_code", flat=True)) == [fresh["userCode"]]


def test_the_tables_and_logs_hold_no_secret(customer: Customer, caplog: pytest.LogCaptureFixture) -> None:
    started = start(keyLabel="laptop")
    look(started["userCode"])
    poll(started)
    approve(customer, started)
    body = granted(poll(started))
    poll(started)
    recognition.forget()
    text = caplog.text
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            if table.startswith(("accounts_", "core_")):
                cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")
                text += "\n".join(row[0] for row in cursor.fetchall())
    assert body["keyPrefix"] in text
    assert "/api/v1/device/link/poll" in text
    for secret in (started["deviceCode"][4:], body["apiKey"][17:]):
        assert secret not in text
        assert secret.encode().hex() not in text
    assert started["userCode"] not in caplog.text
    assert ids.encode(ids.ACCOUNT, customer.id) in caplog.text
