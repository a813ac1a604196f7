"""`manage.py audit` over every room: nothing on a sound installation, and each planted difference by its name."""

from collections.abc import Callable
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from affiliates import audit as affiliates
from affiliates.models import CommissionReversal
from billing import audit as billing
from billing.audit import Finding
from billing.ledger.accounts import customer_ids, open_house
from billing.selectors import balance, commission
from billing.services.credit_deposit import credit_deposit
from billing.services.place_hold import place_hold
from core import ids
from media import audit as media
from payments import audit as payments
from tests.billing.test_audit import plant, plant_transfer
from tests.flows.books import DOLLAR, Books, fill
from tests.media.standin import StandIn

Found = tuple[str, str, str, str | int | None, str | int | None]


@pytest.fixture
def books(node: StandIn) -> Books:
    return fill(node)


def found() -> list[Found]:
    rooms = (billing, affiliates, payments, media)
    findings: list[Finding] = [finding for room in rooms for finding in room.differences()]
    return [(one.room, one.subject, one.figure, one.expected, one.found) for one in findings]


def test_a_sound_installation_has_no_differences(books: Books) -> None:
    assert found() == []
    out = StringIO()
    call_command("audit", stdout=out)
    assert "Deposits, jobs, commissions and payouts agree with the ledger." in out.getvalue()
    # … and it was not empty: a dollar given, $2000 by card, $1.23 by x402, $100 refunded, a job charged, one held.
    view = balance(account_id=books.customer.id)
    assert (view.available, view.held) == (DOLLAR + 2_000 * DOLLAR + 1_230_000 - 100 * DOLLAR - 80_000, 40_000)
    earned = commission(affiliate_id=books.affiliate.account_id)
    assert (earned.pending, earned.available, earned.reserved) == (246_000, 0, 200 * DOLLAR)
    assert books.paid.amount_micros == 180 * DOLLAR


def dep(books: Books) -> str:
    return ids.encode(ids.DEPOSIT, books.deposit.pk)


def reference(books: Books, end: str) -> str:
    return f"deposit:{books.deposit.pk}:{end}"


Case = tuple[str, Callable[[Books], list[object]], Callable[[Books], list[Found]]]

