"""Placing, capturing and releasing holds: exact figures, once per reference."""

from dataclasses import replace
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.ledger.accounts import customer_ids, open_house
from billing.micros import LARGEST_AMOUNT
from billing.models import Transfer
from billing.selectors import (
    BalanceView,
    audit,
    balance,
    find_hold,
    find_settlement,
    house_totals,
    materialised_balances,
    recomputed_balances,
)
from billing.services.capture_hold import AlreadySettled, Settlement, UnknownHold, capture_hold
from billing.services.place_hold import AccountInDebt, Hold, InsufficientBalance, ReferenceReused, place_hold
from billing.services.release_hold import release_hold
from billing.services.reverse_deposit import reverse_deposit
from core import ids

from .conftest import new_account, write_transfer

HOLD = "job:1:hold"


def legs(reference: str) -> list[tuple[int, str, int]]:
    return list(Transfer.objects.filter(reference=reference).order_by("leg").values_list("leg", "kind", "amount"))


def test_a_hold_moves_money_from_available_to_held(account: UUID) -> None:
    hold = place_hold(account_id=account, amount=40_000, reference=HOLD)

    assert hold == Hold(account_id=account, reference=HOLD, amount=40_000, available_after=960_000)
    assert balance(account_id=account) == BalanceView(available=960_000, held=40_000, receivable=0)
    assert balance(account_id=account).total == 1_000_000
    assert legs(HOLD) == [(0, "hold", 40_000)]
    assert house_totals() == {"cash:stripe": -1_000_000, "revenue": 0}
    assert audit() == []


def test_a_hold_is_one_statement(account: UUID) -> None:
    with CaptureQueriesContext(connection) as queries:
        place_hold(account_id=account, amount=40_000, reference=HOLD)
    assert len(queries) == 1


def test_a_settlement_is_one_statement(account: UUID) -> None:
    hold = place_hold(account_id=account, amount=40_000, reference=HOLD)
    with CaptureQueriesContext(connection) as queries:
        capture_hold(hold=hold, amount=30_000)
    assert len(queries) == 1


def test_the_same_hold_again_is_the_first_one(account: UUID) -> None:
    first = place_hold(account_id=account, amount=40_000, reference=HOLD)
    place_hold(account_id=account, amount=10_000, reference="job:2:hold")

    assert place_hold(account_id=account, amount=40_000, reference=HOLD) == first
    assert balance(account_id=account) == BalanceView(available=950_000, held=50_000, receivable=0)


def test_the_same_hold_again_when_it_took_the_last_money_or_was_settled(account: UUID) -> None:
    first = place_hold(account_id=account, amount=1_000_000, reference=HOLD)
    assert place_hold(account_id=account, amount=1_000_000, reference=HOLD) == first
    capture_hold(hold=first, amount=1_000_000)

    assert place_hold(account_id=account, amount=1_000_000, reference=HOLD) == first
    assert balance(account_id=account) == BalanceView(available=0, held=0, receivable=0)


@pytest.mark.parametrize("amount", [39_999, 40_001, 999_999_999])
def test_a_reference_is_not_reused_for_another_amount(account: UUID, amount: int) -> None:
    place_hold(account_id=account, amount=40_000, reference=HOLD)
    with pytest.raises(ReferenceReused) as raised:
        place_hold(account_id=account, amount=amount, reference=HOLD)
    assert (raised.value.http_status, raised.value.code) == (409, "reference_reused")
    assert balance(account_id=account) == BalanceView(available=960_000, held=40_000, receivable=0)


def test_a_reference_is_not_reused_for_another_account(account: UUID, other: UUID) -> None:
    place_hold(account_id=account, amount=40_000, reference=HOLD)
    with pytest.raises(ReferenceReused):
        place_hold(account_id=other, amount=40_000, reference=HOLD)
    assert balance(account_id=other) == BalanceView(available=1_000_000, held=0, receivable=0)


def test_too_little_available_leaves_the_callers_transaction_usable(account: UUID) -> None:
    with transaction.atomic():
        with pytest.raises(InsufficientBalance) as raised:
            place_hold(account_id=account, amount=1_000_001, reference=HOLD)
        place_hold(account_id=account, amount=1_000_000, reference="job:2:hold")

    assert (raised.value.http_status, raised.value.code) == (402, "insufficient_balance")
    assert raised.value.details == {"requiredUsdMicros": 1_000_001, "availableUsdMicros": 1_000_000}
    assert legs(HOLD) == []
    assert balance(account_id=account) == BalanceView(available=0, held=1_000_000, receivable=0)


