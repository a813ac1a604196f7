"""The sandboxes' webhooks: signed as the providers sign, retried until they arrive, never before they are committed."""

import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from deploy.embedded.sandboxes.server import Sandboxes
from deploy.embedded.sandboxes.stripe.objects import API_VERSION
from tests.deploy.sandbox_shop import Inbox, client, listening, order, paid


def opened(sandboxes: Sandboxes, cents: int = 500) -> str:
    return client(sandboxes).v1.checkout.sessions.create(order(cents)).id


def last_event(sandboxes: Sandboxes, type: str) -> str:
    return str(sandboxes.stripe.events(type)[0]["id"])


def test_a_payment_is_told_over_http_and_the_sdk_believes_it() -> None:
    inbox = Inbox()
    with listening(inbox) as url, Sandboxes(webhook_targets={"stripe": [url]}) as sandboxes:
        session_id = opened(sandboxes)
        sandboxes.stripe.pay(session_id)
        sandboxes.stripe.webhooks.wait()
        secret = sandboxes.keys.stripe_webhook_secret
        events = [
            stripe.Webhook.construct_event(body, headers["Stripe-Signature"], secret) for body, headers in inbox.taken
        ]
        assert sorted(event.type for event in events) == [
            "charge.succeeded",
            "checkout.session.completed",
            "payment_intent.succeeded",
        ]
        [completed] = [event for event in events if event.type == "checkout.session.completed"]
        assert (completed.object, completed.api_version, completed.livemode) == ("event", API_VERSION, False)
        assert completed.id.startswith("evt_")
        assert "account" not in completed
        session: Any = completed.data.object
        assert (session.id, session.payment_status, session.amount_total) == (session_id, "paid", 500)
        assert session.client_reference_id == "dep_7"
        assert client(sandboxes).v1.events.retrieve(completed.id).data.object["id"] == session_id
        assert {one.state for one in sandboxes.stripe.webhooks.deliveries()} == {"delivered"}


def test_signatures_are_of_the_time_and_of_the_secret() -> None:
    with Sandboxes() as sandboxes:
        sandboxes.stripe.pay(opened(sandboxes))
        body, headers = sandboxes.stripe.message(last_event(sandboxes, "checkout.session.completed"))
        secret = sandboxes.keys.stripe_webhook_secret
        moment, digest = (part.split("=", 1)[1] for part in headers["Stripe-Signature"].split(","))
        expected = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        assert digest == expected
        assert abs(int(moment) - time.time()) < 5
        for signature in (
            sandboxes.stripe.sign(body, secret="whsec_of_another_endpoint"),
            sandboxes.stripe.sign(body, at=int(time.time()) - 600),
            sandboxes.stripe.sign(body + b" "),
        ):
            with pytest.raises(stripe.SignatureVerificationError):
                stripe.Webhook.construct_event(body, signature, secret)
        sandboxes.stripe.webhook_secrets.append("whsec_new")
        both = sandboxes.stripe.sign(body)
        for rolling in (secret, "whsec_new"):
            assert stripe.Webhook.construct_event(body, both, rolling).type == "checkout.session.completed"


def test_each_change_is_told_by_its_events() -> None:
    inbox = Inbox()
    with Sandboxes(webhook_targets={"stripe": [inbox]}) as sandboxes:

        def told(act: Any, *given: Any) -> list[str]:
            sandboxes.stripe.webhooks.wait()
            inbox.taken.clear()
            act(*given)
            sandboxes.stripe.webhooks.wait()
            return sorted(inbox.types)

        account = sandboxes.stripe
        declined, failing, expiring = opened(sandboxes), opened(sandboxes), opened(sandboxes)
        assert told(account.decline, declined) == ["charge.failed", "payment_intent.payment_failed"]
        assert told(account.pay_later, failing) == ["checkout.session.completed", "payment_intent.processing"]
        assert told(account.fail, failing) == [
            "charge.failed",
            "checkout.session.async_payment_failed",
            "payment_intent.payment_failed",
        ]
        assert told(account.expire, expiring) == ["checkout.session.expired"]
        intent = paid(sandboxes)
        assert told(account.refund, intent, 100) == ["charge.refunded", "refund.created", "refund.updated"]
        opens = ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
        assert told(account.dispute, intent) == opens
        won = account.store.newest("stripe.dispute")[0]["id"]
        assert told(account.win_dispute, won) == ["charge.dispute.closed", "charge.dispute.funds_reinstated"]
        assert told(account.dispute, intent) == opens
        lost = account.store.newest("stripe.dispute")[0]["id"]
        assert told(account.lose_dispute, lost) == ["charge.dispute.closed"]
        refunded = json.loads(json.dumps(account.events("charge.refunded")[0]["data"]["object"]))
        assert (refunded["amount"], refunded["amount_refunded"], refunded["refunded"]) == (500, 100, False)


def test_a_refused_change_tells_nothing() -> None:
    with Sandboxes() as sandboxes:
        intent = paid(sandboxes, 500)
        before = len(sandboxes.stripe.events())
        with pytest.raises(stripe.InvalidRequestError):
            client(sandboxes).v1.refunds.create({"payment_intent": intent, "amount": 501})
        assert len(sandboxes.stripe.events()) == before
        assert sandboxes.stripe.store.newest("stripe.refund") == []


