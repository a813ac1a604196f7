"""Deposits, duplicates, claims, jobs, refunds, disputes, commissions and payouts in any order, with threads."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from deploy.embedded.sandboxes.server import Sandboxes
from payments.models import Package
from tests.flows.money_machine import PACKAGES, Money

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def machine(settings: Any) -> Iterator[type[Money]]:
    """The machine with a provider behind it, and no step counted yet."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 10_000_000)
    for code, cents in PACKAGES.items():
        Package.objects.get_or_create(code=code, defaults={"name": code, "usd_cents": cents})
    with Sandboxes() as sandboxes:
        for name, value in sandboxes.settings().items():
            setattr(settings, name, value.split(",") if name.endswith(("_SECRETS", "_SANDBOX")) else value)
        Money.sandboxes = sandboxes
        Money.steps = 0
        Money.tallies = {}
        yield Money


def run(machine: type[Money], *, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_order_of_everything(machine: type[Money]) -> None:
    run(machine, examples=8, steps=40)
    assert machine.steps >= 100
    assert machine.tallies["payment"] > 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_ten_thousand_steps(machine: type[Money], capsys: pytest.CaptureFixture[str]) -> None:
    while machine.steps < 10_000:
        run(machine, examples=20, steps=100)
    with capsys.disabled():
        print(f"\n{machine.steps} steps: {machine.tallies}")
    # Payouts need several things in a row; chance deals them in most runs, and tests/affiliates in all.
    wanted = {"payment", "refund", "dispute", "won", "capture", "release", "maturity"}
    assert wanted <= {name for name, times in machine.tallies.items() if times}
