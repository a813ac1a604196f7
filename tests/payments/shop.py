"""Buying through the API, the providers' sandboxes behind it, and what is in the books afterwards."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.test import Client

from billing.ledger.models import Transfer
from billing.selectors import audit, balance
from core import clock, ids
from core.outbox.models import OutboxEvent
from deploy.embedded.sandboxes.server import Sandboxes
from payments.models import Checkout, Deposit, ProviderEvent
from payments.services.process_events import process_due_events
from payments.services.reconcile_deposit import Reconciled, reconcile_deposit
from tests.media.customers import Customer

CHECKOUT = "/api/v1/checkout"
CLAIM = "/api/v1/claim"
WEBHOOKS = "/api/v1/webhooks"
CREATOR_MICROS = 20_000_000
ID_NAMES = {"stripe": "sessionId", "crypto": "chargeId"}
MODEL_NAMES = {"stripe": "stripe", "crypto": "coinbase"}


@dataclass(frozen=True)
class Bought:
    """One purchase that was begun."""

    customer: Customer
    way: str
    """`stripe` or `crypto`."""
    provider_id: str
    checkout_id: UUID
    body: dict[str, Any]

    @property
    def row(self) -> Checkout:
        return Checkout.objects.get(pk=self.checkout_id)

    @property
    def deposit(self) -> Deposit:
        return Deposit.objects.get(pk=self.checkout_id)

    def claim(self, by: Customer | None = None) -> Any:
        return (by or self.customer).post(f"{CLAIM}/{self.way}", {ID_NAMES[self.way]: self.provider_id})

    def reconcile(self, now: datetime | None = None) -> Reconciled:
        provider = MODEL_NAMES[self.way]
        return reconcile_deposit(provider=provider, provider_id=self.provider_id, now=now or clock.now())


class Shop:
    """The platform and its providers."""

    def __init__(self, providers: Sandboxes) -> None:
        self.providers = providers
        self.stripe = providers.stripe
        self.coinbase = providers.coinbase
        self.http = Client(raise_request_exception=False)
        self._told: set[str] = {event["id"] for event in self.stripe.events()}
        self._told |= {event["id"] for event in self.coinbase.events()}

    def buy(self, customer: Customer, way: str = "stripe", package: str = "creator", **body: Any) -> Bought:
        """Begin a purchase that must be accepted."""
        answer = customer.post(f"{CHECKOUT}/{way}", {"packageCode": package, **body})
        assert answer.status_code == 201, answer.content
        found = answer.json()
        checkout_id = ids.decode(ids.CHECKOUT, found["checkoutId"])
        assert checkout_id is not None
        return Bought(customer, way, found[ID_NAMES[way]], checkout_id, found)

    def paid(self, customer: Customer, package: str = "creator") -> Bought:
        """A purchase by card whose credit is there; its events are not told."""
        bought = self.buy(customer, package=package)
        self.stripe.pay(bought.provider_id)
        assert bought.claim().status_code == 200
        self.forget_events()
        return bought

    def payment_of(self, bought: Bought) -> str:
        """The payment intent of a paid session."""
        return str(self.stripe.get("session", bought.provider_id)["payment_intent"])

    def post(self, way: str, body: bytes, signature: str) -> Any:
        """What a provider posts to us."""
        name = {"stripe": "Stripe-Signature", "crypto": "X-CC-Webhook-Signature"}[way]
        return self.http.post(f"{WEBHOOKS}/{way}", body, content_type="application/json", headers={name: signature})

    def tell(self, event_id: str, way: str = "stripe") -> Any:
        """Deliver one event."""
        source = self.stripe if way == "stripe" else self.coinbase
        body, headers = source.webhooks.message(event_id)
        return self.post(way, body, headers.get("Stripe-Signature") or headers["X-CC-Webhook-Signature"])

    def new_events(self, way: str = "stripe") -> list[dict[str, Any]]:
        """The provider's events since last asked, oldest first."""
        events = self.stripe.events() if way == "stripe" else self.coinbase.events()
        found = [event for event in reversed(events) if event["id"] not in self._told]
        self._told |= {event["id"] for event in found}
        return found

    def forget_events(self) -> None:
        """Let what happened so far never be told."""
        self.new_events("stripe")
        self.new_events("crypto")

    def tell_all(self, way: str = "stripe", *, backwards: bool = False) -> list[str]:
        """Deliver every new event; their types."""
        events = self.new_events(way)
        for event in reversed(events) if backwards else events:
            answer = self.tell(event["id"], way)
            assert answer.status_code == 200, answer.content
            assert answer.json() == {"received": True}
        return [event["type"] for event in events]

    def judge(self, now: datetime | None = None) -> int:
        """One round of the steward."""
        return process_due_events(limit=100, now=now or clock.now())


def money(customer: Customer) -> tuple[int, int, int]:
    """(available, held, owed)"""
    view = balance(account_id=customer.id)
    return view.available, view.held, view.receivable


def ledger(bought: Bought) -> list[tuple[str, str, int]]:
    """The transfers of one deposit in their order: (what of it, kind, micros)."""
    start = f"deposit:{bought.checkout_id}:"
    found = Transfer.objects.filter(reference__startswith=start).order_by("id")
    return [(one.reference.removeprefix(start), one.kind, one.amount) for one in found]


def topics() -> list[str]:
    """The topics of the money's events that wait for their handlers, in their order, each once."""
    found = OutboxEvent.objects.filter(topic__startswith="payments.").order_by("id")
    return list(
        dict.fromkeys(
            f"{one.topic.removeprefix('payments.')} {one.payload.get('reversalId', '')}".strip() for one in found
        )
    )


def event_rows() -> list[tuple[str, str]]:
    """(type, status) of every stored event, in the order in which they came."""
    return list(ProviderEvent.objects.order_by("received_at", "id").values_list("type", "status"))


def nothing_stored(customer: Customer) -> None:
    """No money, no deposit, no event."""
    assert money(customer) == (0, 0, 0)
    assert not Transfer.objects.exists()
    assert not Deposit.objects.exists()
    assert not ProviderEvent.objects.exists()


def books_agree() -> None:
    """Recomputed from transfers, every balance is what it says."""
    assert audit() == []
