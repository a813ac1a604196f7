"""An account hears once that its balance is low, by mail and by a signed message, and again only after it was back."""

import smtplib
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core import mail as outgoing
from standardwebhooks import Webhook

from accounts.balance_notices import BalanceNotice
from accounts.models import User
from accounts.services import mail
from accounts.services.suspension import suspend_account
from billing.services.adjust import adjust
from billing.services.notice_low_balances import notice_low_balances
from core import clock
from core.outbox.models import OutboxEvent
from core.outbox.services import handle_due
from core.webhooks.delivery import deliver_due
from core.webhooks.models import WebhookDelivery
from core.webhooks.secrets import current_secret
from gateway.steward import LOOPS
from tests.accounts.credentials import limited
from tests.billing.racing import race, results
from tests.core.origin import answer
from tests.media.conftest import Hosted
from tests.media.customers import IMAGE_MICROS, Customer, error, new_customer
from tests.media.standin import StandIn

pytestmark = pytest.mark.django_db
SETTINGS = "/api/v1/account/notifications"
THRESHOLD = 9_980_000
"""One picture keeps the balance above or at it, two do not."""


@pytest.fixture(autouse=True)
def _mail(signing_in: None, db: None) -> None:
    """There is a mail server; Django's tests keep the mails."""


def change(customer: Customer, **fields: Any) -> dict[str, Any]:
    names = {"threshold": "lowBalanceThresholdUsdMicros", "email": "lowBalanceEmail", "url": "lowBalanceWebhookUrl"}
    body = {names[name]: value for name, value in fields.items()}
    done = customer.http.patch(
        SETTINGS, body, content_type="application/json", headers={"Authorization": f"Bearer {customer.key}"}
    )
    assert done.status_code == 200, done.content
    changed: dict[str, Any] = done.json()
    return changed


def look() -> int:
    told = notice_low_balances(now=clock.now())
    handle_due(limit=100, now=clock.now())
    return told


def mails() -> list[str]:
    return [message.to[0] for message in outgoing.outbox]


def give(customer: Customer, amount: int) -> None:
    adjust(
        account_id=customer.id,
        amount=amount,
        reason="test",
        reference=f"adjustment:{clock.now().timestamp()}",
        actor=None,
    )


def test_nobody_is_told_unless_they_want_to_be(customer: Customer) -> None:
    assert customer.get(SETTINGS).json() == {
        "ok": True,
        "lowBalanceThresholdUsdMicros": None,
        "lowBalanceEmail": True,
        "lowBalanceWebhookUrl": None,
        "lowBalanceSince": None,
    }
    give(customer, -10_000_000)
    assert look() == 0
    assert (mails(), WebhookDelivery.objects.count(), BalanceNotice.objects.count()) == ([], 0, 0)


def test_it_is_told_once_and_again_only_after_the_balance_was_back(customer: Customer, other: Customer) -> None:
    address = User.objects.get(pk=customer.id).email
    change(customer, threshold=THRESHOLD)
    change(other, threshold=THRESHOLD)
    assert look() == 0
    first = customer.accepted()
    assert customer.money()[0] == 9_960_000
    assert look() == 1
    assert look() == 0
    second = customer.accepted()
    assert look() == 0
    assert mails() == [address]
    text = outgoing.outbox[0].body
    assert "Your available balance is $9.96, below the $9.98" in text
    assert customer.get(SETTINGS).json()["lowBalanceSince"] is not None
    customer.cancel(second)
    assert look() == 0
    assert customer.get(SETTINGS).json()["lowBalanceSince"] is not None, "still below"
    customer.cancel(first)
    assert look() == 0
    assert customer.get(SETTINGS).json()["lowBalanceSince"] is None
    customer.accepted()
    assert look() == 1
    assert mails() == [address, address]
    assert not WebhookDelivery.objects.exists()


def test_exactly_the_threshold_is_enough(customer: Customer) -> None:
    change(customer, threshold=10_000_000 - IMAGE_MICROS)
    customer.accepted()
    assert look() == 0
    give(customer, -1)
    assert look() == 1


def test_the_signed_message(customer: Customer, host: Hosted) -> None:
    host.respond = lambda _: answer(b"ok")
    url = f"http://127.0.0.1:{host.port}/low"
    change(customer, threshold=THRESHOLD, email=False, url=url)
    customer.accepted()
    now = clock.now()
    assert notice_low_balances(now=now) == 1
    assert notice_low_balances(now=now) == 0
    assert deliver_due(limit=8, now=clock.now()) == 1
    [request] = host.requests
    secret = current_secret(account_id=customer.id, now=clock.now()).secret
    headers = {name: value for name, value in request.headers.items() if name.startswith("webhook-")}
    body = Webhook(secret).verify(request.body, headers)
    assert body == {
        "callbackType": "account.balance_low",
        "accountId": customer.public_id,
        "usdBalanceMicros": 9_960_000,
        "usdBalance": "9.96",
        "lowBalanceThresholdUsdMicros": THRESHOLD,
        "at": clock.rfc3339(now),
    }
    handle_due(limit=100, now=clock.now())
    assert mails() == []
    [listed] = customer.get("/api/v1/webhook-deliveries").json()["webhookDeliveries"]
    assert (listed["topic"], listed["jobId"], listed["status"]) == ("account.balance_low", None, "delivered")


