"""Bodies of packages, checkouts, claims and webhooks: what is sent, and what is answered."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from django.conf import settings
from pydantic import AfterValidator, Field

from billing.micros import MICROS_PER_CENT, usd
from core import clock, ids
from core.messages import STORABLE, Message, Omissible
from payments.models import STRIPE, Package
from payments.providers.registry import is_sandbox, offered
from payments.services.claim_deposit import Claimed
from payments.services.open_checkout import OpenedCheckout

LONGEST_URL = 2048
LONGEST_NAME = 255
"""A provider's session or charge id is far shorter."""


def _return_url(text: str) -> str:
    """An address that a payment page may lead to: https, or this site's own. What browsers read in two ways is none."""
    if len(text) > LONGEST_URL:
        raise ValueError(f"must have at most {LONGEST_URL} characters")
    if not text.isascii() or not text.isprintable() or any(character in text for character in ' \\"<>^`|'):
        raise ValueError("must consist of the characters of a URL")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # reading the port checks it
    except ValueError:
        raise ValueError("must be an absolute https URL") from None
    if not host or text != text.strip():
        raise ValueError("must be an absolute https URL")
    if "@" in parts.netloc:
        raise ValueError("must not hold a name or a password")
    if "#" in text:
        raise ValueError("must not have a fragment")
    own = {_origin(settings.SITE_URL), _origin(settings.API_BASE_URL)}
    if parts.scheme != "https" and _origin(text) not in own:
        raise ValueError("must be an https URL, or one of this site")
    return text


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


ReturnUrl = Annotated[str, Field(json_schema_extra={"format": "uri"}), AfterValidator(_return_url)]
Email = Annotated[str, Field(json_schema_extra={"format": "email"}), STORABLE]
PackageCode = Annotated[str, Field(min_length=1), STORABLE]
AffiliateCode = Annotated[str, Field(min_length=4, max_length=32), STORABLE]
ProviderId = Annotated[str, Field(min_length=1), STORABLE]


class StripeCheckoutRequest(Message):
    """A package to buy with a card."""

    package_code: PackageCode
    """One of `GET /api/v1/packages`."""
    success_url: Omissible[ReturnUrl] = None
    """Where the customer goes after paying: https, or a page of this site. `{CHECKOUT_SESSION_ID}` in it becomes the
    session's id."""
    cancel_url: Omissible[ReturnUrl] = None
    """Where the customer goes without paying: https, or a page of this site."""
    email: Omissible[Email] = None
    """Ignored, unless it is the account's own address: then the payment page has it filled in."""
    affiliate_code: Omissible[AffiliateCode] = None
    """Who brought the account: bound before the purchase, which goes on whatever becomes of it."""


class CryptoCheckoutRequest(Message):
    """A package to buy with crypto."""

    package_code: PackageCode
    """One of `GET /api/v1/packages`."""
    redirect_url: Omissible[ReturnUrl] = None
    """Where the customer goes after paying: https, or a page of this site."""
    cancel_url: Omissible[ReturnUrl] = None
    """Where the customer goes without paying: https, or a page of this site."""
    email: Omissible[Email] = None
    """Ignored."""
    affiliate_code: Omissible[AffiliateCode] = None
    """Who brought the account: bound before the purchase, which goes on whatever becomes of it."""


class ClaimStripeRequest(Message):
    """A session that is said to be paid."""

    session_id: ProviderId
    """As the checkout answered it."""


class ClaimCryptoRequest(Message):
    """A charge that is said to be paid."""

    charge_id: ProviderId
    """As the checkout answered it."""


class OfferedPackage(Message):
    """Credit on sale."""

    code: str
    name: str
    usd_cents: int
    """Its price."""
    usd: str
    credit_usd_micros: int
    """What it brings to the balance."""


class PaymentMethod(Message):
    """A way to pay."""

    provider: Literal["stripe", "coinbase", "x402"]
    available: bool
    """Whether this installation takes it."""
    sandbox: bool
    """Whether it is a sandbox: no real money moves."""


