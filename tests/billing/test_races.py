"""Races on money, run by threads that really race."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from billing.ledger.accounts import customer_ids, open_house
from billing.ledger.locks import lock_balances
from billing.models import Balance, LedgerAccount, Transfer
from billing.selectors import BalanceView, audit, balance, house_totals
from billing.services.adjust import adjust
from billing.services.capture_hold import AlreadySettled, capture_hold
from billing.services.credit_deposit import credit_deposit
from billing.services.open_account import open_account
from billing.services.place_hold import AccountInDebt, Hold, InsufficientBalance, ReferenceReused, place_hold
from billing.services.release_hold import release_hold
from billing.services.reverse_deposit import reverse_deposit

from .conftest import new_account, write_transfer
from .racing import race, results, wait_until_blocked

pytestmark = pytest.mark.django_db(transaction=True)


def test_money_for_n_holds_buys_exactly_n() -> None:
    account = new_account(37 * 1_000 + 999)

    def submit_five(thread: int) -> list[Hold | InsufficientBalance]:
        outcomes: list[Hold | InsufficientBalance] = []
        for number in range(5):
            try:
                with transaction.atomic():
                    outcomes.append(
                        place_hold(account_id=account, amount=1_000, reference=f"job:{thread}.{number}:hold")
                    )
            except InsufficientBalance as error:
                outcomes.append(error)
        return outcomes

    outcomes = [each for five in results(race([partial(submit_five, n) for n in range(40)])) for each in five]

    placed = [each for each in outcomes if isinstance(each, Hold)]
    short = [each for each in outcomes if isinstance(each, InsufficientBalance)]
    assert (len(placed), len(short)) == (37, 163)
    assert sorted(hold.available_after for hold in placed) == [999 + 1_000 * n for n in range(37)]
    assert {error.available for error in short} == {999}
    assert Transfer.objects.filter(kind="hold").count() == 37
    assert balance(account_id=account) == BalanceView(available=999, held=37_000, receivable=0)
    assert audit() == []
    # Ids are drawn under the lock: in their order each transfer leaves less than the one before.
    left = list(Transfer.objects.filter(kind="hold").order_by("id").values_list("available_after", flat=True))
    assert left == sorted(left, reverse=True)


def test_one_reference_fifty_times_is_one_hold() -> None:
    account = new_account(1_000_000)

    def submit_twice() -> set[Hold]:
        with transaction.atomic():
            first = place_hold(account_id=account, amount=40_000, reference="job:1:hold")
            return {first, place_hold(account_id=account, amount=40_000, reference="job:1:hold")}

    holds = set().union(*results(race([submit_twice] * 25)))

    assert holds == {Hold(account, "job:1:hold", 40_000, available_after=960_000)}
    assert Transfer.objects.filter(kind="hold").count() == 1
    assert balance(account_id=account) == BalanceView(available=960_000, held=40_000, receivable=0)


def test_one_deposit_reported_many_times_is_credited_once() -> None:
    account = new_account()
    credit = partial(credit_deposit, account_id=account, amount=7, provider="stripe", reference="deposit:1:paid")

    assert len(set(results(race([credit] * 20)))) == 1
    assert balance(account_id=account) == BalanceView(available=7, held=0, receivable=0)
    assert (LedgerAccount.objects.count(), Balance.objects.count(), Transfer.objects.count()) == (5, 1, 1)


def test_capture_and_release_race_and_one_wins() -> None:
    account = new_account(1_000_000)
    winners: Counter[str] = Counter()
    revenue = 0
    for number in range(12):
        hold = place_hold(account_id=account, amount=50_000, reference=f"job:{number}:hold")
        calls: list[Callable[[], Any]] = [
            partial(capture_hold, hold=hold, amount=30_000),
            partial(release_hold, hold=hold),
            partial(capture_hold, hold=hold, amount=50_000),
            partial(release_hold, hold=hold),
        ]
        outcomes = race(calls if number % 2 else calls[::-1])
        losers = [error for _, error in outcomes if error is not None]
        settlements = {settlement for settlement, error in outcomes if error is None}
        assert all(isinstance(error, AlreadySettled) for error in losers)
        assert len(settlements) == 1
        (settlement,) = settlements
        assert settlement.captured + settlement.released == 50_000
        assert len(losers) == (2 if settlement.captured == 0 else 3)
        winners["release" if settlement.captured == 0 else "capture"] += 1
        revenue += settlement.captured
    assert sum(winners.values()) == 12
    assert house_totals()["revenue"] == revenue
    assert balance(account_id=account) == BalanceView(available=1_000_000 - revenue, held=0, receivable=0)
    assert audit() == []


def test_two_accounts_in_opposite_order_do_not_deadlock() -> None:
    one, two = new_account(1_000_000), new_account(1_000_000)

    def swap(thread: int, accounts: list[UUID]) -> None:
        for number in range(10):
            with transaction.atomic():
                lock_balances(accounts)
                for account in accounts:
                    place_hold(account_id=account, amount=1_000, reference=f"job:{thread}.{number}.{account}:hold")

    results(race([partial(swap, n, [one, two] if n % 2 else [two, one]) for n in range(8)]))
    for account in (one, two):
        assert balance(account_id=account) == BalanceView(available=920_000, held=80_000, receivable=0)


def test_every_service_at_once_keeps_the_books() -> None:
    accounts = [new_account(100_000) for _ in range(3)]

    def work(thread: int) -> None:
        for number in range(8):
            account, tag = accounts[(thread + number) % 3], f"{thread}.{number}"
            credit_deposit(account_id=account, amount=3_000, provider="stripe", reference=f"deposit:{tag}:paid")
            try:
                hold = place_hold(account_id=account, amount=20_000, reference=f"job:{tag}:hold")
            except (AccountInDebt, InsufficientBalance):
                continue
            if thread % 2:
                reverse_deposit(
                    account_id=account, amount=30_000, provider="stripe", reference=f"deposit:{tag}:refund:1"
                )
            capture_hold(hold=hold, amount=number * 1_000)
            adjust(account_id=account, amount=500, reason="r", reference=f"adjust:{tag}", actor=None)

    results(race([partial(work, n) for n in range(10)]))
    assert audit() == []
    assert [balance(account_id=account).held for account in accounts] == [0, 0, 0]


class Interrupted:
    """A transaction that has done its work and waits, uncommitted, until it is let go."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._worked, self._go = Event(), Event()
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._future = self._pool.submit(self._run, work)
        assert self._worked.wait(timeout=30) or self._future.result()

    def _run(self, work: Callable[[], Any]) -> Any:
        try:
            with transaction.atomic():
                result = work()
                self._worked.set()
                assert self._go.wait(timeout=30)
            return result
        finally:
            connection.close()

    def commit(self) -> Any:
        self._go.set()
        result = self._future.result(timeout=30)
        self._pool.shutdown()
        return result


