"""What Stripe says of a purchase becomes money here: exactly once, and exactly that much."""

from datetime import timedelta
from typing import Any

import pytest

from billing.ledger.models import Transfer
from billing.services.capture_hold import capture_hold
from billing.services.place_hold import AccountInDebt, place_hold
from core import clock, ids
from core.outbox.models import OutboxEvent
from core.outbox.services import emit
from payments.models import Checkout, Deposit, Reversal
from payments.services.reconcile_deposit import WATCH_PAUSE, WATCHED, Result
from tests.media.customers import Customer, error
from tests.payments.shop import CREATOR_MICROS, Shop, books_agree, ledger, money

pytestmark = pytest.mark.django_db
PAID = ("paid", "deposit", CREATOR_MICROS)


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What is told to other rooms, in its order."""
    told: list[tuple[str, dict[str, Any]]] = []

    def tell(*, topic: str, payload: dict[str, Any]) -> None:
        told.append((topic, payload))
        emit(topic=topic, payload=payload)

    monkeypatch.setattr("payments.services.reconcile_deposit.emit", tell)
    return told


def spend(customer: Customer, amount: int) -> None:
    """Have a job charged so much."""
    hold = place_hold(account_id=customer.id, amount=amount, reference=f"job:{ids.new()}:hold")
    capture_hold(hold=hold, amount=amount)


def test_a_paid_session_is_credited_once_however_often_it_is_claimed(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    answers = [bought.claim() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert (
        answers[0].json()
        == answers[2].json()
        == {
            "provider": "stripe",
            "sessionId": bought.provider_id,
            "chargeId": None,
            "packageCode": "creator",
            "depositUsdCents": 2_000,
            "currentBalanceUsdMicros": CREATOR_MICROS,
        }
    )
    assert ledger(bought) == [PAID]
    assert money(customer) == (CREATOR_MICROS, 0, 0)
    row, deposit = bought.row, bought.deposit
    assert (row.status, row.reconcile_at, row.note) == ("paid", None, "")
    assert deposit.provider_id == shop.payment_of(bought)
    assert (deposit.account_id, deposit.provider, deposit.package_code) == (customer.id, "stripe", "creator")
    assert (deposit.usd_cents, deposit.amount_micros, deposit.reversed_micros) == (2_000, CREATOR_MICROS, 0)
    assert deposit.reconcile_at == deposit.settled_at + WATCH_PAUSE
    books_agree()


def test_an_unpaid_session_is_not_credited(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    body = error(bought.claim(), 409, "invalid_state")
    assert (body["details"], body["billed"]) == ({"status": "open"}, False)
    shop.stripe.decline(bought.provider_id)
    assert bought.claim().json()["details"] == {"status": "open"}
    assert ledger(bought) == []
    assert money(customer) == (0, 0, 0)


def test_a_session_that_expired_is_over(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.expire(bought.provider_id)
    assert bought.claim().json()["details"] == {"status": "expired"}
    assert shop.tell_all() == ["checkout.session.expired"]
    assert shop.judge() == 1
    row = bought.row
    assert (row.status, row.reconcile_at) == ("expired", None)
    assert row.finished_at is not None
    assert not Transfer.objects.exists()


def test_a_payment_that_arrives_in_spite_of_an_expiry_is_credited(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    Checkout.objects.filter(pk=bought.checkout_id).update(status="expired", reconcile_at=None)
    shop.stripe.pay(bought.provider_id)
    assert bought.claim().status_code == 200
    assert bought.row.status == "paid"
    assert ledger(bought) == [PAID]


def test_a_bank_debit_is_credited_when_the_bank_has_paid(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay_later(bought.provider_id)
    shop.tell_all()
    shop.judge()
    assert bought.row.status == "open"
    assert money(customer) == (0, 0, 0)
    shop.stripe.settle(bought.provider_id)
    shop.tell_all()
    shop.judge()
    assert ledger(bought) == [PAID]


def test_a_bank_debit_that_is_refused_ends_the_purchase(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.fail(bought.provider_id)
    shop.tell_all()
    shop.judge()
    assert bought.row.status == "failed"
    assert bought.claim().json()["details"] == {"status": "failed"}
    assert not Transfer.objects.exists()


@pytest.mark.parametrize(
    ("paid", "reason"),
    [
        ({"amount": 1_999}, "its price is 1999 cents and not 2000; 1999 cents of 2000 were received"),
        ({"amount": 2_001}, "its price is 2001 cents and not 2000"),
        ({"currency": "eur"}, "its currency is eur"),
    ],
)
def test_money_that_does_not_fit_is_not_credited(
    shop: Shop, customer: Customer, paid: dict[str, Any], reason: str
) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id, **paid)
    assert bought.claim().json()["details"] == {"status": "review"}
    found = bought.reconcile()
    assert (found.result, found.note) == (Result.FLAGGED, f"Paid, and not credited: {reason}.")
    assert bought.row.note == f"Paid, and not credited: {reason}."
    assert money(customer) == (0, 0, 0)
    assert not Transfer.objects.exists()
    assert not Deposit.objects.exists()
    assert not OutboxEvent.objects.filter(topic__startswith="payments.").exists()


def test_a_session_that_names_another_checkout_or_account_is_not_credited(
    shop: Shop, customer: Customer, other: Customer
) -> None:
    """Somebody's paid session under the checkout of somebody else: nobody gets its money by that."""
    mine, theirs = shop.buy(customer), shop.buy(other)
    shop.stripe.pay(mine.provider_id)
    Checkout.objects.filter(pk=mine.checkout_id).update(provider_id="cs_elsewhere")
    Checkout.objects.filter(pk=theirs.checkout_id).update(provider_id=mine.provider_id)
    assert theirs.__class__(other, "stripe", mine.provider_id, theirs.checkout_id, {}).claim().status_code == 409
    assert "it names another checkout; it names another account" in theirs.row.note
    assert money(customer) == money(other) == (0, 0, 0)


