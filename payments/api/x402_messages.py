"""Bodies of buying credit with x402."""

from typing import Annotated, Literal

from pydantic import Field

from core.messages import STORABLE, Message, Omissible
from payments.services.referral import CodeOutcome


class X402CreditPurchaseRequest(Message):
    """How much credit to buy."""

    usd_cents: Annotated[int, Field(ge=100, le=900_719_925_474)]
    """The price, and the credit it gives, in US cents."""
    affiliate_code: Omissible[Annotated[str, Field(min_length=4, max_length=32), STORABLE]] = None
    """Whom the account is bound to before the payment settles. One that cannot be bound does not stop the purchase."""


class AffiliateOutcome(Message):
    """What came of the affiliate code."""

    applied: bool
    """Whether the account is bound to it now."""
    reason: str
    """`applied`, `unknown_code`, `already_bound`, `too_late` or `own_code`."""


class X402Purchase(Message):
    """The payment is settled and its credit is there."""

    ok: Literal[True] = True
    provider: Literal["x402"] = "x402"
    deposit_id: str
    deposit_usd_cents: int
    deposit_usd_micros: int
    """What was credited."""
    current_balance_usd_micros: int
    """What the account may spend now."""
    current_balance_usd: str
    """The same in US dollars, exact."""
    transaction: str
    """The hash of the transfer on the chain."""
    network: str
    """CAIP-2: `eip155:8453` is Base."""
    payer: str
    """The address that paid, in lower case."""
    replayed: bool
    """The payment was credited before this request."""
    affiliate: AffiliateOutcome | None
    """Null where no code was named, and in a replay."""
    sandbox: bool
    """The facilitator is this installation's own sandbox: no real money moved."""


def affiliate_outcome(bound: CodeOutcome | None) -> AffiliateOutcome | None:
    """The outcome as answered."""
    return None if bound is None else AffiliateOutcome(applied=bound.applied, reason=bound.reason)
