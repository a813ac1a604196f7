"""The providers with a hosted payment page, by name."""

from django.conf import settings

from payments.models import COINBASE, STRIPE, X402
from payments.providers.coinbase import CoinbaseCommerce
from payments.providers.purchase import Provider
from payments.providers.stripe import StripeCheckout

_PROVIDERS: dict[str, Provider] = {STRIPE: StripeCheckout(), COINBASE: CoinbaseCommerce()}


def provider_of(name: str) -> Provider:
    """The provider of this name.

    Raises:
        KeyError: there is none.
    """
    return _PROVIDERS[name]


def offered() -> dict[str, bool]:
    """Each way to pay, x402 with them, and whether this installation offers it."""
    return {
        STRIPE: bool(settings.STRIPE_SECRET_KEY),
        COINBASE: bool(settings.COINBASE_API_KEY),
        X402: bool(settings.X402_FACILITATOR_URL and settings.X402_PAY_TO),
    }


def is_sandbox(name: str) -> bool:
    """Whether no real money moves there."""
    return name in settings.PAYMENTS_SANDBOX
