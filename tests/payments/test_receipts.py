"""Deposits and their receipts: exact amounts in every form, and nobody else's."""

import re
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader
from pytest_django import Settings

from accounts.models import User
from billing.services.credit_deposit import credit_deposit
from core import ids
from payments.models import Deposit, Package, Reversal
from payments.receipt_pdf import receipt_pdf
from payments.receipts import receipt
from tests.media.customers import Customer, error, new_customer

LIST = "/api/v1/account/deposits"
RECEIPT = "/api/v1/account/deposits/receipt"
AT = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
ISSUER = ["Killa Tamata SpA", "Calle Ñuñoa 5 · Santiago", "Tax id 76.123.456-7"]


@pytest.fixture
def customer(db: None, settings: Settings) -> Customer:
    settings.RECEIPT_ISSUER = ISSUER
    settings.PAYMENTS_SANDBOX = []
    Package.objects.get_or_create(code="creator", defaults={"name": "Creator", "usd_cents": 2_000})
    return new_customer(deposit=0)


def bought(customer: Customer, cents: int = 2_000, provider: str = "stripe") -> Deposit:
    deposit_id = ids.new()
    credit_deposit(
        account_id=customer.id, amount=cents * 10_000, provider=provider, reference=f"deposit:{deposit_id}:paid"
    )
    return Deposit.objects.create(
        id=deposit_id,
        account_id=customer.id,
        provider=provider,
        provider_id=f"pi_{deposit_id.hex}",
        package_code="creator" if provider == "stripe" else "",
        usd_cents=cents,
        amount_micros=cents * 10_000,
        settled_at=AT,
    )


def reverse(deposit: Deposit, kind: str, name: str, micros: int, day: int, restored: int | None = None) -> None:
    Reversal.objects.create(
        deposit=deposit,
        kind=kind,
        provider_id=name,
        amount_micros=micros,
        status="restored" if restored else "posted",
        created_at=AT.replace(day=day),
        restored_at=AT.replace(day=restored) if restored else None,
    )
    if not restored:
        deposit.reversed_micros += micros
        deposit.save()


def public(deposit: Deposit) -> str:
    return ids.encode(ids.DEPOSIT, deposit.pk)


@pytest.fixture
def deposit(customer: Customer) -> Deposit:
    """$20, of which $2.50 was refunded, a dispute of $5 was won, and another was undone before it was heard of."""
    made = bought(customer)
    reverse(made, "refund", "re_1", 2_500_000, 21)
    reverse(made, "dispute", "dp_1", 5_000_000, 22, restored=25)
    reverse(made, "dispute", "dp_2", 1_000_000, 23, restored=23)
    return made


def words(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def signed_in(customer: Customer) -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.get(pk=customer.id), backend="accounts.backends.ProvenAddress")
    return browser


def test_the_list_is_newest_first_and_exact(customer: Customer, deposit: Deposit) -> None:
    later = bought(customer, 123, "x402")
    body = customer.get(LIST).json()
    assert [one["depositId"] for one in body["deposits"]] == [public(later), public(deposit)]
    assert body["nextCursor"] is None
    assert body["deposits"][1] == {
        "depositId": public(deposit),
        "settledAt": "2026-11-20T10:30:00.000Z",
        "provider": "stripe",
        "providerReference": deposit.provider_id,
        "packageCode": "creator",
        "usdCents": 2_000,
        "amountUsdMicros": 20_000_000,
        "amountUsd": "20",
        "reversedUsdMicros": 2_500_000,
        "reversedUsd": "2.5",
        "reversals": [
            {
                "kind": kind,
                "status": status,
                "amountUsdMicros": micros,
                "amountUsd": amount,
                "providerReference": name,
                "at": f"2026-11-{day}T10:30:00.000Z",
                "restoredAt": f"2026-11-{restored}T10:30:00.000Z" if restored else None,
            }
            for kind, status, micros, amount, name, day, restored in (
                ("refund", "posted", 2_500_000, "2.5", "re_1", 21, None),
                ("dispute", "restored", 5_000_000, "5", "dp_1", 22, 25),
                ("dispute", "restored", 1_000_000, "1", "dp_2", 23, 23),
            )
        ],
        "receiptPath": f"/account/receipts/{public(deposit)}",
        "sandbox": False,
    }
    assert body["deposits"][0]["packageCode"] is None


def test_the_list_has_pages(customer: Customer) -> None:
    made = [public(bought(customer, cents)) for cents in (100, 200, 300)]
    first = customer.get(LIST, limit=2).json()
    assert [one["depositId"] for one in first["deposits"]] == [made[2], made[1]]
    second = customer.get(LIST, limit=2, cursor=first["nextCursor"]).json()
    assert ([one["depositId"] for one in second["deposits"]], second["nextCursor"]) == ([made[0]], None)
    assert new_customer(deposit=0).get(LIST).json() == {"ok": True, "deposits": [], "nextCursor": None}


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 501}, {"cursor": "txn_1"}, {"kind": "stripe"}])
def test_what_the_list_refuses(customer: Customer, query: dict[str, Any]) -> None:
    assert list(error(customer.get(LIST, **query), 400, "invalid_request")["details"]["fields"]) == list(query)


