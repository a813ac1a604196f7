"""An affiliate's commission: earned, matured, reserved, paid, taken back; exact, once, and refused by the database."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection, transaction

from billing.ledger import refusals
from billing.ledger.refusals import named_refusals
from billing.models import Transfer
from billing.selectors import CommissionView, audit, balance, commission, house_totals, transfers, trial_balance
from billing.services.accrue_commission import ReferenceReused, accrue_commission
from billing.services.claw_back_commission import claw_back_commission
from billing.services.mature_commission import mature_commission
from billing.services.reserve_payout import InsufficientCommission, reserve_payout
from billing.services.settle_payout import settle_payout

from .conftest import new_account
from .racing import race


@pytest.fixture
def affiliate(db: None) -> UUID:
    """An affiliate with $70 available and $4 pending, who is a customer with $1, too."""
    account = new_account(1_000_000)
    accrue_commission(affiliate_id=account, amount=70_000_000, reference="commission:1:accrued")
    mature_commission(affiliate_id=account, amount=70_000_000, reference="commission:1:matured")
    accrue_commission(affiliate_id=account, amount=4_000_000, reference="commission:2:accrued")
    return account


def test_a_commission_moves_from_pending_to_available_to_paid(affiliate: UUID) -> None:
    assert commission(affiliate_id=affiliate) == CommissionView(4_000_000, 70_000_000, 0)
    assert not reserve_payout(affiliate_id=affiliate, amount=50_000_000, reference="payout:1:reserve").repeated
    assert commission(affiliate_id=affiliate) == CommissionView(4_000_000, 20_000_000, 50_000_000)
    settle_payout(affiliate_id=affiliate, amount=50_000_000, reference="payout:1:settle", paid=True)
    assert commission(affiliate_id=affiliate) == CommissionView(4_000_000, 20_000_000, 0)
    assert house_totals()["cash:payouts"] == 50_000_000
    assert house_totals()["commission"] == -74_000_000
    assert balance(account_id=affiliate).available == 1_000_000
    assert [line.kind for line in transfers(account_id=affiliate)] == ["deposit"]
    assert audit() == []
    assert trial_balance().total == 0
    assert trial_balance().commissions == 24_000_000


def test_a_rejected_payout_comes_back_and_cannot_be_paid_after(affiliate: UUID) -> None:
    reserve_payout(affiliate_id=affiliate, amount=50_000_000, reference="payout:1:reserve")
    settle_payout(affiliate_id=affiliate, amount=50_000_000, reference="payout:1:settle", paid=False)
    with pytest.raises(ReferenceReused):
        settle_payout(affiliate_id=affiliate, amount=50_000_000, reference="payout:1:settle", paid=True)
    assert commission(affiliate_id=affiliate) == CommissionView(4_000_000, 70_000_000, 0)


def test_only_what_is_available_can_be_reserved(affiliate: UUID) -> None:
    before = Transfer.objects.count()
    with pytest.raises(InsufficientCommission) as refused:
        reserve_payout(affiliate_id=affiliate, amount=70_000_001, reference="payout:1:reserve")
    assert (refused.value.required, refused.value.available) == (70_000_001, 70_000_000)
    assert Transfer.objects.count() == before


def test_what_was_paid_out_and_is_taken_back_is_owed_and_blocks_payouts(affiliate: UUID) -> None:
    reserve_payout(affiliate_id=affiliate, amount=70_000_000, reference="payout:1:reserve")
    settle_payout(affiliate_id=affiliate, amount=70_000_000, reference="payout:1:settle", paid=True)
    claw_back_commission(affiliate_id=affiliate, amount=70_000_000, reference="commission:1:back", matured=True)
    assert commission(affiliate_id=affiliate) == CommissionView(4_000_000, -70_000_000, 0)
    mature_commission(affiliate_id=affiliate, amount=4_000_000, reference="commission:2:matured")
    with pytest.raises(InsufficientCommission):
        reserve_payout(affiliate_id=affiliate, amount=1, reference="payout:2:reserve")
    accrue_commission(affiliate_id=affiliate, amount=70_000_000, reference="commission:1:again", matured=True)
    assert commission(affiliate_id=affiliate) == CommissionView(0, 4_000_000, 0)
    assert audit() == []


def test_a_reference_moves_once(affiliate: UUID) -> None:
    assert accrue_commission(affiliate_id=affiliate, amount=4_000_000, reference="commission:2:accrued").repeated
    for amount, account in ((4_000_001, affiliate), (4_000_000, new_account())):
        with pytest.raises(ReferenceReused):
            accrue_commission(affiliate_id=account, amount=amount, reference="commission:2:accrued")
    assert commission(affiliate_id=affiliate) == CommissionView(4_000_000, 70_000_000, 0)


@pytest.mark.parametrize(
    "move",
    [
        lambda who: mature_commission(affiliate_id=who, amount=4_000_001, reference="x"),
        lambda who: claw_back_commission(affiliate_id=who, amount=4_000_001, reference="x", matured=False),
        lambda who: settle_payout(affiliate_id=who, amount=1, reference="x", paid=True),
    ],
)
def test_the_database_keeps_pending_and_reserved_above_zero(affiliate: UUID, move: Callable[[UUID], object]) -> None:
    with pytest.raises(refusals.CommissionBelowZero), transaction.atomic():
        move(affiliate)
    assert commission(affiliate_id=affiliate) == CommissionView(4_000_000, 70_000_000, 0)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE billing_commissionbalance SET available = 1",
        "DELETE FROM billing_commissionbalance",
        "INSERT INTO billing_commissionbalance (owner_id, available) SELECT id, 5 FROM accounts_user LIMIT 1",
    ],
)
def test_no_hand_moves_a_commission_balance(affiliate: UUID, sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with (
        pytest.raises(refusals.BalanceMovedByHand),
        transaction.atomic(),
        named_refusals(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def test_commission_is_no_credit(affiliate: UUID) -> None:
    with (
        pytest.raises(refusals.MalformedTransfer),
        transaction.atomic(),
        named_refusals(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO billing_transfer (reference, leg, kind, debit_id, credit_id, amount)"
            " SELECT 'x', 0, 'adjustment', a.id, b.id, 5 FROM billing_ledgeraccount a, billing_ledgeraccount b"
            " WHERE a.owner_id = %s AND b.owner_id = a.owner_id AND a.bucket = 'affiliate'"
            " AND a.kind = 'available' AND b.bucket = 'prepaid' AND b.kind = 'available'",
            [affiliate],
        )


@pytest.mark.django_db(transaction=True)
def test_payouts_race_for_the_same_money() -> None:
    account = new_account()
    accrue_commission(affiliate_id=account, amount=70_000_000, reference="c", matured=True)
    outcomes = race(
        [
            lambda n=number: reserve_payout(affiliate_id=account, amount=50_000_000, reference=f"payout:{n}:reserve")
            for number in range(20)
        ]
    )
    assert sum(error is None for _, error in outcomes) == 1
    assert all(isinstance(error, InsufficientCommission) for _, error in outcomes if error is not None)
    assert commission(affiliate_id=account) == CommissionView(0, 20_000_000, 50_000_000)
    assert audit() == []
