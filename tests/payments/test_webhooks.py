"""Providers' webhooks: only what they signed is kept, once, and judged later; nothing of it is believed."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from billing.ledger.models import Transfer
from core import clock, ids
from gateway.middleware import EVENT_BYTES
from payments.models import Checkout, Deposit, ProviderEvent
from payments.services import process_events
from payments.services.process_events import EventNotFound, process_due_events, replay_event
from payments.services.reconcile_due import LOST, reconcile_due
from tests.media.customers import Customer, error
from tests.payments.shop import CREATOR_MICROS, WEBHOOKS, Shop, books_agree, event_rows, ledger, money, nothing_stored

pytestmark = pytest.mark.django_db
PAID = ("paid", "deposit", CREATOR_MICROS)


def completed(shop: Shop, session_id: str) -> str:
    """The event that tells of a paid session."""
    return next(
        event["id"] for event in shop.stripe.events("checkout.session.completed") if session_of(event) == session_id
    )


def session_of(event: dict[str, Any]) -> Any:
    return event["data"]["object"]["id"]


# -- taking in --------------------------------------------------------------------------------------------------------


def test_an_event_is_kept_word_for_word_and_judged_later(shop: Shop, customer: Customer, wakes: list[str]) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    event_id = completed(shop, bought.provider_id)
    body, _ = shop.stripe.webhooks.message(event_id)
    answer = shop.tell(event_id)
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert wakes == ["payments"]
    kept = ProviderEvent.objects.get()
    assert (kept.provider, kept.event_id, kept.type) == ("stripe", event_id, "checkout.session.completed")
    assert (kept.object_id, kept.status, kept.tries) == (bought.provider_id, "received", 0)
    assert kept.payload == json.loads(body)
    assert money(customer) == (0, 0, 0)
    assert shop.judge() == 1
    kept.refresh_from_db()
    assert (kept.status, kept.tries, kept.note) == ("processed", 1, "It is paid.")
    assert kept.finished_at is not None
    assert ledger(bought) == [PAID]


def test_the_request_is_one_statement_and_asks_nobody(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    shop.stripe.faults.fail_next(1, 500)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert shop.tell(completed(shop, bought.provider_id)).status_code == 200
    assert len(queries) == 1
    assert shop.stripe.faults.waiting == 1


@pytest.mark.parametrize("way", ["stripe", "crypto"])
def test_what_a_provider_did_not_sign_is_not_kept(shop: Shop, customer: Customer, wakes: list[str], way: str) -> None:
    bought = shop.buy(customer, way)
    source = shop.stripe if way == "stripe" else shop.coinbase
    if way == "stripe":
        shop.stripe.pay(bought.provider_id)
        event_id = completed(shop, bought.provider_id)
    else:
        event_id = shop.coinbase.events()[0]["id"]
    body, _ = source.webhooks.message(event_id)
    right = source.sign(body)
    stale = f"t={int(time.time()) - 301}," + shop.stripe.sign(body, at=int(time.time()) - 301).split(",", 1)[1]
    wrong = [
        "",
        "nonsense",
        source.sign(body, secret="whsec_other"),
        right[:-1],
        right[:-1] + "é",
        source.sign(body + b" "),
    ]
    for signature in [
        *wrong,
        *([stale, f"t=,{right}", "t=1,v1=", right.replace("v1", "v0")] if way == "stripe" else []),
    ]:
        error(shop.post(way, body, signature), 400, "invalid_signature")
    error(shop.post(way, body.replace(b"creator", b"starter"), right), 400, "invalid_signature")
    error(
        shop.post(way, b"\xff", source.sign(b"\xff")),
        400,
        "invalid_signature" if way == "stripe" else "invalid_request",
    )
    error(shop.http.post(f"{WEBHOOKS}/{way}", body, content_type="application/json"), 400, "invalid_signature")
    other_way = "crypto" if way == "stripe" else "stripe"
    error(shop.post(other_way, body, right), 400, "invalid_signature")
    nothing_stored(customer)
    assert wakes == []
    assert shop.post(way, body, right).status_code == 200


def test_a_signature_counts_for_five_minutes(shop: Shop, customer: Customer) -> None:
    event_id = shop.stripe.emit("price.created", {"id": "price_1"}, deliver=False)
    body, _ = shop.stripe.webhooks.message(event_id)
    old = int(time.time()) - 290
    assert shop.post("stripe", body, shop.stripe.sign(body, at=old)).status_code == 200
    error(shop.post("stripe", body, shop.stripe.sign(body, at=old - 15)), 400, "invalid_signature")


@pytest.mark.parametrize("way", ["stripe", "crypto"])
def test_both_secrets_count_while_one_is_replaced(shop: Shop, settings: Settings, way: str) -> None:
    name = {"stripe": "STRIPE_WEBHOOK_SECRETS", "crypto": "COINBASE_WEBHOOK_SECRETS"}[way]
    old = getattr(settings, name)[0]
    setattr(settings, name, ["the-new-one", old])
    body = json.dumps(
        {"id": "evt_1", "type": "x", "data": {"object": {}}, "event": {"id": "1", "type": "x", "data": {}}}
    ).encode()
    source = shop.stripe if way == "stripe" else shop.coinbase
    for secret in ("the-new-one", old):
        assert shop.post(way, body, source.sign(body, secret=secret)).status_code == 200
    setattr(settings, name, ["the-new-one"])
    error(shop.post(way, body, source.sign(body, secret=old)), 400, "invalid_signature")
    setattr(settings, name, [])
    error(shop.post(way, body, source.sign(body, secret=old)), 503, "unavailable")
    assert ProviderEvent.objects.count() == 1


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"not json", b'{"id":"e","type":"t"}', b'{"event":[]}'])
@pytest.mark.parametrize("way", ["stripe", "crypto"])
def test_a_signed_body_that_is_no_event_is_refused(shop: Shop, way: str, body: bytes) -> None:
    source = shop.stripe if way == "stripe" else shop.coinbase
    error(shop.post(way, body, source.sign(body)), 400, "invalid_request")
    assert not ProviderEvent.objects.exists()


def test_events_may_be_larger_than_other_bodies_and_not_without_end(shop: Shop) -> None:
    for size, status in ((EVENT_BYTES - 1_000, 200), (EVENT_BYTES, 413)):
        body = json.dumps({"id": f"evt_{size}", "type": "x", "data": {"object": {"x": "y" * size}}}).encode()
        assert shop.post("stripe", body, shop.stripe.sign(body)).status_code == status
    assert ProviderEvent.objects.count() == 1


def test_an_event_that_comes_again_is_kept_once(shop: Shop, customer: Customer, wakes: list[str]) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    event_id = completed(shop, bought.provider_id)
    assert {shop.tell(event_id).status_code for _ in range(10)} == {200}
    assert wakes == ["payments"]
    assert shop.judge() == 1
    assert shop.tell(event_id).status_code == 200
    assert shop.judge() == 0
    assert event_rows() == [("checkout.session.completed", "processed")]
    assert ledger(bought) == [PAID]


# -- judging ----------------------------------------------------------------------------------------------------------


def test_in_whatever_order_events_come_the_books_end_the_same(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    payment = shop.payment_of(bought)
    refund = shop.stripe.refund(payment, 500)["id"]
    dispute = shop.stripe.dispute(payment, 300)["id"]
    shop.stripe.win_dispute(dispute)
    told = shop.tell_all(backwards=True)
    assert told[0] == "charge.succeeded"
    assert told[-1] == "charge.dispute.funds_reinstated"
    assert shop.judge() == len(told)
    assert ledger(bought) == [PAID, (f"refund:{refund}", "reversal", 5_000_000)]
    assert money(customer) == (15_000_000, 0, 0)
    assert {status for _, status in event_rows()} == {"processed", "ignored"}
    books_agree()


def test_an_event_is_a_hint_and_not_believed(shop: Shop, customer: Customer) -> None:
    """A signed event that says "paid" of a session that Stripe says is open."""
    bought = shop.buy(customer)
    session = shop.stripe.get("session", bought.provider_id)
    lie = session | {"payment_status": "paid", "status": "complete", "amount_total": 99_999_999}
    shop.tell(shop.stripe.emit("checkout.session.completed", lie, deliver=False))
    shop.judge()
    assert event_rows() == [("checkout.session.completed", "processed")]
    assert bought.row.status == "open"
    assert money(customer) == (0, 0, 0)


def test_an_event_of_a_session_that_nobody_knows_is_flagged(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    session = shop.stripe.get("session", bought.provider_id) | {"id": "cs_test_nobody"}
    shop.tell(shop.stripe.emit("checkout.session.completed", session, deliver=False))
    shop.judge()
    kept = ProviderEvent.objects.get()
    assert (kept.status, kept.note) == ("flagged", "The provider knows no cs_test_nobody.")
    assert not Transfer.objects.exists()


def test_a_paid_session_of_another_shop_is_ignored(shop: Shop, customer: Customer) -> None:
    """Our Stripe account may sell other things."""
    foreign = shop.stripe.open_session(
        parameters={"success_url": "https://other.example/", "metadata": {"order": "7"}},
        line_items=[{"id": "li_1", "currency": "usd", "amount_total": 2_000, "description": "Hat", "quantity": 1}],
        expires_at=int(time.time()) + 3_600,
        now=int(time.time()),
    )
    shop.stripe.pay(foreign["id"])
    shop.stripe.refund(shop.stripe.get("session", foreign["id"])["payment_intent"])
    shop.tell_all()
    shop.judge()
    assert {status for _, status in event_rows()} == {"ignored"}
    assert "It names no checkout of ours." in set(ProviderEvent.objects.values_list("note", flat=True))
    assert not Transfer.objects.exists()


def test_a_paid_session_whose_checkout_is_not_in_the_books_is_flagged(shop: Shop, customer: Customer) -> None:
    """As after a restore of an older backup: money came for something that we do not know of."""
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    Checkout.objects.all().delete()
    shop.tell(completed(shop, bought.provider_id))
    shop.judge()
    kept = ProviderEvent.objects.get()
    assert kept.status == "flagged"
    assert kept.note == f"It names {bought.body['checkoutId']}, which is not in the books."


def test_events_of_another_account_or_mode_are_flagged(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    session = shop.stripe.pay(bought.provider_id)
    body, _ = shop.stripe.webhooks.message(completed(shop, bought.provider_id))
    shop.tell(shop.stripe.emit("checkout.session.completed", session, account="acct_other", deliver=False))
    live = json.dumps(json.loads(body) | {"livemode": True, "id": "evt_live"}).encode()
    assert shop.post("stripe", live, shop.stripe.sign(live)).status_code == 200
    shop.judge()
    notes = list(ProviderEvent.objects.order_by("received_at").values_list("status", "note"))
    assert notes == [
        ("flagged", "It is about the connected account acct_other, not ours."),
        ("flagged", "It comes from Stripe's other mode: test and live money must not mix."),
    ]
    assert money(customer) == (0, 0, 0)
    assert not Deposit.objects.exists()


def test_events_that_change_nothing_are_ignored_without_asking(shop: Shop, customer: Customer) -> None:
    shop.tell(shop.stripe.emit("customer.created", {"id": "cus_1"}, deliver=False))
    shop.tell(shop.stripe.emit("charge.refunded", {"id": "ch_1", "payment_intent": None}, deliver=False))
    shop.tell(shop.coinbase.emit("invoice:created", {"id": "inv_1"}, deliver=False), "crypto")
    shop.stripe.faults.fail_next(1, 500)
    assert shop.judge() == 3
    assert {status for _, status in event_rows()} == {"ignored"}
    assert shop.stripe.faults.waiting == 1


def test_a_refund_of_an_unknown_payment_is_ignored(shop: Shop, customer: Customer) -> None:
    refund = {"id": "re_1", "payment_intent": "pi_unknown"}
    shop.tell(shop.stripe.emit("refund.created", refund, deliver=False))
    shop.judge()
    assert event_rows() == [("refund.created", "ignored")]


def test_an_event_waits_for_a_provider_that_is_away_however_long(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    charge = shop.buy(customer, "crypto")
    shop.coinbase.pay(charge.provider_id)
    shop.coinbase.confirm(charge.provider_id)
    shop.tell(completed(shop, bought.provider_id))
    shop.tell(shop.stripe.emit("checkout.session.completed", {"id": bought.provider_id}, deliver=False))
    shop.tell_all("crypto")
    now = clock.now()
    shop.stripe.faults.fail_next(2, 500)
    shop.judge(now)
    # The other provider's events are not held up; of Stripe's only the first was tried.
    assert ledger(charge) == [PAID]
    first, second = ProviderEvent.objects.filter(provider="stripe").order_by("received_at")
    assert (first.status, first.tries, second.status, second.tries) == ("received", 1, "received", 0)
    assert first.due_at == now + timedelta(seconds=2)
    ProviderEvent.objects.filter(pk=first.pk).update(tries=500, due_at=now - timedelta(hours=1))
    shop.stripe.faults.fail_next(4, 500)
    shop.judge(now + timedelta(seconds=2))
    first.refresh_from_db()
    assert (first.status, first.tries) == ("received", 501)
    assert first.due_at == now + timedelta(seconds=2) + process_events.LONGEST_PAUSE
    shop.stripe.faults.clear()
    shop.judge(now + timedelta(hours=2))
    assert ledger(bought) == [PAID]
    assert {status for _, status in event_rows()} == {"processed"}


def test_a_crash_after_the_event_was_kept_loses_nothing(
    shop: Shop, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends after the credit is committed and before the event is marked: the next round changes nothing."""
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    shop.tell(completed(shop, bought.provider_id))

    class Killed(BaseException):
        pass

    def killed(*_: Any) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(process_events, "_end", killed)
        with pytest.raises(Killed):
            shop.judge()
    assert ledger(bought) == [PAID]
    assert event_rows() == [("checkout.session.completed", "received")]
    assert shop.judge() == 1
    assert ledger(bought) == [PAID]
    assert event_rows() == [("checkout.session.completed", "processed")]


