"""What operators decide about affiliates and payouts. Every decision is a row that is only ever inserted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.db import transaction

from affiliates.models import Affiliate, Decision, PayoutRequest
from affiliates.services.payouts import settlement_reference
from affiliates.transitions import AFFILIATE, APPROVED, PAYOUT
from billing.selectors import commission
from billing.services.settle_payout import settle_payout
from core.errors import Forbidden, InvalidRequest, InvalidState, NotFound

AffiliateAction = Literal["approve", "reject", "suspend", "reinstate"]
PayoutAction = Literal["approve", "reject", "pay"]
LONGEST_REFERENCE = 200
_WITH_A_REASON = ("reject", "suspend", "terms")


class OwnAffiliate(Forbidden):
    """Nobody decides about their own affiliate account."""


class PayoutBlocked(InvalidState):
    """This payout cannot be approved now: the affiliate owes commission or is not approved, or its account inactive."""


def decide_affiliate(
    *, affiliate_id: UUID, action: AffiliateAction, actor_id: UUID, reason: str, now: datetime
) -> Affiliate:
    """Approve or reject an application; suspend or reinstate an affiliate.

    Raises:
        NotFound: there is no such affiliate.
        OwnAffiliate: it is the operator's own.
        InvalidRequest: a rejection or suspension without a reason.
        InvalidState: it does not stand so that this is possible; details.status says how.
    """
    _require_reason(action, reason)
    with transaction.atomic():
        affiliate = _lock_affiliate(affiliate_id, actor_id)
        if not AFFILIATE.apply(action, Affiliate.objects.filter(pk=affiliate_id), updated_at=now):
            raise InvalidState(details={"status": affiliate.status})
        _decided(affiliate, action, actor_id, reason, now)
    affiliate.refresh_from_db()
    return affiliate


def set_basis_points(*, affiliate_id: UUID, basis_points: int, actor_id: UUID, reason: str, now: datetime) -> Affiliate:
    """Change an affiliate's share of the deposits to come: 0 to AFFILIATE_MOST_BASIS_POINTS. Earlier ones stay.

    Raises:
        NotFound: there is no such affiliate.
        OwnAffiliate: it is the operator's own.
        InvalidRequest: without a reason, or the share is out of range.
    """
    _require_reason("terms", reason)
    most = settings.AFFILIATE_MOST_BASIS_POINTS
    if not 0 <= basis_points <= most:
        raise InvalidRequest({"basisPoints": f"must be 0 to {most} ({most / 100:g} %)"})
    with transaction.atomic():
        affiliate = _lock_affiliate(affiliate_id, actor_id)
        Affiliate.objects.filter(pk=affiliate_id).update(basis_points=basis_points, updated_at=now)
        change = {"before": affiliate.basis_points, "after": basis_points}
        _decided(affiliate, "terms", actor_id, reason, now, details=change)
    affiliate.refresh_from_db()
    return affiliate


def decide_payout(
    *,
    payout_id: UUID,
    action: PayoutAction,
    actor_id: UUID,
    reason: str = "",
    payment_reference: str = "",
    now: datetime,
) -> PayoutRequest:
    """Approve a payout, reject it, or record that it was paid.

    Approval asks that the affiliate is approved, its account active, and nothing owed. Paying does not ask again: by
    then the money has left, and what is clawed back meanwhile is owed by the affiliate and blocks the next payout.

    Raises:
        NotFound: there is no such request.
        OwnAffiliate: it is the operator's own.
        InvalidRequest: a rejection without a reason, or a payment without a reference.
        PayoutBlocked: it cannot be approved now; nothing changed.
        InvalidState: it does not stand so that this is possible; details.status says how.
    """
    _require_reason(action, reason)
    reference = payment_reference.strip() if action == "pay" else ""
    if action == "pay" and not 0 < len(reference) <= LONGEST_REFERENCE:
        raise InvalidRequest({"paymentReference": f"must have 1 to {LONGEST_REFERENCE} characters"})
    with transaction.atomic():
        asked = PayoutRequest.objects.filter(pk=payout_id).first()
        if asked is None:
            raise NotFound
        affiliate = _lock_affiliate(asked.affiliate_id, actor_id)
        asked = PayoutRequest.objects.select_for_update(no_key=True).get(pk=payout_id)
        if not PAYOUT.apply(
            action, PayoutRequest.objects.filter(pk=payout_id), **_marks(asked, action, reference, now)
        ):
            raise InvalidState(details={"status": asked.status})
        if action == "approve":
            _require_payable(affiliate)
        else:
            settle_payout(
                affiliate_id=affiliate.account_id,
                amount=asked.amount_micros,
                reference=settlement_reference(asked.pk),
                paid=action == "pay",
                reason=reason,
                actor=actor_id,
            )
        details = {"payment_reference": reference} if reference else {}
        _decided(affiliate, action, actor_id, reason, now, payout=asked, details=details)
    asked.refresh_from_db()
    return asked


def _marks(asked: PayoutRequest, action: PayoutAction, reference: str, now: datetime) -> dict[str, Any]:
    if action == "approve":
        return {"decided_at": now}
    return {"decided_at": asked.decided_at or now, "finished_at": now, "payment_reference": reference}


def _require_payable(affiliate: Affiliate) -> None:
    available = commission(affiliate_id=affiliate.account_id).available
    active = affiliate.account.is_active
    if affiliate.status != APPROVED or not active or available < 0:
        raise PayoutBlocked(
            details={
                "affiliateStatus": affiliate.status,
                "accountActive": active,
                "availableUsdMicros": available,
            }
        )


def _require_reason(action: str, reason: str) -> None:
    if action in _WITH_A_REASON and not reason.strip():
        raise InvalidRequest({"reason": "is required"})


def _lock_affiliate(affiliate_id: UUID, actor_id: UUID) -> Affiliate:
    affiliate = Affiliate.objects.select_for_update(no_key=True).filter(pk=affiliate_id).first()
    if affiliate is None:
        raise NotFound
    if affiliate.account_id == actor_id:
        raise OwnAffiliate
    return affiliate


def _decided(
    affiliate: Affiliate,
    action: str,
    actor_id: UUID,
    reason: str,
    now: datetime,
    *,
    payout: PayoutRequest | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    Decision.objects.create(
        affiliate=affiliate,
        payout=payout,
        action=action,
        actor_id=actor_id,
        reason=reason,
        details=dict(details or {}),
        at=now,
    )