def test_another_threshold_is_another_question(customer: Customer) -> None:
    change(customer, threshold=THRESHOLD)
    customer.accepted()
    assert look() == 1
    change(customer, threshold=THRESHOLD)
    assert look() == 0, "the same one is not"
    change(customer, threshold=THRESHOLD - 1)
    assert look() == 1
    change(customer, threshold=None)
    assert customer.get(SETTINGS).json()["lowBalanceSince"] is None
    assert look() == 0
    change(customer, threshold=5)
    assert look() == 0
    assert len(mails()) == 2


def test_who_may_hear_nothing_is_not_watched(customer: Customer, other: Customer) -> None:
    change(customer, threshold=20_000_000, email=False)
    change(other, threshold=20_000_000)
    suspend_account(account_id=other.id, actor_id=None, reason="abuse", now=clock.now())
    assert look() == 0
    assert BalanceNotice.objects.filter(status="warned").count() == 0
    change(customer, email=True)
    assert look() == 1


def test_a_mail_server_that_is_away_gets_it_later(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, later: Any
) -> None:
    change(customer, threshold=20_000_000)
    with monkeypatch.context() as patch:

        def away(*_: Any, **__: Any) -> int:
            raise smtplib.SMTPServerDisconnected

        patch.setattr("django.core.mail.EmailMultiAlternatives.send", away)
        assert look() == 1
    assert mails() == []
    assert OutboxEvent.objects.count() == 1
    monkeypatch.setattr(mail.server, "away_until", 0.0)
    handle_due(limit=10, now=clock.now() + timedelta(minutes=1))
    assert len(mails()) == 1
    assert look() == 0


def test_an_installation_without_mail_sends_none(customer: Customer, settings: Any) -> None:
    change(customer, threshold=20_000_000)
    settings.EMAIL_HOST = ""
    assert look() == 1
    assert (mails(), OutboxEvent.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"lowBalanceThresholdUsdMicros": 0}, "lowBalanceThresholdUsdMicros"),
        ({"lowBalanceThresholdUsdMicros": -1}, "lowBalanceThresholdUsdMicros"),
        ({"lowBalanceThresholdUsdMicros": 1.5}, "lowBalanceThresholdUsdMicros"),
        ({"lowBalanceThresholdUsdMicros": "5"}, "lowBalanceThresholdUsdMicros"),
        ({"lowBalanceThresholdUsdMicros": 2**53}, "lowBalanceThresholdUsdMicros"),
        ({"lowBalanceEmail": None}, "lowBalanceEmail"),
        ({"lowBalanceEmail": 1}, "lowBalanceEmail"),
        ({"lowBalanceWebhookUrl": ""}, "lowBalanceWebhookUrl"),
        ({"lowBalanceWebhookUrl": "http://169.254.169.254/"}, "lowBalanceWebhookUrl"),
        ({"lowBalanceWebhookUrl": "ftp://example.com/"}, "lowBalanceWebhookUrl"),
        ({"lowBalanceSms": True}, "lowBalanceSms"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(body: Any, field: str, customer: Customer) -> None:
    headers = {"Authorization": f"Bearer {customer.key}"}
    answer = customer.http.patch(SETTINGS, body, content_type="application/json", headers=headers)
    assert list(error(answer, 400, "invalid_request")["details"]["fields"]) == [field]
    assert not BalanceNotice.objects.exists()


def test_a_key_needs_the_scopes(customer: Customer) -> None:
    reader = limited(customer, "billing:read")
    assert reader.get(SETTINGS).status_code == 200
    headers = {"Authorization": f"Bearer {reader.key}"}
    error(customer.http.patch(SETTINGS, {}, content_type="application/json", headers=headers), 403, "missing_scope")


def test_a_round_costs_few_queries_however_many_watch(
    node: StandIn, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.services.notice_low_balances.PAGE", 3)
    for _ in range(7):
        change(new_customer(), threshold=1_000)
    with django_assert_num_queries(6):
        assert notice_low_balances(now=clock.now()) == 0


@pytest.mark.django_db(transaction=True)
def test_of_many_stewards_one_tells(node: StandIn, host: Hosted) -> None:
    customers = [new_customer() for _ in range(5)]
    for customer in customers:
        change(customer, threshold=20_000_000, url=f"http://127.0.0.1:{host.port}/low")
    told = results(race([partial(notice_low_balances, now=clock.now())] * 8))
    assert sum(told) == 5
    assert WebhookDelivery.objects.count() == 5
    assert WebhookDelivery.objects.values("account_id").distinct().count() == 5
    assert OutboxEvent.objects.filter(topic="billing.balance_low").count() == 5


def test_the_steward_does_it() -> None:
    assert "low-balances" in [loop.name for loop in LOOPS]
