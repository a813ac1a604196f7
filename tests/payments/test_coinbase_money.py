"""What Coinbase Commerce says of a charge becomes money here: exactly once, or an operator's question."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.ledger.models import Transfer
from core import clock
from payments.models import Deposit
from payments.services.reconcile_deposit import Result
from payments.services.reconcile_due import FIRST_PAUSE, reconcile_due
from tests.media.customers import Customer, error
from tests.payments.shop import CREATOR_MICROS, Bought, Shop, books_agree, event_rows, ledger, money

pytestmark = pytest.mark.django_db
PAID = ("paid", "deposit", CREATOR_MICROS)


@pytest.fixture
def bought(shop: Shop, customer: Customer) -> Bought:
    found = shop.buy(customer, "crypto")
    shop.forget_events()
    return found


def test_a_confirmed_charge_is_credited_once(shop: Shop, customer: Customer, bought: Bought) -> None:
    shop.coinbase.pay(bought.provider_id)
    assert error(bought.claim(), 409, "invalid_state")["details"] == {"status": "open"}
    assert shop.tell_all("crypto") == ["charge:pending"]
    shop.judge()
    assert money(customer) == (0, 0, 0)
    shop.coinbase.confirm(bought.provider_id)
    assert shop.tell_all("crypto") == ["charge:confirmed"]
    shop.judge()
    assert bought.claim().json() == {
        "provider": "coinbase",
        "sessionId": None,
        "chargeId": bought.provider_id,
        "packageCode": "creator",
        "depositUsdCents": 2_000,
        "currentBalanceUsdMicros": CREATOR_MICROS,
    }
    assert ledger(bought) == [PAID]
    row, deposit = bought.row, bought.deposit
    assert (row.status, row.note, row.reconcile_at) == ("paid", "", None)
    assert (deposit.provider, deposit.provider_id, deposit.reconcile_at) == ("coinbase", bought.provider_id, None)
    books_agree()


def test_too_little_is_an_operators_question(shop: Shop, customer: Customer, bought: Bought) -> None:
    shop.coinbase.underpay(bought.provider_id)
    shop.coinbase.confirm(bought.provider_id)
    shop.tell_all("crypto")
    shop.judge()
    assert event_rows() == [("charge:pending", "flagged"), ("charge:failed", "flagged")]
    row = bought.row
    assert row.status == "review"
    assert row.note == "The charge is UNRESOLVED UNDERPAID: 1999 cents are confirmed of 2000."
    assert error(bought.claim(), 409, "invalid_state")["details"] == {"status": "review"}
    assert money(customer) == (0, 0, 0)
    assert not Transfer.objects.exists()
    # The rest of it, paid afterwards.
    shop.coinbase.pay(bought.provider_id, "0.01")
    charge = shop.coinbase.get(bought.provider_id)
    shop.coinbase._confirm_payments(charge)
    shop.coinbase._put(charge)
    assert bought.claim().status_code == 200
    assert ledger(bought) == [PAID]


def test_too_much_buys_the_package_and_the_rest_is_noted(shop: Shop, customer: Customer, bought: Bought) -> None:
    shop.coinbase.overpay(bought.provider_id)
    shop.coinbase.confirm(bought.provider_id)
    found = bought.reconcile()
    assert found.result is Result.IN_LINE
    assert bought.row.note == "The charge is UNRESOLVED OVERPAID: 1 cents more than the price came."
    assert ledger(bought) == [PAID]
    assert money(customer) == (CREATOR_MICROS, 0, 0)


def test_money_that_is_only_seen_is_not_credited(shop: Shop, customer: Customer, bought: Bought) -> None:
    """A charge that is UNRESOLVED with a payment that no block confirms yet."""
    shop.coinbase.pay(bought.provider_id)
    charge = shop.coinbase.get(bought.provider_id)
    shop.coinbase._step(charge, "UNRESOLVED", context="DELAYED")
    assert bought.reconcile().note == "The charge is UNRESOLVED DELAYED: 0 cents are confirmed of 2000."
    assert not Deposit.objects.exists()


def test_a_payment_after_the_expiry_is_credited(shop: Shop, customer: Customer, bought: Bought) -> None:
    shop.coinbase.expire(bought.provider_id)
    shop.tell_all("crypto")
    shop.judge()
    row = bought.row
    assert row.status == "expired"
    assert row.reconcile_at is not None  # money may still come
    shop.coinbase.pay(bought.provider_id)
    assert shop.tell_all("crypto") == ["charge:delayed"]
    shop.judge()
    assert bought.row.status == "paid"
    assert ledger(bought) == [PAID]


def test_late_money_is_found_without_an_event(shop: Shop, customer: Customer, bought: Bought) -> None:
    shop.coinbase.expire(bought.provider_id)
    now = bought.row.created_at + FIRST_PAUSE
    assert reconcile_due(limit=10, now=now) == 1
    assert bought.row.status == "expired"
    shop.coinbase.pay(bought.provider_id)
    assert reconcile_due(limit=10, now=now + FIRST_PAUSE * 2) == 1
    assert ledger(bought) == [PAID]
    assert reconcile_due(limit=10, now=now + timedelta(days=2)) == 0


@pytest.mark.parametrize(("step", "status"), [("cancel", "canceled"), ("fail", "failed")])
def test_a_charge_that_ends_unpaid_ends_the_purchase(
    shop: Shop, customer: Customer, bought: Bought, step: str, status: str
) -> None:
    if step == "fail":
        shop.coinbase.pay(bought.provider_id)
    getattr(shop.coinbase, step)(bought.provider_id)
    shop.tell_all("crypto")
    shop.judge()
    assert bought.row.status == status
    assert not Transfer.objects.exists()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"pricing": {"local": {"amount": "19.99", "currency": "USD"}}}, "its price is 1999 cents and not 2000"),
        ({"pricing": {"local": {"amount": "20.00", "currency": "EUR"}}}, "its currency is eur"),
        ({"metadata": {}}, "it names another checkout; it names another account"),
    ],
)
def test_a_charge_that_does_not_fit_is_not_credited(
    shop: Shop, customer: Customer, bought: Bought, changed: dict[str, object], reason: str
) -> None:
    shop.coinbase.pay(bought.provider_id)
    shop.coinbase.confirm(bought.provider_id)
    shop.coinbase._put(shop.coinbase.get(bought.provider_id) | changed)
    found = bought.reconcile()
    assert found.result is Result.FLAGGED
    assert found.note == f"Paid, and not credited: {reason}."
    assert bought.row.status == "review"
    assert money(customer) == (0, 0, 0)


def test_an_answer_that_cannot_be_read_changes_nothing(shop: Shop, customer: Customer, bought: Bought) -> None:
    charge = shop.coinbase.get(bought.provider_id)
    shop.coinbase._put(charge | {"timeline": []})
    error(bought.claim(), 503, "unavailable")
    shop.coinbase._put(charge)
    shop.coinbase.faults.fail_next(1, 429, on="GET /charges")
    error(bought.claim(), 503, "unavailable")
    assert bought.row.status == "open"


def test_another_accounts_charge_cannot_be_claimed(
    shop: Shop, customer: Customer, other: Customer, bought: Bought
) -> None:
    shop.coinbase.pay(bought.provider_id)
    shop.coinbase.confirm(bought.provider_id)
    error(bought.claim(by=other), 404, "not_found")
    assert money(other) == (0, 0, 0)
    assert bought.claim().status_code == 200


def test_another_charge_of_the_same_checkout_is_flagged_only_when_money_came(
    shop: Shop, customer: Customer, bought: Bought
) -> None:
    twin = shop.coinbase.create(
        name="Twin",
        description="",
        amount=Decimal("20.00"),
        currency="USD",
        metadata=shop.coinbase.get(bought.provider_id)["metadata"],
        redirect_url=None,
        cancel_url=None,
    )
    shop.tell_all("crypto")
    shop.judge()
    assert event_rows() == [("charge:created", "processed")]
    shop.coinbase.pay(twin["id"])
    shop.coinbase.confirm(twin["id"])
    shop.tell_all("crypto")
    shop.judge(clock.now() + timedelta(seconds=1))
    assert event_rows()[1:] == [("charge:pending", "flagged"), ("charge:confirmed", "flagged")]
    assert money(customer) == (0, 0, 0)
    assert bought.row.status == "open"
