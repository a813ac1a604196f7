"""Suspend an account, let it in again, revoke all of its keys: everything at once, and nothing that is not meant."""

import threading
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import recognition, revocations
from accounts.models import ApiKey, DeviceLink, SecurityEvent, User
from accounts.services.key_requests import AskedKey, NoLongerValid, create_key
from accounts.services.keys import revoke_all_keys
from accounts.services.security_events import NOWHERE
from accounts.services.suspension import AccountNotFound, reinstate_account, suspend_account
from core import clock, ids
from core.outbox.models import OutboxEvent
from core.outbox.services import handle_due
from core.webhooks.models import WebhookDelivery
from media.models import Job
from tests.accounts.credentials import OWN, browser_of, limited
from tests.accounts.linking import approve, poll, start
from tests.accounts.sign_ins import VERIFY, mailed_code, post
from tests.billing.racing import race
from tests.media.conftest import Hosted
from tests.media.customers import IMAGE_MICROS, Customer, error, new_customer
from tests.media.standin import StandIn
from tests.media.traces import events, kinds

pytestmark = pytest.mark.django_db
BALANCE, ALL = "/api/v1/balance", "/api/v1/keys/revoke-all"


def suspend(customer: Customer, operator: User | None = None, **more: Any) -> bool:
    actor = operator.pk if operator is not None else None
    return suspend_account(account_id=customer.id, actor_id=actor, reason="chargebacks", now=clock.now(), **more)


def reinstate(customer: Customer) -> bool:
    return reinstate_account(account_id=customer.id, actor_id=None, reason="explained", now=clock.now())


def told(customer: Customer, *wanted: str) -> list[SecurityEvent]:
    return list(SecurityEvent.objects.filter(user_id=customer.id, kind__in=wanted).order_by("id"))


def test_a_suspended_account_gets_in_nowhere_and_comes_back_with_its_keys(
    customer: Customer, other: Customer, operator: User
) -> None:
    browser = browser_of(customer)
    assert browser.get("/account").status_code == 200
    assert customer.get(BALANCE).status_code == 200

    assert suspend(customer, operator) is True
    error(customer.get(BALANCE), 401, "unauthenticated")
    error(customer.submit(), 401, "unauthenticated")
    assert browser.get("/account").status_code == 302
    assert browser.get("/api/v1/auth/browser/session").json()["authenticated"] is False
    assert other.get(BALANCE).status_code == 200
    assert not Job.objects.exists()
    assert not ApiKey.objects.exclude(revoked_at=None).exists()
    assert suspend(customer, operator) is False

    assert reinstate(customer) is True
    assert customer.get(BALANCE).json()["usdBalanceMicros"] == 10_000_000
    assert browser.get("/account").status_code == 302, "its sessions are over"
    assert browser_of(customer).get("/account").status_code == 200
    assert reinstate(customer) is False
    [suspended, reinstated] = told(customer, "account_suspended", "account_reinstated")
    assert (suspended.actor_id, suspended.reason, suspended.details) == (operator.pk, "chargebacks", {})
    assert (reinstated.actor_id, reinstated.reason) == (None, "explained")


def test_the_account_is_told_that_and_not_why(customer: Customer, operator: User) -> None:
    suspend(customer, operator)
    reinstate(customer)
    text = customer.get("/api/v1/account/events").content.decode()
    assert "account_suspended" in text
    for secret in ("chargebacks", "explained", str(operator.pk), ids.encode(ids.ACCOUNT, operator.pk)):
        assert secret not in text


def test_codes_and_device_links_are_useless(customer: Customer, signing_in: None) -> None:
    email = User.objects.get(pk=customer.id).email
    started, waiting = start(), start()
    assert approve(customer, started).status_code == 200
    code = mailed_code(email)
    keys = ApiKey.objects.count()
    suspend(customer)
    error(post(VERIFY, {"email": email, "code": code}), 403, "account_suspended")
    error(poll(started), 400, "access_denied")
    error(approve(customer, waiting), 401, "unauthenticated")
    reinstate(customer)
    error(poll(started), 400, "access_denied")
    assert ApiKey.objects.count() == keys
    assert sorted(DeviceLink.objects.values_list("status", flat=True)) == ["denied", "pending"]


