"""Monthly spend limits of keys: what counts, what is given back, and what two hundred at once may not pass."""

from datetime import date
from uuid import UUID, uuid4

import pytest
from django.db import connection

from accounts.recognition import SpendLimit
from billing.key_spend import KeySpend, KeySpendHold, SpendLimitExceeded, monthly_spend
from billing.selectors import audit, balance
from billing.services.capture_hold import capture_hold
from billing.services.place_hold import Hold, InsufficientBalance, ReferenceReused, place_hold
from billing.services.release_hold import release_hold
from core import clock
from tests.billing.racing import race
from tests.media.customers import new_customer


def hold(account: UUID, amount: int, *limits: SpendLimit, reference: str | None = None) -> Hold:
    reference = reference or f"job:{uuid4()}:hold"
    return place_hold(account_id=account, amount=amount, reference=reference, limits=limits)


def limit(micros: int) -> SpendLimit:
    return SpendLimit(uuid4(), micros)


def spent(*limits: SpendLimit) -> list[int]:
    return [one.spent for one in monthly_spend(limits=limits)]


@pytest.fixture
def account(db: None) -> UUID:
    return new_customer(1_000_000).id


@pytest.mark.django_db
class TestCounting:
    def test_a_hold_up_to_the_limit_counts_and_one_micro_more_moves_nothing(self, account: UUID) -> None:
        capped = limit(100_000)
        hold(account, 60_000, capped)
        with pytest.raises(SpendLimitExceeded) as refused:
            hold(account, 40_001, capped)
        assert refused.value.details == {
            "limitUsdMicros": 100_000,
            "spentUsdMicros": 60_000,
            "requiredUsdMicros": 40_001,
        }
        assert (balance(account_id=account).available, balance(account_id=account).held) == (940_000, 60_000)
        hold(account, 40_000, capped)
        assert spent(capped) == [100_000]
        assert KeySpendHold.objects.count() == 2
        assert audit() == []

    def test_the_first_hold_may_not_pass_it_either(self, account: UUID) -> None:
        with pytest.raises(SpendLimitExceeded):
            hold(account, 1, limit(0))
        assert (KeySpend.objects.count(), KeySpendHold.objects.count()) == (0, 0)
        assert balance(account_id=account).held == 0

    def test_it_counts_on_every_limit_or_on_none(self, account: UUID) -> None:
        child, parent = limit(500_000), limit(50_000)
        hold(account, 50_000, child, parent)
        with pytest.raises(SpendLimitExceeded) as refused:
            hold(account, 1, child, parent)
        assert refused.value.details["limitUsdMicros"] == 50_000
        assert spent(child, parent) == [50_000, 50_000]
        assert balance(account_id=account).held == 50_000

    def test_a_release_and_the_rest_of_a_capture_count_no_longer(self, account: UUID) -> None:
        child, parent = limit(100_000), limit(200_000)
        released = hold(account, 30_000, child, parent)
        captured = hold(account, 50_000, child, parent)
        release_hold(hold=released)
        release_hold(hold=released)
        capture_hold(hold=captured, amount=20_000)
        capture_hold(hold=captured, amount=20_000)
        assert spent(child, parent) == [20_000, 20_000]
        assert audit() == []

    def test_the_same_reference_counts_once(self, account: UUID) -> None:
        capped = limit(50_000)
        first = hold(account, 50_000, capped, reference="job:1:hold")
        assert hold(account, 50_000, capped, reference="job:1:hold") == first
        assert spent(capped) == [50_000]
        with pytest.raises(ReferenceReused):
            hold(account, 40_000, capped, reference="job:1:hold")
        assert spent(capped) == [50_000]

    def test_too_little_money_counts_nothing(self, account: UUID) -> None:
        capped = limit(9_000_000)
        with pytest.raises(InsufficientBalance):
            hold(account, 1_000_001, capped)
        assert spent(capped) == [0]
        assert KeySpend.objects.count() == 0

    def test_another_month_starts_at_nothing_and_gives_back_to_its_own(self, account: UUID) -> None:
        capped = limit(50_000)
        early = hold(account, 50_000, capped)
        KeySpend.objects.update(month=date(2026, 1, 1))
        assert spent(capped) == [0]
        hold(account, 50_000, capped)
        release_hold(hold=early)
        amounts = KeySpend.objects.order_by("month").values_list("month", "amount")
        assert list(amounts) == [(date(2026, 1, 1), 0), (clock.now().date().replace(day=1), 50_000)]
        assert audit() == []

    def test_the_audit_sees_a_counter_that_is_a_micro_off(self, account: UUID) -> None:
        capped = limit(50_000)
        hold(account, 50_000, capped)
        KeySpend.objects.update(amount=49_999)
        [difference] = audit()
        assert (difference.figure, difference.recomputed, difference.materialised) == ("key_spend", 50_000, 49_999)

    def test_without_a_limit_nothing_is_written(self, account: UUID) -> None:
        release_hold(hold=hold(account, 50_000))
        assert (KeySpend.objects.count(), KeySpendHold.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_forty_at_once_pass_neither_limit() -> None:
    account = new_customer(10_000_000).id
    child, parent = limit(70_000), limit(100_000)
    other_child = limit(70_000)

    def ask(number: int) -> bool:
        try:
            hold(account, 10_000, child if number % 2 else other_child, parent)
        except SpendLimitExceeded:
            return False
        return True

    outcomes = race([lambda number=number: ask(number) for number in range(40)])
    assert [error for _, error in outcomes if error is not None] == []
    assert [won for won, _ in outcomes].count(True) == 10
    assert spent(parent) == [100_000]
    assert sum(spent(child, other_child)) == 100_000
    assert max(spent(child, other_child)) <= 70_000
    assert balance(account_id=account).held == 100_000
    assert audit() == []
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_settling_while_others_hold_leaves_the_counter_right() -> None:
    """Settlements wait for the balance behind holds that move the same counters; each sees what the others left."""
    account = new_customer(10_000_000).id
    child, parent = limit(5_000_000), limit(5_000_000)
    placed = [hold(account, 10_000, child, parent) for _ in range(20)]

    def settle(one: Hold, number: int) -> None:
        if number % 2:
            release_hold(hold=one)
        else:
            capture_hold(hold=one, amount=3_000)

    settling = [lambda one=one, number=number: settle(one, number) for number, one in enumerate(placed)]
    holding = [lambda: hold(account, 10_000, child, parent)] * 20
    outcomes = race([call for pair in zip(settling, holding, strict=True) for call in pair])
    assert [error for _, error in outcomes if error is not None] == []
    assert spent(child, parent) == [10 * 3_000 + 20 * 10_000] * 2
    assert balance(account_id=account).held == 20 * 10_000
    assert audit() == []
