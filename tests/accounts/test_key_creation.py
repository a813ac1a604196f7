"""Keys made over HTTP: what a child may, what a Google token gives, and what an idempotency key does."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts import recognition
from accounts.models import ApiKey, SecurityEvent, User
from accounts.services import key_requests
from accounts.services.attempts import Limit
from accounts.services.keys import MOST_KEYS
from core import clock, ids
from core.idempotency.models import IdempotencyRecord
from core.operations import Scope
from tests import google
from tests.accounts.credentials import KEYS, OWN, REVOKE, created, limited, with_key
from tests.billing.racing import race, results
from tests.media.customers import Customer, error

pytestmark = pytest.mark.django_db


def nothing_new(customer: Customer) -> bool:
    return ApiKey.objects.filter(user_id=customer.id).count() == 1 and not IdempotencyRecord.objects.exists()


class TestCreating:
    def test_without_a_body_the_child_is_its_parents_equal(self, customer: Customer) -> None:
        body = created(customer.post(KEYS))
        key = ApiKey.objects.get(prefix=body["keyPrefix"])
        assert body == {
            "ok": True,
            "apiKey": body["apiKey"],
            "keyPrefix": body["apiKey"][:16],
            "id": ids.encode(ids.API_KEY, key.pk),
            "label": "API key",
            "scopes": None,
            "monthlySpendLimitUsdMicros": None,
            "account": {"id": customer.public_id, "email": User.objects.get(pk=customer.id).email},
        }
        assert (key.user_id, key.parent_id, key.scopes, key.spend_limits) == (customer.id, customer.key_id, None, [])
        assert with_key(customer, body["apiKey"]).get("/api/v1/balance").status_code == 200
        event = SecurityEvent.objects.get(key_prefix=key.prefix, kind=SecurityEvent.KEY_CREATED)
        assert (event.user_id, event.address) == (customer.id, "127.0.0.1")
        assert event.details == {"label": "API key", "scopes": None, "parentKeyPrefix": customer.key[:16]}

    def test_without_content_type_and_body(self, customer: Customer) -> None:
        created(customer.http.generic("POST", KEYS, headers={"x-api-key": customer.key}))

    def test_with_everything(self, customer: Customer) -> None:
        body = created(
            customer.post(
                KEYS,
                {
                    "label": "пресс ✓",
                    "scopes": ["media:write", "media:read"],
                    "monthlySpendLimitUsdMicros": 5_000_000,
                },
            )
        )
        key = ApiKey.objects.get(prefix=body["keyPrefix"])
        assert (body["label"], key.label) == ("пресс ✓", "пресс ✓")
        assert body["scopes"] == key.scopes == ["media:read", "media:write"]
        assert body["monthlySpendLimitUsdMicros"] == key.monthly_spend_limit == 5_000_000
        assert key.spend_limits == [[str(key.pk), 5_000_000]]
        child = with_key(customer, body["apiKey"])
        assert child.get("/api/v1/media/jobs").status_code == 200
        assert error(child.get("/api/v1/balance"), 403, "missing_scope")["details"] == {"scopes": ["billing:read"]}

    def test_a_limit_of_nothing_is_a_limit(self, customer: Customer) -> None:
        assert created(customer.post(KEYS, {"monthlySpendLimitUsdMicros": 0}))["monthlySpendLimitUsdMicros"] == 0

    def test_a_session_makes_a_key_without_parent(self, customer: Customer, browser: Client) -> None:
        body = created(browser.post(KEYS, {"label": "mine"}, content_type="application/json", headers=OWN))
        key = ApiKey.objects.get(prefix=body["keyPrefix"])
        assert (key.user_id, key.parent_id, key.label) == (customer.id, None, "mine")

    def test_a_session_on_a_foreign_page_makes_none(self, customer: Customer, browser: Client) -> None:
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
            browser.handler.enforce_csrf_checks = True
            error(browser.post(KEYS, {}, content_type="application/json", headers=headers), 403, "forbidden")
        assert nothing_new(customer)

    def test_nobody_makes_none(self) -> None:
        for body in ({}, {"label": "x"}, {"scopes": ["keys"]}):
            answer = Client().post(KEYS, body, content_type="application/json")
            error(answer, 401, "unauthenticated")
            assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
        assert not ApiKey.objects.exists()

    def test_a_key_with_other_scopes_makes_none(self, customer: Customer) -> None:
        asking = limited(customer, *(scope for scope in Scope if scope != Scope.KEYS))
        answer = asking.post(KEYS, headers={"Idempotency-Key": "a"})
        assert error(answer, 403, "missing_scope")["details"] == {"scopes": ["keys"]}
        assert ApiKey.objects.filter(user_id=customer.id).count() == 2
        assert not IdempotencyRecord.objects.exists()

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"label": ""}, "label"),
            ({"label": "x" * 65}, "label"),
            ({"label": 5}, "label"),
            ({"label": None}, "label"),
            ({"label": "a\0b"}, "label"),
            ({"label": "\ud800"}, "label"),
            ({"scopes": []}, "scopes"),
            ({"scopes": "keys"}, "scopes"),
            ({"scopes": ["keys", "keys"]}, "scopes"),
            ({"scopes": ["everything"]}, "scopes.0"),
            ({"scopes": ["keys", 7]}, "scopes.1"),
            ({"scopes": ["KEYS"]}, "scopes.0"),
            ({"monthlySpendLimitUsdMicros": -1}, "monthlySpendLimitUsdMicros"),
            ({"monthlySpendLimitUsdMicros": 1.5}, "monthlySpendLimitUsdMicros"),
            ({"monthlySpendLimitUsdMicros": "5"}, "monthlySpendLimitUsdMicros"),
            ({"monthlySpendLimitUsdMicros": True}, "monthlySpendLimitUsdMicros"),
            ({"monthlySpendLimitUsdMicros": 2**53}, "monthlySpendLimitUsdMicros"),
            ({"idToken": "short"}, "idToken"),
            ({"idToken": None}, "idToken"),
            ({"idToken": "x" * 8193}, "idToken"),
            ({"idToken": "x" * 40}, "idToken"),
            ({"monthly_spend_limit_usd_micros": 5}, "monthly_spend_limit_usd_micros"),
            ({"keyLabel": "x"}, "keyLabel"),
            ({"parent": None}, "parent"),
            ([], ""),
        ],
        ids=str,
    )
    def test_bad_bodies(self, customer: Customer, body: Any, field: str) -> None:
        details = error(customer.post(KEYS, body), 400, "invalid_request")["details"]
        assert list(details["fields"]) == [field]
        assert nothing_new(customer)

    def test_as_many_as_there_may_be(self, customer: Customer) -> None:
        for _ in range(MOST_KEYS - 1):
            created(customer.post(KEYS))
        answer = customer.post(KEYS, headers={"Idempotency-Key": "late"})
        assert error(answer, 409, "too_many_keys")["details"] == {"limit": MOST_KEYS}
        assert ApiKey.objects.count() == MOST_KEYS
        assert not IdempotencyRecord.objects.exists()
        prefix = ApiKey.objects.order_by("-id").values_list("prefix", flat=True)[0]
        assert customer.post(REVOKE, {"keyPrefix": prefix}).status_code == 200
        created(customer.post(KEYS, headers={"Idempotency-Key": "late"}))

    def test_so_many_an_hour(
        self, customer: Customer, other: Customer, browser: Client, monkeypatch: pytest.MonkeyPatch, later: Any
    ) -> None:
        monkeypatch.setattr(key_requests, "KEYS_MADE", Limit(kind="keys_made", most=2))
        for _ in range(2):  # revoked ones count too
            prefix = created(customer.post(KEYS))["keyPrefix"]
            assert customer.post(REVOKE, {"keyPrefix": prefix}).status_code == 200
        error(customer.post(KEYS, {"scopes": ["nothing"]}), 400, "invalid_request")
        later(60)
        answer = customer.post(KEYS, headers={"Idempotency-Key": "soon"})
        assert error(answer, 429, "rate_limited")["retryAfter"] == 3540
        assert answer["Retry-After"] == "3540"
        error(browser.post(KEYS, {}, content_type="application/json", headers=OWN), 429, "rate_limited")
        assert ApiKey.objects.filter(user_id=customer.id).count() == 3
        assert not IdempotencyRecord.objects.exists()
        created(other.post(KEYS))
        later(3540)
        created(customer.post(KEYS, headers={"Idempotency-Key": "soon"}))

    def test_a_hundred_an_hour(self) -> None:
        assert Limit(kind="keys_made", most=100, window=timedelta(hours=1)) == key_requests.KEYS_MADE


class TestAChild:
    def test_may_be_given_less(self, customer: Customer) -> None:
        asking = limited(customer, "keys", "media:read", "media:write")
        for scopes in (["media:read"], ["keys"], ["keys", "media:read", "media:write"]):
            assert created(asking.post(KEYS, {"scopes": scopes}))["scopes"] == scopes

    def test_never_more(self, customer: Customer) -> None:
        asking = limited(customer, "keys", "media:read")
        for scopes, lacking in (
            (["media:write"], ["media:write"]),
            (["keys", "media:read", "studio", "arcade"], ["arcade", "studio"]),
        ):
            answer = asking.post(KEYS, {"scopes": scopes})
            assert error(answer, 403, "missing_scope")["details"] == {"scopes": lacking}
        assert ApiKey.objects.filter(user_id=customer.id).count() == 2

    def test_inherits_where_nothing_is_asked(self, customer: Customer) -> None:
        asking = limited(customer, "keys", "media:read", monthly_spend_limit=7_000_000)
        body = created(asking.post(KEYS))
        assert (body["scopes"], body["monthlySpendLimitUsdMicros"]) == (["keys", "media:read"], None)
        limit = [[str(asking.key_id), 7_000_000]]
        assert ApiKey.objects.get(prefix=body["keyPrefix"]).spend_limits == limit
        child = with_key(customer, body["apiKey"])
        grandchild = created(child.post(KEYS, {"scopes": ["keys"], "monthlySpendLimitUsdMicros": 9_000_000}))
        key = ApiKey.objects.get(prefix=grandchild["keyPrefix"])
        assert key.spend_limits == [[str(key.pk), 9_000_000], *limit]

    def test_of_a_revoked_key_is_never_made(self, customer: Customer) -> None:
        """A process may know the asking key for a second yet."""
        assert customer.get(KEYS).status_code == 200
        ApiKey.objects.filter(pk=customer.key_id).update(revoked_at=clock.now())
        answer = customer.post(KEYS, headers={"Idempotency-Key": "a"})
        error(answer, 401, "unauthenticated")
        assert nothing_new(customer)

    def test_of_a_suspended_account_is_never_made(self, customer: Customer) -> None:
        assert customer.get(KEYS).status_code == 200
        User.objects.filter(pk=customer.id).update(is_active=False)
        error(customer.post(KEYS), 401, "unauthenticated")
        assert nothing_new(customer)


class TestAGoogleToken:
    @pytest.fixture(autouse=True)
    def _believed(self, signing_in: None, issuer: google.Google) -> None:
        """Tokens of the tests' own issuer are believed."""

    def post(self, body: Any, **headers: str) -> Any:
        return Client(raise_request_exception=False).post(KEYS, body, content_type="application/json", headers=headers)

    def test_gives_the_first_key(self) -> None:
        body = created(
            self.post(
                {
                    "idToken": google.token("new@example.com"),
                    "label": "first",
                    "scopes": ["media:read"],
                    "monthlySpendLimitUsdMicros": 1,
                }
            )
        )
        user = User.objects.get(email="new@example.com")
        key = ApiKey.objects.get()
        assert (key.user_id, key.parent_id, key.label, key.scopes) == (user.pk, None, "first", ["media:read"])
        assert body["account"] == {"id": ids.encode(ids.ACCOUNT, user.pk), "email": "new@example.com"}
        kinds = list(SecurityEvent.objects.order_by("id").values_list("kind", flat=True))
        assert kinds == [SecurityEvent.SIGNED_IN, SecurityEvent.KEY_CREATED]

    def test_of_a_known_address_gives_another_key(self, customer: Customer) -> None:
        email = User.objects.get(pk=customer.id).email
        created(self.post({"idToken": google.token(email)}))
        assert User.objects.count() == 1
        assert ApiKey.objects.filter(user_id=customer.id).count() == 2

    def test_beside_a_key_or_a_session_is_refused(self, customer: Customer, browser: Client) -> None:
        body = {"idToken": google.token("new@example.com")}
        answers = [
            customer.post(KEYS, body),
            browser.post(KEYS, body, content_type="application/json", headers=OWN),
        ]
        for answer in answers:
            details = error(answer, 400, "invalid_request")["details"]
            assert details == {"fields": {"idToken": "must not come with an API key or a session"}}
        error(self.post(body, Authorization="Bearer wrong"), 401, "unauthenticated")
        assert nothing_new(customer)
        assert not User.objects.filter(email="new@example.com").exists()

    def test_that_proves_nothing_gives_nothing(self) -> None:
        for token in ("x" * 40, google.token("new@example.com", aud="another-site")):
            answer = self.post({"idToken": token})
            assert token not in answer.content.decode()
            error(answer, 401, "unauthenticated")
        assert not User.objects.exists()
        assert not ApiKey.objects.exists()

    def test_of_a_suspended_account_gives_nothing(self, customer: Customer) -> None:
        User.objects.filter(pk=customer.id).update(is_active=False)
        email = User.objects.get(pk=customer.id).email
        error(self.post({"idToken": google.token(email)}), 403, "account_suspended")
        assert nothing_new(customer)

    def test_without_google_is_a_503(self, settings: Any) -> None:
        settings.GOOGLE_CLIENT_IDS = []
        error(self.post({"idToken": google.token()}), 503, "unavailable")

    def test_sent_again_under_an_idempotency_key_makes_no_second_key(self) -> None:
        body = {"idToken": google.token("new@example.com")}
        first = created(self.post(body, **{"Idempotency-Key": "once"}))
        answer = self.post({"idToken": google.token("new@example.com", sub="2")}, **{"Idempotency-Key": "once"})
        assert error(answer, 409, "idempotency_conflict")["details"] == {"keyPrefix": first["keyPrefix"]}
        assert ApiKey.objects.count() == 1

    def test_is_counted_as_a_sign_in(self, settings: Any, customer: Customer) -> None:
        settings.RATE_LIMITS = {"sign_in": 123, "write": 456, "read": 789}
        assert self.post({})["X-RateLimit-Limit"] == "123"
        assert customer.post(KEYS)["X-RateLimit-Limit"] == "456"
        assert customer.get(KEYS)["X-RateLimit-Limit"] == "789"


