"""What the database refuses, tried with raw SQL as a careless or hostile hand would."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from billing.ledger import refusals
from billing.ledger.accounts import customer_ids, open_house
from billing.ledger.refusals import LedgerRefusal, named_refusals
from billing.models import Transfer
from billing.price_versions import publish_price_version
from billing.selectors import BalanceView, audit, balance
from billing.services.place_hold import place_hold
from core import clock

from .conftest import new_account, write_transfer


def execute(sql: str, parameters: list[object] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def refused(refusal: type[LedgerRefusal], sql: str, parameters: list[object] | None = None) -> None:
    with pytest.raises(refusal), transaction.atomic(), named_refusals():
        execute(sql, parameters)


@pytest.fixture
def untouched(account: UUID) -> Callable[[], bool]:
    """Whether the account's money, and every transfer, is as it was."""
    place_hold(account_id=account, amount=400_000, reference="job:1:hold")
    before = list(Transfer.objects.order_by("id").values())
    execute("SET CONSTRAINTS ALL IMMEDIATE")  # PostgreSQL would refuse a TRUNCATE for its pending checks alone

    def check() -> bool:
        figures = balance(account_id=account)
        same = list(Transfer.objects.order_by("id").values()) == before
        return same and figures == BalanceView(available=600_000, held=400_000, receivable=0) and audit() == []

    return check


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE billing_transfer SET amount = amount + 1",
        "UPDATE billing_transfer SET reason = 'x' WHERE false",
        "DELETE FROM billing_transfer",
        "DELETE FROM billing_transfer WHERE kind = 'hold'",
        "TRUNCATE billing_transfer",
        "INSERT INTO billing_transfer SELECT * FROM billing_transfer"
        " ON CONFLICT (reference, leg) DO UPDATE SET amount = 1",
    ],
)
def test_a_transfer_is_never_changed(untouched: Callable[[], bool], sql: str) -> None:
    refused(refusals.TransfersAreAppendOnly, sql)
    assert untouched()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE billing_balance SET available = available + 1",
        "UPDATE billing_balance SET held = 0",
        "UPDATE billing_balance SET receivable = 1",
        "UPDATE billing_balance SET bucket = 'other'",
        "DELETE FROM billing_balance",
        "TRUNCATE billing_balance",
    ],
)
def test_a_balance_is_not_moved_by_hand(untouched: Callable[[], bool], sql: str) -> None:
    refused(refusals.BalanceMovedByHand, sql)
    assert untouched()


@pytest.mark.parametrize("figures", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_a_balance_starts_at_zero(untouched: Callable[[], bool], figures: tuple[int, int, int]) -> None:
    refused(
        refusals.BalanceMovedByHand,
        "INSERT INTO billing_balance (owner_id, bucket, available, held, receivable)"
        " VALUES (%s, 'prepaid', %s, %s, %s)",
        [new_account(), *figures],
    )
    assert untouched()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE billing_ledgeraccount SET kind = 'held' WHERE kind = 'available'",
        "UPDATE billing_ledgeraccount SET owner_id = NULL",
        "DELETE FROM billing_ledgeraccount",
        "TRUNCATE billing_ledgeraccount",
        "TRUNCATE billing_ledgeraccount CASCADE",
        "INSERT INTO billing_ledgeraccount (kind, bucket) VALUES ('revenue', '')",
        "INSERT INTO billing_ledgeraccount (kind, bucket) VALUES ('available', 'prepaid')",
        "INSERT INTO billing_ledgeraccount (kind, bucket) VALUES ('cash:', '')",
        "INSERT INTO billing_ledgeraccount (owner_id, kind, bucket) SELECT id, 'revenue', '' FROM accounts_user",
        "INSERT INTO billing_ledgeraccount (owner_id, kind, bucket) SELECT id, 'held', '' FROM accounts_user",
    ],
)
def test_a_ledger_account_is_fixed(untouched: Callable[[], bool], sql: str) -> None:
    with pytest.raises(LedgerRefusal) as raised, transaction.atomic(), named_refusals():
        execute(sql)
    assert type(raised.value) in {refusals.LedgerAccountIsFixed, refusals.BalanceMovedByHand}
    assert untouched()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE billing_priceversion SET coefficients = '{}'",
        "DELETE FROM billing_priceversion",
        "TRUNCATE billing_priceversion",
    ],
)
def test_a_price_version_is_fixed(db: None, sql: str) -> None:
    publish_price_version(task="image.generate", formula="f", coefficients={"base": 1}, now=clock.now())
    refused(refusals.PriceVersionIsFixed, sql)


