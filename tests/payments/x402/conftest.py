"""The sandbox's facilitator and chain, and buyers with wallets on it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.embedded.sandboxes.server import Sandboxes
from tests.media.customers import new_customer
from tests.payments.x402.buyers import Buyer


@pytest.fixture(scope="session")
def _sandboxes() -> Iterator[Sandboxes]:
    with Sandboxes() as running:
        yield running


@pytest.fixture
def sandboxes(_sandboxes: Sandboxes, settings: Any) -> Iterator[Sandboxes]:
    """They, as the platform's only x402; their faults are over when the test is."""
    told = _sandboxes.settings()
    for name in told:
        if name.startswith("X402_"):
            setattr(settings, name, told[name])
    settings.PAYMENTS_SANDBOX = ["x402"]
    yield _sandboxes
    _sandboxes.x402.faults.clear()
    _sandboxes.x402.rpc.faults.clear()
    _sandboxes.x402.signer.receipts_to_lose = 0


@pytest.fixture
def new_buyer(transactional_db: None, sandboxes: Sandboxes) -> Callable[..., Buyer]:
    """Makes buyers with no credit and a hundred USDC."""

    def make(*, units: int = 100_000_000) -> Buyer:
        return Buyer(customer=new_customer(0), wallet=sandboxes.x402.payer(units=units), sandboxes=sandboxes)

    return make


@pytest.fixture
def asker(db: None, sandboxes: Sandboxes) -> Buyer:
    """The same, in a transaction that is undone: for requests that never come to settling anything."""
    return Buyer(customer=new_customer(0), wallet=sandboxes.x402.payer(units=100_000_000), sandboxes=sandboxes)


@pytest.fixture
def buyer(new_buyer: Callable[..., Buyer]) -> Buyer:
    """Somebody with no credit and a hundred USDC."""
    return new_buyer()