def meet(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """`first` has moved money and not committed; `second` comes in a transaction of its own and has to wait.

    `second` is called inside an atomic block which then writes once more, so its outcome must not spoil it.
    """
    earlier = Interrupted(first)
    witness = new_account(1_000)

    def come() -> Any:
        with transaction.atomic():
            try:
                outcome = second()
            except Exception as error:
                outcome = error
            place_hold(account_id=witness, amount=1_000, reference=f"witness:{witness}:hold")
            return outcome

    later = ThreadPoolExecutor(max_workers=1)

    def run() -> Any:
        try:
            return come()
        finally:
            connection.close()

    future = later.submit(run)
    wait_until_blocked()
    committed = earlier.commit()
    outcome = future.result(timeout=30)
    later.shutdown()
    assert balance(account_id=witness).held == 1_000
    return committed, outcome


def test_a_duplicate_hold_waits_and_gets_the_first_one() -> None:
    account = new_account(40_000)
    place = partial(place_hold, account_id=account, amount=40_000, reference="job:1:hold")
    first, second = meet(place, place)
    assert first == second == Hold(account, "job:1:hold", 40_000, available_after=0)
    assert balance(account_id=account) == BalanceView(available=0, held=40_000, receivable=0)


def test_a_duplicate_hold_with_money_to_spare_waits_and_gets_the_first_one() -> None:
    account = new_account(100_000)
    place = partial(place_hold, account_id=account, amount=40_000, reference="job:1:hold")
    first, second = meet(place, place)
    assert first == second == Hold(account, "job:1:hold", 40_000, available_after=60_000)
    assert balance(account_id=account) == BalanceView(available=60_000, held=40_000, receivable=0)


def test_another_accounts_hold_of_the_same_reference_waits_and_is_refused() -> None:
    one, two = new_account(100_000), new_account(100_000)
    _, outcome = meet(
        partial(place_hold, account_id=one, amount=40_000, reference="job:1:hold"),
        partial(place_hold, account_id=two, amount=40_000, reference="job:1:hold"),
    )
    assert isinstance(outcome, ReferenceReused)
    assert balance(account_id=two) == BalanceView(available=100_000, held=0, receivable=0)
    assert audit() == []


def test_another_accounts_deposit_of_the_same_reference_waits_and_is_refused() -> None:
    one, two = new_account(100_000), new_account(100_000)
    deposit = partial(credit_deposit, amount=5, provider="stripe", reference="deposit:1:paid")
    _, outcome = meet(partial(deposit, account_id=one), partial(deposit, account_id=two))
    assert isinstance(outcome, ReferenceReused)
    assert balance(account_id=two) == BalanceView(available=100_000, held=0, receivable=0)
    assert audit() == []


def test_a_hold_that_waits_for_a_reversal_sees_its_debt() -> None:
    account = new_account(100_000)
    _, outcome = meet(
        partial(reverse_deposit, account_id=account, amount=100_001, provider="stripe", reference="deposit:1:refund:1"),
        partial(place_hold, account_id=account, amount=1, reference="job:1:hold"),
    )
    assert isinstance(outcome, AccountInDebt)
    assert outcome.owed == 1
    assert balance(account_id=account) == BalanceView(available=0, held=0, receivable=1)


def test_a_hold_that_waits_for_a_deposit_sees_its_money() -> None:
    account = new_account(1)
    _, outcome = meet(
        partial(credit_deposit, account_id=account, amount=99, provider="stripe", reference="deposit:1:paid"),
        partial(place_hold, account_id=account, amount=100, reference="job:1:hold"),
    )
    assert outcome == Hold(account, "job:1:hold", 100, available_after=0)


def test_a_release_that_waits_for_a_reversal_repays_its_debt() -> None:
    account = new_account(100_000)
    hold = place_hold(account_id=account, amount=60_000, reference="job:1:hold")
    _, settlement = meet(
        partial(reverse_deposit, account_id=account, amount=65_000, provider="stripe", reference="deposit:1:refund:1"),
        partial(release_hold, hold=hold),
    )
    assert (settlement.repaid, settlement.released, settlement.available_after) == (25_000, 35_000, 35_000)
    assert balance(account_id=account) == BalanceView(available=35_000, held=0, receivable=0)


def test_a_capture_that_waits_for_a_release_is_refused() -> None:
    account = new_account(100_000)
    hold = place_hold(account_id=account, amount=60_000, reference="job:1:hold")
    _, outcome = meet(partial(release_hold, hold=hold), partial(capture_hold, hold=hold, amount=10_000))
    assert isinstance(outcome, AlreadySettled)
    assert house_totals()["revenue"] == 0
    assert balance(account_id=account) == BalanceView(available=100_000, held=0, receivable=0)


def test_transfers_written_past_the_services_wait_for_each_other_too() -> None:
    account = new_account(100_000)
    available, adjustment = customer_ids(account)["available"], open_house("adjustment")
    meet(
        partial(write_transfer, available, adjustment, 10, reference="raw:1"),
        partial(write_transfer, available, adjustment, 1, reference="raw:2"),
    )
    left = dict(Transfer.objects.filter(reference__startswith="raw:").values_list("reference", "available_after"))
    assert left == {"raw:1": 99_990, "raw:2": 99_989}
    assert audit() == []


def test_balances_are_locked_in_the_order_of_their_ids() -> None:
    """The balance with the lower id is taken: nobody gets as far as the other, whatever order they asked in."""
    older, younger = new_account(), new_account()
    open_account(account_id=younger)  # so the lower balance id has the higher account id,
    for account in (older, younger):  # and lies behind the other one on the page
        credit_deposit(account_id=account, amount=5, provider="stripe", reference=f"deposit:{account}:paid")
    assert list(Balance.objects.order_by("id").values_list("owner_id", flat=True)) == [younger, older]

    holder = Interrupted(partial(lock_balances, [younger]))

    def lock_both() -> None:
        try:
            with transaction.atomic():
                lock_balances([older, younger])
        finally:
            connection.close()

    waiter = ThreadPoolExecutor(max_workers=1)
    future = waiter.submit(lock_both)
    wait_until_blocked()
    with transaction.atomic():
        free = Balance.objects.select_for_update(skip_locked=True).values_list("owner_id", flat=True)
        assert list(free) == [older]
    holder.commit()
    future.result(timeout=30)
    waiter.shutdown()
