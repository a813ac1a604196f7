"""Events of other rooms that concern money."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from billing.services import notice_low_balances
from billing.services.open_account import open_account


def open_ledger_accounts(payload: Mapping[str, Any]) -> None:
    """A user signed up: `accountId` is its UUID."""
    open_account(account_id=UUID(payload["accountId"]))


def mail_low_balance(payload: Mapping[str, Any]) -> None:
    """The balance of `accountId` is low: `availableMicros`, below `thresholdMicros`.

    Raises:
        MailFailed: the mail server is away; the outbox tries again.
    """
    notice_low_balances.mail_low_balance(
        account_id=UUID(payload["accountId"]),
        available=payload["availableMicros"],
        threshold=payload["thresholdMicros"],
    )
