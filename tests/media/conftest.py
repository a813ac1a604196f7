"""What the media room's tests start from: prices, a living node, customers, clips."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core import clock
from media.fleet.services import register_node
from media.models import Job
from media.services.publish_prices import publish_missing_prices
from tests.core.origin import Origin, answer
from tests.media.customers import Customer, new_customer
from tests.media.sounds import make_sounds
from tests.media.standin import Run, StandIn
from tests.workers.pipelines.lavfi import make_clip
from workers.protocol.pools import pools


@pytest.fixture
def wakes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steward's loops that were woken.

    What must follow a commit (NOTIFY, the wait for the disk) cannot be done inside a test's own transaction; there it
    is only noted. Transactional tests do it in earnest.
    """
    woken: list[str] = []
    mark = request.node.get_closest_marker("django_db")
    if mark is None or not mark.kwargs.get("transaction"):
        for module in ("media.api.views", "media.staging"):
            monkeypatch.setattr(f"{module}.wake_steward", lambda *loops: woken.extend(loops))
        monkeypatch.setattr("media.services.submit_job.wait_until_durable", lambda: None)
    return woken


@pytest.fixture
def priced(db: None) -> None:
    """Every task has its published price."""
    publish_missing_prices()


@pytest.fixture
def node(priced: None, wakes: list[str]) -> StandIn:
    """A living node of every pool with two slots."""
    standin = StandIn(credential=register_node(node_id="node-1", pools=sorted(pools())))
    standin.heartbeat(slots=2)
    return standin


@pytest.fixture
def customer(node: StandIn) -> Customer:
    """Somebody with ten dollars."""
    return new_customer()


@pytest.fixture
def other(node: StandIn) -> Customer:
    """Somebody else with ten dollars."""
    return new_customer()


@pytest.fixture
def poor(node: StandIn) -> Customer:
    """Somebody one micro short of the cheapest picture."""
    return new_customer(9_999)


@pytest.fixture
def nothing_happens(customer: Customer, poor: Customer, wakes: list[str]) -> Iterator[None]:
    """Around the whole test: no money moves, no row is written, nobody is woken."""
    with customer.untouched():
        yield
    assert wakes == []


@pytest.fixture
def job(customer: Customer) -> Job:
    """A picture that waits for its worker."""
    return customer.accepted()


@pytest.fixture
def run(node: StandIn, job: Job) -> Run:
    """That job, claimed."""
    return node.take(job)


@pytest.fixture
def second_node(node: StandIn) -> StandIn:
    """Another living node."""
    standin = StandIn(credential=register_node(node_id="node-2", pools=sorted(pools())))
    standin.heartbeat(slots=1)
    return standin


class Hosted(Origin):
    """An origin on loopback that the settings exempt, serving named files with ranges ignored."""

    files: dict[str, bytes | list[bytes]]

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"


@pytest.fixture
def host(settings: Any) -> Iterator[Hosted]:
    """Serves `files` by name: a list gives its answers one after another, the last one for ever; None is a 503."""

    def respond(request: Any) -> bytes:
        name = request.target.lstrip("/").partition("?")[0]
        content = origin.files.get(name)
        if isinstance(content, list):
            content = content.pop(0) if len(content) > 1 else content[0]
        if content is None:
            return answer(status="503 Away" if name in origin.files else "404 Not Found")
        return answer(content, content_type="application/octet-stream")

    with Hosted(respond) as origin:
        origin.files = {}
        settings.HTTP_ALLOWED_TARGETS = [f"127.0.0.1:{origin.port}"]
        yield origin


@pytest.fixture
def listener() -> Iterator[Origin]:
    """Whoever comes here has been let through."""
    with Origin(lambda _: answer(b"got in")) as origin:
        yield origin


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Small real clips by what is special about them."""
    folder: Path = tmp_path_factory.mktemp("clips")
    wanted: dict[str, dict[str, Any]] = {
        "one": {"frames": 30},
        "two": {"frames": 60},
        "three": {"frames": 90},
        "ntsc": {"frames": 60, "rate": "30000/1001"},
    }
    return {name: make_clip(folder / f"{name}.mp4", **how).read_bytes() for name, how in wanted.items()}


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Small real sounds: every container of the contract, and some to refuse."""
    return make_sounds(tmp_path_factory.mktemp("sounds"))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call with seconds to move the services' clock forward."""
    moved = timedelta()
    real = clock.now

    def move(seconds: float) -> None:
        nonlocal moved
        moved += timedelta(seconds=seconds)
        monkeypatch.setattr(clock, "now", lambda: real() + moved)

    return move