def test_a_refund_takes_what_was_refunded_and_once(shop: Shop, customer: Customer) -> None:
    bought = shop.paid(customer)
    refund = shop.stripe.refund(shop.payment_of(bought), 500)["id"]
    shop.tell_all()
    shop.judge()
    assert bought.reconcile().result == Result.IN_LINE
    assert ledger(bought) == [PAID, (f"refund:{refund}", "reversal", 5_000_000)]
    rest = shop.stripe.refund(shop.payment_of(bought))["id"]
    shop.tell_all()
    shop.judge()
    assert ledger(bought)[2:] == [(f"refund:{rest}", "reversal", 15_000_000)]
    assert money(customer) == (0, 0, 0)
    assert bought.deposit.reversed_micros == CREATOR_MICROS
    assert bought.row.status == "paid"
    books_agree()


def test_a_refund_that_fails_is_given_back(shop: Shop, customer: Customer) -> None:
    bought = shop.paid(customer)
    refund = shop.stripe.refund(shop.payment_of(bought), 500, pending=True)["id"]
    shop.tell_all()
    shop.judge()
    assert money(customer) == (15_000_000, 0, 0)
    shop.stripe.fail_refund(refund)
    shop.tell_all()
    shop.judge()
    assert ledger(bought) == [
        PAID,
        (f"refund:{refund}", "reversal", 5_000_000),
        (f"refund:{refund}:failed", "deposit", 5_000_000),
    ]
    assert money(customer) == (CREATOR_MICROS, 0, 0)
    assert bought.deposit.reversed_micros == 0
    books_agree()


def test_a_refund_that_failed_before_it_was_seen_moves_nothing(shop: Shop, customer: Customer) -> None:
    bought = shop.paid(customer)
    refund = shop.stripe.refund(shop.payment_of(bought), 500, pending=True)["id"]
    other_refund = shop.stripe.refund(shop.payment_of(bought), 100)["id"]
    shop.stripe.fail_refund(refund)
    bought.reconcile()
    assert ledger(bought) == [PAID, (f"refund:{other_refund}", "reversal", 1_000_000)]
    kept = Reversal.objects.get(provider_id=refund)
    assert (kept.status, kept.amount_micros) == ("restored", 5_000_000)


