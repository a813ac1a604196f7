"""Reading packages, checkouts and deposits."""

from uuid import UUID

from django.db.models import Q, Sum

from billing.micros import MICROS_PER_CENT, Micros
from core.errors import NotFound
from payments.models import Checkout, Package, X402Payment
from payments.transitions import OPEN, PENDING, REVIEW


class CheckoutNotFound(NotFound):
    """There is no such purchase, or it belongs to another account."""


def packages_on_sale() -> list[Package]:
    """What can be bought now, in the operator's order."""
    return list(Package.objects.filter(retired_at=None))


def package_on_sale(*, code: str) -> Package | None:
    """The package of this code, unless it is not for sale."""
    return Package.objects.filter(pk=code, retired_at=None).first()


def own_checkout(*, account_id: UUID, provider: str, provider_id: str) -> Checkout:
    """The account's checkout behind a provider's session or charge.

    Raises:
        CheckoutNotFound: there is none, or it is another account's.
    """
    found = Checkout.objects.filter(account_id=account_id, provider=provider, provider_id=provider_id).first()
    if found is None or not provider_id:
        raise CheckoutNotFound
    return found


def checkout_of(*, account_id: UUID, checkout_id: UUID) -> Checkout | None:
    """The account's checkout of this id."""
    return Checkout.objects.filter(account_id=account_id, pk=checkout_id).first()


def open_purchases(*, account_id: UUID) -> Micros:
    """What the account's purchases that are not over would cost together; 0: there is none.

    Those under way, those that an operator must decide, and ended ones that are watched since money may come late.
    """
    checkouts = Checkout.objects.filter(
        Q(status__in=(PENDING, OPEN, REVIEW)) | Q(reconcile_at__isnull=False), account_id=account_id
    )
    payments = X402Payment.objects.filter(
        Q(status__in=(PENDING, REVIEW)) | Q(reconcile_at__isnull=False), account_id=account_id
    )
    sums = [int(found.aggregate(cents=Sum("usd_cents", default=0))["cents"]) for found in (checkouts, payments)]
    return sum(sums) * MICROS_PER_CENT
