"""An affiliate's own referral code."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from affiliates.codes import random_code
from affiliates.models import AffiliateCode
from affiliates.services.payouts import lock_affiliate_of
from affiliates.transitions import APPROVED
from core.errors import Forbidden


class AffiliateNotApproved(Forbidden):
    """Only an approved affiliate has a referral code; details.status says how this account stands."""

    code = "affiliate_not_approved"


def own_code(*, account_id: UUID, now: datetime) -> AffiliateCode:
    """The active code of the account's affiliate, made at the first time.

    Raises:
        AffiliateNotApproved: the account has not applied, or is not approved.
    """
    with transaction.atomic():
        affiliate = lock_affiliate_of(account_id)
        if affiliate is None or affiliate.status != APPROVED:
            raise AffiliateNotApproved(details={"status": affiliate.status if affiliate is not None else "none"})
        active = AffiliateCode.objects.filter(affiliate=affiliate, retired_at=None).first()
        while active is None:
            found, made = AffiliateCode.objects.get_or_create(
                code=random_code(), defaults={"affiliate": affiliate, "created_at": now}
            )
            active = found if made else None  # somebody else's, by chance: draw again
        return active