def test_a_delivery_is_tried_until_it_is_taken() -> None:
    inbox = Inbox(500, 404, 302)
    with Sandboxes(webhook_targets={"stripe": [inbox]}, retry_pauses=(0.01, 0.01, 0.01)) as sandboxes:
        sandboxes.stripe.expire(opened(sandboxes))
        event = last_event(sandboxes, "checkout.session.expired")
        sandboxes.stripe.webhooks.wait(event)
        [delivery] = sandboxes.stripe.webhooks.deliveries(event)
        assert (delivery.state, delivery.tries, delivery.last_result) == ("delivered", 4, "200")
        assert len({body for body, _ in inbox.taken}) == 1


def test_a_delivery_that_nobody_takes_is_given_up() -> None:
    with Sandboxes(webhook_targets={"stripe": ["http://127.0.0.1:9/nobody"]}, retry_pauses=(0.01,)) as sandboxes:
        sandboxes.stripe.expire(opened(sandboxes))
        sandboxes.stripe.webhooks.wait()
        [delivery] = sandboxes.stripe.webhooks.deliveries()
        assert (delivery.state, delivery.tries) == ("given_up", 2)
        assert "ConnectError" in delivery.last_result


def test_pauses_grow() -> None:
    inbox = Inbox(500, 500)
    with Sandboxes(webhook_targets={"stripe": [inbox]}, retry_pauses=(0.01, 3_600)) as sandboxes:
        sandboxes.stripe.expire(opened(sandboxes))
        event = last_event(sandboxes, "checkout.session.expired")
        sandboxes.stripe.webhooks.wait_for_tries(event, 2)
        [delivery] = sandboxes.stripe.webhooks.deliveries(event)
        assert delivery.state == "pending"
        assert 3_590 < delivery.due_at - time.time() <= 3_600
        with pytest.raises(TimeoutError, match="still pending"):
            sandboxes.stripe.webhooks.wait(event, timeout=0.01)


def test_held_webhooks_wait_and_one_event_may_come_many_times() -> None:
    inbox = Inbox()
    with Sandboxes(webhook_targets={"stripe": [inbox]}) as sandboxes:
        session = opened(sandboxes)
        sandboxes.stripe.webhooks.hold()
        sandboxes.stripe.expire(session)
        event = last_event(sandboxes, "checkout.session.expired")
        assert client(sandboxes).v1.checkout.sessions.retrieve(session).status == "expired"
        assert [one.tries for one in sandboxes.stripe.webhooks.deliveries(event)] == [0]
        assert inbox.taken == []
        sandboxes.stripe.webhooks.release()
        sandboxes.stripe.webhooks.wait(event)
        sandboxes.stripe.webhooks.deliver_again(event, 10)
        sandboxes.stripe.webhooks.wait(event)
        assert inbox.types == ["checkout.session.expired"] * 11
        assert len({body for body, _ in inbox.taken}) == 1


def test_an_event_of_another_account_is_signed_all_the_same() -> None:
    inbox = Inbox()
    with Sandboxes(webhook_targets={"stripe": [inbox]}) as sandboxes:
        session = sandboxes.stripe.get("session", opened(sandboxes))
        forged = sandboxes.stripe.emit("checkout.session.completed", session, account="acct_of_another")
        sandboxes.stripe.webhooks.wait(forged)
        [(body, headers)] = inbox.taken
        event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], sandboxes.keys.stripe_webhook_secret)
        assert event["account"] == "acct_of_another"


def test_what_is_undelivered_is_delivered_by_the_next_run(tmp_path: Path) -> None:
    with Sandboxes(data=tmp_path, webhook_targets={"stripe": [Inbox()]}) as first:
        first.stripe.webhooks.hold()
        first.stripe.expire(opened(first))
        event = last_event(first, "checkout.session.expired")
    inbox = Inbox()
    with Sandboxes(data=tmp_path, webhook_targets={"stripe": [inbox]}) as second:
        second.stripe.webhooks.wait(event)
        assert inbox.types == ["checkout.session.expired"]


def test_coinbase_signs_the_raw_body() -> None:
    inbox = Inbox(500)
    with listening(inbox) as url, Sandboxes(webhook_targets={"coinbase": [url]}, retry_pauses=(0.01,)) as sandboxes:
        order = {"name": "Starter", "pricing_type": "fixed_price", "local_price": {"amount": "5.00", "currency": "USD"}}
        headers = {"X-CC-Api-Key": sandboxes.keys.coinbase_key, "X-CC-Version": "2018-03-22"}
        made = httpx.post(f"{sandboxes.url}/coinbase/charges", json=order, headers=headers, trust_env=False)
        sandboxes.coinbase.webhooks.wait()
        secret = sandboxes.keys.coinbase_webhook_secret.encode()
        for body, given in inbox.taken:
            assert given["X-CC-Webhook-Signature"] == hmac.new(secret, body, hashlib.sha256).hexdigest()
        first, second = (json.loads(body) for body, _ in inbox.taken)
        assert (first["attempt_number"], second["attempt_number"]) == (1, 2)
        assert first["event"] == second["event"]
        assert (first["event"]["type"], first["event"]["api_version"]) == ("charge:created", "2018-03-22")
        assert first["event"]["data"]["code"] == made.json()["data"]["code"]