# A statement that a restore gone wrong, or a hand, could have made; its parameters; what the rooms then say. Where the
# row decides how a balance is recomputed the billing room says it, too: that is its own test.
CASES: dict[str, Case] = {
    "a deposit grew by a micro": (
        "UPDATE payments_deposit SET amount_micros = amount_micros + 1 WHERE id = %s",
        lambda books: [books.deposit.pk],
        lambda books: [
            ("payments", f"{dep(books)} {reference(books, 'paid')}", "transferred", "1000000001", "1000000000"),
            ("payments", ids.encode(ids.CHECKOUT, books.deposit.pk), "deposit_micros", "1000000000", "1000000001"),
            ("payments", dep(books), "commission_on", "1000000001", "1000000000"),
        ],
    ),
    "a deposit is another provider's": (
        "UPDATE payments_deposit SET provider = 'coinbase' WHERE id = %s",
        lambda books: [books.deposit.pk],
        lambda books: (
            [
                ("payments", f"{dep(books)} {reference(books, end)}", "provider", "cash:coinbase", "cash:stripe")
                for end in ("dispute:dp_1:opened", "dispute:dp_1:won", "paid", "refund:re_1")
            ]
            + [("payments", ids.encode(ids.CHECKOUT, books.deposit.pk), "deposit_provider", "stripe", "coinbase")]
        ),
    ),
    "a refund has no row": (
        "DELETE FROM payments_reversal WHERE deposit_id = %s AND provider_id = 're_1'",
        lambda books: [books.deposit.pk],
        lambda books: [
            ("payments", reference(books, "refund:re_1"), "transferred", None, "-100000000"),
            ("payments", dep(books), "reversed", 0, 100_000_000),
        ],
    ),
    "a won dispute counts as open": (
        "UPDATE payments_reversal SET status = 'posted' WHERE deposit_id = %s AND provider_id = 'dp_1'",
        lambda books: [books.deposit.pk],
        lambda books: [
            ("payments", reference(books, "dispute:dp_1:won"), "transferred", None, "50000000"),
            ("payments", dep(books), "reversed", 150_000_000, 100_000_000),
        ],
    ),
    "a dispute that took nothing counts as open": (
        "UPDATE payments_reversal SET status = 'posted' WHERE deposit_id = %s AND provider_id = 'dp_unheard'",
        lambda books: [books.deposit.pk],
        lambda books: [
            (
                "payments",
                f"{dep(books)} {reference(books, 'dispute:dp_unheard:opened')}",
                "transferred",
                "-1000000",
                None,
            ),
            ("payments", dep(books), "reversed", 101_000_000, 100_000_000),
        ],
    ),
    "what is reversed is a micro off": (
        "UPDATE payments_deposit SET reversed_micros = reversed_micros - 1 WHERE id = %s",
        lambda books: [books.deposit.pk],
        lambda books: [("payments", dep(books), "reversed", 100_000_000, 99_999_999)],
    ),
    "a checkout is not paid": (
        "UPDATE payments_checkout SET status = 'open' WHERE id = %s",
        lambda books: [books.deposit.pk],
        lambda books: [("payments", dep(books), "deposit", None, "100000")],
    ),
    "an x402 payment has no deposit": (
        "DELETE FROM payments_deposit WHERE id = %s",
        lambda books: [books.x402.pk],
        lambda books: [
            ("payments", f"deposit:{books.x402.pk}:paid", "transferred", None, "1230000"),
            ("payments", ids.encode(ids.X402_PAYMENT, books.x402.pk), "deposit", "123", None),
            ("payments", ids.encode(ids.DEPOSIT, books.x402.pk), "commission_account", None, str(books.customer.id)),
            ("payments", ids.encode(ids.DEPOSIT, books.x402.pk), "commission_on", None, "1230000"),
        ],
    ),
    "a waiting job costs a micro more": (
        "UPDATE media_job SET price_micros = price_micros + 1 WHERE id = %s",
        lambda books: [books.waiting.pk],
        lambda books: [("media", f"{ids.encode(ids.JOB, books.waiting.pk)} queued", "hold", "40001", "40000")],
    ),
    "a job ended and its hold did not": (
        "UPDATE media_job SET status = 'failed' WHERE id = %s",
        lambda books: [books.waiting.pk],
        lambda books: [("media", f"{ids.encode(ids.JOB, books.waiting.pk)} failed", "settled", "true", "false")],
    ),
    "a finished job runs again": (
        "UPDATE media_job SET status = 'processing' WHERE id = %s",
        lambda books: [books.done.pk],
        lambda books: [("media", f"{ids.encode(ids.JOB, books.done.pk)} processing", "settled", "false", "true")],
    ),
    "a job was charged less than the ledger says": (
        "UPDATE media_job SET charged_micros = 39999 WHERE id = %s",
        lambda books: [books.done.pk],
        lambda books: [("media", f"{ids.encode(ids.JOB, books.done.pk)} completed", "charged", "39999", "40000")],
    ),
    "a canceled job counts as completed": (
        "UPDATE media_job SET status = 'completed' WHERE id = %s",
        lambda books: [books.canceled.pk],
        lambda books: [("media", f"{ids.encode(ids.JOB, books.canceled.pk)} completed", "charged", "40000", "0")],
    ),
    "a job is another account's": (
        "UPDATE media_job SET account_id = %s WHERE id = %s",
        lambda books: [books.affiliate.account_id, books.waiting.pk],
        lambda books: [
            (
                "media",
                f"{ids.encode(ids.JOB, books.waiting.pk)} queued",
                "hold_account",
                str(books.affiliate.account_id),
                str(books.customer.id),
            )
        ],
    ),
    "a commission matured and its money did not": (
        "UPDATE affiliates_commission SET status = 'available' WHERE deposit_id = %s",
        lambda books: [books.x402.pk],
        lambda books: [
            ("affiliates", f"{ids.encode(ids.COMMISSION, books.x402.pk)} available", "available", 246_000, 0),
            ("affiliates", f"{ids.encode(ids.COMMISSION, books.x402.pk)} available", "pending", 0, 246_000),
        ],
    ),
    "a commission is a micro more": (
        "UPDATE affiliates_commission SET amount_micros = amount_micros + 1 WHERE deposit_id = %s",
        lambda books: [books.x402.pk],
        lambda books: [
            ("affiliates", f"{ids.encode(ids.COMMISSION, books.x402.pk)} pending", "amount", 246_000, 246_001),
            ("affiliates", f"{ids.encode(ids.COMMISSION, books.x402.pk)} pending", "pending", 246_001, 246_000),
            ("affiliates", f"{ids.encode(ids.COMMISSION, books.x402.pk)} pending", "taken_back", 1, 0),
        ],
    ),
    "a commission has no row": (
        "DELETE FROM affiliates_commission WHERE deposit_id = %s",
        lambda books: [books.x402.pk],
        lambda books: [("affiliates", f"commission:{books.x402.pk}", "pending", None, 246_000)],
    ),
    "a paid payout counts as rejected": (
        "UPDATE affiliates_payoutrequest SET status = 'rejected' WHERE id = %s",
        lambda books: [books.paid.pk],
        lambda books: [
            ("affiliates", f"{ids.encode(ids.PAYOUT, books.paid.pk)} rejected", "paid", 0, 180_000_000),
            ("affiliates", f"{ids.encode(ids.PAYOUT, books.paid.pk)} rejected", "returned", 180_000_000, 0),
        ],
    ),
    "a canceled payout counts as paid": (
        "UPDATE affiliates_payoutrequest SET status = 'paid' WHERE id = %s",
        lambda books: [books.canceled_payout.pk],
        lambda books: [
            ("affiliates", f"{ids.encode(ids.PAYOUT, books.canceled_payout.pk)} paid", "paid", 180_000_000, 0),
            ("affiliates", f"{ids.encode(ids.PAYOUT, books.canceled_payout.pk)} paid", "returned", 0, 180_000_000),
        ],
    ),
    "a payout has no row": (
        "DELETE FROM affiliates_payoutrequest WHERE id = %s",
        lambda books: [books.open_payout.pk],
        lambda books: [("affiliates", f"payout:{books.open_payout.pk}", "asked", None, 200_000_000)],
    ),
    "an open payout is a micro more": (
        "UPDATE affiliates_payoutrequest SET amount_micros = amount_micros + 1 WHERE id = %s",
        lambda books: [books.open_payout.pk],
        lambda books: [
            (
                "affiliates",
                f"{ids.encode(ids.PAYOUT, books.open_payout.pk)} requested",
                "asked",
                200_000_001,
                200_000_000,
            ),
            (
                "affiliates",
                f"{ids.encode(ids.PAYOUT, books.open_payout.pk)} requested",
                "reserved",
                200_000_001,
                200_000_000,
            ),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_planted_difference_is_named(books: Books, name: str) -> None:
    sql, parameters, expected = CASES[name]
    plant(sql, parameters(books))
    assert found() == expected(books)
    with pytest.raises(CommandError, match=r"figure\(s\) differ") as raised:
        call_command("audit", stdout=StringIO())
    assert raised.value.returncode == 1


def test_a_deposit_without_a_row_is_named(books: Books) -> None:
    stray = ids.new()
    credit_deposit(account_id=books.customer.id, amount=1, provider="stripe", reference=f"deposit:{stray}:paid")
    credit_deposit(account_id=books.customer.id, amount=2, provider="stripe", reference="by hand")
    assert found() == [
        ("payments", "by hand", "transferred", None, "2"),
        ("payments", f"deposit:{stray}:paid", "transferred", None, "1"),
    ]


def test_what_was_credited_before_there_were_deposits_is_let_be(books: Books) -> None:
    credit_deposit(account_id=books.customer.id, amount=2, provider="stripe", reference="by hand")
    plant("UPDATE billing_transfer SET created_at = '2020-01-01' WHERE reference = 'by hand'")
    assert found() == []


def test_a_hold_without_a_job_is_named(books: Books) -> None:
    job_id = ids.new()
    place_hold(account_id=books.customer.id, amount=7, reference=f"job:{job_id}:hold")
    assert found() == [("media", f"job:{job_id}", "hold", None, "7")]


def test_a_job_whose_hold_is_gone_is_named_by_two_rooms(books: Books) -> None:
    plant("DELETE FROM billing_transfer WHERE reference = %s", [f"job:{books.waiting.pk}:hold"])
    assert [(room, figure) for room, _, figure, _, _ in found()] == [
        ("billing", "available"),
        ("billing", "held"),
        ("billing", "open_holds"),
        ("media", "hold"),
    ]
    assert found()[-1] == ("media", f"{ids.encode(ids.JOB, books.waiting.pk)} queued", "hold", "40000", None)


def test_a_commission_balance_that_is_a_micro_off_is_named(books: Books) -> None:
    owner: UUID = books.affiliate.account_id
    plant("UPDATE billing_commissionbalance SET reserved = reserved + 1 WHERE owner_id = %s", [owner])
    assert found() == [("billing", f"{ids.encode(ids.ACCOUNT, owner)} affiliate", "reserved", 200_000_000, 200_000_001)]


def test_a_forgotten_reversal_of_a_commission_is_named(books: Books) -> None:
    [first, *_] = CommissionReversal.objects.filter(commission_id=books.deposit.pk).order_by("pk")
    plant("DELETE FROM affiliates_commissionreversal WHERE id = %s", [first.pk])
    subject = f"{ids.encode(ids.COMMISSION, books.deposit.pk)} available"
    assert found() == [("affiliates", subject, "reversals", 20_000_000, 0)]


def test_an_affiliates_transfer_of_no_family_is_named(books: Books) -> None:
    owner: UUID = books.affiliate.account_id
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM billing_ledgeraccount WHERE owner_id = %s AND bucket = 'affiliate' AND kind = 'pending'",
            [owner],
        )
        [pending] = cursor.fetchone()
    plant_transfer("raw:1", "accrual", open_house("commission"), pending, 5)
    assert found() == [
        ("billing", f"{ids.encode(ids.ACCOUNT, owner)} affiliate", "pending", 246_005, 246_000),
        ("affiliates", "raw:1", "accrual", None, 5),
    ]
    assert customer_ids(owner)  # the customer's own accounts are others
