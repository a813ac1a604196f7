"""Earn by a deposit, give back what of it is refunded or disputed, and let what is left become available.

The payments room tells of deposits by events that may come twice and in any order, so each carries all of the deposit.
Whichever comes first makes the commission; each refund or dispute counts once; and what is taken back is worked out
from all of them together, so that neither order nor rounding leaves a trace. Locked are the affiliate, its commission,
the ledger, in this order. An affiliate whose account was deleted gave up all it had: nothing of it moves any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from affiliates.models import NOT_APPROVED, SELF_REFERRAL, Affiliate, Attribution, Commission, CommissionReversal
from affiliates.self_referral import is_self
from affiliates.transitions import APPROVED, AVAILABLE, COMMISSION, PENDING
from billing.micros import Micros
from billing.services.accrue_commission import accrue_commission
from billing.services.claw_back_commission import claw_back_commission
from billing.services.mature_commission import mature_commission

WHOLE = 10_000
"""Basis points."""
_HOLD_BACK_DELETION = "SELECT * FROM affiliates_affiliate WHERE id = %s FOR KEY SHARE"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SettledDeposit:
    """What there is to know of a deposit."""

    id: UUID
    account_id: UUID
    amount: Micros
    settled_at: datetime
    payer: str = ""
    """The wallet that paid, where one did."""


@dataclass(frozen=True, slots=True)
class DepositReversal:
    """A refund or a dispute of it."""

    id: UUID
    amount: Micros
    """Of the deposit."""


def accrue(*, deposit: SettledDeposit) -> None:
    """Credit the affiliate who brought the account with its share of the deposit, once.

    Nothing is earned by somebody who is not approved at this moment, whose account is not active, or who turns out to
    be the buyer: the commission says so, and that stays. An account that nobody brought earns nobody anything.
    """
    with transaction.atomic():
        _commission_of(deposit)


def claw_back(*, deposit: SettledDeposit, reversal: DepositReversal, now: datetime) -> None:
    """Take back the share in what of the deposit was refunded or disputed, once for each reversal.

    Also what was paid out already: available commission may go below zero.
    """
    _note(deposit, reversal, restored=False, now=now)


def restore(*, deposit: SettledDeposit, reversal: DepositReversal, now: datetime) -> None:
    """Give back what `claw_back` took for this reversal: the dispute was won, or the refund failed. Once.

    Heard of before the reversal itself, it makes that take nothing.
    """
    _note(deposit, reversal, restored=True, now=now)


def mature_due(*, limit: int, now: datetime) -> int:
    """Make up to `limit` commissions available whose time has come, each in a transaction of its own; how many.

    One that fails is logged and waits for the next round, the others are not held up.
    """
    due = Commission.objects.filter(status=PENDING, matures_at__lte=now, affiliate__account__deleted_at=None)
    matured = 0
    for deposit_id, affiliate_id in list(due.order_by("matures_at").values_list("pk", "affiliate_id")[:limit]):
        try:
            matured += _mature(deposit_id, affiliate_id, now)
        except Exception:
            _log.exception("commission_not_matured", deposit_id=str(deposit_id))
    return matured


def _mature(deposit_id: UUID, affiliate_id: UUID, now: datetime) -> bool:
    with transaction.atomic():
        if _given_up(_lock_affiliate(affiliate_id)):
            return False
        commission = _locked(deposit_id)
        if not COMMISSION.apply("mature", Commission.objects.filter(pk=deposit_id), matured_at=now):
            return False
        amount = commission.amount_micros - commission.clawed_back_micros
        if amount:
            mature_commission(
                affiliate_id=commission.affiliate.account_id,
                amount=amount,
                reference=f"commission:{deposit_id}:matured",
            )
        return True


def _commission_of(deposit: SettledDeposit) -> Commission | None:
    """The deposit's commission, made now if need be, both locked; None where nobody brought the account."""
    bound = Attribution.objects.filter(account_id=deposit.account_id).first()
    if bound is None or bound.affiliate_id is None:
        return None
    affiliate = _lock_affiliate(bound.affiliate_id)
    withheld = _withheld(affiliate, deposit)
    basis_points = 0 if withheld else affiliate.basis_points
    amount = deposit.amount * basis_points // WHOLE
    _, made = Commission.objects.get_or_create(
        deposit_id=deposit.id,
        defaults={
            "affiliate": affiliate,
            "account_id": deposit.account_id,
            "deposit_micros": deposit.amount,
            "basis_points": basis_points,
            "amount_micros": amount,
            "withheld": withheld,
            "settled_at": deposit.settled_at,
            "matures_at": deposit.settled_at + timedelta(days=settings.AFFILIATE_MATURITY_DAYS),
        },
    )
    if made and amount:
        accrue_commission(
            affiliate_id=affiliate.account_id, amount=amount, reference=f"commission:{deposit.id}:accrued"
        )
    return _locked(deposit.id)


