"""Events of other rooms that concern affiliates."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from affiliates.services import commissions
from affiliates.services.attribution import bind_passive
from core import clock


def bind_at_sign_up(payload: Mapping[str, Any]) -> None:
    """A new account's browser held a capture token: `accountId`, `referral`. One that counts no more does nothing."""
    bind_passive(account_id=UUID(payload["accountId"]), token=payload["referral"], now=clock.now())


def accrue(payload: Mapping[str, Any]) -> None:
    """A deposit settled."""
    commissions.accrue(deposit=_deposit(payload))


def claw_back(payload: Mapping[str, Any]) -> None:
    """A deposit was refunded or disputed."""
    commissions.claw_back(deposit=_deposit(payload), reversal=_reversal(payload), now=clock.now())


def restore(payload: Mapping[str, Any]) -> None:
    """A dispute was won, or a refund failed."""
    commissions.restore(deposit=_deposit(payload), reversal=_reversal(payload), now=clock.now())


def _deposit(payload: Mapping[str, Any]) -> commissions.SettledDeposit:
    return commissions.SettledDeposit(
        id=UUID(payload["depositId"]),
        account_id=UUID(payload["accountId"]),
        amount=payload["depositMicros"],
        settled_at=datetime.fromisoformat(payload["settledAt"]),
        payer=payload.get("payer", ""),
    )


def _reversal(payload: Mapping[str, Any]) -> commissions.DepositReversal:
    return commissions.DepositReversal(id=UUID(payload["reversalId"]), amount=payload["reversedMicros"])
