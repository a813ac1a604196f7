"""Delete an account: one transaction over all rooms that hold something of the person."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.services.deletion import erase_person, lock_person, prove_owner
from accounts.services.email_codes import use_code
from accounts.services.key_requests import NoLongerValid
from accounts.services.security_events import Origin
from affiliates.services.erase_contact import erase_contact
from affiliates.services.forfeit_commission import forfeit_commission
from billing.micros import Micros
from billing.services.adjust import adjust
from billing.services.lock_account import LockedAccount, lock_account
from core.errors import InvalidState
from core.idempotency.services import forget_account as forget_idempotency_keys
from core.webhooks.services import forget_account as forget_webhooks
from payments.selectors import open_purchases

FORFEITED = "Given up when the account was deleted."


class NotDeletable(InvalidState):
    """The account cannot be deleted now; details.reasons says why, each with its amount.

    `open_jobs`, `open_purchases`, `debt`, `commission_debt` and `open_payout` must end first; `balance` and
    `commission` can be given up.
    """

    code = "account_not_deletable"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What shows that the owner asks: one of the two."""

    code: str | None
    id_token: str | None


@dataclass(frozen=True, kw_only=True)
class Forfeited:
    """What was given up."""

    credit: Micros
    commission: Micros


def delete_account(
    *, account_id: UUID, proof: Proof, forfeit_balance: bool, origin: Origin, now: datetime
) -> Forfeited:
    """Erase the person behind an account at once, and its files and what providers said soon; what was given up.

    The books stay: transfers, deposits, what jobs cost. The balance is locked first: a job that gets in before holds
    money and is a reason not to delete, one that comes after finds none; so with commission, and with purchases, which
    wait for the lock on the account. A code is used up only by a deletion.

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
        if not lock_person(account_id=account_id):
            raise NoLongerValid
        reasons = _reasons(locked, open_purchases(account_id=account_id), forfeit_balance)
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
        forfeit_commission(
            account_id=account_id, pending=locked.pending_commission, available=locked.available_commission
        )
        forget_webhooks(account_id=account_id, now=now)
        forget_idempotency_keys(account_id=account_id)
        erase_person(account_id=account_id, origin=origin, now=now)
    return Forfeited(credit=locked.available, commission=locked.pending_commission + locked.available_commission)


def _reasons(locked: LockedAccount, purchases: Micros, forfeit: bool) -> list[dict[str, str | int]]:
    found = {
        "open_jobs": locked.held,
        "open_purchases": purchases,
        "debt": locked.receivable,
        "commission_debt": -locked.available_commission,
        "open_payout": locked.reserved,
    }
    if not forfeit:
        found |= {
            "balance": locked.available,
            "commission": locked.pending_commission + max(locked.available_commission, 0),
        }
    return [{"reason": name, "usdMicros": amount} for name, amount in found.items() if amount > 0]
