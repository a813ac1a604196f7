"""What the database refuses, by name. Reaching one of these is a bug or a hand at work, never a customer's doing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from django.db import IntegrityError
from psycopg import Error as PostgresError


class LedgerRefusal(Exception):
    """The database refused a statement on the ledger. The transaction it ran in has to be rolled back."""

    constraints: ClassVar[tuple[str, ...]] = ()


class AvailableBelowZero(LedgerRefusal):
    """A transfer would take more than the customer has available."""

    constraints = ("billing_balance_available_not_negative",)


class HeldBelowZero(LedgerRefusal):
    """A transfer would take more than the customer has held."""

    constraints = ("billing_balance_held_not_negative",)


class ReceivableBelowZero(LedgerRefusal):
    """A transfer would repay more than the customer owes."""

    constraints = ("billing_balance_receivable_not_negative",)


class CommissionBelowZero(LedgerRefusal):
    """A transfer would take more than an affiliate has pending or reserved."""

    constraints = ("billing_commission_pending_not_negative", "billing_commission_reserved_not_negative")


class MalformedTransfer(LedgerRefusal):
    """A transfer needs a known kind, a positive amount, two known accounts of one customer or the house, its own
    kind of reference, and must be the only one of its statement to change what is available."""

    constraints = (
        "billing_transfer_amount_positive",
        "billing_transfer_two_accounts",
        "billing_transfer_known_accounts",
        "billing_transfer_one_balance",
        "billing_transfer_available_after",
        "billing_transfer_kind",
        "billing_transfer_leg",
        "billing_transfer_hold_reference",
        "billing_transfer_settle_reference",
    )


class DuplicateTransfer(LedgerRefusal):
    """There is a transfer of this reference and leg already."""

    constraints = ("billing_transfer_reference",)


class TransfersAreAppendOnly(LedgerRefusal):
    """A transfer is never changed or deleted; a mistake is put right by another transfer."""

    constraints = ("billing_transfer_append_only",)


class BalanceMovedByHand(LedgerRefusal):
    """A balance changes only with a transfer, and is never deleted."""

    constraints = ("billing_balance_moved_by_transfers",)


class LedgerAccountIsFixed(LedgerRefusal):
    """A ledger account is never changed or deleted, and there is one of each owner, kind and bucket."""

    constraints = ("billing_ledgeraccount_immutable", "billing_ledgeraccount_identity", "billing_ledgeraccount_kind")


class PriceVersionIsFixed(LedgerRefusal):
    """A published price is never changed or deleted; publish another."""

    constraints = ("billing_priceversion_immutable",)


_BY_CONSTRAINT = {name: refusal for refusal in LedgerRefusal.__subclasses__() for name in refusal.constraints}


@contextmanager
def named_refusals() -> Iterator[None]:
    """Turn the database's integrity errors on the ledger into the exceptions of this module.

    Raises:
        LedgerRefusal: in place of the IntegrityError of a guard listed above; other errors pass unchanged.
    """
    try:
        yield
    except IntegrityError as error:
        cause = error.__cause__
        name = cause.diag.constraint_name if isinstance(cause, PostgresError) else None
        refusal = _BY_CONSTRAINT.get(name or "")
        if refusal is None:
            raise
        raise refusal(str(error).splitlines()[0]) from error
