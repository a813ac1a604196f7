"""Keys over HTTP: listed and revoked."""

from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import ApiKey, SecurityEvent, User
from accounts.selectors import MOST_REVOKED_KEYS
from accounts.services.key_requests import AskedKey, NoLongerValid, create_key
from accounts.services.keys import mint_key, revoke_key
from accounts.services.security_events import NOWHERE
from core import clock, ids
from tests.accounts.credentials import KEYS, OWN, REVOKE, created, limited, with_key
from tests.billing.racing import race, wait_until_blocked
from tests.media.customers import Customer, error

pytestmark = pytest.mark.django_db


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
