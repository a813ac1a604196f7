"""What every provider with a hosted payment page can be asked, and its answers in words of ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol
from uuid import UUID

from core import ids
from core.errors import ApiError, Unavailable

TIMEOUT_SECONDS = (3.0, 10.0)
"""To connect, and to wait for an answer."""
METADATA = ("checkout_id", "account_id", "package_code")
"""What we write on every purchase at the provider, to know it again."""


class ProviderUnavailable(Unavailable):
    """The payment provider cannot be reached right now. Nothing was charged; try again shortly."""


class ProviderNotConfigured(Unavailable):
    """Buying this way is not set up on this installation."""


class InvalidSignature(ApiError):
    """The signature is not the provider's, or is too old."""

    code: ClassVar[str] = "invalid_signature"


class ProviderRefused(Exception):
    """The provider will never carry this request out."""


class UnknownPurchase(LookupError):
    """The provider has nothing of this name."""


class Standing(StrEnum):
    """How a purchase stands with its provider."""

    OPEN = "open"
    """It may still be paid, or the payment is under way."""
    PAID = "paid"
    """The provider has the money."""
    SHORT = "short"
    """Money came, and not enough of it."""
    EXPIRED = "expired"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, kw_only=True)
class HostedPage:
    """Where the customer pays."""

    provider_id: str
    url: str
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Taking:
    """A refund or a dispute of a purchase, as it stands now."""

    kind: str
    """`refund` or `dispute`."""
    provider_id: str
    cents: int | None
    """None when it is not in US dollars."""
    given_back: bool
    """The refund failed or the dispute was won: the money is ours again, or never left."""
    reason: str = ""
    undecided: bool = False
    """Whether it may still turn."""


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """One purchase as its provider tells of it now."""

    provider: str
    page: HostedPage
    standing: Standing
    names_checkout: UUID | None
    """Which checkout of ours its metadata names."""
    names_account: UUID | None
    currency: str
    """In lower case."""
    cents: int | None
    """The price; None when it is no whole number of cents."""
    received_cents: int | None
    """What was paid of it; None while nothing is."""
    payment_id: str
    """What the provider calls the money, once there is some."""
    takings: tuple[Taking, ...] = ()
    note: str = ""
    """What an operator should know."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """A provider's event whose signature is right."""

    event_id: str
    type: str
    object_id: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Hint:
    """What an event is about: a purchase, or the payment of one; or why it is about nothing of ours."""

    purchase_id: str = ""
    payment_id: str = ""
    ignore: str = ""
    flag: str = ""


class Provider(Protocol):
    """A provider with a hosted payment page. No method may be called in a transaction."""

    name: str
    follows_refunds: bool
    """Whether it tells of refunds and disputes."""
    takes_late_payments: bool
    """Whether money can come after a purchase has expired."""

    def request(
        self,
        *,
        checkout_id: UUID,
        account_id: UUID,
        package_code: str,
        name: str,
        usd_cents: int,
        return_url: str,
        cancel_url: str,
        email: str,
    ) -> dict[str, Any]:
        """What `open` is to send; kept with the checkout, so that a second try sends the same."""
        ...

    def open(self, *, checkout_id: UUID, request: Mapping[str, Any]) -> HostedPage:
        """Make the hosted page.

        Raises:
            ProviderNotConfigured, ProviderUnavailable: try again; nothing is known.
            ProviderRefused: it will never be made.
        """
        ...

    def read(self, provider_id: str, *, thorough: bool) -> Purchase:
        """The purchase now; `thorough` asks for refunds and disputes even where none is hinted at.

        Raises:
            ProviderNotConfigured, ProviderUnavailable: try again.
            UnknownPurchase: there is none of this name.
        """
        ...

    def purchase_of(self, payment_id: str) -> str | None:
        """The purchase that this payment paid; None when none of this provider's pages did.

        Raises:
            ProviderNotConfigured, ProviderUnavailable: try again.
        """
        ...

    def verify(self, *, body: bytes, signature: str) -> Event:
        """A webhook's event, once its signature is found right.

        Raises:
            ProviderNotConfigured: there is no secret to check with.
            InvalidSignature: by none of ours, or too old.
        """
        ...

    def hint(self, payload: Mapping[str, Any]) -> Hint:
        """What a stored event is about."""
        ...


def metadata(*, checkout_id: UUID, account_id: UUID, package_code: str) -> dict[str, str]:
    """What we write on a purchase."""
    values = (ids.encode(ids.CHECKOUT, checkout_id), ids.encode(ids.ACCOUNT, account_id), package_code)
    return dict(zip(METADATA, values, strict=True))


def named(prefix: str, value: Any) -> UUID | None:
    """The id in a purchase's metadata; None when it is none of ours."""
    return ids.decode(prefix, value) if isinstance(value, str) else None