class TestAnIdempotencyKey:
    @pytest.mark.parametrize("header", ["X-Idempotency-Key", "Idempotency-Key"])
    def test_makes_one_key(self, customer: Customer, header: str) -> None:
        body = {"label": "ci", "scopes": ["keys", "media:read"]}
        first = created(customer.post(KEYS, body, headers={header: "deploy-1"}))
        for again in (body, {"scopes": ["media:read", "keys"], "label": "ci"}):
            answer = customer.post(KEYS, again, headers={"Idempotency-Key": "deploy-1"})
            found = error(answer, 409, "idempotency_conflict")
            assert found["details"] == {"keyPrefix": first["keyPrefix"]}
            assert first["apiKey"][17:] not in answer.content.decode()
        assert ApiKey.objects.filter(user_id=customer.id).count() == 2
        record = IdempotencyRecord.objects.get()
        assert (record.body, record.status) == (None, 201)

    def test_of_another_request_is_a_conflict(self, customer: Customer) -> None:
        created(customer.post(KEYS, {"label": "ci"}, headers={"Idempotency-Key": "a"}))
        for body in ({}, {"label": "CI"}, {"label": "ci", "scopes": ["keys"]}):
            answer = customer.post(KEYS, body, headers={"Idempotency-Key": "a"})
            assert error(answer, 409, "idempotency_conflict")["details"] == {}
        assert ApiKey.objects.filter(user_id=customer.id).count() == 2

    def test_is_each_accounts_own(self, customer: Customer, other: Customer) -> None:
        for account in (customer, other):
            created(account.post(KEYS, headers={"Idempotency-Key": "a"}))

    def test_is_told_apart_from_a_jobs(self, customer: Customer) -> None:
        IdempotencyRecord.objects.create(
            account_id=customer.id, route="POST media/jobs", key="a", fingerprint=b"x", subject_id=ids.new(), status=201
        )
        created(customer.post(KEYS, headers={"Idempotency-Key": "a"}))

    @pytest.mark.parametrize(
        "headers",
        [
            {"Idempotency-Key": ""},
            {"Idempotency-Key": "x" * 201},
            {"Idempotency-Key": "a\tb"},
            {"Idempotency-Key": "a", "X-Idempotency-Key": "b"},
        ],
        ids=str,
    )
    def test_has_a_form(self, customer: Customer, headers: dict[str, str]) -> None:
        details = error(customer.post(KEYS, headers=headers), 400, "invalid_request")["details"]
        assert list(details["fields"]) == ["idempotencyKey"]
        assert nothing_new(customer)

    @pytest.mark.django_db(transaction=True)
    def test_makes_one_key_for_twenty_at_once(self, customer: Customer) -> None:
        def ask() -> Any:
            return Customer(id=customer.id, key_id=customer.key_id, key=customer.key).post(
                KEYS, {"label": "raced"}, headers={"Idempotency-Key": "once"}
            )

        answers = results(race([ask] * 20))
        made = [answer for answer in answers if answer.status_code == 201]
        assert len(made) == 1
        prefix = made[0].json()["keyPrefix"]
        for answer in answers:
            if answer is not made[0]:
                assert error(answer, 409, "idempotency_conflict")["details"] == {"keyPrefix": prefix}
        assert ApiKey.objects.filter(label="raced").count() == 1
        assert IdempotencyRecord.objects.count() == 1
        assert SecurityEvent.objects.filter(kind=SecurityEvent.KEY_CREATED, key_prefix=prefix).count() == 1


def test_nothing_stored_is_a_secret(customer: Customer) -> None:
    body = created(customer.post(KEYS, {"label": "x"}, headers={"Idempotency-Key": "a"}))
    customer.post(REVOKE, {"keyPrefix": body["keyPrefix"]})
    recognition.forget()
    dump = ""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            if table.startswith(("accounts_", "core_")):
                cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")
                dump += "\n".join(row[0] for row in cursor.fetchall())
    assert body["keyPrefix"] in dump
    for key in (body["apiKey"], customer.key):
        assert key[17:] not in dump
        assert key[17:].encode().hex() not in dump
