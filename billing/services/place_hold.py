"""Set money aside for work that is about to be queued."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from django.db import transaction

from accounts.recognition import SpendLimit
from billing.key_spend import SpendLimitExceeded, count_spend
from billing.ledger.holds import Hold, Refused, place, read_hold
from billing.ledger.postings import InsufficientBalance, ReferenceReused, read_posting
from billing.ledger.refusals import MalformedTransfer
from billing.micros import Micros, positive
from core.errors import ApiError

__all__ = ["AccountInDebt", "Hold", "InsufficientBalance", "ReferenceReused", "SpendLimitExceeded", "place_hold"]


class AccountInDebt(ApiError):
    """A reversed deposit left the account owing money; the next deposit repays it first."""

    code: ClassVar[str] = "account_in_debt"
    http_status: ClassVar[int] = 402

    def __init__(self, *, owed: Micros) -> None:
        super().__init__(details={"owedUsdMicros": owed})
        self.owed = owed


def place_hold(*, account_id: UUID, amount: Micros, reference: str, limits: Sequence[SpendLimit] = ()) -> Hold:
    """Move `amount` from the account's available balance to its held balance, once per `reference`.

    It counts against every one of `limits`, the monthly spend limits of the key that asks, or nothing moves.

    A second call with the same reference, account and amount returns the first hold with its figures, settled or
    not. One SQL statement; the balance row stays locked until the caller's transaction ends, so call it last.
    None of the errors of the first four kinds below spoils the caller's transaction.

    Raises:
        InsufficientBalance: less than `amount` is available; nothing moved.
        SpendLimitExceeded: a limit would be passed; nothing moved.
        AccountInDebt: the account owes money; nothing moved.
        ReferenceReused: `reference` was used before with another amount or account.
        TypeError, ValueError: `amount` is no positive integer, or `reference` does not end in `:hold`.
    """
    positive(amount)
    placed = _place_within(account_id, amount, reference, limits) if limits else place(account_id, amount, reference)
    if isinstance(placed, Hold):
        return placed
    earlier = read_hold(reference)
    if earlier is not None and (earlier.account_id, earlier.amount) == (account_id, amount):
        return earlier
    if earlier is not None or read_posting(reference) is not None:
        raise ReferenceReused(details={"reference": reference})
    if placed.receivable:
        raise AccountInDebt(owed=placed.receivable)
    if placed.available < amount:
        raise InsufficientBalance(required=amount, available=placed.available)
    raise MalformedTransfer(f"{reference}: account {account_id} has a balance but no ledger accounts")


def _place_within(account_id: UUID, amount: Micros, reference: str, limits: Sequence[SpendLimit]) -> Hold | Refused:
    with transaction.atomic():  # a passed limit takes the hold back with it
        placed = place(account_id, amount, reference)
        if isinstance(placed, Hold):
            count_spend(limits=limits, amount=amount, reference=reference)
        return placed
