"""The services driven at random against a dictionary: whatever the order, the figures are the dictionary's."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from billing.selectors import BalanceView, audit, balance, house_totals, trial_balance
from billing.services.adjust import adjust
from billing.services.capture_hold import AlreadySettled, capture_hold
from billing.services.credit_deposit import credit_deposit
from billing.services.place_hold import AccountInDebt, Hold, InsufficientBalance, ReferenceReused, place_hold
from billing.services.release_hold import release_hold
from billing.services.reverse_deposit import reverse_deposit

from .conftest import new_account

amounts = st.integers(1, 1_000)
who = st.integers(0, 1)
pick = st.integers(0, 10**6)


@dataclass
class Customer:
    """What the ledger should say of one account, kept by arithmetic alone."""

    account_id: UUID
    available: int = 0
    held: int = 0
    receivable: int = 0
    holds: dict[str, Hold] = field(default_factory=dict)
    captured: dict[str, int] = field(default_factory=dict)

    def receive(self, amount: int) -> None:
        repaid = min(amount, self.receivable)
        self.receivable -= repaid
        self.available += amount - repaid

    def give(self, amount: int) -> None:
        taken = min(amount, self.available)
        self.available -= taken
        self.receivable += amount - taken


class Books(RuleBasedStateMachine):
    """Two customers and the house."""

    def __init__(self) -> None:
        super().__init__()
        # Each example ends where it began: in tables that grew with all of them, the audits would take ever longer.
        self.before = transaction.savepoint()

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.before)

    @initialize()
    def open(self) -> None:
        before = house_totals()
        self.customers = [Customer(new_account()), Customer(new_account())]
        self.house = {kind: before.get(kind, 0) for kind in ("adjustment", "cash:stripe", "revenue")}
        self.credits: dict[str, tuple[int, int]] = {}
        self.number = 0

    def reference(self, base: str) -> str:
        self.number += 1
        return f"{base}:{self.customers[0].account_id}.{self.number}"

    @rule(index=who, amount=amounts)
    def deposit(self, index: int, amount: int) -> None:
        customer, reference = self.customers[index], self.reference("deposit")
        credit_deposit(account_id=customer.account_id, amount=amount, provider="stripe", reference=reference)
        customer.receive(amount)
        self.house["cash:stripe"] -= amount
        self.credits[reference] = (index, amount)

    @rule(index=who, amount=amounts)
    def reverse(self, index: int, amount: int) -> None:
        customer, reference = self.customers[index], self.reference("refund")
        reverse_deposit(account_id=customer.account_id, amount=amount, provider="stripe", reference=reference)
        customer.give(amount)
        self.house["cash:stripe"] += amount
        self.credits[reference] = (index, -amount)

    @rule(index=who, amount=st.integers(-300, 300).filter(bool))
    def adjust(self, index: int, amount: int) -> None:
        customer = self.customers[index]
        arguments = {"amount": amount, "reason": "r", "reference": self.reference("adjust"), "actor": None}
        if -amount > customer.available:
            with pytest.raises(InsufficientBalance):
                adjust(account_id=customer.account_id, **arguments)
            return
        adjust(account_id=customer.account_id, **arguments)
        self.house["adjustment"] -= amount
        if amount > 0:
            customer.receive(amount)
        else:
            customer.give(-amount)

    @rule(index=who, amount=amounts)
    def hold(self, index: int, amount: int) -> None:
        customer, reference = self.customers[index], self.reference("job") + ":hold"
        if customer.receivable:
            with pytest.raises(AccountInDebt):
                place_hold(account_id=customer.account_id, amount=amount, reference=reference)
        elif customer.available < amount:
            with pytest.raises(InsufficientBalance):
                place_hold(account_id=customer.account_id, amount=amount, reference=reference)
        else:
            placed = place_hold(account_id=customer.account_id, amount=amount, reference=reference)
            customer.available -= amount
            customer.held += amount
            assert placed == Hold(customer.account_id, reference, amount, customer.available)
            customer.holds[reference] = placed

    @precondition(lambda self: any(customer.holds for customer in self.customers))
    @rule(index=who, number=pick, permille=st.integers(0, 1_000))
    def settle(self, index: int, number: int, permille: int) -> None:
        customer = self.customers[index]
        if not customer.holds:
            return
        hold = list(customer.holds.values())[number % len(customer.holds)]
        amount = hold.amount * permille // 1_000
        if hold.reference in customer.captured and customer.captured[hold.reference] != amount:
            with pytest.raises(AlreadySettled):
                capture_hold(hold=hold, amount=amount)
            return
        settlement = release_hold(hold=hold) if amount == 0 else capture_hold(hold=hold, amount=amount)
        assert settlement.captured == amount
        assert settlement.captured + settlement.repaid + settlement.released == hold.amount
        if hold.reference not in customer.captured:
            customer.captured[hold.reference] = amount
            customer.held -= hold.amount
            customer.receive(hold.amount - amount)
            self.house["revenue"] += amount

    @precondition(lambda self: self.credits)
    @rule(number=pick)
    def replay_credit(self, number: int) -> None:
        reference, (index, amount) = list(self.credits.items())[number % len(self.credits)]
        service = credit_deposit if amount > 0 else reverse_deposit
        arguments = {"account_id": self.customers[index].account_id, "provider": "stripe", "reference": reference}
        assert service(amount=abs(amount), **arguments).amount == amount
        with pytest.raises(ReferenceReused):
            service(amount=abs(amount) + 1, **arguments)

    @precondition(lambda self: any(customer.holds for customer in self.customers))
    @rule(number=pick)
    def replay_hold(self, number: int) -> None:
        holds = [hold for customer in self.customers for hold in customer.holds.values()]
        hold = holds[number % len(holds)]
        assert place_hold(account_id=hold.account_id, amount=hold.amount, reference=hold.reference) == hold
        with pytest.raises(ReferenceReused):
            place_hold(account_id=hold.account_id, amount=hold.amount + 1, reference=hold.reference)

    @invariant()
    def the_figures_are_the_dictionarys(self) -> None:
        for customer in self.customers:
            assert balance(account_id=customer.account_id) == BalanceView(
                customer.available, customer.held, customer.receivable
            )

    @invariant()
    def the_house_agrees(self) -> None:
        totals = house_totals()
        assert {kind: totals.get(kind, 0) for kind in self.house} == self.house

    @invariant()
    def the_books_balance(self) -> None:
        assert audit() == []
        assert trial_balance().total == 0


def test_any_order_of_services(db: None) -> None:
    with transaction.atomic():
        run_state_machine_as_test(
            Books,
            settings=settings(
                max_examples=40,
                stateful_step_count=30,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
