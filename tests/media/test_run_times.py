"""Estimates learn from what runs have taken, task by task and pool by pool."""

from typing import Any

import pytest

from core import clock
from media import run_times
from media.models import Job, RunTimes
from media.run_times import count_finished, counted, quantile
from tests.media.customers import ESTIMATE, PROMPT, Customer
from tests.media.standin import StandIn

pytestmark = pytest.mark.django_db

FORMULA = 1.9  # 0.6 + 1.2 × 1.048576, rounded to a tenth


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered from another test, and nothing for longer than a look."""
    monkeypatch.setattr(run_times, "_cached", (0.0, {}))
    monkeypatch.setattr(run_times, "_CACHE_SECONDS", 0.0)


def estimated(
    customer: Customer, task: str = "image.generate", task_input: Any = PROMPT
) -> tuple[float, dict[str, Any]]:
    body = customer.post(ESTIMATE, {"task": task, "input": task_input}).json()
    return body["estimatedDurationSeconds"], body["durationEstimateMeta"]


def ran(customer: Customer, node: StandIn, milliseconds: int) -> Job:
    job = customer.accepted()
    node.finish(job, run_ms=milliseconds)
    return job


def test_before_enough_runs_the_formula_decides(customer: Customer, node: StandIn) -> None:
    for _ in range(run_times.ENOUGH - 1):
        ran(customer, node, 60_000)
    assert count_finished() == 4
    assert estimated(customer) == (FORMULA, {"basis": "formula", "runSeconds": FORMULA})


def test_then_the_median_of_what_was_measured(customer: Customer, node: StandIn) -> None:
    for milliseconds in (3_800, 3_800, 3_800, 950, 60_800):  # twice the formula; one at half, one at 32 times
        ran(customer, node, milliseconds)
    assert count_finished() == 5
    seconds, meta = estimated(customer)
    assert (seconds, meta) == (
        3.8,
        {"basis": "measured", "runSeconds": 3.8, "lowSeconds": 0.95, "highSeconds": 60.8, "samples": 5},
    )
    job = customer.accepted()
    assert (job.estimated_seconds, job.duration_meta) == (3.8, meta)
    assert customer.status(job)["durationEstimateMeta"] == meta
    # A larger picture: the same factor on its own formula.
    assert estimated(customer, task_input={**PROMPT, "width": 2048, "height": 2048})[0] == pytest.approx(5.6 * 2)


def test_each_run_is_counted_once_and_failed_ones_never(customer: Customer, node: StandIn) -> None:
    ran(customer, node, 2_000)
    node.take(customer.accepted()).fail(retryable=False)
    assert (count_finished(), count_finished()) == (1, 0)
    ran(customer, node, 2_000)
    assert (count_finished(), count_finished()) == (1, 0)
    row = RunTimes.objects.get()
    assert (row.task, row.pool, row.samples) == ("image.generate", "image", 2)
    assert row.observed_until <= clock.now()


def test_tasks_do_not_teach_each_other(customer: Customer, node: StandIn) -> None:
    for _ in range(5):
        ran(customer, node, 3_800)
    count_finished()
    assert estimated(customer, "moss.sound.effect", {"prompt": "rain"})[1]["basis"] == "formula"


def test_old_runs_fade() -> None:
    weights: dict[str, float] = {}
    for _ in range(200):
        weights = counted(weights, 8.0)
    assert quantile(weights, 0.5) == 8.0
    for _ in range(70):
        weights = counted(weights, 0.5)
    assert quantile(weights, 0.5) == 0.5  # 0.99 ** 70 is just under a half
    assert quantile(weights, 0.9) == 8.0
    assert sum(weights.values()) < 100


@pytest.mark.parametrize(
    ("ratio", "middle"), [(1.0, 1.0), (1.04, 1.0), (1.05, 2 ** (1 / 8)), (1e9, 1024.0), (1e-9, 1 / 1024)]
)
def test_buckets_are_an_eighth_of_an_octave_and_end_somewhere(ratio: float, middle: float) -> None:
    assert quantile(counted({}, ratio), 0.5) == middle
