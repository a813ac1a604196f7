"""What a timed run leaves behind, and how several rounds of it become one figure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


class RunInvalid(RuntimeError):
    """A run had failures or measured nothing: its figures would say nothing."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One timed run: every latency of it, in milliseconds."""

    latencies: Sequence[float]
    seconds: float
    generator_cpu_seconds: float = 0.0
    """What the load generator itself took from the machine."""

    def __post_init__(self) -> None:
        if not self.latencies or self.seconds <= 0:
            raise RunInvalid("the run measured nothing")


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A run, or the medians of several, in four numbers."""

    rate: float
    p50: float
    p95: float
    p99: float

    def relative_to(self, floor: "Figures") -> float:
        """Our rate as a part of the floor's."""
        return self.rate / floor.rate


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: the smallest value that at least `percent` % of the values do not exceed.

    Raises:
        ValueError: there are no values, or `percent` is not above 0 and at most 100.
    """
    if not values or not 0 < percent <= 100:
        raise ValueError("a percentile needs values and a percent above 0 and at most 100")
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def figures(series: Series) -> Figures:
    """The four numbers of one run."""
    ordered = sorted(series.latencies)
    p50, p95, p99 = (percentile(ordered, percent) for percent in (50, 95, 99))
    return Figures(rate=len(ordered) / series.seconds, p50=p50, p95=p95, p99=p99)


def medians(rounds: Sequence[Figures]) -> Figures:
    """Number by number the median over rounds: one round disturbed by a neighbour does not move it."""
    return Figures(
        rate=median(one.rate for one in rounds),
        p50=median(one.p50 for one in rounds),
        p95=median(one.p95 for one in rounds),
        p99=median(one.p99 for one in rounds),
    )


def interleaved(rounds: int, runs: dict[str, Callable[[], Series]]) -> dict[str, Figures]:
    """Run every contender once a round, in turn, so that what disturbs the machine disturbs them alike."""
    seen: dict[str, list[Figures]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            seen[name].append(figures(run()))
    return {name: medians(each) for name, each in seen.items()}
