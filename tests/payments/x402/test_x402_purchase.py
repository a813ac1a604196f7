"""Buying credit with x402, when all goes well: what is asked, what is answered, what is in the books."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from x402 import x402ClientSync
from x402.http import x402HTTPClientSync
from x402.mechanisms.evm.exact import register_exact_evm_client

from core import ids
from core.outbox.models import OutboxEvent
from core.outbox_topics import DEPOSIT_SETTLED
from payments.models import Deposit, X402Payment
from payments.services.settle_x402 import settle_payment
from tests.media.customers import error
from tests.payments.x402.buyers import ALIAS, PURCHASE, Buyer, bought_once, decoded, ledger


def test_without_a_payment_it_tells_what_to_sign(asker: Buyer, settings: Any) -> None:
    with asker.nothing_bought():
        answer = asker.ask(1_234)
        body = error(answer, 402, "payment_required")
    required = {
        "x402Version": 2,
        "resource": {
            "url": f"{settings.API_BASE_URL}{PURCHASE}",
            "description": "Prepaid credit of 12.34 US dollars",
            "mimeType": "application/json",
        },
        "accepts": [
            {
                "scheme": "exact",
                "network": "eip155:84532",
                "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
                "amount": "12340000",
                "payTo": asker.sandboxes.keys.x402_pay_to,
                "maxTimeoutSeconds": 300,
                "extra": {"name": "USDC", "version": "2"},
            }
        ],
    }
    assert decoded(answer["PAYMENT-REQUIRED"]) == {**required, "error": "payment_missing"}
    assert body["details"] == {**required, "reason": "payment_missing"}
    assert body["billed"] is False
    assert "PAYMENT-RESPONSE" not in answer


def test_a_signed_payment_is_settled_and_credited(buyer: Buyer) -> None:
    payload = buyer.signed(1_234)
    answer = buyer.pay(payload, 1_234)
    assert answer.status_code == 201, answer.content
    payment = buyer.payment()
    deposit = bought_once(buyer, cents=1_234, transaction=payment.transaction)
    assert answer.json() == {
        "ok": True,
        "provider": "x402",
        "depositId": ids.encode(ids.DEPOSIT, deposit.pk),
        "depositUsdCents": 1_234,
        "depositUsdMicros": 12_340_000,
        "currentBalanceUsdMicros": 12_340_000,
        "currentBalanceUsd": "12.34",
        "transaction": payment.transaction,
        "network": "eip155:84532",
        "payer": buyer.wallet.address.lower(),
        "replayed": False,
        "affiliate": None,
        "sandbox": True,
    }
    assert decoded(answer["PAYMENT-RESPONSE"]) == {
        "success": True,
        "transaction": payment.transaction,
        "network": "eip155:84532",
        "payer": buyer.wallet.address.lower(),
        "amount": "12340000",
    }
    assert "Idempotent-Replay" not in answer
    assert "PAYMENT-REQUIRED" not in answer
    assert buyer.units == 100_000_000 - 12_340_000
    assert re.fullmatch(r"0x[0-9a-f]{64}", payment.transaction)
    assert buyer.sandboxes.x402.chain.receipt(payment.transaction)["status"] == "0x1"
    assert (payment.payer, payment.pay_to) == (buyer.wallet.address.lower(), buyer.sandboxes.keys.x402_pay_to)
    assert payment.atomic_units == 12_340_000
    assert payment.nonce == payload["payload"]["authorization"]["nonce"]
    assert payment.payload["payload"] == payload["payload"]


def test_the_event_of_a_settled_deposit_is_written_with_it(buyer: Buyer, settings: Any) -> None:
    settings.OUTBOX_HANDLERS = "tests.payments.x402.test_x402_purchase.LISTENERS"
    from core.outbox import services

    services._table.cache_clear()
    try:
        assert buyer.pay(buyer.signed()).status_code == 201
    finally:
        services._table.cache_clear()
    deposit = Deposit.objects.get()
    event = OutboxEvent.objects.get(topic=DEPOSIT_SETTLED)
    assert event.payload == {
        "depositId": str(deposit.pk),
        "accountId": str(buyer.customer.id),
        "depositMicros": 10_000_000,
        "settledAt": deposit.settled_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "payer": buyer.wallet.address.lower(),
    }


LISTENERS = {DEPOSIT_SETTLED: ["core.outbox.services.backlog"]}


def test_the_same_payment_again_is_answered_and_credited_once(buyer: Buyer) -> None:
    payload = buyer.signed()
    first = buyer.pay(payload)
    assert first.status_code == 201
    again = buyer.pay(payload)
    assert again.status_code == 200
    assert again["Idempotent-Replay"] == "true"
    assert again["PAYMENT-RESPONSE"] == first["PAYMENT-RESPONSE"]
    assert again.json() == first.json() | {"replayed": True}
    bought_once(buyer)
    assert buyer.units == 90_000_000


def test_a_replay_needs_neither_the_facilitator_nor_a_payment_that_is_still_valid(
    buyer: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = buyer.signed()
    assert buyer.pay(payload).status_code == 201
    buyer.sandboxes.x402.faults.fail_next(10)
    from payments.api import x402

    later = x402.clock.now() + timedelta(hours=2)
    monkeypatch.setattr(x402.clock, "now", lambda: later)
    again = buyer.pay(payload)
    assert (again.status_code, again.json()["replayed"]) == (200, True)
    bought_once(buyer)


def test_two_payments_are_two_deposits(buyer: Buyer) -> None:
    assert buyer.pay(buyer.signed(100), 100).status_code == 201
    second = buyer.pay(buyer.signed(250), 250)
    assert (second.status_code, second.json()["currentBalanceUsdMicros"]) == (201, 3_500_000)
    assert Deposit.objects.count() == 2
    assert sorted(amount for _, _, amount in ledger(buyer)) == [1_000_000, 2_500_000]
    assert buyer.units == 96_500_000


def test_the_former_route_does_the_same_and_says_that_it_is_deprecated(buyer: Buyer, settings: Any) -> None:
    asked = buyer.customer.post(ALIAS, {"usdCents": 1_000})
    body = error(asked, 402, "payment_required")
    assert asked["Deprecation"] == "true"
    assert body["billed"] is False
    payload = buyer.wallet.sign(decoded(asked["PAYMENT-REQUIRED"])["accepts"][0])
    paid = buyer.pay(payload, path=ALIAS)
    assert (paid.status_code, paid["Deprecation"]) == (201, "true")
    assert paid["Link"] == f'<{settings.API_BASE_URL}{PURCHASE}>; rel="successor-version"'
    again = buyer.pay(payload)
    assert again.status_code == 200
    assert "Deprecation" not in again
    bought_once(buyer)


def test_the_sdks_own_client_buys(buyer: Buyer, settings: Any) -> None:
    """The x402 SDK's client, with nothing of ours between: it reads our 402, signs, pays, and reads the receipt."""
    client = x402ClientSync()
    register_exact_evm_client(client, buyer.wallet._signer)
    http = x402HTTPClientSync(client)
    refused = buyer.ask(100)
    headers, _ = http.handle_402_response(dict(refused.headers), refused.content, f"{settings.API_BASE_URL}{PURCHASE}")
    paid = buyer.customer.post(PURCHASE, {"usdCents": 100}, headers=headers)
    assert paid.status_code == 201, paid.content
    receipt = http.get_payment_settle_response(paid.headers.get)
    assert (receipt.success, receipt.transaction) == (True, buyer.payment().transaction)
    bought_once(buyer, cents=100)


def test_a_transaction_that_carries_two_payments_credits_both(new_buyer: Callable[..., Buyer]) -> None:
    """Somebody may bundle two authorizations into one transaction; its hash is then no name for one deposit."""
    buyer = new_buyer()
    buyer.sandboxes.x402.faults.drop_next(2, on="/settle")
    for payload in (buyer.signed(), buyer.signed()):
        error(buyer.pay(payload), 503, "payment_pending")
    one, two = X402Payment.objects.order_by("id")
    shared = f"0x{'ab' * 32}"
    for payment in (one, two):
        assert settle_payment(payment_id=payment.pk, transaction_hash=shared, now=payment.created_at)
    assert {deposit.provider_id for deposit in Deposit.objects.all()} == {shared, f"{shared}:{two.nonce}"}
    assert buyer.available == 20_000_000
