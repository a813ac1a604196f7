"""Buyers with a wallet on the sandbox's chain, and what the books say after they paid."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from billing.selectors import audit, balance, house_totals
from core import ids
from core.outbox.models import OutboxEvent
from deploy.embedded.sandboxes.server import Sandboxes
from deploy.embedded.sandboxes.x402.payer import Payer, header
from payments.models import Deposit, X402Payment
from payments.services import purchase_x402
from tests.media.customers import Customer

PURCHASE = "/api/v1/credits/purchase/x402"
ALIAS = "/api/v1/deposit/x402"
TEN_DOLLARS = 1_000
"""In cents."""


def decoded(value: str) -> Any:
    """An x402 header as JSON."""
    return json.loads(base64.b64decode(value))


@dataclass
class Buyer:
    """A customer and the wallet that pays."""

    customer: Customer
    wallet: Payer
    sandboxes: Sandboxes

    def ask(self, usd_cents: int = TEN_DOLLARS, **more: Any) -> Any:
        """Ask what to sign."""
        return self.customer.post(PURCHASE, {"usdCents": usd_cents, **more})

    def asked(self, usd_cents: int = TEN_DOLLARS) -> dict[str, Any]:
        """The requirements of a purchase."""
        answer = self.ask(usd_cents)
        assert answer.status_code == 402, answer.content
        accepts = decoded(answer["PAYMENT-REQUIRED"])["accepts"]
        assert len(accepts) == 1
        return accepts[0]  # type: ignore[no-any-return]

    def signed(self, usd_cents: int = TEN_DOLLARS, **changes: Any) -> dict[str, Any]:
        """A payment of so much, ready to send."""
        return self.wallet.sign(self.asked(usd_cents), **changes)

    def pay(
        self,
        payload: dict[str, Any] | str,
        usd_cents: int = TEN_DOLLARS,
        *,
        path: str = PURCHASE,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> Any:
        """Send a payment."""
        value = payload if isinstance(payload, str) else header(payload)
        return self.customer.post(
            path, {"usdCents": usd_cents, **more}, headers={"PAYMENT-SIGNATURE": value} | (headers or {})
        )

    @property
    def units(self) -> int:
        """What the wallet holds, in atomic units."""
        return self.sandboxes.x402.chain.balance(self.wallet.address)

    @property
    def available(self) -> int:
        return balance(account_id=self.customer.id).available

    def payment(self) -> X402Payment:
        """The account's one payment."""
        return X402Payment.objects.get(account_id=self.customer.id)

    @contextmanager
    def nothing_bought(self) -> Iterator[None]:
        """No row, no money, no event comes of what happens inside."""
        before = self._traces()
        yield
        assert self._traces() == before
        assert audit() == []

    def _traces(self) -> tuple[Any, ...]:
        account = self.customer.id
        return (
            X402Payment.objects.filter(account_id=account).count(),
            Deposit.objects.filter(account_id=account).count(),
            self.available,
            self.units,
            house_totals().get("cash:x402", 0),
            OutboxEvent.objects.filter(topic="payments.deposit_settled").count(),
        )


def bought_once(buyer: Buyer, *, cents: int = TEN_DOLLARS, transaction: str | None = None) -> Deposit:
    """Exactly one purchase of `cents` is in the books, the wallet paid for it, and nothing contradicts it."""
    payment = buyer.payment()
    deposit = Deposit.objects.get(account_id=buyer.customer.id)
    assert (payment.status, payment.usd_cents, payment.reconcile_at) == ("settled", cents, None)
    assert transaction in (None, payment.transaction)
    assert deposit.pk == payment.pk
    assert (deposit.provider, deposit.provider_id, deposit.usd_cents) == ("x402", payment.transaction, cents)
    assert (deposit.amount_micros, deposit.reversed_micros, deposit.reconcile_at) == (cents * 10_000, 0, None)
    assert ledger(buyer) == [(f"deposit:{payment.pk}:paid", "deposit", cents * 10_000)]
    assert audit() == []
    return deposit


def ledger(buyer: Buyer) -> list[tuple[str, str, int]]:
    """Reference, kind and amount of the account's transfers from x402's cash."""
    from billing.ledger.models import Transfer

    found = Transfer.objects.filter(credit__owner_id=buyer.customer.id, debit__kind="cash:x402")
    return [(one.reference, one.kind, one.amount) for one in found.order_by("id")]


def never_sent(buyer: Buyer, times: int = 1) -> None:
    """The next settlements are never broadcast, and nobody is told."""
    buyer.sandboxes.x402.faults.drop_next(times, on="/settle")


def just_before_settling(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Any]) -> None:
    """Between the facilitator's word that a payment would settle and the order to settle it, this happens."""
    begin = purchase_x402._begin

    def first_this(*args: Any) -> Any:
        happens()
        return begin(*args)

    monkeypatch.setattr(purchase_x402, "_begin", first_this)


def public_id(payment: X402Payment) -> str:
    return ids.encode(ids.X402_PAYMENT, payment.pk)
