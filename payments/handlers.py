"""Events of other rooms that concern purchases."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core import clock
from payments.services.erase_purchases import erase_purchases as erase


def erase_purchases(payload: Mapping[str, Any]) -> None:
    """`accountId` was deleted: what its purchases say of the person is erased."""
    erase(account_id=UUID(payload["accountId"]), now=clock.now())
