"""Affiliates with a code, customers they brought, and deposits, as the other rooms would make them."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from affiliates import handlers
from affiliates.models import Affiliate, AffiliateCode
from affiliates.services.attribution import bind_explicit
from affiliates.services.commissions import mature_due
from affiliates.transitions import APPROVED
from core import ids
from tests.billing.conftest import new_account

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
_numbers = count(1)


def new_affiliate(account_id: UUID | None = None, **fields: Any) -> Affiliate:
    """An approved affiliate, whose payout address is set."""
    number = next(_numbers)
    given = {
        "display_name": f"Partner {number}",
        "contact_email": f"contact-{number}@partners.example",
        "payout_address": f"0xpartner{number}",
        "status": APPROVED,
    }
    return Affiliate.objects.create(account_id=account_id or new_account(), **given | fields)


def new_code(affiliate: Affiliate, code: str = "") -> str:
    """The affiliate's code."""
    return AffiliateCode.objects.create(affiliate=affiliate, code=code or f"CODE-{next(_numbers)}").code


def deposit_event(account_id: UUID, micros: int = 20_000_000, *, settled_at: datetime = NOW) -> dict[str, Any]:
    """What the payments room tells of a settled deposit."""
    return {
        "depositId": str(ids.new()),
        "accountId": str(account_id),
        "depositMicros": micros,
        "settledAt": settled_at.isoformat(),
    }


def reversal_event(deposit: dict[str, Any], micros: int) -> dict[str, Any]:
    """What it tells of a refund or a dispute of that deposit; of its end, too."""
    return deposit | {"reversalId": str(ids.new()), "reversedMicros": micros}


def bound_pair(**fields: Any) -> tuple[Affiliate, UUID]:
    """An approved affiliate and an account that it brought."""
    affiliate, account = new_affiliate(**fields), new_account()
    assert bind_explicit(account_id=account, code=new_code(affiliate), now=NOW).applied
    return affiliate, account


def earn(affiliate: Affiliate, account: UUID, micros: int, *, matured: bool = True) -> dict[str, Any]:
    """Have a deposit earn the affiliate 20 % of `micros`; available, unless told otherwise. The deposit's event."""
    event = deposit_event(account, micros)
    handlers.accrue(event)
    if matured:
        assert mature_due(limit=100, now=NOW + 30 * DAY) >= 1
    return event
