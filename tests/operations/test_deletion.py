"""Deleting an account: the person is gone everywhere, the books are whole, and nobody else notices."""

import json
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.test import Client

from accounts.models import ApiKey, EmailCode, KeyAddress, SecurityEvent, User
from accounts.services.suspension import AccountNotFound, reinstate_account
from affiliates.models import Affiliate, Decision, PayoutRequest
from billing.ledger.models import Transfer
from billing.selectors import audit, balance
from billing.services.reverse_deposit import reverse_deposit
from core import clock, ids
from core.idempotency.models import IdempotencyRecord
from core.outbox.services import handle_due
from core.webhooks.delivery import deliver_due
from core.webhooks.models import WebhookDelivery, WebhookSecret
from core.webhooks.secrets import current_secret
from media.models import Job, JobInput
from media.retention import sweep
from payments.models import Checkout, Deposit, ProviderEvent, Reversal, X402Payment
from payments.providers.registry import provider_of
from payments.selectors import open_purchases
from payments.services.erase_purchases import forget_payloads
from payments.services.open_checkout import CheckoutRefused, send_checkout
from tests import google
from tests.accounts.credentials import OWN, browser_of, limited
from tests.accounts.sign_ins import VERIFY, mailed_code, post
from tests.billing.racing import race
from tests.media.conftest import Hosted
from tests.media.customers import IMAGE_MICROS, JOBS, PROMPT, Customer, error, new_customer
from tests.media.standin import StandIn
from tests.media.test_retention import objects

pytestmark = pytest.mark.django_db
DELETE = "/api/v1/account/delete"
MARK = "zebra-crossing"
"""Stands in everything personal that the account leaves."""


@pytest.fixture(autouse=True)
def _mail(signing_in: None, db: None) -> None:
    """Codes can be mailed."""


def address(customer: Customer) -> str:
    return User.objects.get(pk=customer.id).email


def delete(customer: Customer, code: str | None = None, **more: Any) -> Any:
    return customer.post(DELETE, {"code": code or mailed_code(address(customer)), **more})


@pytest.fixture
def person(node: StandIn, host: Hosted) -> Customer:
    """Somebody with a name in every room, and one finished job."""
    customer = new_customer()
    User.objects.filter(pk=customer.id).update(email=f"{MARK}@example.com")
    ApiKey.objects.filter(user_id=customer.id).update(label=f"{MARK} laptop")
    Checkout.objects.create(
        id=customer.id,
        account_id=customer.id,
        provider="stripe",
        provider_id="cs_1",
        usd_cents=1_000,
        status="paid",
        request={"customer_email": f"{MARK}@example.com"},
        url=f"https://pay.example/{MARK}",
        reconcile_at=None,
    )
    Deposit.objects.create(
        id=customer.id,
        account_id=customer.id,
        provider="stripe",
        provider_id="pi_1",
        usd_cents=1_000,
        amount_micros=10_000_000,
        settled_at=clock.now(),
    )
    current_secret(account_id=customer.id, now=clock.now())
    done = customer.accepted(
        "image.generate",
        {"prompt": f"a {MARK} at night"},
        completionCallbackUrl=host.url(f"{MARK}?secret=1"),
        idempotencyKey="one",
    )
    node.finish(done)
    Affiliate.objects.create(
        account_id=customer.id,
        display_name=MARK,
        contact_email=f"{MARK}@example.com",
        payout_address=MARK,
        country_code="AT",
        status="approved",
    )
    headers = {"Authorization": f"Bearer {customer.key}"}
    customer.http.patch(
        "/api/v1/account/notifications",
        {"lowBalanceWebhookUrl": f"https://example.com/{MARK}"},
        content_type="application/json",
        headers=headers,
    )
    return customer


@pytest.fixture
def buyer(person: Customer) -> Customer:
    """The same, with more of payments and payouts than the books of a test would bear."""
    _events_of(person.id)
    X402Payment.objects.create(
        account_id=person.id,
        usd_cents=100,
        atomic_units=1_000_000,
        payer="0xpayer",
        nonce="0x01",
        status="failed",
        valid_before=clock.now(),
        payload={"signature": MARK},
        requirements={},
    )
    PayoutRequest.objects.create(
        affiliate=Affiliate.objects.get(account_id=person.id),
        amount_micros=1,
        payout_address=MARK,
        note=MARK,
        status="rejected",
    )
    return person


