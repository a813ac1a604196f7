"""Delete an account: one transaction over all rooms that hold something of the person."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.services.deletion import erase_person, prove_owner
from accounts.services.email_codes import use_code
from accounts.services.key_requests import NoLongerValid
from accounts.services.security_events import Origin
from affiliates.services.erase_contact import erase_contact
from billing.micros import Micros
from billing.services.adjust import adjust
from billing.services.lock_account import LockedAccount, lock_account
from core.errors import InvalidState
from core.idempotency.services import forget_account as forget_idempotency_keys
from core.webhooks.services import forget_account as forget_webhooks

FORFEITED = "Given up when the account was deleted."


class NotDeletable(InvalidState):
    """The account cannot be deleted now; details.reasons says why, each with its amount.

    `open_jobs`, `debt` and `open_payout` must end first; `balance` and `commission` can be given up.
    """

    code = "account_not_deletable"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What shows that the owner asks: one of the two."""

    code: str | None
    id_token: str | None


def delete_account(*, account_id: UUID, proof: Proof, forfeit_balance: bool, origin: Origin, now: datetime) -> Micros:
    """Erase the person behind an account at once, and its files soon; what credit was given up.

    The books stay: transfers, deposits, what jobs cost. The balance is locked first: a job that gets in before holds
    money and is a reason not to delete, one that comes after finds none. A code is used up only by a deletion.

    Raises:
        CodeRefused, IdTokenRefused, AnotherPerson, StaffAccount: the owner is not proven, or may not.
        GoogleNotConfigured, GoogleUnreachable: a token cannot be judged.
        NotDeletable: something is open, or left and not given up; nothing changed.
        NoLongerValid: it was deleted meanwhile.
    """
    code_id = prove_owner(account_id=account_id, code=proof.code, id_token=proof.id_token, now=now)
    with transaction.atomic(durable=True):
        # Affiliate, balances, user: the order in which the other rooms lock them.
        erase_contact(account_id=account_id, now=now)
        locked = lock_account(account_id=account_id)
        reasons = _reasons(locked, forfeit_balance)
        if reasons:
            raise NotDeletable(details={"reasons": reasons})
        if code_id is not None:
            use_code(code_id=code_id, now=now)
        if locked.available:
            adjust(
                account_id=account_id,
                amount=-locked.available,
                reason=FORFEITED,
                reference=f"account:{account_id}:forfeit",
                actor=None,
            )
        forget_webhooks(account_id=account_id, now=now)
        forget_idempotency_keys(account_id=account_id)
        if not erase_person(account_id=account_id, origin=origin, now=now):
            raise NoLongerValid
    return locked.available


def _reasons(locked: LockedAccount, forfeit: bool) -> list[dict[str, str | int]]:
    found = {"open_jobs": locked.held, "debt": locked.receivable, "open_payout": locked.reserved}
    if not forfeit:
        found |= {"balance": locked.available, "commission": locked.commission}
    return [{"reason": name, "usdMicros": amount} for name, amount in found.items() if amount > 0]