def test_an_event_that_always_fails_is_flagged_at_last(
    shop: Shop, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    shop.tell(completed(shop, bought.provider_id))

    def broken(**_: Any) -> None:
        raise ZeroDivisionError("a bug")

    now = clock.now()
    with monkeypatch.context() as patch:
        patch.setattr(process_events, "reconcile_deposit", broken)
        for _ in range(process_events.MAX_TRIES):
            assert ProviderEvent.objects.get().status == "received"
            now += timedelta(hours=1)
            process_due_events(limit=10, now=now)
    kept = ProviderEvent.objects.get()
    assert (kept.status, kept.tries) == ("flagged", process_events.MAX_TRIES)
    assert "a bug" in kept.note
    assert process_due_events(limit=10, now=now + timedelta(days=1)) == 0
    # Once the cause is mended an operator replays it.
    replay_event(event_id=kept.pk, actor_id=customer.id, now=now)
    assert process_due_events(limit=10, now=now) == 1
    assert event_rows() == [("checkout.session.completed", "processed")]
    assert ledger(bought) == [PAID]


def test_a_replay_changes_nothing_that_is_booked(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    shop.tell(completed(shop, bought.provider_id))
    kept = ProviderEvent.objects.get()
    with pytest.raises(EventNotFound):  # it waits already
        replay_event(event_id=kept.pk, actor_id=customer.id, now=clock.now())
    shop.judge()
    replay_event(event_id=kept.pk, actor_id=customer.id, now=clock.now())
    assert shop.judge() == 1
    assert ledger(bought) == [PAID]
    with pytest.raises(EventNotFound):
        replay_event(event_id=ids.new(), actor_id=customer.id, now=clock.now())


# -- without events ---------------------------------------------------------------------------------------------------


def test_without_any_event_or_claim_a_payment_is_found(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    now = bought.row.created_at
    assert reconcile_due(limit=10, now=now + timedelta(seconds=59)) == 0
    assert reconcile_due(limit=10, now=now + timedelta(minutes=1)) == 1
    assert ledger(bought) == [PAID]
    assert reconcile_due(limit=10, now=now + timedelta(minutes=2)) == 0
    # A refund whose events are lost, too.
    refund = shop.stripe.refund(shop.payment_of(bought), 100)["id"]
    assert reconcile_due(limit=10, now=bought.deposit.settled_at + timedelta(hours=23)) == 0
    assert reconcile_due(limit=10, now=bought.deposit.reconcile_at) == 1
    assert ledger(bought)[1:] == [(f"refund:{refund}", "reversal", 1_000_000)]


def test_an_open_purchase_is_looked_at_more_and_more_seldom(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    pauses = []
    for _ in range(9):
        now = bought.row.reconcile_at
        assert reconcile_due(limit=10, now=now) == 1
        pauses.append((bought.row.reconcile_at - now) / timedelta(minutes=1))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert bought.row.status == "open"


def test_a_provider_that_is_away_is_spared_and_asked_again(shop: Shop, customer: Customer) -> None:
    first, second, charge = shop.buy(customer), shop.buy(customer), shop.buy(customer, "crypto")
    for bought in (first, second):
        shop.stripe.pay(bought.provider_id)
    now = clock.now() + timedelta(minutes=2)
    shop.stripe.faults.fail_next(2, 500)
    assert reconcile_due(limit=10, now=now) == 1
    assert (first.row.status, second.row.status, charge.row.reconcile_tries) == ("open", "open", 1)
    assert second.row.reconcile_at < now  # not even tried
    assert reconcile_due(limit=10, now=now + timedelta(minutes=1)) == 3
    assert ledger(first) == ledger(second) == [PAID]


def test_a_purchase_that_its_provider_never_ends_becomes_an_operators(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    assert reconcile_due(limit=10, now=bought.row.created_at + LOST + timedelta(seconds=1)) == 0
    row = bought.row
    assert (row.status, row.reconcile_at, row.note) == ("review", None, "Its provider has not ended it.")