def test_what_runs_is_finished_and_told(customer: Customer, node: StandIn, host: Hosted) -> None:
    waiting = customer.accepted(completionCallbackUrl=host.url("hook"))
    running = customer.accepted(completionCallbackUrl=host.url("hook"))
    run = node.take(running)
    suspend(customer)
    handle_due(limit=100, now=clock.now() + timedelta(hours=1))
    assert Job.objects.get(pk=waiting.pk).status == "queued"
    assert run.progress(0.5).cancel is False
    assert run.deliver().json() == {"outcome": "completed"}
    assert customer.money() == (10_000_000 - 2 * IMAGE_MICROS, IMAGE_MICROS)
    assert WebhookDelivery.objects.get().subject_id == running.pk


def test_its_jobs_can_be_ended_with_it(
    customer: Customer, other: Customer, node: StandIn, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.handlers.BATCH", 2)
    done = customer.accepted()
    node.finish(done)
    jobs = [customer.accepted() for _ in range(5)]
    theirs = other.accepted()
    run = node.take(jobs[0])
    handle_due(limit=100, now=clock.now())
    suspend(customer, operator, end_jobs=True)
    now = clock.now()
    assert handle_due(limit=100, now=now) == 0, "not before the last request is over"
    assert handle_due(limit=100, now=now + timedelta(seconds=3)) == 3
    assert set(Job.objects.filter(account_id=customer.id).values_list("status", flat=True)) == {
        "completed",
        "terminated",
    }
    assert Job.objects.filter(status="terminated").count() == 5
    assert customer.money() == (10_000_000 - IMAGE_MICROS, 0)
    assert run.progress(0.5).cancel is True
    assert Job.objects.get(pk=theirs.pk).status == "queued"
    assert other.money() == (10_000_000 - IMAGE_MICROS, IMAGE_MICROS)
    assert (events(jobs[1]), kinds(jobs[1])) == (["queued", "terminate_asked", "terminated"], ["hold", "release"])
    assert not OutboxEvent.objects.exists()


def test_an_unknown_account_and_an_empty_reason(customer: Customer) -> None:
    with pytest.raises(AccountNotFound):
        suspend_account(account_id=ids.new(), actor_id=None, reason="why", now=clock.now())
    with pytest.raises(ValueError, match="say why"):
        suspend_account(account_id=customer.id, actor_id=None, reason=" ", now=clock.now())
    assert customer.get(BALANCE).status_code == 200
    assert not SecurityEvent.objects.filter(kind="account_suspended").exists()


def test_every_key_ends_at_once(customer: Customer, other: Customer) -> None:
    second = limited(customer, "keys", "media:read")
    browser = browser_of(customer)
    answer = second.post(ALL, {})
    assert answer.status_code == 200, answer.content
    prefixes = [customer.key[:16], second.key[:16]]
    assert answer.json()["keyPrefixes"] == prefixes
    for one in (customer, second):
        error(one.get(BALANCE), 401, "unauthenticated")
    assert other.get(BALANCE).status_code == 200
    again = browser.post(ALL, {}, content_type="application/json", headers=OWN)
    assert again.json()["keyPrefixes"] == []
    assert [event.key_prefix for event in told(customer, "key_revoked")] == prefixes
    assert not told(other, "key_revoked")


def test_a_key_that_may_not_and_a_body_that_says_something(customer: Customer) -> None:
    error(limited(customer, "media:read").post(ALL, {}), 403, "missing_scope")
    error(customer.post(ALL, {"keyPrefix": customer.key[:16]}), 400, "invalid_request")
    assert customer.get(BALANCE).status_code == 200


def test_the_account_page_has_a_button_for_it(customer: Customer) -> None:
    browser = browser_of(customer)
    assert "Revoke all" not in browser.get("/account").content.decode()
    limited(customer, "media:read")
    assert "Revoke all 2 keys" in browser.get("/account").content.decode()
    assert browser.get("/account/keys/revoke-all").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    assert strict.post("/account/keys/revoke-all").status_code == 403
    assert ApiKey.objects.filter(user_id=customer.id, revoked_at=None).count() == 2
    assert browser.post("/account/keys/revoke-all")["Location"] == "/account"
    assert not ApiKey.objects.filter(user_id=customer.id, revoked_at=None).exists()
    assert "Revoke all" not in browser.get("/account").content.decode()


def test_commands(customer: Customer) -> None:
    email = User.objects.get(pk=customer.id).email

    def said(*arguments: str) -> str:
        out = StringIO()
        call_command(*arguments, stdout=out)
        return out.getvalue().strip()

    assert said("suspend_account", email.upper(), "--reason=abuse") == f"{email} is suspended."
    assert said("suspend_account", email, "--reason=abuse") == f"{email} was suspended before."
    error(customer.get(BALANCE), 401, "unauthenticated")
    assert said("reinstate_account", email, "--reason=sorry") == f"{email} is reinstated."
    assert customer.get(BALANCE).status_code == 200
    assert said("revoke_all_keys", email, "--reason=leaked") == f"1 keys of {email} are revoked."
    error(customer.get(BALANCE), 401, "unauthenticated")
    assert [event.reason for event in told(customer, "key_revoked")] == ["leaked"]
    with pytest.raises(CommandError, match="there is no account nobody"):
        said("suspend_account", "nobody@example.com", "--reason=abuse")


@pytest.mark.django_db(transaction=True)
def test_every_process_hears_of_it_at_once(node: StandIn) -> None:
    customer = new_customer()
    heard: list[str | None] = []
    told = threading.Event()

    def forget(prefix: str | None) -> None:
        heard.append(prefix)
        if prefix is not None:
            told.set()

    listener = revocations.Listener(url=django_settings.REDIS_URL, forget=forget)
    listener.start()
    try:
        assert listener.listening.wait(10)
        assert customer.get(BALANCE).status_code == 200
        suspend(customer)
        assert told.wait(1)
    finally:
        listener.stop()
    assert heard == [customer.key[:16]]
    error(customer.get(BALANCE), 401, "unauthenticated")


@pytest.mark.django_db(transaction=True)
def test_no_key_is_left_of_a_race_between_making_one_and_revoking_all(node: StandIn) -> None:
    for _ in range(3):
        customer = new_customer()
        make = partial(
            create_key,
            account_id=customer.id,
            asking_key_id=customer.key_id,
            asked=AskedKey(label="quick"),
            origin=NOWHERE,
            now=clock.now(),
        )
        end = partial(revoke_all_keys, account_id=customer.id, now=clock.now())
        outcomes = race([make, make, end, make, end])
        assert not ApiKey.objects.filter(user_id=customer.id, revoked_at=None).exists()
        made = sum(1 for number in (0, 1, 3) if outcomes[number][1] is None)
        refused = [refusal for _, refusal in outcomes if refusal is not None]
        assert all(isinstance(refusal, NoLongerValid) for refusal in refused)
        assert sum(len(outcomes[number][0]) for number in (2, 4)) == 1 + made
        recognition.forget()


@pytest.mark.django_db(transaction=True)
def test_of_parallel_suspensions_one_is_told(node: StandIn) -> None:
    customer = new_customer()
    outcomes = race([partial(suspend, customer)] * 6)
    assert sorted(done for done, _ in outcomes) == [False] * 5 + [True]
    assert len(told(customer, "account_suspended")) == 1