def test_the_pdf_says_exactly_what_was_paid(customer: Customer, deposit: Deposit) -> None:
    answer = customer.get(RECEIPT, depositId=public(deposit), format="pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer["Content-Disposition"] == f'attachment; filename="{public(deposit)}.pdf"'
    text = words(answer.content)
    for line in (*ISSUER, public(deposit), "2026-11-20 10:30 UTC", User.objects.get(pk=customer.id).email):
        assert line in text
    assert "Prepaid credit, Creator" in text
    assert "Stripe (card)" in text
    assert deposit.provider_id in text
    assert re.findall(r"-?[0-9.]+ USD", text) == ["20 USD", "-2.5 USD", "-5 USD", "5 USD", "17.5 USD"]
    assert [what for what in ("Refunded", "Disputed", "Dispute won") if what in text] == [
        "Refunded",
        "Disputed",
        "Dispute won",
    ]
    assert "dp_2" not in text
    assert "SANDBOX" not in text


def test_the_pdf_is_the_same_every_time_and_carries_its_font(customer: Customer, deposit: Deposit) -> None:
    given = receipt(account_id=customer.id, public_id=public(deposit))
    assert receipt_pdf(given) == receipt_pdf(given)
    [page, *_] = PdfReader(BytesIO(receipt_pdf(given))).pages
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].get_object().values()]
    embedded = [font for font in fonts if "/FontFile2" in font.get("/FontDescriptor", {})]
    assert len(embedded) >= 2


def test_a_long_receipt_goes_on_the_next_page_and_an_unknown_letter_shows(
    customer: Customer, settings: Settings
) -> None:
    settings.RECEIPT_ISSUER = ["Ölçü ŞŁ 漢"]
    made = bought(customer)
    for number in range(60):
        reverse(made, "dispute", f"dp_{number:03}", 10_000, 21, restored=22)
    pdf = receipt_pdf(receipt(account_id=customer.id, public_id=public(made)))
    assert len(PdfReader(BytesIO(pdf)).pages) == 4
    text = words(pdf)
    assert text.count("USD") == 122
    assert "Ölçü" in text
    assert "漢" not in text


def test_the_page_and_the_document_say_the_same(customer: Customer, deposit: Deposit) -> None:
    page = signed_in(customer).get(f"/account/receipts/{public(deposit)}")
    document = customer.get(RECEIPT, depositId=public(deposit))
    assert document["Content-Type"] == "text/html; charset=utf-8"
    for answer in (page, document):
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]
        text = answer.content.decode()
        assert re.findall(r'<td class="end">(?:<strong>)?(-?[0-9.]+)', text) == ["20", "-2.5", "-5", "5", "17.5"]
        for line in ISSUER:
            assert line in text
    pdf = signed_in(customer).get(f"/account/receipts/{public(deposit)}/receipt.pdf")
    assert pdf.content == customer.get(RECEIPT, depositId=public(deposit), format="pdf").content


def test_a_sandboxes_receipt_says_so(customer: Customer, deposit: Deposit, settings: Settings) -> None:
    settings.PAYMENTS_SANDBOX = ["stripe"]
    assert "SANDBOX: no real money was paid." in customer.get(RECEIPT, depositId=public(deposit)).content.decode()
    assert "SANDBOX" in words(customer.get(RECEIPT, depositId=public(deposit), format="pdf").content)
    assert customer.get(LIST).json()["deposits"][0]["sandbox"] is True


def test_nobody_else_gets_it(customer: Customer, deposit: Deposit) -> None:
    stranger = new_customer(deposit=0)
    for format_ in ("html", "pdf"):
        error(stranger.get(RECEIPT, depositId=public(deposit), format=format_), 404, "not_found")
    for path in (f"/account/receipts/{public(deposit)}", f"/account/receipts/{public(deposit)}/receipt.pdf"):
        assert signed_in(stranger).get(path).status_code == 404
        nobody = Client().get(path)
        assert (nobody.status_code, nobody["Location"]) == (302, f"/sign-in?next={path}")
    assert signed_in(customer).get("/account/receipts/dep_nonsense").status_code == 404
    error(customer.get(RECEIPT, depositId="nonsense"), 404, "not_found")
    assert error(customer.get(RECEIPT), 400, "invalid_request")["details"]["fields"] == {"depositId": "is required"}
    wrong = error(customer.get(RECEIPT, depositId=public(deposit), format="doc"), 400, "invalid_request")
    assert list(wrong["details"]["fields"]) == ["format"]


def test_markup_in_a_reference_stays_text(customer: Customer) -> None:
    made = bought(customer)
    Deposit.objects.filter(pk=made.pk).update(provider_id="<script>alert(1)</script>")
    for answer in (
        customer.get(RECEIPT, depositId=public(made)),
        signed_in(customer).get(f"/account/receipts/{public(made)}"),
    ):
        assert b"<script>" not in answer.content
        assert b"&lt;script&gt;" in answer.content


def test_the_money_page(customer: Customer, deposit: Deposit) -> None:
    assert Client().get("/billing")["Location"] == "/sign-in?next=/billing"
    text = signed_in(customer).get("/billing").content.decode()
    assert "<dd>$20</dd>" in text
    assert f'href="/account/receipts/{public(deposit)}"' in text
    assert "$2.5 taken back" in text
    assert "Creator" in text
    assert public(deposit) not in signed_in(new_customer(deposit=0)).get("/billing").content.decode()
