"""A customer says that a purchase is paid: a hint, on which the provider is asked."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from billing.micros import Micros
from billing.selectors import balance
from core.errors import InvalidState
from core.valkey import valkey
from payments.models import Checkout, Deposit
from payments.selectors import checkout_of, own_checkout
from payments.services.reconcile_deposit import reconcile_deposit
from payments.transitions import OPEN, PAID

LOOK_PAUSE_SECONDS = 5
"""A page that is loaded again and again asks the provider once in so long."""
_log = structlog.get_logger(__name__)


class NotSettled(InvalidState):
    """This purchase is not paid; details.status tells how it stands."""


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A purchase, and what its account may spend now."""

    checkout: Checkout
    usd_cents: int
    """What was credited: less than the price where an operator decided so; the price while nothing is."""
    available: Micros


def claim_deposit(*, account_id: UUID, provider: str, provider_id: str, now: datetime) -> Claimed:
    """Settle the account's own purchase if its provider has the money. Claiming again answers the same.

    Raises:
        CheckoutNotFound: the account has begun no such purchase.
        NotSettled: the provider does not have the money, or not as it was agreed; nothing was credited.
        ProviderNotConfigured, ProviderUnavailable: nobody could be asked.
    """
    checkout = own_checkout(account_id=account_id, provider=provider, provider_id=provider_id)
    if checkout.status != PAID:
        reconcile_deposit(provider=provider, provider_id=provider_id, now=now)
        checkout.refresh_from_db()
    if checkout.status != PAID:
        raise NotSettled(details={"status": checkout.status})
    return _claimed(checkout)


def look_again(*, account_id: UUID, checkout_id: UUID, now: datetime) -> Claimed | None:
    """The account's own checkout, its provider asked first where it is open; None when it has none of this id.

    Between two looks at one checkout lie LOOK_PAUSE_SECONDS, in which the books alone are read.

    Raises:
        ProviderNotConfigured, ProviderUnavailable: nobody could be asked.
    """
    checkout = checkout_of(account_id=account_id, checkout_id=checkout_id)
    if checkout is None:
        return None
    if checkout.status == OPEN and _may_look(checkout_id):
        reconcile_deposit(provider=checkout.provider, provider_id=checkout.provider_id, now=now)
        checkout.refresh_from_db()
    return _claimed(checkout)


def _claimed(checkout: Checkout) -> Claimed:
    credited = Deposit.objects.filter(pk=checkout.pk).values_list("usd_cents", flat=True).first()
    return Claimed(
        checkout=checkout,
        usd_cents=checkout.usd_cents if credited is None else credited,
        available=balance(account_id=checkout.account_id).available,
    )


def _may_look(checkout_id: UUID) -> bool:
    """Whether nobody looked a moment ago. Where that is not known nobody looks: the provider tells us by itself."""
    try:
        return bool(valkey().set(f"payments:looked:{checkout_id}", 1, nx=True, ex=LOOK_PAUSE_SECONDS))
    except RedisError as error:
        _log.warning("valkey_unavailable", error=type(error).__name__)
        return False
