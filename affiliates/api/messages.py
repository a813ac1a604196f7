"""Bodies of /api/v1/affiliates: what is sent, and what is answered."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from accounts.addresses import normal_address
from affiliates import eligibility
from affiliates.answers import Payout
from affiliates.capture import LONGEST as LONGEST_TOKEN
from affiliates.capture import SHORTEST as SHORTEST_TOKEN
from affiliates.codes import LONGEST, SHORTEST
from affiliates.models import NOT_APPROVED, SELF_REFERRAL
from affiliates.transitions import AFFILIATE_STATUSES, COMMISSION_STATUSES
from core.messages import STORABLE, Message, Omissible

NEVER_APPLIED = "none"
MOST_DAYS = 365


def _letters(text: str) -> str:
    if not (text.isascii() and text.isalpha()):
        raise ValueError("must be two letters")
    return text.upper()


def _visible(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("must be printable characters, not only spaces")
    return text.strip()


Code = Annotated[str, Field(min_length=SHORTEST, max_length=LONGEST), STORABLE]
"""A referral code as somebody wrote it."""
CaptureToken = Annotated[str, Field(min_length=SHORTEST_TOKEN, max_length=LONGEST_TOKEN), STORABLE]
DisplayName = Annotated[str, Field(min_length=2, max_length=120), STORABLE, AfterValidator(_visible)]
ContactEmail = Annotated[str, Field(json_schema_extra={"format": "email"}), AfterValidator(normal_address)]
CountryCode = Annotated[str, Field(min_length=2, max_length=2), AfterValidator(_letters)]
PayoutAddress = Annotated[str, Field(min_length=3, max_length=320), STORABLE, AfterValidator(_visible)]
AffiliateStatus = Annotated[str, Field(json_schema_extra={"enum": [NEVER_APPLIED, *AFFILIATE_STATUSES]})]
CommissionStatus = Annotated[str, Field(json_schema_extra={"enum": list(COMMISSION_STATUSES)})]
Limit = Annotated[int, Field(ge=1)]


class CodeQuery(Message):
    """The code of a referral link."""

    code: Code


class ReferralCodeShown(Message):
    """A referral code."""

    code: Code
    """4 to 32 of the letters A to Z, digits, `_` and `-`; small letters are the same."""


class CheckedCode(Message):
    """What can be said of a code to anybody."""

    ok: Literal[True] = True
    code: str
    """As codes are written: in capitals."""
    well_formed: bool
    """Whether it could be a code. Whether it is one is told to nobody but an account that binds it."""


class CapturedCode(Message):
    """A token that stands for a code until it expires."""

    ok: Literal[True] = True
    capture_token: str
    """For `bind-code`; this browser's cookie holds the same. Codes that do not exist get one, too."""
    expires_at: str


class AffiliateApplication(Message):
    """An application to be an affiliate."""

    display_name: DisplayName
    """What the affiliate is called."""
    contact_email: ContactEmail
    """Where the operator writes to."""
    country_code: Omissible[CountryCode] = None
    """ISO 3166-1, two letters."""
    payout_address: Omissible[PayoutAddress] = None
    """Where payouts go; needed before the first."""
    terms_version: Omissible[Annotated[str, Field(min_length=1, max_length=64), STORABLE]] = None
    """The version of the affiliate terms that was agreed to."""


class AffiliateProfileChange(Message):
    """What is to be different; what is left out stays."""

    display_name: Omissible[DisplayName] = None
    """What the affiliate is called."""
    contact_email: Omissible[ContactEmail] = None
    """Where the operator writes to."""
    country_code: Omissible[CountryCode] = None
    """ISO 3166-1, two letters."""
    payout_address: Omissible[PayoutAddress] = None
    """Where later payouts go; one that was asked for before keeps its own."""


class AffiliateProfile(Message):
    """The account as an affiliate. Everything but the status is null before it has applied."""

    ok: Literal[True] = True
    status: AffiliateStatus
    id: str | None = None
    """`aff_…`"""
    display_name: str | None = None
    contact_email: str | None = None
    country_code: str | None = None
    payout_address: str | None = None
    terms_version: str | None = None
    commission_basis_points: int | None = None
    """Of each settled deposit; 2000 is 20 %."""
    code: str | None = None
    """The active referral code."""
    applied_at: str | None = None
    updated_at: str | None = None


