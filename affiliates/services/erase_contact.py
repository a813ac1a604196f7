"""An affiliate's account is deleted."""

from datetime import datetime
from uuid import UUID

from affiliates.models import Affiliate, AffiliateCode, Decision, PayoutRequest
from affiliates.transitions import AFFILIATE

REPLACED = "deleted"
_REASON = "The account was deleted."


def erase_contact(*, account_id: UUID, now: datetime) -> None:
    """Take the person out of the account's affiliate and end it, in the caller's transaction, which locks it first.

    Name, addresses, country and the notes of payouts go, its code is retired, and it is suspended, or rejected where
    it was not approved yet. Commissions, payouts and the decisions about them stay: they are the books.
    """
    own = Affiliate.objects.filter(account_id=account_id)
    # The strongest lock: unlike any other of an affiliate's, commissions wait for it.
    affiliate = own.select_for_update().first()
    if affiliate is None:
        return
    AffiliateCode.objects.filter(affiliate=affiliate, retired_at=None).update(retired_at=now)
    PayoutRequest.objects.filter(affiliate=affiliate).update(payout_address="", note="")
    own.update(
        display_name=REPLACED,
        contact_email=f"deleted-{account_id}@deleted.invalid",
        country_code="",
        payout_address="",
        updated_at=now,
    )
    for action in ("suspend", "reject"):
        if AFFILIATE.apply(action, own):
            Decision.objects.create(affiliate=affiliate, action=action, actor_id=account_id, reason=_REASON, at=now)
