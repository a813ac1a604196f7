"""What an account is as an affiliate, for its export."""

from typing import Any
from uuid import UUID

from affiliates.selectors import active_code_of, find_affiliate
from core import clock


def affiliate_data(*, account_id: UUID) -> dict[str, Any] | None:
    """The account's application and code; None where it never applied."""
    affiliate = find_affiliate(account_id=account_id)
    if affiliate is None:
        return None
    code = active_code_of(affiliate=affiliate)
    return {
        "status": affiliate.status,
        "displayName": affiliate.display_name,
        "contactEmail": affiliate.contact_email,
        "countryCode": affiliate.country_code or None,
        "payoutAddress": affiliate.payout_address or None,
        "code": code.code if code is not None else None,
        "appliedAt": clock.rfc3339(affiliate.applied_at),
    }
