"""What the payments room's tests start from: providers that really answer, packages, customers."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from deploy.embedded.sandboxes.server import Sandboxes
from payments.models import Package
from tests.media.customers import Customer, new_customer
from tests.payments.shop import Shop

PACKAGES = {"starter": 500, "creator": 2_000, "studio": 5_000, "scale": 20_000}


@pytest.fixture(scope="package")
def sandboxes() -> Iterator[Sandboxes]:
    """The providers' sandboxes; their events go nowhere by themselves."""
    with Sandboxes() as running:
        yield running


@pytest.fixture
def providers(sandboxes: Sandboxes, settings: Settings) -> Iterator[Sandboxes]:
    """The sandboxes, with the platform's settings leading to them."""
    for name, value in sandboxes.settings().items():
        several = name.endswith("_SECRETS") or name == "PAYMENTS_SANDBOX"
        setattr(settings, name, value.split(",") if several else value)
    yield sandboxes
    sandboxes.stripe.faults.clear()
    sandboxes.coinbase.faults.clear()


@pytest.fixture
def packages(db: None) -> None:
    """The four packages; a flush after a transactional test empties their table."""
    for position, (code, cents) in enumerate(PACKAGES.items()):
        Package.objects.get_or_create(
            code=code, defaults={"name": code.title(), "usd_cents": cents, "position": position}
        )


@pytest.fixture
def wakes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steward's loops that were woken; only noted inside a test's own transaction, where no NOTIFY may be."""
    woken: list[str] = []
    mark = request.node.get_closest_marker("django_db")
    if mark is None or not mark.kwargs.get("transaction"):
        monkeypatch.setattr("payments.api.webhooks.wake_steward", lambda *loops: woken.extend(loops))
    return woken


@pytest.fixture
def shop(providers: Sandboxes, packages: None, wakes: list[str]) -> Shop:
    """Buying, and what the providers tell of it."""
    return Shop(providers)


@pytest.fixture
def customer(db: None) -> Customer:
    """Somebody without money."""
    return new_customer(deposit=0)


@pytest.fixture
def other(db: None) -> Customer:
    """Somebody else without money."""
    return new_customer(deposit=0)
