"""What an account paid, and the receipt of each deposit as data; `receipt_pdf` and a template give it its looks."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from billing.micros import Micros
from core import ids
from core.errors import NotFound
from payments.models import Deposit, Package, Reversal
from payments.providers.registry import is_sandbox
from payments.transitions import DISPUTE, POSTED

_PROVIDERS = {"stripe": "Stripe (card)", "coinbase": "Coinbase Commerce (crypto)", "x402": "x402 (USDC)"}


class DepositNotFound(NotFound):
    """There is no such deposit, or it belongs to another account."""


class DepositPage(NamedTuple):
    """Deposits, newest first, and where the next page starts; None at the end."""

    deposits: list[Deposit]
    following: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLine:
    """Money that came or went, in micros: below zero went back."""

    at: datetime
    what: str
    reference: str
    amount: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Everything that a receipt says."""

    number: str
    settled_at: datetime
    issuer: tuple[str, ...]
    email: str
    package: str
    provider: str
    reference: str
    paid: Micros
    lines: tuple[ReceiptLine, ...]
    """Refunds and disputes, and what came back of them, in the order of their times."""
    sandbox: bool

    @property
    def total(self) -> Micros:
        """What is left of the payment."""
        return self.paid + sum(line.amount for line in self.lines)


def deposits(*, account_id: UUID, limit: int, cursor: UUID | None = None) -> DepositPage:
    """At most `limit` of the account's deposits older than `cursor`, newest first, with their reversals."""
    found = Deposit.objects.filter(account_id=account_id).order_by("-id").prefetch_related("reversals")
    if cursor is not None:
        found = found.filter(pk__lt=cursor)
    page = list(found[: limit + 1])
    return DepositPage(page[:limit], page[limit - 1].pk if len(page) > limit else None)


def receipt(*, account_id: UUID, public_id: str) -> Receipt:
    """The receipt of the account's deposit as things stand now.

    Raises:
        DepositNotFound: malformed, unknown or another account's.
    """
    deposit_id = ids.decode(ids.DEPOSIT, public_id)
    deposit = (
        Deposit.objects.select_related("account").filter(pk=deposit_id, account_id=account_id).first()
        if deposit_id is not None
        else None
    )
    if deposit is None:
        raise DepositNotFound
    lines = [line for reversal in deposit.reversals.all() for line in _lines(reversal)]
    return Receipt(
        number=ids.encode(ids.DEPOSIT, deposit.pk),
        settled_at=deposit.settled_at,
        issuer=tuple(settings.RECEIPT_ISSUER),
        email=deposit.account.email,
        package=_package(deposit.package_code),
        provider=_PROVIDERS[deposit.provider],
        reference=deposit.provider_id,
        paid=deposit.amount_micros,
        lines=tuple(sorted(lines, key=lambda line: line.at)),
        sandbox=is_sandbox(deposit.provider),
    )


def _package(code: str) -> str:
    if not code:
        return "Prepaid credit"
    name = Package.objects.filter(pk=code).values_list("name", flat=True).first()
    return f"Prepaid credit, {name or code}"


def _lines(reversal: Reversal) -> list[ReceiptLine]:
    """What a reversal took, and what it gave back; one that was undone before we heard of it did neither."""
    disputed = reversal.kind == DISPUTE
    taken = ReceiptLine(
        at=reversal.created_at,
        what="Disputed" if disputed else "Refunded",
        reference=reversal.provider_id,
        amount=-reversal.amount_micros,
    )
    if reversal.status == POSTED:
        return [taken]
    if reversal.restored_at is None or reversal.restored_at == reversal.created_at:
        return []
    given_back = ReceiptLine(
        at=reversal.restored_at,
        what="Dispute won" if disputed else "Refund failed",
        reference=reversal.provider_id,
        amount=reversal.amount_micros,
    )
    return [taken, given_back]
