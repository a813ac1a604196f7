"""Keys over HTTP: list, create, revoke; what a child may, and what an idempotency key does."""

import re
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts import recognition
from accounts.models import ApiKey, SecurityEvent, User
from accounts.selectors import MOST_REVOKED_KEYS
from accounts.services.key_requests import AskedKey, NoLongerValid, create_key
from accounts.services.keys import MOST_KEYS, mint_key, revoke_key
from accounts.services.security_events import NOWHERE
from core import clock, ids
from core.idempotency.models import IdempotencyRecord
from core.operations import Scope
from tests import google
from tests.billing.racing import race, results, wait_until_blocked
from tests.media.customers import Customer, error, new_customer

pytestmark = pytest.mark.django_db
KEYS = "/api/v1/keys"
REVOKE = "/api/v1/keys/revoke"
OWN = {"Origin": "http://testserver"}
KEY_FORM = re.compile(r"kt_live_[A-Za-z0-9]{8}_[A-Za-z0-9_-]{43}")


@pytest.fixture
def customer() -> Customer:
    return new_customer()


@pytest.fixture
def other() -> Customer:
    return new_customer()


@pytest.fixture
def browser(customer: Customer) -> Client:
    """Signed in as the customer, without a key."""
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(pk=customer.id))
    return client


def with_key(customer: Customer, plain: str) -> Customer:
    return Customer(id=customer.id, key_id=ApiKey.objects.get(prefix=plain[:16]).pk, key=plain)


def limited(customer: Customer, *scopes: str, **more: Any) -> Customer:
    """The same account with a key of these scopes alone."""
    minted = mint_key(
        user=User.objects.get(pk=customer.id), label="limited", now=clock.now(), scopes=scopes or None, **more
    )
    return with_key(customer, minted.plain)


