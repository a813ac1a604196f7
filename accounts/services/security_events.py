"""The audit log of credentials: written with what it tells of, never changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.models import SecurityEvent
from core.client_address import client_address_or_none

LONGEST_AGENT = 300
LONGEST_REFERRAL = 4096


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a request came from."""

    address: str | None
    user_agent: str = ""
    referral: str = ""
    """What the browser's referral cookie holds, for the rooms that can read it; empty without one."""


NOWHERE = Origin(address=None)
"""The operator's own commands."""


def origin_of(request: Any) -> Origin:
    """Where this Django or REST framework request came from."""
    agent = request.META.get("HTTP_USER_AGENT", "")[:LONGEST_AGENT]
    referral = request.COOKIES.get(settings.REFERRAL_COOKIE_NAME, "")
    well_formed = referral.isascii() and referral.isprintable() and len(referral) <= LONGEST_REFERRAL
    return Origin(
        address=client_address_or_none(request),
        user_agent=agent.encode("utf-8", "replace").decode(),
        referral=referral if well_formed else "",
    )


def record(
    *,
    account_id: UUID,
    kind: str,
    origin: Origin,
    now: datetime,
    key_prefix: str = "",
    actor_id: UUID | None = None,
    reason: str = "",
    **details: Any,
) -> SecurityEvent:
    """Append one event, in the transaction of what it tells of. `details` must hold no secret.

    `actor_id` and `reason` are an operator's and shown to operators alone; the account sees all the rest.
    """
    return SecurityEvent.objects.create(
        user_id=account_id,
        kind=kind,
        address=origin.address,
        user_agent=origin.user_agent,
        key_prefix=key_prefix,
        details=details,
        actor_id=actor_id,
        reason=reason,
        at=now,
    )