def _withheld(affiliate: Affiliate, deposit: SettledDeposit) -> str:
    if affiliate.status != APPROVED or not affiliate.account.is_active:
        return NOT_APPROVED
    own = is_self(affiliate=affiliate, account_id=deposit.account_id, payer=deposit.payer)
    return SELF_REFERRAL if own else ""


def _lock_affiliate(affiliate_id: UUID) -> Affiliate:
    """Wait for a deletion of its account that is under way, and hold up later ones; nobody else waits for this.

    The account is to be read after this: what was read before may be older than the deletion.
    """
    return Affiliate.objects.raw(_HOLD_BACK_DELETION, [affiliate_id])[0]


def _given_up(affiliate: Affiliate) -> bool:
    return affiliate.account.deleted_at is not None


def _locked(deposit_id: UUID) -> Commission:
    commissions = Commission.objects.select_related("affiliate").select_for_update(of=("self",), no_key=True)
    return commissions.get(pk=deposit_id)


def _note(deposit: SettledDeposit, reversal: DepositReversal, *, restored: bool, now: datetime) -> None:
    with transaction.atomic():
        commission = _commission_of(deposit)
        if commission is None or _given_up(commission.affiliate):
            return
        noted, first = CommissionReversal.objects.get_or_create(
            commission=commission,
            reversal_id=reversal.id,
            restored=restored,
            defaults={"amount_micros": reversal.amount, "clawed_back_micros": 0, "at": now},
        )
        if not first:
            return
        reversed_ = _reversed_now(commission)
        left = (commission.deposit_micros - reversed_) * commission.basis_points // WHOLE
        taken = commission.amount_micros - left - commission.clawed_back_micros
        CommissionReversal.objects.filter(pk=noted.pk).update(clawed_back_micros=taken)
        Commission.objects.filter(pk=commission.pk).update(
            reversed_micros=reversed_, clawed_back_micros=commission.clawed_back_micros + taken
        )
        _move(commission, reversal.id, taken)


def _reversed_now(commission: Commission) -> Micros:
    """What of the deposit is gone, by all that has been heard of it: never more than all."""
    gone: dict[UUID, Micros] = {}
    noted = CommissionReversal.objects.filter(commission=commission).order_by("restored")
    for reversal_id, restored, amount in noted.values_list("reversal_id", "restored", "amount_micros"):
        gone[reversal_id] = 0 if restored else amount
    return min(sum(gone.values()), commission.deposit_micros)


def _move(commission: Commission, reversal_id: UUID, taken: Micros) -> None:
    matured = commission.status == AVAILABLE
    base = f"commission:{commission.pk}"
    if taken > 0:
        claw_back_commission(
            affiliate_id=commission.affiliate.account_id,
            amount=taken,
            reference=f"{base}:back:{reversal_id}",
            matured=matured,
        )
    elif taken < 0:
        accrue_commission(
            affiliate_id=commission.affiliate.account_id,
            amount=-taken,
            reference=f"{base}:restored:{reversal_id}",
            matured=matured,
        )
