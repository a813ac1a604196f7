"""What an x402 payment must satisfy: made of the settings and the amount, and told with every 402."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from x402.schemas import PaymentRequired as PaymentRequiredV2
from x402.schemas import PaymentRequirements, ResourceInfo

from billing.micros import MICROS_PER_CENT, usd
from core.errors import Unavailable

SCHEME = "exact"
UNITS_PER_CENT = 10_000
"""USDC has six decimals."""
MAX_TIMEOUT_SECONDS = 300
"""For how long a buyer is asked to let an authorization be valid."""
ROUTE = "/api/v1/credits/purchase/x402"


class X402NotConfigured(Unavailable):
    """x402 payments are not available here: the operator has configured no facilitator, or no address to pay to."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One purchase's terms."""

    usd_cents: int
    requirements: PaymentRequirements

    def required(self, *, error: str) -> PaymentRequiredV2:
        """What PAYMENT-REQUIRED carries; `error` is the reason's code."""
        price = usd(self.usd_cents * MICROS_PER_CENT)
        resource = ResourceInfo(
            url=f"{settings.API_BASE_URL}{ROUTE}",
            description=f"Prepaid credit of {price} US dollars",
            mime_type="application/json",
        )
        return PaymentRequiredV2(error=error, resource=resource, accepts=[self.requirements])


def ask(*, usd_cents: int) -> Asked:
    """The terms of a purchase of so many cents.

    Raises:
        X402NotConfigured: no facilitator or no address of ours is set.
    """
    if not settings.X402_FACILITATOR_URL or not settings.X402_PAY_TO:
        raise X402NotConfigured(retry_after=None)
    requirements = PaymentRequirements(
        scheme=SCHEME,
        network=settings.X402_NETWORK,
        asset=settings.X402_ASSET,
        amount=str(usd_cents * UNITS_PER_CENT),
        pay_to=settings.X402_PAY_TO,
        max_timeout_seconds=MAX_TIMEOUT_SECONDS,
        extra={"name": settings.X402_ASSET_NAME, "version": settings.X402_ASSET_VERSION},
    )
    return Asked(usd_cents=usd_cents, requirements=requirements)


def plain(message: Any) -> dict[str, Any]:
    """A message of the protocol as its JSON object."""
    found: dict[str, Any] = message.model_dump(mode="json", by_alias=True, exclude_none=True)
    return found