def _events_of(account_id: UUID) -> None:
    """What Stripe told of the purchase, judged; a refund that waits; and somebody else's."""
    deposit = Deposit.objects.get(pk=account_id)
    Reversal.objects.create(deposit=deposit, kind="dispute", provider_id="dp_1:2", amount_micros=1)
    about: dict[str, dict[str, Any]] = {
        "cs_1": {"customer_details": {"email": f"{MARK}@example.com"}, "payment_intent": {"id": "pi_1", "who": MARK}},
        "ch_1": {"billing_details": {"name": MARK}, "payment_intent": "pi_1"},
        "dp_1": {"evidence": {"customer_name": MARK}},
        "cs_2": {"customer_details": {"email": "somebody@example.com"}, "payment_intent": "pi_2"},
    }
    for number, (object_id, more) in enumerate(about.items()):
        ProviderEvent.objects.create(
            provider="stripe",
            event_id=f"evt_{number}",
            type="charge.refunded" if object_id == "ch_1" else "checkout.session.completed",
            object_id=object_id,
            payload={
                "id": f"evt_{number}",
                "type": "charge.refunded" if object_id == "ch_1" else "checkout.session.completed",
                "livemode": False,
                "data": {"object": {"id": object_id, **more}},
            },
            status="processed" if object_id != "ch_1" else "received",
            finished_at=clock.now() if object_id != "ch_1" else None,
        )


