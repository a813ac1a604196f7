"""The keys of the sandboxes and the control plane's settings that lead to them; light to import, for the supervisor."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

PROVIDERS = ("stripe", "coinbase", "x402")
NETWORK = "eip155:84532"
CHAIN_ID = 84_532
ASSET = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
ASSET_NAME = "USDC"
"""USDC on Base Sepolia: the sandbox's chain has this one token, at its true address, under its true name."""


@dataclass(frozen=True)
class Keys:
    """What the control plane and the sandboxes share."""

    stripe_key: str
    stripe_webhook_secret: str
    coinbase_key: str
    coinbase_webhook_secret: str
    x402_pay_to: str

    @classmethod
    def generate(cls) -> Self:
        """Fresh ones, for a test."""
        return cls(
            stripe_key=stripe_key(),
            stripe_webhook_secret=stripe_webhook_secret(),
            coinbase_key=coinbase_key(),
            coinbase_webhook_secret=coinbase_key(),
            x402_pay_to=address(),
        )


def stripe_key() -> str:
    """A secret key as Stripe's test mode has them."""
    return f"sk_test_sandbox{secrets.token_hex(16)}"


def stripe_webhook_secret() -> str:
    """The signing secret of a webhook endpoint."""
    return f"whsec_{secrets.token_hex(16)}"


def coinbase_key() -> str:
    """An API key, or a shared secret, of Coinbase Commerce."""
    return secrets.token_hex(16)


def address() -> str:
    """An address that nobody has the key of: a sandbox only ever looks at what it holds."""
    return f"0x{secrets.token_hex(20)}"


def settings(*, url: str, keys: Keys, providers: Collection[str] = PROVIDERS) -> dict[str, str]:
    """The control plane's settings for these providers, served under the root `url`."""
    found = {"PAYMENTS_SANDBOX": ",".join(name for name in PROVIDERS if name in providers)}
    if "stripe" in providers:
        found |= {
            "STRIPE_SECRET_KEY": keys.stripe_key,
            "STRIPE_API_BASE": f"{url}/stripe",
            "STRIPE_WEBHOOK_SECRETS": keys.stripe_webhook_secret,
        }
    if "coinbase" in providers:
        found |= {
            "COINBASE_API_KEY": keys.coinbase_key,
            "COINBASE_API_BASE": f"{url}/coinbase",
            "COINBASE_WEBHOOK_SECRETS": keys.coinbase_webhook_secret,
        }
    if "x402" in providers:
        found |= {
            "X402_FACILITATOR_URL": f"{url}/x402",
            "X402_PAY_TO": keys.x402_pay_to,
            "X402_NETWORK": NETWORK,
            "X402_ASSET": ASSET,
            "X402_ASSET_NAME": ASSET_NAME,
            "X402_RPC_URL": f"{url}/rpc",
        }
    return found
