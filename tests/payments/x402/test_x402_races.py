"""Many requests at once, and requests against the reconciler: one credit at most, whoever is first."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from core import clock
from core.idempotency.models import IdempotencyRecord
from deploy.embedded.sandboxes.x402.payer import header
from payments.models import Deposit, X402Payment
from payments.services.reconcile_x402 import reconcile_due, reconcile_payment
from tests.billing.racing import race, results
from tests.media.customers import Customer, error
from tests.payments.x402.buyers import PURCHASE, Buyer, bought_once, ledger, never_sent
from tests.payments.x402.test_x402_refused import refused


def sender(buyer: Buyer, payload: dict[str, Any], headers: dict[str, str] | None = None) -> Callable[[], Any]:
    """One client of its own, since Django's is not for several threads."""
    customer = Customer(id=buyer.customer.id, key_id=buyer.customer.key_id, key=buyer.customer.key)
    sent = {"PAYMENT-SIGNATURE": header(payload)} | (headers or {})
    return lambda: customer.post(PURCHASE, {"usdCents": 1_000}, headers=sent)


def test_the_same_payment_fifty_times_at_once(buyer: Buyer) -> None:
    payload = buyer.signed()
    answers = results(race([sender(buyer, payload) for _ in range(50)]))
    found = Counter(answer.status_code for answer in answers)
    assert found[201] == 1
    assert found.keys() <= {200, 201, 503}
    for answer in answers:
        if answer.status_code == 503:
            error(answer, 503, "payment_pending")
        else:
            assert answer.json()["transaction"] == buyer.payment().transaction
    deposit = bought_once(buyer)
    assert (Deposit.objects.count(), X402Payment.objects.count()) == (1, 1)
    assert (buyer.units, buyer.available) == (90_000_000, 10_000_000)
    again = buyer.pay(payload)
    assert again.status_code == 200
    assert bought_once(buyer) == deposit


def test_two_accounts_with_one_payment(buyer: Buyer, new_buyer: Callable[..., Buyer]) -> None:
    other = new_buyer()
    payload = buyer.signed()
    answers = results(race([sender(one, payload) for one in (buyer, other) * 4]))
    winner, loser = (buyer, other) if ledger(buyer) else (other, buyer)
    assert sum(answer.status_code == 201 for answer in answers) == 1
    for one, answer in zip((buyer, other) * 4, answers, strict=True):
        if one is loser:
            refused(answer, "invalid_exact_evm_nonce_already_used")
    bought_once(winner)
    assert (ledger(loser), loser.available, buyer.units) == ([], 0, 90_000_000)


def test_one_nonce_signed_for_two_amounts(buyer: Buyer) -> None:
    cheap = buyer.signed(1_000)
    nonce = cheap["payload"]["authorization"]["nonce"]
    dear = buyer.signed(2_000, nonce=nonce)
    customer = Customer(id=buyer.customer.id, key_id=buyer.customer.key_id, key=buyer.customer.key)
    answers = results(
        race(
            [
                sender(buyer, cheap),
                lambda: customer.post(PURCHASE, {"usdCents": 2_000}, headers={"PAYMENT-SIGNATURE": header(dear)}),
            ]
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 402]
    cents = 1_000 if answers[0].status_code == 201 else 2_000
    bought_once(buyer, cents=cents)
    assert buyer.units == 100_000_000 - cents * 10_000


def test_the_customer_and_several_reconcilers_at_once(buyer: Buyer) -> None:
    payload = buyer.signed()
    buyer.sandboxes.x402.faults.drop_next(on="/settle", after=True)
    error(buyer.pay(payload), 503, "payment_pending")
    payment = buyer.payment()
    now = clock.now()
    outcomes = race(
        [
            *(lambda: reconcile_payment(payment_id=payment.pk, now=now) for _ in range(4)),
            *(lambda: reconcile_due(limit=10, now=now) for _ in range(2)),
            *(sender(buyer, payload) for _ in range(4)),
        ]
    )
    answers = results(outcomes)
    assert sorted(answers[4:6])[0] == 0  # one of the passes found it taken
    for answer in answers[6:]:
        assert answer.status_code in {200, 503}, answer.content
    bought_once(buyer)
    assert buyer.units == 90_000_000


def test_an_idempotency_key_buys_once_whatever_is_signed(buyer: Buyer) -> None:
    """A client that lost the answer and signs anew would pay twice; with a key it cannot."""
    key = {"Idempotency-Key": "order-7"}
    first = buyer.pay(buyer.signed(), headers=key)
    assert first.status_code == 201
    second = buyer.pay(buyer.signed(), headers=key)
    bare = buyer.customer.post(PURCHASE, {"usdCents": 1_000}, headers=key)
    for answer in (second, bare):
        assert answer.status_code == 200, answer.content
        assert answer.json() == first.json() | {"replayed": True}
    error(buyer.customer.post(PURCHASE, {"usdCents": 1_001}, headers=key), 409, "idempotency_conflict")
    bought_once(buyer)
    assert buyer.units == 90_000_000


def test_an_idempotency_key_keeps_a_second_payment_away_while_the_first_is_unknown(buyer: Buyer) -> None:
    key = {"Idempotency-Key": "order-8"}
    never_sent(buyer)
    payload = buyer.signed()
    error(buyer.pay(payload, headers=key), 503, "payment_pending")
    error(buyer.pay(buyer.signed(), headers=key), 503, "payment_pending")
    error(buyer.customer.post(PURCHASE, {"usdCents": 1_000}, headers=key), 503, "payment_pending")
    assert X402Payment.objects.count() == 1
    assert buyer.pay(payload, headers=key).status_code == 201
    bought_once(buyer)


def test_a_failed_purchase_gives_its_idempotency_key_back(buyer: Buyer) -> None:
    key = {"Idempotency-Key": "order-9"}
    never_sent(buyer)
    error(buyer.pay(buyer.signed(), headers=key), 503, "payment_pending")
    payment = buyer.payment()
    assert IdempotencyRecord.objects.get().subject_id == payment.pk
    buyer.sandboxes.x402.chain.advance(600)
    try:
        reconcile_payment(payment_id=payment.pk, now=clock.now())
    finally:
        buyer.sandboxes.x402.chain.advance(-600)
    assert buyer.payment().status == "failed"
    assert not IdempotencyRecord.objects.exists()
    error(buyer.customer.post(PURCHASE, {"usdCents": 1_000}, headers=key), 402, "payment_required")
    assert buyer.pay(buyer.signed(), headers=key).status_code == 201
    assert buyer.available == 10_000_000


def test_one_idempotency_key_with_many_payments_at_once(buyer: Buyer) -> None:
    key = {"Idempotency-Key": "order-10"}
    answers = results(race([sender(buyer, buyer.signed(), key) for _ in range(8)]))
    found = Counter(answer.status_code for answer in answers)
    assert found[201] == 1
    assert found.keys() <= {200, 201, 503}
    bought_once(buyer)
    assert buyer.units == 90_000_000


@pytest.mark.parametrize("key", ["", "x" * 201, "line\x7f"])
def test_an_idempotency_key_that_is_none(asker: Buyer, key: str) -> None:
    with asker.nothing_bought():
        error(
            asker.customer.post(PURCHASE, {"usdCents": 1_000}, headers={"Idempotency-Key": key}), 400, "invalid_request"
        )
