"""Whether an affiliate may ask for a payout, and each reason why not."""

from dataclasses import dataclass

from affiliates.models import Affiliate, PayoutRequest
from affiliates.transitions import APPROVED, PAYOUT_OPEN
from billing.micros import Micros
from billing.selectors import commission

MINIMUM_PAYOUT: Micros = 50_000_000
"""$50."""
NOT_AN_APPROVED_AFFILIATE = "not_approved"
NO_PAYOUT_ADDRESS = "no_payout_address"
OPEN_REQUEST = "open_request"
BELOW_MINIMUM = "below_minimum"
REASONS = (NOT_AN_APPROVED_AFFILIATE, NO_PAYOUT_ADDRESS, OPEN_REQUEST, BELOW_MINIMUM)


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What stands between an affiliate and a payout of all that is available."""

    reasons: list[str]
    """Of `REASONS`; empty: a payout may be asked for."""
    available: Micros

    @property
    def eligible(self) -> bool:
        """Whether a payout may be asked for."""
        return not self.reasons


def payout_eligibility(*, affiliate: Affiliate | None) -> Eligibility:
    """As it is now; somebody who never applied is not approved and has nothing."""
    if affiliate is None:
        return Eligibility(reasons=[NOT_AN_APPROVED_AFFILIATE, NO_PAYOUT_ADDRESS, BELOW_MINIMUM], available=0)
    available = commission(affiliate_id=affiliate.account_id).available
    open_ones = PayoutRequest.objects.filter(affiliate=affiliate, status__in=PAYOUT_OPEN)
    stands_against = {
        NOT_AN_APPROVED_AFFILIATE: affiliate.status != APPROVED,
        NO_PAYOUT_ADDRESS: not affiliate.payout_address,
        OPEN_REQUEST: open_ones.exists(),
        BELOW_MINIMUM: available < MINIMUM_PAYOUT,
    }
    return Eligibility(reasons=[reason for reason, stands in stands_against.items() if stands], available=available)