def test_a_dispute_takes_the_money_until_it_is_won(shop: Shop, customer: Customer) -> None:
    bought = shop.paid(customer)
    dispute = shop.stripe.dispute(shop.payment_of(bought))["id"]
    shop.tell_all()
    shop.judge()
    assert money(customer) == (0, 0, 0)
    assert bought.deposit.reversed_micros == CREATOR_MICROS
    shop.stripe.win_dispute(dispute)
    shop.tell_all()
    shop.judge()
    assert ledger(bought) == [
        PAID,
        (f"dispute:{dispute}:opened", "reversal", CREATOR_MICROS),
        (f"dispute:{dispute}:won", "deposit", CREATOR_MICROS),
    ]
    assert money(customer) == (CREATOR_MICROS, 0, 0)
    books_agree()


def test_a_lost_dispute_stays_taken(shop: Shop, customer: Customer) -> None:
    bought = shop.paid(customer)
    dispute = shop.stripe.dispute(shop.payment_of(bought))["id"]
    shop.stripe.lose_dispute(dispute)
    shop.tell_all()
    shop.judge()
    assert ledger(bought) == [PAID, (f"dispute:{dispute}:opened", "reversal", CREATOR_MICROS)]
    assert money(customer) == (0, 0, 0)


def test_an_inquiry_takes_nothing(shop: Shop, customer: Customer) -> None:
    bought = shop.paid(customer)
    dispute = shop.stripe.dispute(shop.payment_of(bought))
    shop.stripe._put("dispute", dispute | {"status": "warning_needs_response"}, parent=dispute["charge"])
    bought.reconcile()
    assert ledger(bought) == [PAID]
    assert not Reversal.objects.exists()


def test_a_refund_and_a_dispute_of_one_charge_take_no_more_than_it_was(shop: Shop, customer: Customer) -> None:
    bought = shop.paid(customer)
    refund = shop.stripe.refund(shop.payment_of(bought), 1_500)["id"]
    bought.reconcile()
    dispute = shop.stripe.dispute(shop.payment_of(bought), 2_000)["id"]
    shop.tell_all()
    shop.judge()
    assert ledger(bought) == [
        PAID,
        (f"refund:{refund}", "reversal", 15_000_000),
        (f"dispute:{dispute}:opened", "reversal", 5_000_000),
    ]
    assert money(customer) == (0, 0, 0)
    assert bought.row.note == (
        f"The dispute {dispute} is over 20000000 micros, 15000000 more than is left of the deposit."
    )
    shop.stripe.win_dispute(dispute)
    shop.tell_all()
    shop.judge()
    assert money(customer) == (5_000_000, 0, 0)  # what the dispute took, and no more
    books_agree()


def test_what_a_dispute_found_too_little_for_is_taken_when_a_refund_comes_back(shop: Shop, customer: Customer) -> None:
    bought = shop.paid(customer)
    refund = shop.stripe.refund(shop.payment_of(bought), 1_500, pending=True)["id"]
    bought.reconcile()
    dispute = shop.stripe.dispute(shop.payment_of(bought), 2_000)["id"]
    bought.reconcile()
    shop.stripe.fail_refund(refund)
    assert bought.reconcile().result is Result.IN_LINE
    assert ledger(bought) == [
        PAID,
        (f"refund:{refund}", "reversal", 15_000_000),
        (f"dispute:{dispute}:opened", "reversal", 5_000_000),
        (f"refund:{refund}:failed", "deposit", 15_000_000),
        (f"dispute:{dispute}:2:opened", "reversal", 15_000_000),
    ]
    assert money(customer) == (0, 0, 0)
    assert bought.deposit.reversed_micros == CREATOR_MICROS
    shop.stripe.win_dispute(dispute)
    bought.reconcile()
    bought.reconcile()
    assert sorted(ledger(bought)[5:]) == [
        (f"dispute:{dispute}:2:won", "deposit", 15_000_000),
        (f"dispute:{dispute}:won", "deposit", 5_000_000),
    ]
    assert money(customer) == (CREATOR_MICROS, 0, 0)
    assert bought.deposit.reversed_micros == 0
    books_agree()


