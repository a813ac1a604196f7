"""What the client's tests start from: the real server over HTTP, a stand-in worker, a customer, no real pauses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from killatamata import Client
from killatamata.config import Config
from killatamata.transport import Pacing
from media.fleet.services import register_node
from media.services.publish_prices import publish_missing_prices
from tests.clients.middleman import Middleman
from tests.media.customers import Customer, new_customer
from tests.media.standin import StandIn
from workers.protocol.pools import pools


class Pauses:
    """A clock that only a pause moves, at once; jitter is always the most there is."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.now = 1000.0

    def sleep(self, seconds: float) -> None:
        self.taken.append(round(seconds, 3))
        self.now += seconds

    def pacing(self) -> Pacing:
        return Pacing(sleep=self.sleep, monotonic=lambda: self.now, jitter=lambda low, high: high)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture(autouse=True)
def _nobody_is_signed_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("KILLATAMATA_API_KEY", "KILLATAMATA_API_BASE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def config() -> Config:
    return Config()


@pytest.fixture
def server(live_server: Any) -> Iterator[Middleman]:
    """The real server, behind somebody who can lose what it says."""
    with Middleman(live_server.url) as middleman:
        yield middleman


@pytest.fixture
def node(server: Middleman) -> StandIn:
    publish_missing_prices()
    standin = StandIn(credential=register_node(node_id="node-1", pools=sorted(pools())))
    standin.heartbeat(slots=2)
    return standin


@pytest.fixture
def customer(node: StandIn) -> Customer:
    """Somebody with ten dollars."""
    return new_customer()


@pytest.fixture
def client(server: Middleman, customer: Customer, pauses: Pauses) -> Iterator[Client]:
    with Client(customer.key, server.url, pacing=pauses.pacing()) as client:
        yield client
