"""Begin a purchase: the checkout's row first, then the provider's hosted page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from accounts.selectors import email_addresses
from core import ids
from core.errors import ApiError, InvalidRequest, RateLimited
from core.idempotency import services as idempotency
from payments.models import Checkout, Package
from payments.providers.purchase import HostedPage, ProviderRefused
from payments.providers.registry import provider_of
from payments.selectors import package_on_sale
from payments.services.referral import CodeOutcome, Referral, bind_referral
from payments.transitions import CHECKOUT, OPEN, PENDING

CREATED = 201
TRY_AGAIN_SECONDS = 60
"""When a place may be free again for whoever has too many purchases under way."""
FIRST_LOOK = timedelta(minutes=1)
"""How long the request that made a checkout has it for itself, before the periodic pass looks after it."""
ABANDONED = timedelta(hours=20)
"""A page that could not be made for so long is given up: Stripe forgets idempotency keys after a day."""
_log = structlog.get_logger(__name__)


class CheckoutRefused(ApiError):
    """The payment provider refuses to open this purchase."""

    code: ClassVar[str] = "checkout_refused"
    http_status: ClassVar[int] = 409


class TooManyCheckouts(RateLimited):
    """Too many purchases of this account wait to be paid; pay one of them, or let it expire."""

    code: ClassVar[str] = "too_many_checkouts"


@dataclass(frozen=True, kw_only=True)
class AskedCheckout:
    """What a customer wants to buy, and where to go afterwards; None where our own pages do."""

    provider: str
    package_code: str
    return_url: str | None
    cancel_url: str | None
    email: str | None
    referral: Referral


@dataclass(frozen=True, kw_only=True)
class OpenedCheckout:
    """A checkout with its hosted page."""

    checkout: Checkout
    code_outcome: CodeOutcome | None
    """What became of the affiliate's code; None when none was named."""
    replayed: bool


def open_checkout(
    *, account_id: UUID, asked: AskedCheckout, idempotency_key: idempotency.Key | None, now: datetime
) -> OpenedCheckout:
    """Commit a pending checkout, once per idempotency key, then have the provider make its page.

    A request that failed on the way is healed by its repetition under the same key, and by the periodic pass: both
    ask the provider under the checkout's id, which gives the same page.

    Raises:
        InvalidRequest: there is no such package on sale.
        IdempotencyConflict: the key belongs to another request.
        TooManyCheckouts: the account has as many under way as it may have.
        ProviderNotConfigured, ProviderUnavailable: the page is not made yet; the checkout stays pending.
        CheckoutRefused: the provider will not make it; the checkout has failed.
    """
    earlier = _earlier(idempotency_key, now)
    if earlier is not None:
        return earlier
    package = package_on_sale(code=asked.package_code)
    if package is None:
        raise InvalidRequest({"packageCode": "is no package on sale"})
    outcome = bind_referral(account_id=account_id, referral=asked.referral, now=now)
    checkout = _checkout(account_id, asked, package, now)
    try:
        with transaction.atomic(durable=True):
            _require_place(account_id)
            checkout.save(force_insert=True)
            if idempotency_key is not None:
                # The rest of the answer is in the checkout; this part is nowhere else.
                kept = None if outcome is None else {"applied": outcome.applied, "reason": outcome.reason}
                idempotency.claim(
                    key=idempotency_key, subject_id=checkout.pk, status=CREATED, body={"affiliate": kept}, now=now
                )
    except IntegrityError:
        # Somebody else committed this idempotency key while we waited for it; anything else is a real error.
        earlier = _earlier(idempotency_key, now)
        if earlier is None:
            raise
        return earlier
    return OpenedCheckout(checkout=send_checkout(checkout=checkout, now=now), code_outcome=outcome, replayed=False)


