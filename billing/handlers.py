"""Events of other rooms that concern money."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from billing.services.open_account import open_account


def open_ledger_accounts(payload: Mapping[str, Any]) -> None:
    """A user signed up: `accountId` is its UUID."""
    open_account(account_id=UUID(payload["accountId"]))