def test_an_account_without_a_balance_has_nothing_available(db: None) -> None:
    stranger = new_account()
    with pytest.raises(InsufficientBalance) as raised:
        place_hold(account_id=stranger, amount=1, reference=HOLD)
    assert raised.value.details == {"requiredUsdMicros": 1, "availableUsdMicros": 0}
    assert balance(account_id=stranger) == BalanceView(available=0, held=0, receivable=0)


def test_an_account_in_debt_holds_nothing(account: UUID) -> None:
    reverse_deposit(account_id=account, amount=1_000_007, provider="stripe", reference="deposit:1:refund:1")
    with pytest.raises(AccountInDebt) as raised:
        place_hold(account_id=account, amount=1, reference=HOLD)
    assert (raised.value.http_status, raised.value.code) == (402, "account_in_debt")
    assert raised.value.details == {"owedUsdMicros": 7}
    assert legs(HOLD) == []


def test_debt_refuses_even_where_money_is_available(account: UUID) -> None:
    """No service leaves both; a hand that did must not open the door."""
    write_transfer(customer_ids(account)["receivable"], open_house("adjustment"), 5)
    with pytest.raises(AccountInDebt):
        place_hold(account_id=account, amount=1, reference=HOLD)
    assert balance(account_id=account) == BalanceView(available=1_000_000, held=0, receivable=5)


@pytest.mark.parametrize("amount", [0, -1, LARGEST_AMOUNT + 1])
def test_a_hold_has_a_sensible_amount(account: UUID, amount: int) -> None:
    with pytest.raises(ValueError):
        place_hold(account_id=account, amount=amount, reference=HOLD)


@pytest.mark.parametrize("amount", [1.0, True, "1"])
def test_a_hold_has_an_integer_amount(account: UUID, amount: object) -> None:
    with pytest.raises(TypeError):
        place_hold(account_id=account, amount=amount, reference=HOLD)  # type: ignore[arg-type]


@pytest.mark.parametrize("reference", ["job:1", ":hold", "job:1:settle", "hold"])
def test_a_hold_reference_has_a_base_to_settle_under(account: UUID, reference: str) -> None:
    with pytest.raises(ValueError):
        place_hold(account_id=account, amount=1, reference=reference)


def test_capture_charges_part_and_gives_the_rest_back(account: UUID) -> None:
    hold = place_hold(account_id=account, amount=40_000, reference=HOLD)

    settlement = capture_hold(hold=hold, amount=30_000)

    assert settlement == Settlement("job:1:settle", captured=30_000, repaid=0, released=10_000, available_after=970_000)
    assert legs("job:1:settle") == [(0, "capture", 30_000), (1, "release", 10_000)]
    assert balance(account_id=account) == BalanceView(available=970_000, held=0, receivable=0)
    assert house_totals()["revenue"] == 30_000


def test_capture_twice_moves_money_once(account: UUID) -> None:
    hold = place_hold(account_id=account, amount=40_000, reference=HOLD)
    first = capture_hold(hold=hold, amount=30_000)
    place_hold(account_id=account, amount=100_000, reference="job:2:hold")

    assert capture_hold(hold=hold, amount=30_000) == first
    assert balance(account_id=account) == BalanceView(available=870_000, held=100_000, receivable=0)
    assert house_totals()["revenue"] == 30_000
    assert recomputed_balances() == materialised_balances()


def test_capture_of_everything_is_one_leg(account: UUID) -> None:
    hold = place_hold(account_id=account, amount=40_000, reference=HOLD)
    assert capture_hold(hold=hold, amount=40_000).released == 0
    assert legs("job:1:settle") == [(0, "capture", 40_000)]
    assert balance(account_id=account) == BalanceView(available=960_000, held=0, receivable=0)


def test_capture_of_nothing_is_a_release(account: UUID) -> None:
    hold = place_hold(account_id=account, amount=40_000, reference=HOLD)
    settlement = capture_hold(hold=hold, amount=0)
    assert legs("job:1:settle") == [(0, "release", 40_000)]
    assert release_hold(hold=hold) == settlement
    assert balance(account_id=account) == BalanceView(available=1_000_000, held=0, receivable=0)
    assert house_totals()["revenue"] == 0


