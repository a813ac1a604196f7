"""Who brought a buyer: asked before each purchase, told to affiliates, and never in the way of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from affiliates.services.attribution import bind_explicit, bind_passive


@dataclass(frozen=True, kw_only=True)
class Referral:
    """What a purchase came with."""

    code: str | None = None
    """An affiliate's code that the buyer named."""
    captured: str | None = None
    """The token of a link that the buyer's browser followed before."""


@dataclass(frozen=True, kw_only=True)
class CodeOutcome:
    """Whether the named code was bound to the account, and if not, why."""

    applied: bool
    reason: str


def bind_referral(*, account_id: UUID, referral: Referral, now: datetime) -> CodeOutcome | None:
    """Bind the account by the named code, else by what its browser captured; None when no code was named.

    Nothing here refuses a purchase: a code that is unknown or comes too late is an outcome.
    """
    outcome = None
    if referral.code is not None:
        bound = bind_explicit(account_id=account_id, code=referral.code, now=now)
        outcome = CodeOutcome(applied=bound.applied, reason=bound.reason)
    if referral.captured is not None and (outcome is None or outcome.reason == "unknown_code"):
        bind_passive(account_id=account_id, token=referral.captured, now=now)
    return outcome
