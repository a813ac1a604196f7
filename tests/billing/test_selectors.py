"""An account's history, and money as text."""

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.micros import LARGEST_AMOUNT, positive, usd
from billing.selectors import StatementLine, transfers
from billing.services.capture_hold import capture_hold
from billing.services.place_hold import place_hold

from .conftest import new_account


def figures(line: StatementLine) -> tuple[str, str, int, int, int, int]:
    return line.label, line.reference, line.available_change, line.held_change, line.debt_change, line.available_after


def test_a_statement_is_newest_first_and_the_accounts_own(account: UUID, other: UUID) -> None:
    place_hold(account_id=other, amount=1, reference="job:9:hold")
    capture_hold(hold=place_hold(account_id=account, amount=40_000, reference="job:1:hold"), amount=30_000)

    assert [figures(line) for line in transfers(account_id=account)] == [
        ("Hold released", "job:1:settle", 10_000, -10_000, 0, 970_000),
        ("Charged", "job:1:settle", 0, -30_000, 0, 960_000),
        ("Held for work", "job:1:hold", -40_000, 40_000, 0, 960_000),
        ("Deposit", f"deposit:{account}:paid", 1_000_000, 0, 0, 1_000_000),
    ]


def test_a_statement_is_read_page_by_page(account: UUID) -> None:
    for number in range(7):
        place_hold(account_id=account, amount=1, reference=f"job:{number}:hold")
    whole = transfers(account_id=account)
    pages, before = [], None
    while page := transfers(account_id=account, limit=3, before=before):
        pages.append(page)
        before = page[-1].id
    assert [len(page) for page in pages] == [3, 3, 2]
    assert [line for page in pages for line in page] == whole


def test_a_statement_is_one_query_and_bounded(account: UUID) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert len(transfers(account_id=account, limit=10**9)) == 1
    assert len(queries) == 1
    assert len(transfers(account_id=account, limit=0)) == 1


def test_a_stranger_has_no_statement(db: None) -> None:
    assert transfers(account_id=new_account()) == []


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0"),
        (1, "0.000001"),
        (40_000, "0.04"),
        (1_000_000, "1"),
        (25_500_000, "25.5"),
        (-70_000, "-0.07"),
        (-3_000_000, "-3"),
    ],
)
def test_usd(amount: int, text: str) -> None:
    assert usd(amount) == text


def test_positive() -> None:
    assert positive(LARGEST_AMOUNT) == LARGEST_AMOUNT
    for wrong in (0, -1, LARGEST_AMOUNT + 1):
        with pytest.raises(ValueError):
            positive(wrong)
    for wrong in (1.0, True, None):
        with pytest.raises(TypeError):
            positive(wrong)  # type: ignore[arg-type]
