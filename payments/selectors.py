"""Reading packages, checkouts and deposits."""

from uuid import UUID

from core.errors import NotFound
from payments.models import Checkout, Package


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
