"""The export: everything of the account, nothing of anybody else, no secret, in one document."""

import json
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import ApiKey, User
from affiliates.models import Affiliate
from billing.selectors import transfers
from core import clock, ids
from core.operations import Scope
from core.webhooks.secrets import current_secret
from gateway.account_data import export as export_module
from payments.models import Checkout, Deposit
from tests.accounts.credentials import browser_of, limited
from tests.media.conftest import Hosted
from tests.media.customers import Customer, error
from tests.media.standin import StandIn

pytestmark = pytest.mark.django_db
EXPORT = "/api/v1/account/export"
LISTS = ["keys", "securityEvents", "purchases", "deposits", "transactions", "jobs", "webhookDeliveries"]


def exported(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "private, no-store"
    body: dict[str, Any] = json.loads(b"".join(answer.streaming_content))
    assert list(body)[-1] == "complete"
    return body


@pytest.fixture
def rich(customer: Customer, node: StandIn, host: Hosted) -> Customer:
    """Somebody with something in every list."""
    done = customer.accepted(completionCallbackUrl=host.url("hook"))
    node.finish(done)
    customer.accepted()
    now = clock.now()
    checkout = Checkout.objects.create(
        account_id=customer.id, provider="stripe", package_code="starter", usd_cents=500, provider_id="cs_1"
    )
    Deposit.objects.create(
        id=checkout.pk,
        account_id=customer.id,
        provider="stripe",
        provider_id="pi_1",
        usd_cents=500,
        amount_micros=5_000_000,
        settled_at=now,
    )
    Affiliate.objects.create(account_id=customer.id, display_name="Rich", contact_email="rich@example.com")
    current_secret(account_id=customer.id, now=now)
    return customer


def test_everything_is_in_it_and_nothing_of_others(rich: Customer, other: Customer) -> None:
    theirs = other.accepted()
    body = exported(rich.get(EXPORT))
    assert list(body) == ["ok", "exportedAt", "account", "notifications", "affiliate", *LISTS, "complete"]
    email = User.objects.get(pk=rich.id).email
    assert body["account"] == {"id": rich.public_id, "email": email}
    assert body["affiliate"]["displayName"] == "Rich"
    assert [key["keyPrefix"] for key in body["keys"]] == [rich.key[:16]]
    assert {event["kind"] for event in body["securityEvents"]} == {"key_created", "key_used_from_new_address"}
    assert [job["status"] for job in body["jobs"]] == ["queued", "completed"]
    assert body["jobs"][1]["effectiveInput"]["prompt"] == "a red barn under a pale moon"
    assert body["jobs"][1] == rich.status(rich.job(body["jobs"][1]["externalJobId"]), includeDetails="1")
    assert len(body["transactions"]) == len(transfers(account_id=rich.id)) == 4
    assert [one["amountUsdMicros"] for one in body["deposits"]] == [5_000_000]
    assert [(one["usdCents"], one["providerId"]) for one in body["purchases"]] == [(500, "cs_1")]
    assert [one["topic"] for one in body["webhookDeliveries"]] == ["media.job_terminal"]
    text = json.dumps(body)
    secret = current_secret(account_id=rich.id, now=clock.now()).secret
    for hidden in (rich.key, secret, ids.encode(ids.JOB, theirs.pk), other.public_id):
        assert hidden not in text


def test_long_lists_are_read_to_their_end(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_module, "_PAGE", 2)
    jobs = [customer.accepted() for _ in range(5)]
    for number in range(4):
        limited(customer, "media:read", monthly_spend_limit=number)
    body = exported(customer.get(EXPORT))
    assert [job["externalJobId"] for job in body["jobs"]] == [ids.encode(ids.JOB, job.pk) for job in reversed(jobs)]
    assert len(body["keys"]) == 5
    assert len(body["securityEvents"]) == 6
    assert len(body["transactions"]) == 6


def test_every_revoked_key_is_in_it(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.selectors.MOST_REVOKED_KEYS", 1)
    for _ in range(3):
        limited(customer, "media:read")
    ApiKey.objects.exclude(pk=customer.key_id).update(revoked_at=clock.now())
    assert len(exported(customer.get(EXPORT))["keys"]) == 4


def test_a_session_and_a_key_with_every_scope_may(customer: Customer) -> None:
    assert exported(browser_of(customer).get(EXPORT))["account"]["id"] == customer.public_id
    assert exported(limited(customer, *Scope).get(EXPORT))["complete"] is True
    few = limited(customer, "keys", "media:read").get(EXPORT)
    lacking = set(Scope) - {Scope.KEYS, Scope.MEDIA_READ}
    assert error(few, 403, "missing_scope")["details"] == {"scopes": sorted(lacking)}


def test_ten_an_hour(customer: Customer, other: Customer, later: Any) -> None:
    for _ in range(10):
        exported(customer.get(EXPORT))
    assert error(customer.get(EXPORT), 429, "rate_limited")["retryAfter"] > 3_500
    exported(other.get(EXPORT))
    later(timedelta(hours=1).total_seconds() + 5)
    exported(customer.get(EXPORT))
