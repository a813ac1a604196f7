"""Bodies of /api/v1/account/deposits."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from billing.micros import usd
from core import clock, ids
from core.messages import Message, Text
from payments.models import Deposit
from payments.providers.registry import is_sandbox
from payments.transitions import REVERSAL_KINDS, REVERSAL_STATUSES

DEFAULT_LIMIT, MOST = 100, 500


def _cursor(text: str) -> str:
    if ids.decode(ids.DEPOSIT, text) is None:
        raise ValueError("is not one that this list gave")
    return text


class DepositsQuery(Message):
    """Which deposits."""

    cursor: Annotated[Text, AfterValidator(_cursor)] | None = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = DEFAULT_LIMIT


class ReceiptQuery(Message):
    """Whose receipt, and in which form."""

    deposit_id: Text
    format: Literal["html", "pdf"] = "html"


class DepositReversal(Message):
    """A refund or a dispute of a deposit."""

    kind: Annotated[str, Field(json_schema_extra={"enum": list(REVERSAL_KINDS)})]
    status: Annotated[str, Field(json_schema_extra={"enum": list(REVERSAL_STATUSES)})]
    """`restored`: the dispute was won or the refund failed, and the money is back."""
    amount_usd_micros: int
    amount_usd: str
    provider_reference: str
    at: str
    restored_at: str | None


class AccountDeposit(Message):
    """Credit that was bought."""

    deposit_id: str
    """`dep_…`"""
    settled_at: str
    provider: str
    """`stripe`, `coinbase` or `x402`."""
    provider_reference: str
    """What the provider calls the payment."""
    package_code: str | None
    usd_cents: int
    amount_usd_micros: int
    amount_usd: str
    reversed_usd_micros: int
    """What of it is refunded or disputed now."""
    reversed_usd: str
    reversals: list[DepositReversal]
    """Oldest first."""
    receipt_path: str
    """The receipt as a page for whoever is signed in; with `/receipt.pdf` after it, as PDF."""
    sandbox: bool
    """Whether no real money moved."""


class DepositList(Message):
    """One page of deposits, newest first."""

    ok: Literal[True] = True
    deposits: list[AccountDeposit]
    next_cursor: str | None
    """Send it as `cursor` for the next page; null at the end."""


def shown(deposit: Deposit) -> AccountDeposit:
    """A deposit as the list shows it."""
    public_id = ids.encode(ids.DEPOSIT, deposit.pk)
    reversals = sorted(deposit.reversals.all(), key=lambda one: (one.created_at, one.pk))
    return AccountDeposit(
        deposit_id=public_id,
        settled_at=clock.rfc3339(deposit.settled_at),
        provider=deposit.provider,
        provider_reference=deposit.provider_id,
        package_code=deposit.package_code or None,
        usd_cents=deposit.usd_cents,
        amount_usd_micros=deposit.amount_micros,
        amount_usd=usd(deposit.amount_micros),
        reversed_usd_micros=deposit.reversed_micros,
        reversed_usd=usd(deposit.reversed_micros),
        reversals=[
            DepositReversal(
                kind=one.kind,
                status=one.status,
                amount_usd_micros=one.amount_micros,
                amount_usd=usd(one.amount_micros),
                provider_reference=one.provider_id,
                at=clock.rfc3339(one.created_at),
                restored_at=clock.rfc3339(one.restored_at) if one.restored_at else None,
            )
            for one in reversals
        ],
        receipt_path=f"/account/receipts/{public_id}",
        sandbox=is_sandbox(deposit.provider),
    )
