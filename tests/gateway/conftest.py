"""What the gateway's tests start from: prices, a living node, a customer."""

import pytest

from media.fleet.services import register_node
from media.services.publish_prices import publish_missing_prices
from tests.media.customers import Customer, new_customer
from tests.media.standin import StandIn
from workers.protocol.pools import pools


@pytest.fixture
def node(db: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A living node of every pool; outside transactional tests the steward is not really woken."""
    mark = request.node.get_closest_marker("django_db")
    if mark is None or not mark.kwargs.get("transaction"):
        for module in ("media.api.views", "media.staging"):
            monkeypatch.setattr(f"{module}.wake_steward", lambda *loops: None)
        monkeypatch.setattr("media.services.submit_job.wait_until_durable", lambda: None)
    publish_missing_prices()
    standin = StandIn(credential=register_node(node_id="node-1", pools=sorted(pools())))
    standin.heartbeat(slots=2)
    return standin


@pytest.fixture
def customer(node: StandIn) -> Customer:
    """Somebody with ten dollars."""
    return new_customer()