def everywhere(text: str) -> list[str]:
    """The tables that hold it."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE %s', [f"%{text}%"])
            if cursor.fetchone()[0]:
                found.append(table)
    return found


def test_the_person_is_in_no_table_any_more(person: Customer, node: StandIn) -> None:
    assert {"accounts_user", "accounts_apikey", "media_job", "core_webhookdelivery"} <= set(everywhere(MARK))
    [job] = Job.objects.filter(account_id=person.id)
    before = list(Transfer.objects.order_by("id").values())
    answer = delete(person, forfeitBalance=True)
    assert answer.status_code == 200, answer.content
    assert answer.json()["forfeitedUsdMicros"] == 10_000_000 - IMAGE_MICROS
    handle_due(limit=100, now=clock.now())
    # Attempts to find an address are counted by it, and forgotten an hour later.
    assert everywhere(MARK) == ["accounts_countedattempt"]

    user = User.objects.get(pk=person.id)
    assert (user.email, user.is_active) == (f"deleted-{person.id}@deleted.invalid", False)
    assert user.deleted_at is not None
    assert not EmailCode.objects.exists()
    assert not KeyAddress.objects.filter(key__user_id=person.id).exists()
    assert not IdempotencyRecord.objects.filter(account_id=person.id).exists()
    assert not WebhookSecret.objects.filter(account_id=person.id).exists()

    assert sweep(now=clock.now()) == 1
    assert objects(job) == []
    assert Job.objects.filter(pk=job.pk).values_list("price_micros", "status", "task").get() == (
        IMAGE_MICROS,
        "completed",
        "image.generate",
    )
    assert list(Transfer.objects.order_by("id").values())[: len(before)] == before
    assert Transfer.objects.count() == len(before) + 1
    assert balance(account_id=person.id).total == 0
    assert audit() == []
    call_command("audit")


def test_what_providers_said_is_reduced_to_what_judging_it_needs(buyer: Customer) -> None:
    person = buyer
    assert {"payments_providerevent", "payments_x402payment", "affiliates_payoutrequest"} <= set(everywhere(MARK))
    delete(person, forfeitBalance=True)
    handle_due(limit=100, now=clock.now())
    assert everywhere(MARK) == ["accounts_countedattempt"]
    payloads = dict(ProviderEvent.objects.values_list("object_id", "payload"))
    assert payloads["cs_1"] == {
        "erased": True,
        "id": "evt_0",
        "type": "checkout.session.completed",
        "livemode": False,
        "data": {"object": {"id": "cs_1"}},
    }
    assert payloads["ch_1"]["data"] == {"object": {"id": "ch_1", "payment_intent": "pi_1"}}
    assert payloads["dp_1"]["data"] == {"object": {"id": "dp_1"}}
    assert payloads["cs_2"]["data"]["object"]["customer_details"] == {"email": "somebody@example.com"}
    judge = provider_of("stripe").hint
    assert (judge(payloads["cs_1"]).purchase_id, judge(payloads["ch_1"]).payment_id) == ("cs_1", "pi_1")
    checkout = Checkout.objects.get(account_id=person.id)
    assert (checkout.request, checkout.url, checkout.provider_id, checkout.status) == ({}, "", "cs_1", "paid")
    payment = X402Payment.objects.get(account_id=person.id)
    assert (payment.payload, payment.payer, payment.nonce) == ({}, "0xpayer", "0x01")
    asked = PayoutRequest.objects.get()
    assert (asked.payout_address, asked.note, asked.amount_micros) == ("", "", 1)
    affiliate = Affiliate.objects.get(account_id=person.id)
    assert (affiliate.status, affiliate.payout_address) == ("suspended", "")
    assert Decision.objects.values_list("action", "actor_id", "reason").get() == (
        "suspend",
        person.id,
        "The account was deleted.",
    )


def test_what_providers_said_is_kept_word_for_word_for_ninety_days(buyer: Customer) -> None:
    words = dict(ProviderEvent.objects.values_list("object_id", "payload"))
    ProviderEvent.objects.filter(object_id="dp_1").update(status="flagged")
    assert forget_payloads(limit=9, now=clock.now() + timedelta(days=89, hours=23)) == 0
    assert dict(ProviderEvent.objects.values_list("object_id", "payload")) == words
    late = clock.now() + timedelta(days=90, minutes=1)
    assert [forget_payloads(limit=1, now=late) for _ in range(3)] == [1, 1, 0]
    kept = dict(ProviderEvent.objects.values_list("object_id", "payload"))
    assert [name for name in words if kept[name] != words[name]] == ["cs_1", "cs_2"]
    assert kept["cs_2"]["data"] == {"object": {"id": "cs_2", "payment_intent": "pi_2"}}


def test_open_purchases_are_in_the_way(customer: Customer) -> None:
    def checkout(status: str, cents: int, *, watched: bool = False, account: UUID = customer.id) -> None:
        Checkout.objects.create(
            account_id=account,
            provider="coinbase",
            provider_id=str(ids.new()),
            usd_cents=cents,
            status=status,
            reconcile_at=clock.now() if watched else None,
        )

    for status in ("paid", "expired", "failed", "canceled"):
        checkout(status, 1)
    assert open_purchases(account_id=customer.id) == 0
    checkout("open", 10_000, account=new_customer(0).id)
    assert open_purchases(account_id=customer.id) == 0
    for status, cents in (("pending", 10), ("open", 200), ("review", 3_000)):
        checkout(status, cents)
    checkout("expired", 40_000, watched=True)
    for number, status in enumerate(("pending", "review", "settled", "failed")):
        X402Payment.objects.create(
            account_id=customer.id,
            usd_cents=500_000 * 10**number,
            atomic_units=1,
            nonce=str(number),
            status=status,
            valid_before=clock.now(),
            payload={},
            requirements={},
        )
    answer = delete(customer, forfeitBalance=True)
    assert error(answer, 409, "account_not_deletable")["details"]["reasons"] == [
        {"reason": "open_purchases", "usdMicros": 5_543_210 * 10_000}
    ]
    assert customer.money() == (10_000_000, 0)
    assert Checkout.objects.filter(account_id=customer.id, status="pending").exists()


def test_a_purchase_that_slipped_in_fails_before_it_has_a_page(customer: Customer) -> None:
    assert delete(customer, forfeitBalance=True).status_code == 200
    late = Checkout.objects.create(
        account_id=customer.id, provider="stripe", package_code="starter", usd_cents=500, request={"email": MARK}
    )
    handle_due(limit=100, now=clock.now())
    late.refresh_from_db()
    assert (late.status, late.note, late.reconcile_at, late.request) == (
        "failed",
        "The account was deleted.",
        None,
        {},
    )
    with pytest.raises(CheckoutRefused):
        send_checkout(checkout=late, now=clock.now())


def test_no_door_is_left_and_the_address_is_free(person: Customer) -> None:
    email = address(person)
    browser = browser_of(person)
    assert delete(person, forfeitBalance=True).status_code == 200
    error(person.get("/api/v1/balance"), 401, "unauthenticated")
    assert browser.get("/account").status_code == 302
    with pytest.raises(AccountNotFound):
        reinstate_account(account_id=person.id, actor_id=None, reason="regret", now=clock.now())
    again = post(VERIFY, {"email": email, "code": mailed_code(email)})
    assert again.status_code == 200, again.content
    handle_due(limit=100, now=clock.now())
    fresh = User.objects.get(email=email)
    assert fresh.pk != person.id
    headers = {"x-api-key": again.json()["apiKey"]}
    assert Client().get("/api/v1/balance", headers=headers).json()["usdTotalMicros"] == 0
    assert Client().get(JOBS, headers=headers).json()["jobs"] == []


def test_what_is_left_is_given_up_only_when_that_is_said(customer: Customer) -> None:
    code = mailed_code(address(customer))
    body = error(delete(customer, code), 409, "account_not_deletable")
    assert body["details"] == {"reasons": [{"reason": "balance", "usdMicros": 10_000_000}]}
    assert customer.money() == (10_000_000, 0)
    assert address(customer) != f"deleted-{customer.id}@deleted.invalid"
    assert delete(customer, code, forfeitBalance=True).status_code == 200, "the code is still good"
    line = Transfer.objects.get(kind="adjustment")
    assert (line.reference, line.amount) == (f"account:{customer.id}:forfeit", 10_000_000)


def test_open_jobs_and_debt_are_in_the_way(customer: Customer, other: Customer) -> None:
    job = customer.accepted()
    reverse_deposit(
        account_id=customer.id,
        amount=10_000_000,
        provider="stripe",
        reference=f"deposit:{customer.id}:dispute:1:opened",
    )
    answer = delete(customer, forfeitBalance=True)
    assert error(answer, 409, "account_not_deletable")["details"]["reasons"] == [
        {"reason": "open_jobs", "usdMicros": IMAGE_MICROS},
        {"reason": "debt", "usdMicros": IMAGE_MICROS},
    ]
    customer.cancel(job)
    assert delete(customer).status_code == 200, "the release has repaid the debt"
    assert other.money() == (10_000_000, 0)


def test_nothing_left_needs_no_word(node: StandIn) -> None:
    customer = new_customer(0)
    answer = delete(customer)
    assert (answer.status_code, answer.json()["forfeitedUsdMicros"]) == (200, 0)
    assert not Transfer.objects.exists()


def test_a_wrong_code_and_somebody_elses_delete_nothing(customer: Customer, other: Customer) -> None:
    mailed_code(address(customer))
    theirs = mailed_code(address(other))
    for code in ("000000", theirs):
        error(delete(customer, code, forfeitBalance=True), 401, "unauthenticated")
    assert not SecurityEvent.objects.filter(kind="account_deleted").exists()
    assert customer.money() == (10_000_000, 0)


def test_google_proves_it_too(customer: Customer, other: Customer, issuer: google.Google) -> None:
    error(
        customer.post(DELETE, {"idToken": google.token(email=address(other)), "forfeitBalance": True}),
        403,
        "forbidden",
    )
    mine = google.token(email=address(customer))
    assert customer.post(DELETE, {"idToken": mine, "forfeitBalance": True}).status_code == 200
    assert User.objects.get(pk=customer.id).deleted_at is not None
    assert User.objects.get(pk=other.id).deleted_at is None


@pytest.mark.parametrize(
    "body", [{}, {"code": "12345"}, {"code": "123456", "idToken": "x" * 40}, {"code": None}, {"forfeitBalance": 1}]
)
def test_what_is_wrong_is_said(body: Any, customer: Customer) -> None:
    error(customer.post(DELETE, body), 400, "invalid_request")


def test_staff_and_limited_keys_may_not(customer: Customer) -> None:
    error(limited(customer, "keys").post(DELETE, {"code": "123456"}), 403, "missing_scope")
    User.objects.filter(pk=customer.id).update(is_staff=True)
    error(customer.post(DELETE, {"code": "123456"}), 403, "forbidden")
    assert User.objects.get(pk=customer.id).deleted_at is None


def test_a_session_may_from_our_own_pages(customer: Customer) -> None:
    browser = browser_of(customer)
    body = {"code": mailed_code(address(customer)), "forfeitBalance": True}
    foreign = {"Origin": "https://elsewhere.example"}
    error(browser.post(DELETE, body, content_type="application/json", headers=foreign), 403, "forbidden")
    assert browser.post(DELETE, body, content_type="application/json", headers=OWN).status_code == 200


def test_messages_on_their_way_end(person: Customer) -> None:
    assert WebhookDelivery.objects.get(account_id=person.id).status == "pending"
    delete(person, forfeitBalance=True)
    delivery = WebhookDelivery.objects.get(account_id=person.id)
    assert (delivery.status, delivery.url, delivery.body) == ("failed", "deleted", "deleted")
    assert deliver_due(limit=8, now=clock.now() + timedelta(hours=3)) == 0


def test_many_jobs_are_erased_by_turns(
    customer: Customer, other: Customer, node: StandIn, host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.handlers.ERASED_AT_ONCE", 2)
    jobs = [customer.accepted() for _ in range(5)]
    for job in jobs:
        customer.cancel(job)
    theirs = other.accepted()
    handle_due(limit=100, now=clock.now())
    delete(customer, forfeitBalance=True)
    handle_due(limit=100, now=clock.now() + timedelta(seconds=1))
    assert set(Job.objects.filter(account_id=customer.id).values_list("effective_input__prompt", flat=True)) == {None}
    assert Job.objects.filter(account_id=customer.id, sweep_asked_at=None).count() == 0
    assert Job.objects.get(pk=theirs.pk).effective_input["prompt"] == PROMPT["prompt"]
    assert Job.objects.get(pk=theirs.pk).sweep_asked_at is None
    assert not JobInput.objects.exclude(source_url="").exists()


def test_what_is_kept_says_who_asked(customer: Customer) -> None:
    delete(customer, forfeitBalance=True)
    kept = SecurityEvent.objects.filter(user_id=customer.id).order_by("id").last()
    assert kept is not None
    assert (kept.kind, kept.address) == ("account_deleted", "127.0.0.1")
    rows = json.dumps(list(SecurityEvent.objects.values()), cls=DjangoJSONEncoder)
    assert "@" not in rows


@pytest.mark.django_db(transaction=True)
def test_a_submit_at_the_same_moment_is_a_reason_or_finds_nothing(node: StandIn, host: Hosted) -> None:
    for _ in range(4):
        customer = new_customer()
        code = mailed_code(address(customer))

        def submit(customer: Customer = customer) -> int:
            headers = {"Authorization": f"Bearer {customer.key}"}
            body = {"task": "image.generate", "input": PROMPT}
            client = Client(raise_request_exception=False)
            return client.post(JOBS, body, content_type="application/json", headers=headers).status_code

        def end(customer: Customer = customer, code: str = code) -> int:
            headers = {"Authorization": f"Bearer {customer.key}"}
            client = Client(raise_request_exception=False)
            body = {"code": code, "forfeitBalance": True}
            return client.post(DELETE, body, content_type="application/json", headers=headers).status_code

        outcomes = [result for result, _ in race([submit, end, submit, partial(end, code=code)])]
        deleted = User.objects.get(pk=customer.id).deleted_at is not None
        assert deleted == (200 in (outcomes[1], outcomes[3]))
        jobs = Job.objects.filter(account_id=customer.id).count()
        if deleted:
            assert (jobs, balance(account_id=customer.id).total) == (0, 0)
            assert [outcomes[1], outcomes[3]].count(200) == 1
            assert set(outcomes[::2]) <= {401, 402}
        else:
            assert jobs == outcomes.count(201) > 0
            assert balance(account_id=customer.id).total == 10_000_000
    assert audit() == []