def test_a_hold_settled_one_way_is_not_settled_another(account: UUID) -> None:
    captured = place_hold(account_id=account, amount=40_000, reference="job:1:hold")
    released = place_hold(account_id=account, amount=50_000, reference="job:2:hold")
    capture_hold(hold=captured, amount=30_000)
    release_hold(hold=released)
    running = place_hold(account_id=account, amount=200_000, reference="job:3:hold")

    for settle_otherwise in (
        lambda: capture_hold(hold=captured, amount=30_001),
        lambda: capture_hold(hold=captured, amount=40_000),
        lambda: release_hold(hold=captured),
        lambda: capture_hold(hold=released, amount=1),
        lambda: capture_hold(hold=released, amount=50_000),
    ):
        with transaction.atomic(), pytest.raises(AlreadySettled) as raised:
            settle_otherwise()
        assert (raised.value.http_status, raised.value.code) == (409, "invalid_state")
    assert balance(account_id=account) == BalanceView(available=770_000, held=200_000, receivable=0)
    assert find_settlement(reference=running.reference) is None
    assert house_totals()["revenue"] == 30_000


@pytest.mark.parametrize("amount", [40_001, -1])
def test_capture_takes_no_more_than_was_held(account: UUID, amount: int) -> None:
    hold = place_hold(account_id=account, amount=40_000, reference=HOLD)
    with pytest.raises(ValueError):
        capture_hold(hold=hold, amount=amount)
    assert find_settlement(reference=HOLD) is None


def test_a_hold_nobody_placed_cannot_be_settled(account: UUID, other: UUID) -> None:
    hold = place_hold(account_id=account, amount=40_000, reference=HOLD)
    place_hold(account_id=account, amount=500_000, reference="job:2:hold")
    place_hold(account_id=other, amount=500_000, reference="job:3:hold")

    for forged in (
        replace(hold, amount=400_000),
        replace(hold, account_id=other),
        replace(hold, account_id=ids.new()),
        replace(hold, reference="job:9:hold"),
    ):
        with transaction.atomic(), pytest.raises(UnknownHold):
            capture_hold(hold=forged, amount=40_000)
        with transaction.atomic(), pytest.raises(UnknownHold):
            release_hold(hold=forged)
    assert balance(account_id=account) == BalanceView(available=460_000, held=540_000, receivable=0)
    assert balance(account_id=other) == BalanceView(available=500_000, held=500_000, receivable=0)


def test_what_is_given_back_repays_debt_first(account: UUID) -> None:
    first = place_hold(account_id=account, amount=100_000, reference="job:1:hold")
    second = place_hold(account_id=account, amount=100_000, reference="job:2:hold")
    reverse_deposit(account_id=account, amount=870_000, provider="stripe", reference="deposit:1:refund:1")
    assert balance(account_id=account) == BalanceView(available=0, held=200_000, receivable=70_000)

    partly = capture_hold(hold=first, amount=60_000)
    assert partly == Settlement("job:1:settle", captured=60_000, repaid=40_000, released=0, available_after=0)
    assert balance(account_id=account) == BalanceView(available=0, held=100_000, receivable=30_000)

    wholly = release_hold(hold=second)
    assert wholly == Settlement("job:2:settle", captured=0, repaid=30_000, released=70_000, available_after=70_000)
    assert legs("job:2:settle") == [(0, "repayment", 30_000), (1, "release", 70_000)]
    assert balance(account_id=account) == BalanceView(available=70_000, held=0, receivable=0)
    assert release_hold(hold=second) == wholly
    assert audit() == []


def test_find_hold(account: UUID) -> None:
    hold = place_hold(account_id=account, amount=40_000, reference=HOLD)
    assert find_hold(reference=HOLD) == hold
    release_hold(hold=hold)
    assert find_hold(reference=HOLD) == hold
    assert find_hold(reference="job:1:settle") is None
    assert find_hold(reference="job:2:hold") is None


def test_a_rolled_back_caller_leaves_nothing(account: UUID) -> None:
    with transaction.atomic():
        hold = place_hold(account_id=account, amount=40_000, reference=HOLD)
        capture_hold(hold=hold, amount=40_000)
        transaction.set_rollback(True)
    assert find_hold(reference=HOLD) is None
    assert balance(account_id=account) == BalanceView(available=1_000_000, held=0, receivable=0)
