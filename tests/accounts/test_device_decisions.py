"""The person's side of a device link: approve or deny, once, with a key or in the browser."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import ApiKey, CountedAttempt, DeviceLink, SecurityEvent
from core import clock
from tests.accounts.credentials import OWN, browser_of, limited
from tests.accounts.linking import (
    APPROVE,
    DENY,
    NO_SUCH,
    approve,
    decisions,
    granted,
    poll,
    post,
    start,
    status,
)
from tests.media.customers import Customer, error

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_in")]


class TestApprove:
    def test_lets_the_program_fetch_a_key(self, customer: Customer, later: Any) -> None:
        started = start(keyLabel="laptop")
        answer = approve(customer, started)
        expected = {
            "ok": True,
            "userCode": started["userCode"],
            "status": "approved",
            "keyLabel": "laptop",
            "requestedFrom": "127.0.0.1",
            "createdAt": clock.rfc3339(clock.now()),
            "expiresAt": clock.rfc3339(clock.now() + timedelta(seconds=600)),
        }
        assert (answer.status_code, answer.json()) == (200, expected)
        link = DeviceLink.objects.get()
        assert (link.approved_by_id, link.approved_with_id) == (customer.id, customer.key_id)
        assert ApiKey.objects.count() == 1  # the poll makes it
        event = SecurityEvent.objects.get(kind=SecurityEvent.DEVICE_APPROVED)
        assert (event.user_id, event.key_prefix, event.address) == (customer.id, customer.key[:16], "127.0.0.1")
        assert event.details == {"label": "laptop", "requestedFrom": "127.0.0.1"}

    def test_overrides_the_label(self, customer: Customer) -> None:
        started = start(keyLabel="theirs")
        assert approve(customer, started, keyLabel="mine").json()["keyLabel"] == "mine"
        assert granted(poll(started))["label"] == "mine"

    def test_with_a_session(self, customer: Customer) -> None:
        started, browser = start(), browser_of(customer)
        body = {"userCode": started["userCode"].lower()}
        foreign = {"Origin": "https://evil.example"}
        error(browser.post(APPROVE, body, content_type="application/json", headers=foreign), 403, "forbidden")
        assert status(started) == "pending"
        answer = browser.post(APPROVE, body, content_type="application/json", headers=OWN)
        assert (answer.status_code, answer.json()["status"]) == (200, "approved")
        key = ApiKey.objects.get(prefix=granted(poll(started))["keyPrefix"])
        assert (key.user_id, key.parent_id, key.scopes, key.label) == (customer.id, None, None, "Linked device")
        assert SecurityEvent.objects.get(kind=SecurityEvent.DEVICE_APPROVED).key_prefix == ""

    def test_needs_a_credential_with_the_scope(self, customer: Customer) -> None:
        started = start()
        for path in (APPROVE, DENY):
            error(post(path, {"userCode": started["userCode"]}), 401, "unauthenticated")
            answer = limited(customer, "media:write", "studio").post(path, {"userCode": started["userCode"]})
            assert error(answer, 403, "missing_scope")["details"] == {"scopes": ["keys"]}
        assert status(started) == "pending"
        assert decisions() == []

    def test_again_by_the_same_account_changes_nothing(self, customer: Customer) -> None:
        started = start(keyLabel="laptop")
        first = approve(customer, started).json()
        assert approve(customer, started, keyLabel="renamed").json() == first
        assert decisions() == [SecurityEvent.DEVICE_APPROVED]
        granted(poll(started))
        answer = approve(customer, started)
        assert error(answer, 409, "invalid_state")["details"] == {"status": "consumed"}

    def test_of_what_was_decided_is_a_409(self, customer: Customer, other: Customer) -> None:
        started, denied = start(), start()
        approve(customer, started)
        customer.post(DENY, {"userCode": denied["userCode"]})
        for account, link, state in (
            (other, started, "approved"),
            (other, denied, "denied"),
            (customer, denied, "denied"),
        ):
            assert error(approve(account, link), 409, "invalid_state")["details"] == {"status": state}
        link = DeviceLink.objects.get(user_code=started["userCode"])
        assert link.approved_by_id == customer.id
        assert granted(poll(started))["account"]["id"] == customer.public_id
        error(poll(denied), 400, "access_denied")
        assert not ApiKey.objects.filter(user_id=other.id).exclude(pk=other.key_id).exists()

    def test_of_an_expired_link_is_a_410(self, customer: Customer, later: Any) -> None:
        pending, approved = start(), start()
        approve(customer, approved)
        later(600)
        for path in (APPROVE, DENY):
            for started in (pending, approved):
                error(customer.post(path, {"userCode": started["userCode"]}), 410, "gone")
        assert DeviceLink.objects.get(user_code=pending["userCode"]).status == "pending"
        assert decisions() == [SecurityEvent.DEVICE_APPROVED]

    @pytest.mark.parametrize("path", [APPROVE, DENY])
    def test_guesses_are_counted_by_account(self, customer: Customer, other: Customer, later: Any, path: str) -> None:
        started = start()
        for number in range(10):
            # Both routes count together, and from wherever the account asks.
            answer = customer.http.post(
                (APPROVE, DENY)[number % 2],
                {"userCode": NO_SUCH},
                content_type="application/json",
                headers={"x-api-key": customer.key},
                REMOTE_ADDR=f"203.0.113.{number}",
            )
            error(answer, 404, "not_found")
        for guess in (NO_SUCH, started["userCode"]):
            body = error(customer.post(path, {"userCode": guess}), 429, "rate_limited")
            assert body["retryAfter"] == 600
        assert status(started) == "pending"
        assert other.post(path, {"userCode": started["userCode"]}).status_code == 200
        later(600)
        error(customer.post(path, {"userCode": NO_SUCH}), 404, "not_found")

    @pytest.mark.parametrize("path", [APPROVE, DENY])
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "userCode"),
            ({"userCode": "BCD"}, "userCode"),
            ({"userCode": "B" * 33}, "userCode"),
            ({"userCode": 12345678}, "userCode"),
            ({"userCode": NO_SUCH, "keyLabel": None}, "keyLabel"),
            ({"userCode": NO_SUCH, "keyLabel": ""}, "keyLabel"),
            ({"userCode": NO_SUCH, "keyLabel": "x" * 65}, "keyLabel"),
            ({"userCode": NO_SUCH, "deny": True}, "deny"),
        ],
        ids=str,
    )
    def test_bad_bodies(self, customer: Customer, path: str, body: Any, field: str) -> None:
        assert list(error(customer.post(path, body), 400, "invalid_request")["details"]["fields"]) == [field]
        assert not CountedAttempt.objects.exists()


class TestDeny:
    def test_refuses_the_program_for_good(self, customer: Customer, later: Any) -> None:
        started = start(keyLabel="laptop")
        answer = customer.post(DENY, {"userCode": started["userCode"].replace("-", ""), "keyLabel": "x"})
        assert (answer.status_code, answer.json()["status"], answer.json()["keyLabel"]) == (200, "denied", "laptop")
        for _ in range(2):
            assert error(poll(started), 400, "access_denied")["details"] == {}
        answer = customer.post(DENY, {"userCode": started["userCode"]})
        assert error(answer, 409, "invalid_state")["details"] == {"status": "denied"}
        event = SecurityEvent.objects.get(kind=SecurityEvent.DEVICE_DENIED)
        assert (event.user_id, event.key_prefix) == (customer.id, customer.key[:16])
        assert event.details == {"label": "laptop", "requestedFrom": "127.0.0.1"}
        assert decisions() == [SecurityEvent.DEVICE_DENIED]
        assert ApiKey.objects.count() == 1

    def test_comes_too_late_after_an_approval(self, customer: Customer) -> None:
        started = start()
        approve(customer, started)
        answer = customer.post(DENY, {"userCode": started["userCode"]})
        assert error(answer, 409, "invalid_state")["details"] == {"status": "approved"}
        granted(poll(started))
