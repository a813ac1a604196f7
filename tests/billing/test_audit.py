"""The audit finds what was planted behind the triggers' back, and nothing else; both commands say what they see."""

import json
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing import audit as billing_audit
from billing.ledger.accounts import customer_ids, open_house
from billing.selectors import Difference, Figures, audit, materialised_balances, recomputed_balances, trial_balance
from billing.services.capture_hold import capture_hold
from billing.services.place_hold import place_hold
from billing.services.reverse_deposit import reverse_deposit
from core import ids


def plant(sql: str, parameters: list[object] | None = None) -> None:
    """Run `sql` with the triggers asleep, as a restore or a superuser could."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, parameters)
        cursor.execute("SET LOCAL session_replication_role = origin")


def plant_transfer(reference: str, kind: str, debit: int, credit: int, amount: int) -> None:
    plant(
        "INSERT INTO billing_transfer (id, reference, leg, kind, debit_id, credit_id, amount, created_at)"
        " VALUES (uuidv7(), %s, 0, %s, %s, %s, %s, now())",
        [reference, kind, debit, credit, amount],
    )


@pytest.fixture
def busy(account: UUID, other: UUID) -> UUID:
    """An account with a settled hold, an open one and a debt."""
    capture_hold(hold=place_hold(account_id=account, amount=100_000, reference="job:1:hold"), amount=70_000)
    place_hold(account_id=account, amount=200_000, reference="job:2:hold")
    reverse_deposit(account_id=account, amount=1_000_000, provider="stripe", reference="deposit:1:refund:1")
    return account


def test_a_sound_ledger_has_no_differences(busy: UUID, other: UUID) -> None:
    assert audit() == []
    figures = {(busy, "prepaid"): Figures(0, 200_000, 270_000), (other, "prepaid"): Figures(1_000_000, 0, 0)}
    assert recomputed_balances() == materialised_balances() == figures
    trial = trial_balance()
    assert (trial.customers, trial.available, trial.held, trial.receivable) == (2, 1_000_000, 200_000, 270_000)
    assert trial.house == {"cash:stripe": -1_000_000, "revenue": 70_000}
    assert trial.total == 0


def test_one_micro_too_many_is_found(busy: UUID) -> None:
    plant("UPDATE billing_balance SET available = available + 1 WHERE owner_id = %s", [busy])
    assert audit() == [Difference(busy, "prepaid", "available", recomputed=0, materialised=1)]
    assert trial_balance().total == 1


def test_a_transfer_that_moved_nothing_is_found(busy: UUID) -> None:
    plant_transfer("raw:1", "debt", customer_ids(busy)["receivable"], open_house("cash:stripe"), 5)
    assert audit() == [Difference(busy, "prepaid", "receivable", recomputed=270_005, materialised=270_000)]


def test_a_deleted_transfer_is_found(busy: UUID) -> None:
    plant("DELETE FROM billing_transfer WHERE reference = 'job:2:hold'")
    assert audit() == [
        Difference(busy, "prepaid", "available", recomputed=200_000, materialised=0),
        Difference(busy, "prepaid", "held", recomputed=0, materialised=200_000),
        Difference(busy, "prepaid", "open_holds", recomputed=0, materialised=200_000),
    ]


def test_a_double_capture_that_balances_is_found(busy: UUID) -> None:
    """Its transfers and balances agree, but the money came out of another job's hold."""
    held, revenue = customer_ids(busy)["held"], open_house("revenue")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_transfer (reference, leg, kind, debit_id, credit_id, amount)"
            " VALUES ('job:1:again:settle', 0, 'capture', %s, %s, 70000)",
            [held, revenue],
        )
    assert recomputed_balances() == materialised_balances()
    assert audit() == [Difference(busy, "prepaid", "open_holds", recomputed=200_000, materialised=130_000)]


def test_a_missing_balance_row_is_found(busy: UUID, other: UUID) -> None:
    plant("DELETE FROM billing_balance WHERE owner_id = %s", [other])
    assert audit() == [
        Difference(other, "prepaid", "available", recomputed=1_000_000, materialised=None),
        Difference(other, "prepaid", "held", recomputed=0, materialised=None),
        Difference(other, "prepaid", "open_holds", recomputed=0, materialised=None),
        Difference(other, "prepaid", "receivable", recomputed=0, materialised=None),
    ]


def test_a_transfer_to_nowhere_is_found(busy: UUID) -> None:
    plant_transfer("raw:1", "adjustment", open_house("adjustment"), 10**9, 5)
    assert audit() == [
        Difference(None, "ledger account 1000000000", "unknown_account", recomputed=5, materialised=None)
    ]


@pytest.fixture
def only_billing(monkeypatch: pytest.MonkeyPatch) -> None:
    """These accounts' deposits and jobs are references alone; tests/flows/test_audit.py has the whole of them."""
    monkeypatch.setattr("gateway.management.commands.audit.ROOMS", (billing_audit,))


def test_the_audit_command_passes_a_sound_ledger(busy: UUID, only_billing: None) -> None:
    out = StringIO()
    call_command("audit", stdout=out)
    assert "2 balance(s) agree with their transfers to the micro." in out.getvalue()
    assert "house, revenue" in out.getvalue()


def test_the_audit_command_fails_on_one_micro(busy: UUID, only_billing: None) -> None:
    plant("UPDATE billing_balance SET held = held - 1 WHERE owner_id = %s", [busy])
    out = StringIO()
    with pytest.raises(CommandError, match=r"2 figure\(s\) differ") as raised:
        call_command("audit", stdout=out)
    assert raised.value.returncode == 1
    assert "199999" in out.getvalue()
    assert "agree" not in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_audit_command_outside_a_transaction_reads_one_snapshot() -> None:
    out = StringIO()
    call_command("audit", stdout=out)
    assert "0 balance(s) agree" in out.getvalue()


def test_show_ledger_as_json(busy: UUID) -> None:
    out = StringIO()
    call_command("show_ledger", ids.encode(ids.ACCOUNT, busy), "--json", "--limit", "2", stdout=out)
    shown = json.loads(out.getvalue())
    assert shown["accountId"] == ids.encode(ids.ACCOUNT, busy)
    assert (shown["availableUsdMicros"], shown["heldUsdMicros"], shown["owedUsdMicros"]) == (0, 200_000, 270_000)
    assert shown["totalUsdMicros"] == 200_000
    assert [
        (line["kind"], line["availableChangeUsdMicros"], line["owedChangeUsdMicros"]) for line in shown["transfers"]
    ] == [
        ("debt", 0, 270_000),
        ("reversal", -730_000, 0),
    ]


def test_show_ledger_as_a_table(busy: UUID) -> None:
    by_id, by_email = StringIO(), StringIO()
    call_command("show_ledger", str(busy), stdout=by_id)
    email = by_id.getvalue().split()[0]
    call_command("show_ledger", email.upper(), stdout=by_email)
    assert by_id.getvalue() == by_email.getvalue()
    assert "available $0   held $0.2   owed $0.27   total $0.2" in by_id.getvalue()
    assert "+0.07" not in by_id.getvalue()  # revenue is the house's, not a line of the customer's figures


@pytest.mark.parametrize("account", ["nobody@example.com", "acct_00000000000000000000000000", "nonsense"])
def test_show_ledger_of_nobody(db: None, account: str) -> None:
    with pytest.raises(CommandError, match="there is no account"):
        call_command("show_ledger", account, stdout=StringIO())
