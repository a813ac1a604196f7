"""What a timed run leaves behind, and how several rounds of it become one figure."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
    requests: int = 0
    """All that were answered, those before and after the measured time too."""
    cost: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds of CPU a request, by process. A busy machine hardly changes them, as it does every other figure."""

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


class Contest:
    """Contenders that ran in turn: every round each of them once, so that a disturbed machine disturbs them alike."""

    def __init__(self, rounds: int, runs: Mapping[str, Callable[[], Series]]) -> None:
        self.rounds: dict[str, list[Figures]] = {name: [] for name in runs}
        self._costs: dict[str, list[Mapping[str, float]]] = {name: [] for name in runs}
        self._generator: list[float] = []
        for _ in range(rounds):
            for name, run in runs.items():
                series = run()
                self.rounds[name].append(figures(series))
                self._costs[name].append(series.cost)
                self._generator.append(series.generator_cpu_seconds / max(series.requests, 1))

    def __contains__(self, name: str) -> bool:
        return name in self.rounds

    def medians(self) -> dict[str, Figures]:
        """Each contender's figures."""
        return {name: medians(each) for name, each in self.rounds.items()}

    def ratio(self, name: str, to: str, figure: str = "rate") -> float:
        """The median over rounds of one contender's figure divided by another's of the same round.

        Steadier than dividing the medians: a slow minute slows both of its round's runs.
        """
        pairs = zip(self.rounds[name], self.rounds[to], strict=True)
        return median(getattr(one, figure) / getattr(other, figure) for one, other in pairs)

    def cost(self, name: str, process: str) -> float:
        """The median over rounds of the milliseconds of CPU that a process spent on one of the contender's requests."""
        return median(each.get(process, 0.0) for each in self._costs[name])

    @property
    def generator_microseconds(self) -> float:
        """What a request cost the load generator, at its worst."""
        return max(self._generator) * 1_000_000
