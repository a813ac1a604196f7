"""An affiliate's account was deleted."""

from datetime import datetime
from uuid import UUID

from affiliates.models import Affiliate, AffiliateCode

REPLACED = "deleted"


def erase_contact(*, account_id: UUID, now: datetime) -> None:
    """Take name, addresses and country out of the account's affiliate, and retire its code, in the caller's
    transaction. Commissions, payouts and the decisions about them stay: they are the books."""
    own = Affiliate.objects.filter(account_id=account_id)
    # The strongest lock: unlike any other of an affiliate's, commissions wait for it.
    own.select_for_update().first()
    AffiliateCode.objects.filter(affiliate__in=own, retired_at=None).update(retired_at=now)
    own.update(
        display_name=REPLACED,
        contact_email=f"deleted-{account_id}@deleted.invalid",
        country_code="",
        payout_address="",
        updated_at=now,
    )
