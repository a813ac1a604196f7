"""Deposits, reversals into debt, and adjustments: exact figures, once per reference."""

from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction

from billing.handlers import open_ledger_accounts
from billing.micros import LARGEST_AMOUNT
from billing.models import Balance, LedgerAccount, Transfer
from billing.selectors import BalanceView, audit, balance, house_totals, trial_balance
from billing.services.adjust import InsufficientBalance, adjust
from billing.services.credit_deposit import Posting, ReferenceReused, credit_deposit
from billing.services.open_account import open_account
from billing.services.place_hold import place_hold
from billing.services.reverse_deposit import reverse_deposit

from .conftest import new_account


def legs(reference: str) -> list[tuple[str, str, str, int]]:
    found = Transfer.objects.filter(reference=reference).order_by("leg")
    return list(found.values_list("kind", "debit__kind", "credit__kind", "amount"))


def test_opening_an_account_twice_opens_it_once(db: None) -> None:
    account = new_account()
    open_account(account_id=account)
    open_ledger_accounts({"accountId": str(account)})
    kinds = LedgerAccount.objects.filter(owner_id=account).order_by("kind").values_list("kind", "bucket")
    assert list(kinds) == [("available", "prepaid"), ("held", "prepaid"), ("receivable", "prepaid")]
    assert Balance.objects.filter(owner_id=account).count() == 1
    assert list(LedgerAccount.objects.filter(owner=None).values_list("kind", flat=True)) == ["revenue"]
    assert Transfer.objects.count() == 0


def test_a_deposit_opens_the_account_and_becomes_available(db: None) -> None:
    account = new_account()
    posting = credit_deposit(account_id=account, amount=25_000_000, provider="stripe", reference="deposit:1:paid")
    assert posting == Posting(account, "deposit:1:paid", "cash:stripe", 25_000_000, debt=0, available_after=25_000_000)
    assert legs("deposit:1:paid") == [("deposit", "cash:stripe", "available", 25_000_000)]
    assert balance(account_id=account) == BalanceView(available=25_000_000, held=0, receivable=0)
    assert house_totals() == {"cash:stripe": -25_000_000, "revenue": 0}


def test_a_deposit_is_credited_once(account: UUID, other: UUID) -> None:
    first = credit_deposit(account_id=account, amount=5, provider="stripe", reference="deposit:1:paid")
    place_hold(account_id=account, amount=1_000_000, reference="job:1:hold")
    assert credit_deposit(account_id=account, amount=5, provider="stripe", reference="deposit:1:paid") == first
    for changed in (
        {"account_id": other, "amount": 5, "provider": "stripe"},
        {"account_id": account, "amount": 6, "provider": "stripe"},
        {"account_id": account, "amount": 5, "provider": "coinbase"},
    ):
        with pytest.raises(ReferenceReused):
            credit_deposit(**changed, reference="deposit:1:paid")
    with pytest.raises(ReferenceReused):
        reverse_deposit(account_id=account, amount=5, provider="stripe", reference="deposit:1:paid")
    with pytest.raises(ReferenceReused):
        credit_deposit(account_id=account, amount=1_000_000, provider="stripe", reference="job:1:hold")
    assert balance(account_id=account) == BalanceView(available=5, held=1_000_000, receivable=0)
    assert balance(account_id=other) == BalanceView(available=1_000_000, held=0, receivable=0)


def test_a_refused_deposit_leaves_the_callers_transaction_usable(account: UUID) -> None:
    credit_deposit(account_id=account, amount=5, provider="stripe", reference="deposit:1:paid")
    with transaction.atomic():
        with pytest.raises(ReferenceReused):
            credit_deposit(account_id=account, amount=6, provider="stripe", reference="deposit:1:paid")
        credit_deposit(account_id=account, amount=6, provider="stripe", reference="deposit:2:paid")
    assert balance(account_id=account).available == 1_000_011


def test_a_reversal_takes_what_is_available(account: UUID) -> None:
    posting = reverse_deposit(account_id=account, amount=400_000, provider="stripe", reference="deposit:1:refund:1")
    assert posting == Posting(account, "deposit:1:refund:1", "cash:stripe", -400_000, debt=0, available_after=600_000)
    assert legs("deposit:1:refund:1") == [("reversal", "available", "cash:stripe", 400_000)]
    assert house_totals()["cash:stripe"] == -600_000


def test_a_larger_reversal_is_owed_and_leaves_holds_alone(account: UUID) -> None:
    place_hold(account_id=account, amount=300_000, reference="job:1:hold")
    arguments = {"account_id": account, "amount": 1_000_000, "provider": "stripe", "reference": "deposit:1:refund:1"}

    posting = reverse_deposit(**arguments)

    assert (posting.amount, posting.debt, posting.available_after) == (-1_000_000, 300_000, 0)
    assert legs("deposit:1:refund:1") == [
        ("reversal", "available", "cash:stripe", 700_000),
        ("debt", "receivable", "cash:stripe", 300_000),
    ]
    assert balance(account_id=account) == BalanceView(available=0, held=300_000, receivable=300_000)
    assert reverse_deposit(**arguments) == posting
    assert house_totals() == {"cash:stripe": 0, "revenue": 0}
    assert trial_balance().total == 0
    assert audit() == []