class ReferralCode(Message):
    """The affiliate's referral code."""

    ok: Literal[True] = True
    code: str
    url: str
    """The link to spread."""
    created_at: str


class DashboardQuery(Message):
    """How far back."""

    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 30


class AffiliateCommission(Message):
    """Commission in micros. Pending, available, reserved and paid are what was earned less what was clawed back."""

    earned_usd_micros: int
    clawed_back_usd_micros: int
    """Of deposits that were refunded or disputed."""
    pending_usd_micros: int
    available_usd_micros: int
    """Below zero: owed, by claw-backs after a payout; nothing is paid out until it is made up."""
    reserved_usd_micros: int
    """For the payout that was asked for."""
    paid_usd_micros: int


class AffiliateDay(Message):
    """One day in UTC."""

    day: Annotated[str, Field(json_schema_extra={"format": "date"})]
    clicks: int
    captures: int
    bound_accounts: int
    deposits: int
    deposits_usd_micros: int
    commission_usd_micros: int
    """Of that day's deposits, before anything was clawed back."""


class AffiliateDashboard(Message):
    """An affiliate's figures; zeros before it has applied."""

    ok: Literal[True] = True
    status: AffiliateStatus
    code: str | None
    """The active referral code."""
    clicks: int
    """How often the referral link was followed."""
    captures: int
    """How often the code was captured by a page or a program."""
    bound_accounts: int
    """Accounts that this affiliate brought."""
    conversion: str | None
    """Bound accounts for each click, in four decimals; null before the first click."""
    deposits: int
    """Settled deposits of those accounts that earned commission."""
    deposits_usd_micros: int
    commission: AffiliateCommission
    days: list[AffiliateDay]
    """Every day asked for, oldest first."""


class LimitQuery(Message):
    """How many at most."""

    limit: Limit | None = None


class Commission(Message):
    """What was earned by one deposit."""

    id: str
    """`com_…`"""
    status: CommissionStatus
    """Available: it may be paid out."""
    deposit_usd_micros: int
    basis_points: int
    amount_usd_micros: int
    clawed_back_usd_micros: int
    """What of the amount was taken back for refunds and disputes."""
    net_usd_micros: int
    """The amount less that."""
    withheld: Annotated[str | None, Field(json_schema_extra={"enum": [NOT_APPROVED, SELF_REFERRAL, None]})]
    """Why nothing is earned: the affiliate was not approved, or was the buyer."""
    settled_at: str
    """When the deposit was."""
    matures_at: str
    matured_at: str | None


class CommissionList(Message):
    """Commissions, newest deposits first."""

    ok: Literal[True] = True
    commissions: list[Commission]


class PayoutHistory(Message):
    """Payouts that were paid, newest first."""

    ok: Literal[True] = True
    payouts: list[Payout]


class PayoutEligibility(Message):
    """Whether a payout may be asked for."""

    eligible: bool
    reasons: list[Annotated[str, Field(json_schema_extra={"enum": list(eligibility.REASONS)})]]
    """Why not; empty: it may."""
    minimum_usd_micros: int
    available_usd_micros: int
    """A payout is of all of it."""


class PayoutRequestList(Message):
    """Payout requests, newest first, and whether another may be made."""

    ok: Literal[True] = True
    payout_requests: list[Payout]
    eligibility: PayoutEligibility


class AskPayout(Message):
    """A wish to be paid all that is available."""

    note: Omissible[Annotated[str, Field(min_length=1, max_length=512), STORABLE]] = None
    """For the operator."""


class PayoutAsked(Message):
    """The payout request."""

    ok: Literal[True] = True
    payout_request: Payout


class CancelPayout(Message):
    """Nothing more is to be said: an empty object, or no body."""


class BindCode(Message):
    """Whose customer this account is to be."""

    code: Code
    """The affiliate's code: it goes before the token."""
    capture_token: Omissible[CaptureToken] = None
    """What `capture` gave: counts where the code is nobody's."""


class BoundCode(Message):
    """The account is bound, for good."""

    ok: Literal[True] = True
    applied: Literal[True] = True
    code: str
    """The code that it is bound by."""