class PackageList(Message):
    """What can be bought, and how."""

    ok: Literal[True] = True
    packages: list[OfferedPackage]
    """In the operator's order."""
    methods: list[PaymentMethod]
    sandbox: bool
    """Whether any way to pay is a sandbox."""


class ReferralOutcome(Message):
    """What became of the affiliate's code."""

    applied: bool
    reason: str
    """`applied`, or why not: `unknown_code`, `already_bound`, `too_late`, `own_code`."""


class OpenedPurchase(Message):
    """A hosted page on which the package is paid."""

    ok: Literal[True] = True
    checkout_id: str
    """`chk_…`"""
    provider: Literal["stripe", "coinbase"]
    session_id: str | None
    """With Stripe: what to claim by."""
    charge_id: str | None
    """With Coinbase: what to claim by."""
    url: str
    """Send the customer there."""
    package_code: str
    usd_cents: int
    usd: str
    status: Literal["open"]
    expires_at: str | None
    """Until when the page takes a payment."""
    affiliate: ReferralOutcome | None
    """Null when no code was sent."""
    sandbox: bool
    """Whether it is a sandbox's page: no real money moves."""


class SettledPurchase(Message):
    """A purchase whose credit is in the account."""

    provider: Literal["stripe", "coinbase"]
    session_id: str | None
    charge_id: str | None
    package_code: str
    deposit_usd_cents: int
    """What was credited for it."""
    current_balance_usd_micros: int
    """What the account may spend now."""


class ReceivedEvent(Message):
    """The event is kept; it is judged in a moment."""

    received: Literal[True] = True


def package_list(packages: list[Package]) -> PackageList:
    """The packages, and the ways to pay for them."""
    methods = [
        PaymentMethod.model_validate({"provider": name, "available": available, "sandbox": is_sandbox(name)})
        for name, available in offered().items()
    ]
    return PackageList(
        packages=[
            OfferedPackage(
                code=package.code,
                name=package.name,
                usd_cents=package.usd_cents,
                usd=usd(package.usd_cents * MICROS_PER_CENT),
                credit_usd_micros=package.usd_cents * MICROS_PER_CENT,
            )
            for package in packages
        ],
        methods=methods,
        sandbox=any(method.sandbox for method in methods),
    )


def opened_purchase(opened: OpenedCheckout) -> OpenedPurchase:
    """A checkout as it was begun, whatever became of it since: a repetition answers the same."""
    checkout, outcome = opened.checkout, opened.code_outcome
    by_card = checkout.provider == STRIPE
    return OpenedPurchase(
        checkout_id=ids.encode(ids.CHECKOUT, checkout.pk),
        provider="stripe" if by_card else "coinbase",
        session_id=checkout.provider_id if by_card else None,
        charge_id=None if by_card else checkout.provider_id,
        url=checkout.url,
        package_code=checkout.package_code,
        usd_cents=checkout.usd_cents,
        usd=usd(checkout.usd_cents * MICROS_PER_CENT),
        status="open",
        expires_at=clock.rfc3339(checkout.expires_at) if checkout.expires_at is not None else None,
        affiliate=ReferralOutcome(applied=outcome.applied, reason=outcome.reason) if outcome is not None else None,
        sandbox=is_sandbox(checkout.provider),
    )


def settled_purchase(claimed: Claimed) -> SettledPurchase:
    """A claim's answer."""
    checkout = claimed.checkout
    by_card = checkout.provider == STRIPE
    return SettledPurchase(
        provider="stripe" if by_card else "coinbase",
        session_id=checkout.provider_id if by_card else None,
        charge_id=None if by_card else checkout.provider_id,
        package_code=checkout.package_code,
        deposit_usd_cents=claimed.usd_cents,
        current_balance_usd_micros=claimed.available,
    )