def test_a_dispute_on_spent_credit_is_a_debt_that_the_next_deposit_repays_first(shop: Shop, customer: Customer) -> None:
    bought = shop.paid(customer)
    spend(customer, 18_000_000)
    dispute = shop.stripe.dispute(shop.payment_of(bought))["id"]
    shop.tell_all()
    shop.judge()
    assert money(customer) == (0, 0, 18_000_000)
    assert ledger(bought)[1:] == [
        (f"dispute:{dispute}:opened", "reversal", 2_000_000),
        (f"dispute:{dispute}:opened", "debt", 18_000_000),
    ]
    with pytest.raises(AccountInDebt):
        place_hold(account_id=customer.id, amount=1, reference=f"job:{ids.new()}:hold")
    again = shop.paid(customer)
    assert ledger(again) == [("paid", "repayment", 18_000_000), ("paid", "deposit", 2_000_000)]
    assert money(customer) == (2_000_000, 0, 0)
    place_hold(account_id=customer.id, amount=1, reference=f"job:{ids.new()}:hold")
    books_agree()


def test_the_money_is_told_to_who_wants_to_know(
    shop: Shop, customer: Customer, emitted: list[tuple[str, dict[str, Any]]]
) -> None:
    bought = shop.paid(customer)
    dispute = shop.stripe.dispute(shop.payment_of(bought), 700)["id"]
    bought.reconcile()
    shop.stripe.win_dispute(dispute)
    bought.reconcile()
    deposit, reversal = bought.deposit, Reversal.objects.get()
    facts = {
        "depositId": str(deposit.pk),
        "accountId": str(customer.id),
        "depositMicros": CREATOR_MICROS,
        "settledAt": clock.rfc3339(deposit.settled_at),
    }
    moved = {**facts, "reversalId": str(reversal.pk), "reversedMicros": 7_000_000}
    assert emitted == [
        ("payments.deposit_settled", facts),
        ("payments.deposit_reversed", moved),
        ("payments.deposit_restored", moved),
    ]


def test_a_deposit_is_watched_for_refunds_and_longer_while_one_is_undecided(shop: Shop, customer: Customer) -> None:
    bought = shop.paid(customer)
    settled = bought.deposit.settled_at
    late = settled + WATCHED
    bought.reconcile(now=late - timedelta(seconds=1))
    assert bought.deposit.reconcile_at == late - timedelta(seconds=1) + WATCH_PAUSE
    dispute = shop.stripe.dispute(shop.payment_of(bought))["id"]
    bought.reconcile(now=late)
    assert bought.deposit.reconcile_at == late + WATCH_PAUSE
    shop.stripe.lose_dispute(dispute)
    bought.reconcile(now=late)
    assert bought.deposit.reconcile_at is None


def test_another_accounts_session_cannot_be_claimed(shop: Shop, customer: Customer, other: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    assert error(bought.claim(by=other), 404, "not_found")["billed"] is False
    assert money(customer) == money(other) == (0, 0, 0)
    assert bought.row.status == "open"
    assert bought.claim().status_code == 200
    error(bought.claim(by=other), 404, "not_found")
    assert money(other) == (0, 0, 0)


@pytest.mark.parametrize("session", ["cs_test_unknown", "x", "cs_test_" + "a" * 3000, "../account", "é"])
def test_an_unknown_session_is_not_found(shop: Shop, customer: Customer, session: str) -> None:
    error(customer.post("/api/v1/claim/stripe", {"sessionId": session}), 404, "not_found")


def test_a_claim_while_stripe_is_away_is_tried_again(shop: Shop, customer: Customer) -> None:
    bought = shop.buy(customer)
    shop.stripe.pay(bought.provider_id)
    shop.stripe.faults.fail_next(2, 500, on="GET /v1/checkout/sessions")
    answer = bought.claim()
    assert error(answer, 503, "unavailable")["billed"] is False
    assert answer["Retry-After"] == "5"
    assert money(customer) == (0, 0, 0)
    assert bought.claim().status_code == 200
    assert ledger(bought) == [PAID]