def send_checkout(*, checkout: Checkout, now: datetime) -> Checkout:
    """Have the provider make the page of a pending checkout and keep it; any other checkout is returned as it is.

    Raises:
        ProviderNotConfigured, ProviderUnavailable: the checkout stays pending.
        CheckoutRefused: the provider will not make it, or has refused before.
    """
    if checkout.provider_id:
        return checkout
    own = Checkout.objects.filter(pk=checkout.pk)
    if checkout.status == PENDING:
        try:
            page = provider_of(checkout.provider).open(checkout_id=checkout.pk, request=checkout.request)
        except ProviderRefused as refusal:
            _log.error("checkout_refused", provider=checkout.provider, checkout=str(checkout.pk), reason=str(refusal))
            give_up(checkout=checkout, note=str(refusal), now=now)
            raise CheckoutRefused from refusal
        keep_page(checkout_id=checkout.pk, page=page)
    found = own.get()  # what stands there, whoever wrote it: of two pages the first one kept is the checkout's
    if not found.provider_id:
        raise CheckoutRefused
    return found


def give_up(*, checkout: Checkout, note: str, now: datetime) -> None:
    """End a pending checkout whose page will not be made. Its idempotency key is free again: nothing came of it."""
    pending = Checkout.objects.filter(pk=checkout.pk, provider_id="")
    with transaction.atomic(durable=True):
        if CHECKOUT.apply("fail", pending, note=note[:500], finished_at=now, reconcile_at=None):
            idempotency.release(
                account_id=checkout.account_id, route=idempotency_route(checkout.provider), subject_id=checkout.pk
            )


def idempotency_route(provider: str) -> str:
    """The route that idempotency keys of this provider's checkouts belong to."""
    return f"POST checkout/{provider}"


def keep_page(*, checkout_id: UUID, page: HostedPage) -> bool:
    """Write the provider's page into its pending checkout; False when it has one already."""
    pending = Checkout.objects.filter(pk=checkout_id, provider_id="")
    return CHECKOUT.apply("open", pending, provider_id=page.provider_id, url=page.url, expires_at=page.expires_at)


def _require_place(account_id: UUID) -> None:
    """Until the transaction ends nobody else begins a purchase for the account: so the limit is exact."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"checkout:{account_id}"])
    under_way = Checkout.objects.filter(account_id=account_id, status__in=(PENDING, OPEN)).count()
    if under_way >= settings.PAYMENTS_MOST_OPEN_CHECKOUTS:
        raise TooManyCheckouts(details={"limit": settings.PAYMENTS_MOST_OPEN_CHECKOUTS}, retry_after=TRY_AGAIN_SECONDS)


def _earlier(key: idempotency.Key | None, now: datetime) -> OpenedCheckout | None:
    record = idempotency.find(key=key) if key is not None else None
    if record is None:
        return None
    kept: Mapping[str, Any] | None = (record.body or {}).get("affiliate")
    checkout = send_checkout(checkout=Checkout.objects.get(pk=record.subject_id), now=now)
    return OpenedCheckout(
        checkout=checkout, code_outcome=CodeOutcome(**kept) if kept is not None else None, replayed=True
    )


def _checkout(account_id: UUID, asked: AskedCheckout, package: Package, now: datetime) -> Checkout:
    checkout = Checkout(
        account_id=account_id,
        provider=asked.provider,
        package_code=package.code,
        usd_cents=package.usd_cents,
        created_at=now,
        reconcile_at=now + FIRST_LOOK,
    )
    public_id = ids.encode(ids.CHECKOUT, checkout.pk)
    own_address = email_addresses(account_ids=[account_id]).get(account_id, "")
    checkout.request = provider_of(asked.provider).request(
        checkout_id=checkout.pk,
        account_id=account_id,
        package_code=package.code,
        name=f"{package.name} credit",
        usd_cents=package.usd_cents,
        return_url=asked.return_url or f"{settings.SITE_URL}/billing/done?checkout={public_id}",
        cancel_url=asked.cancel_url or f"{settings.SITE_URL}/billing/canceled",
        email=own_address if asked.email == own_address else "",
    )
    return checkout