def test_no_balance_goes_below_zero(account: UUID, untouched: Callable[[], bool]) -> None:
    ids, revenue = customer_ids(account), open_house("revenue")
    for kind, amount, refusal in (
        ("available", 600_001, refusals.AvailableBelowZero),
        ("held", 400_001, refusals.HeldBelowZero),
    ):
        with pytest.raises(refusal), transaction.atomic():
            write_transfer(ids[kind], revenue, amount)
    with pytest.raises(refusals.ReceivableBelowZero), transaction.atomic():
        write_transfer(revenue, ids["receivable"], 1)
    assert untouched()


def test_a_malformed_transfer_is_refused(account: UUID, other: UUID, untouched: Callable[[], bool]) -> None:
    ids, strange, revenue = customer_ids(account), customer_ids(other), open_house("revenue")
    for arguments in (
        {"debit": ids["available"], "credit": revenue, "amount": 0},
        {"debit": ids["available"], "credit": revenue, "amount": -1},
        {"debit": ids["available"], "credit": ids["available"], "amount": 1},
        {"debit": revenue, "credit": revenue, "amount": 1},
        {"debit": ids["available"], "credit": strange["available"], "amount": 1},
        {"debit": ids["available"], "credit": 10**12, "amount": 1},
        {"debit": 10**12, "credit": ids["available"], "amount": 1},
        {"debit": ids["available"], "credit": revenue, "amount": 1, "kind": "gift"},
        {"debit": ids["available"], "credit": revenue, "amount": 1, "leg": -1},
        {"debit": ids["available"], "credit": ids["held"], "amount": 1, "kind": "hold"},
        {
            "debit": ids["available"],
            "credit": ids["held"],
            "amount": 1,
            "kind": "hold",
            "reference": "a:hold",
            "leg": 1,
        },
        {"debit": ids["held"], "credit": revenue, "amount": 1, "kind": "capture"},
        {"debit": ids["held"], "credit": ids["available"], "amount": 1, "kind": "release", "reference": "a:hold"},
    ):
        with pytest.raises(refusals.MalformedTransfer), transaction.atomic():
            write_transfer(**arguments)
    with pytest.raises(refusals.DuplicateTransfer), transaction.atomic():
        write_transfer(ids["available"], ids["held"], 1, reference="job:1:hold", kind="hold")
    assert untouched()


def test_a_skipped_duplicate_moves_nothing(account: UUID, untouched: Callable[[], bool]) -> None:
    ids = customer_ids(account)
    execute(
        "INSERT INTO billing_transfer (reference, leg, kind, debit_id, credit_id, amount)"
        " VALUES ('job:1:hold', 0, 'hold', %s, %s, 5) ON CONFLICT DO NOTHING",
        [ids["available"], ids["held"]],
    )
    assert untouched()


def test_two_legs_of_one_statement_cannot_both_change_what_is_available(
    account: UUID, untouched: Callable[[], bool]
) -> None:
    ids = customer_ids(account)
    refused(
        refusals.MalformedTransfer,
        "INSERT INTO billing_transfer (reference, leg, kind, debit_id, credit_id, amount)"
        " VALUES ('raw:1', 0, 'adjustment', %(from)s, %(to)s, 5), ('raw:1', 1, 'adjustment', %(from)s, %(to)s, 5)",
        {"from": ids["available"], "to": open_house("revenue")},  # type: ignore[arg-type]
    )
    assert untouched()


def test_what_a_transfer_claims_to_leave_is_overwritten(account: UUID) -> None:
    ids = customer_ids(account)
    execute(
        "INSERT INTO billing_transfer"
        " (id, reference, leg, kind, debit_id, credit_id, amount, available_after, created_at)"
        " VALUES (gen_random_uuid(), 'raw:1', 0, 'adjustment', %s, %s, 5, 77, '2001-01-01Z')",
        [ids["available"], open_house("adjustment")],
    )
    written = Transfer.objects.get(reference="raw:1")
    assert written.available_after == 999_995
    assert written.id.version == 7
    assert abs((clock.now() - written.created_at).total_seconds()) < 60


def test_money_between_house_accounts_touches_no_customer(account: UUID, untouched: Callable[[], bool]) -> None:
    with transaction.atomic():
        write_transfer(open_house("revenue"), open_house("cash:bank"), 5)
        assert Transfer.objects.get(reference="raw:1").available_after is None
        assert audit() == []
        transaction.set_rollback(True)
    assert untouched()


def test_other_integrity_errors_keep_their_own_name(account: UUID) -> None:
    with pytest.raises(IntegrityError) as raised, transaction.atomic(), named_refusals():
        execute("INSERT INTO accounts_user SELECT * FROM accounts_user")
    assert not isinstance(raised.value, LedgerRefusal)


def test_accounts_are_not_truncated_from_under_it(untouched: Callable[[], bool]) -> None:
    with pytest.raises(IntegrityError, match="TRUNCATE on accounts_securityevent is refused"), transaction.atomic():
        execute("TRUNCATE accounts_user CASCADE")
    assert untouched()