def created(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 201, answer.content
    assert answer["Cache-Control"] == "no-store"
    body: dict[str, Any] = answer.json()
    assert KEY_FORM.fullmatch(body["apiKey"])
    return body


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


class TestListing:
    def entry(self, plain: str, **expected: Any) -> dict[str, Any]:
        key = ApiKey.objects.get(prefix=plain[:16])
        return {
            "id": ids.encode(ids.API_KEY, key.pk),
            "keyPrefix": plain[:16],
            "label": "tests",
            "scopes": None,
            "monthlySpendLimitUsdMicros": None,
            "parentKeyPrefix": None,
            "createdAt": clock.rfc3339(key.created_at),
            "revokedAt": None,
            "current": False,
        } | expected

    def test_is_newest_first_and_nobody_elses(self, customer: Customer, other: Customer) -> None:
        child = created(customer.post(KEYS, {"label": "child", "scopes": ["keys"], "monthlySpendLimitUsdMicros": 3}))
        gone = created(customer.post(KEYS, {"label": "gone"}))
        theirs = created(other.post(KEYS, {"label": "theirs"}))
        assert customer.post(REVOKE, {"keyPrefix": gone["keyPrefix"]}).status_code == 200
        revoked_at = ApiKey.objects.get(prefix=gone["keyPrefix"]).revoked_at
        assert revoked_at is not None
        parent = customer.key[:16]
        own = [
            self.entry(gone["apiKey"], label="gone", parentKeyPrefix=parent, revokedAt=clock.rfc3339(revoked_at)),
            self.entry(
                child["apiKey"],
                label="child",
                parentKeyPrefix=parent,
                scopes=["keys"],
                monthlySpendLimitUsdMicros=3,
            ),
            self.entry(customer.key, current=True),
        ]
        answer = customer.get(KEYS)
        assert (answer.status_code, answer.json()) == (200, {"ok": True, "keys": own})
        for secret in (customer.key, child["apiKey"], gone["apiKey"]):
            assert secret[17:] not in answer.content.decode()
        as_child = with_key(customer, child["apiKey"]).get(KEYS).json()["keys"]
        assert [key["current"] for key in as_child] == [False, True, False]
        assert [key["keyPrefix"] for key in other.get(KEYS).json()["keys"]] == [theirs["keyPrefix"], other.key[:16]]

    def test_with_a_session_none_is_current(self, customer: Customer, browser: Client) -> None:
        answer = browser.get(KEYS)
        assert (answer.status_code, answer.json()["keys"]) == (200, [self.entry(customer.key)])

    def test_needs_its_scope(self, customer: Customer) -> None:
        answer = limited(customer, "media:read").get(KEYS)
        assert error(answer, 403, "missing_scope")["details"] == {"scopes": ["keys"]}
        error(Client().get(KEYS), 401, "unauthenticated")

    def test_takes_one_query_and_is_bounded(self, customer: Customer, django_assert_num_queries: Any) -> None:
        user, now = User.objects.get(pk=customer.id), clock.now()
        for number in range(MOST_REVOKED_KEYS + 5):
            minted = mint_key(user=user, label=str(number), now=now)
            revoke_key(account_id=user.pk, prefix=minted.key.prefix, now=now)
        customer.get("/api/v1/balance")
        with django_assert_num_queries(1):
            found = customer.get(KEYS).json()["keys"]
        labels = [str(number) for number in reversed(range(5, MOST_REVOKED_KEYS + 5))]
        assert [key["label"] for key in found] == [*labels, "tests"]


class TestRevoking:
    def test_ends_a_key_at_once(self, customer: Customer) -> None:
        child = created(customer.post(KEYS))
        with_child = with_key(customer, child["apiKey"])
        assert with_child.get(KEYS).status_code == 200
        answer = customer.post(REVOKE, {"keyPrefix": child["keyPrefix"]})
        key = ApiKey.objects.get(prefix=child["keyPrefix"])
        assert key.revoked_at is not None
        expected = {"ok": True, "keyPrefix": child["keyPrefix"], "revokedAt": clock.rfc3339(key.revoked_at)}
        assert (answer.status_code, answer.json()) == (200, expected)
        error(with_child.get(KEYS), 401, "unauthenticated")
        assert customer.get(KEYS).status_code == 200
        event = SecurityEvent.objects.get(kind=SecurityEvent.KEY_REVOKED)
        assert (event.user_id, event.key_prefix, event.address) == (customer.id, key.prefix, "127.0.0.1")

    def test_again_answers_the_first_time(self, customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
        child = created(customer.post(KEYS))
        first = customer.post(REVOKE, {"keyPrefix": child["keyPrefix"]}).json()
        later = clock.now() + timedelta(hours=1)
        monkeypatch.setattr(clock, "now", lambda: later)
        answer = customer.post(REVOKE, {"keyPrefix": child["keyPrefix"]})
        assert (answer.status_code, answer.json()) == (200, first)
        assert SecurityEvent.objects.filter(kind=SecurityEvent.KEY_REVOKED).count() == 1

    def test_a_key_may_end_itself(self, customer: Customer) -> None:
        assert customer.post(REVOKE, {"keyPrefix": customer.key[:16]}).status_code == 200
        error(customer.post(REVOKE, {"keyPrefix": customer.key[:16]}), 401, "unauthenticated")

    def test_a_parents_end_leaves_its_children(self, customer: Customer) -> None:
        child = with_key(customer, created(customer.post(KEYS))["apiKey"])
        assert customer.post(REVOKE, {"keyPrefix": customer.key[:16]}).status_code == 200
        assert child.get(KEYS).status_code == 200

    def test_a_session_may(self, customer: Customer, browser: Client) -> None:
        body = {"keyPrefix": customer.key[:16]}
        foreign = {"Origin": "https://evil.example"}
        error(browser.post(REVOKE, body, content_type="application/json", headers=foreign), 403, "forbidden")
        assert customer.get(KEYS).status_code == 200
        assert browser.post(REVOKE, body, content_type="application/json", headers=OWN).status_code == 200
        error(customer.get(KEYS), 401, "unauthenticated")

    def test_only_the_exact_prefix_of_ones_own(self, customer: Customer, other: Customer) -> None:
        prefix = customer.key[:16]
        wrong = [
            other.key[:16],
            prefix[:-1],
            "kt_live_",
            f"{prefix}_",
            customer.key,
            prefix.swapcase(),
            f" {prefix}",
            f"{prefix} ",
            f"{prefix[:-1]}_",
            "%",
            "kt_live_%",
            "*",
        ]
        for text in wrong:
            answer = customer.post(REVOKE, {"keyPrefix": text})
            body = error(answer, 404, "not_found")
            assert body["details"] == {}
        assert not ApiKey.objects.exclude(revoked_at=None).exists()
        assert not SecurityEvent.objects.filter(kind=SecurityEvent.KEY_REVOKED).exists()
        assert other.get(KEYS).status_code == 200

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "keyPrefix"),
            ({"keyPrefix": ""}, "keyPrefix"),
            ({"keyPrefix": "x" * 65}, "keyPrefix"),
            ({"keyPrefix": 5}, "keyPrefix"),
            ({"keyPrefix": None}, "keyPrefix"),
            ({"keyPrefix": "a\0b"}, "keyPrefix"),
            ({"keyPrefix": "kt_live_xxxxxxxx", "all": True}, "all"),
        ],
        ids=str,
    )
    def test_bad_bodies(self, customer: Customer, body: Any, field: str) -> None:
        details = error(customer.post(REVOKE, body), 400, "invalid_request")["details"]
        assert list(details["fields"]) == [field]

    def test_needs_its_scope(self, customer: Customer) -> None:
        asking = limited(customer, "media:read")
        answer = asking.post(REVOKE, {"keyPrefix": asking.key[:16]})
        assert error(answer, 403, "missing_scope")["details"] == {"scopes": ["keys"]}
        error(
            Client().post(REVOKE, {"keyPrefix": asking.key[:16]}, content_type="application/json"),
            401,
            "unauthenticated",
        )
        assert not ApiKey.objects.exclude(revoked_at=None).exists()

    @pytest.mark.django_db(transaction=True)
    def test_no_child_outlives_its_parent_by_a_race(self, customer: Customer) -> None:
        """Whoever is first: a child made after its parent's end does not exist."""

        def make() -> Any:
            return create_key(
                account_id=customer.id,
                asking_key_id=customer.key_id,
                asked=AskedKey(label="child"),
                origin=NOWHERE,
                now=clock.now(),
            )

        def end() -> None:
            revoke_key(account_id=customer.id, prefix=customer.key[:16], now=clock.now())

        outcomes = race([*[make] * 8, end])
        refused = [problem for _, problem in outcomes if problem is not None]
        assert all(isinstance(problem, NoLongerValid) for problem in refused)
        made = [key for key, problem in outcomes[:8] if problem is None]
        assert ApiKey.objects.filter(label="child").count() == len(made)
        with pytest.raises(NoLongerValid):
            make()

    @pytest.mark.django_db(transaction=True)
    def test_a_child_waits_for_a_revocation_under_way(self, customer: Customer) -> None:
        revoked, may_commit = Event(), Event()

        def end() -> None:
            with transaction.atomic():
                revoke_key(account_id=customer.id, prefix=customer.key[:16], now=clock.now())
                revoked.set()
                assert may_commit.wait(timeout=30)

        def make() -> Any:
            assert revoked.wait(timeout=30)
            return create_key(
                account_id=customer.id,
                asking_key_id=customer.key_id,
                asked=AskedKey(label="child"),
                origin=NOWHERE,
                now=clock.now(),
            )

        def watch() -> None:
            try:
                wait_until_blocked()
            finally:
                may_commit.set()

        (_, ended), (_, refusal), (_, watched) = race([end, make, watch])
        assert (ended, watched, type(refusal)) == (None, None, NoLongerValid)
        assert not ApiKey.objects.filter(label="child").exists()


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