def test_a_reversal_with_nothing_available_is_all_debt(account: UUID) -> None:
    reverse_deposit(account_id=account, amount=1_000_000, provider="stripe", reference="deposit:1:refund:1")
    reverse_deposit(account_id=account, amount=15_000, provider="stripe", reference="deposit:1:dispute:1:opened")
    assert legs("deposit:1:dispute:1:opened") == [("debt", "receivable", "cash:stripe", 15_000)]
    assert balance(account_id=account) == BalanceView(available=0, held=0, receivable=15_000)


def test_a_deposit_repays_debt_first(account: UUID) -> None:
    reverse_deposit(account_id=account, amount=1_300_000, provider="stripe", reference="deposit:1:refund:1")

    part = credit_deposit(account_id=account, amount=100_000, provider="stripe", reference="deposit:2:paid")
    assert (part.amount, part.debt, part.available_after) == (100_000, -100_000, 0)
    assert balance(account_id=account) == BalanceView(available=0, held=0, receivable=200_000)

    rest = credit_deposit(account_id=account, amount=250_000, provider="coinbase", reference="deposit:3:paid")
    assert (rest.amount, rest.debt, rest.available_after) == (250_000, -200_000, 50_000)
    assert legs("deposit:3:paid") == [
        ("repayment", "cash:coinbase", "receivable", 200_000),
        ("deposit", "cash:coinbase", "available", 50_000),
    ]
    assert credit_deposit(account_id=account, amount=250_000, provider="coinbase", reference="deposit:3:paid") == rest
    assert balance(account_id=account) == BalanceView(available=50_000, held=0, receivable=0)
    assert place_hold(account_id=account, amount=50_000, reference="job:1:hold").available_after == 0


def test_an_adjustment_keeps_who_and_why(account: UUID) -> None:
    operator = get_user_model().objects.create_user("operator@example.com")
    adjust(account_id=account, amount=-1_000, reason="billed by mistake", reference="adjust:1", actor=operator.pk)
    adjust(account_id=account, amount=500, reason="welcome", reference="adjust:2", actor=None, source="promotion")

    taken, given = Transfer.objects.filter(reference__startswith="adjust:").order_by("reference")
    assert (taken.reason, taken.actor_id, taken.kind) == ("billed by mistake", operator.pk, "adjustment")
    assert (given.reason, given.actor_id, given.available_after) == ("welcome", None, 999_500)
    assert house_totals() == {"adjustment": 1_000, "cash:stripe": -1_000_000, "promotion": -500, "revenue": 0}


def test_an_adjustment_happens_once(account: UUID) -> None:
    arguments = {"account_id": account, "reason": "r", "reference": "adjust:1", "actor": None}
    first = adjust(amount=-1_000_000, **arguments)
    assert adjust(amount=-1_000_000, **arguments) == first
    for amount in (1_000_000, -999_999):
        with pytest.raises(ReferenceReused):
            adjust(amount=amount, **arguments)
    with pytest.raises(ReferenceReused):
        adjust(amount=-1_000_000, source="promotion", **arguments)
    assert balance(account_id=account) == BalanceView(available=0, held=0, receivable=0)


def test_an_adjustment_does_not_take_what_is_not_there(account: UUID) -> None:
    place_hold(account_id=account, amount=400_000, reference="job:1:hold")
    with pytest.raises(InsufficientBalance) as raised:
        adjust(account_id=account, amount=-600_001, reason="r", reference="adjust:1", actor=None)
    assert raised.value.details == {"requiredUsdMicros": 600_001, "availableUsdMicros": 600_000}
    assert legs("adjust:1") == []
    assert balance(account_id=account) == BalanceView(available=600_000, held=400_000, receivable=0)


def test_an_adjustment_repays_debt_first(account: UUID) -> None:
    reverse_deposit(account_id=account, amount=1_000_300, provider="stripe", reference="deposit:1:refund:1")
    posting = adjust(account_id=account, amount=1_000, reason="goodwill", reference="adjust:1", actor=None)
    assert (posting.debt, posting.available_after) == (-300, 700)
    assert balance(account_id=account) == BalanceView(available=700, held=0, receivable=0)


@pytest.mark.parametrize(("amount", "reason"), [(0, "r"), (1, " "), (LARGEST_AMOUNT + 1, "r")])
def test_an_adjustment_says_how_much_and_why(account: UUID, amount: int, reason: str) -> None:
    with pytest.raises(ValueError):
        adjust(account_id=account, amount=amount, reason=reason, reference="adjust:1", actor=None)
    assert legs("adjust:1") == []
