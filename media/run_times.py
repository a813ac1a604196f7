"""How long a run takes: the task's formula, corrected by what runs in its pool have really taken.

For each task and pool a histogram of measured seconds over formula seconds is kept, in buckets an eighth of an octave
wide. Each counted run takes 1 % off the weight of those before it, so that the last hundred or so decide.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max

from media.catalog import registry
from media.models import Attempt, Job, RunTimes
from media.transitions import ATTEMPT_SUCCEEDED, COMPLETED

BUCKETS_AN_OCTAVE = 8
WIDEST = 10 * BUCKETS_AN_OCTAVE
"""A thousand times faster or slower than the formula is as far as it goes."""
KEPT = 0.99
ENOUGH = 5
"""So many runs must have been counted before they are believed."""
BATCH = 500
_CACHE_SECONDS = 5.0
_cached: tuple[float, dict[tuple[str, str], tuple[Mapping[str, float], int]]] = (0.0, {})


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """How long a run will probably take, in seconds, and where that figure comes from."""

    seconds: float
    meta: dict[str, Any]


def estimate(*, task: str, pool: str, formula_seconds: float) -> Estimate:
    """The median of measured runs, scaled to this order; the formula alone while too few were measured.

    What was measured is remembered in this process for a few seconds.
    """
    weights, samples = _known().get((task, pool), ({}, 0))
    if samples < ENOUGH:
        return Estimate(seconds=formula_seconds, meta={"basis": "formula", "runSeconds": formula_seconds})
    low, middle, high = (_seconds(formula_seconds * quantile(weights, share)) for share in (0.1, 0.5, 0.9))
    return Estimate(
        seconds=middle,
        meta={"basis": "measured", "runSeconds": middle, "lowSeconds": low, "highSeconds": high, "samples": samples},
    )


def _seconds(seconds: float) -> float:
    return round(seconds, 1 if seconds >= 1 else 2)


def quantile(weights: Mapping[str, float], share: float) -> float:
    """The ratio below which `share` (0..1) of the weight lies: the middle of that bucket."""
    wanted = share * sum(weights.values())
    reached = 0.0
    for bucket in sorted(weights, key=int):
        reached += weights[bucket]
        if reached >= wanted:
            return float(2 ** (int(bucket) / BUCKETS_AN_OCTAVE))
    raise ValueError("a quantile of no weight")


def counted(weights: Mapping[str, float], ratio: float) -> dict[str, float]:
    """The histogram with one more run, whose seconds were `ratio` times the formula's."""
    bucket = str(max(-WIDEST, min(WIDEST, round(math.log2(ratio) * BUCKETS_AN_OCTAVE))))
    faded = {name: weight * KEPT for name, weight in weights.items() if weight * KEPT > 1e-3}
    return {**faded, bucket: faded.get(bucket, 0.0) + 1.0}


def count_finished() -> int:
    """Count the runs that finished since the last count, up to BATCH; how many there were.

    A run that commits late, after one that finished later was counted, is left out: these are statistics.
    """
    since = RunTimes.objects.aggregate(until=Max("observed_until"))["until"]
    finished = Job.objects.filter(status=COMPLETED, swept_at=None, duration_ms__gt=0)
    if since is not None:
        finished = finished.filter(finished_at__gt=since)
    jobs = list(finished.order_by("finished_at").only("task", "duration_ms", "finished_at", "pricing_meta")[:BATCH])
    if not jobs:
        return 0
    pools = dict(Attempt.objects.filter(job__in=jobs, status=ATTEMPT_SUCCEEDED).values_list("job_id", "pool"))
    with transaction.atomic(durable=True):
        known = {(row.task, row.pool): row for row in RunTimes.objects.select_for_update()}
        for job in jobs:
            key = (job.task, pools[job.pk])
            row = known.setdefault(key, RunTimes(task=key[0], pool=key[1]))
            formula = registry.all_tasks()[job.task].estimate_seconds(job.pricing_meta["units"])
            row.weights = counted(row.weights, (job.duration_ms or 1) / 1000 / formula)
            row.samples += 1
            row.observed_until = job.finished_at or row.observed_until
        for key in {(job.task, pools[job.pk]) for job in jobs}:
            known[key].save()
    return len(jobs)


def _known() -> dict[tuple[str, str], tuple[Mapping[str, float], int]]:
    global _cached  # noqa: PLW0603 - one value per process, replaced whole
    if _cached[0] <= time.monotonic():
        rows = RunTimes.objects.values_list("task", "pool", "weights", "samples")
        _cached = time.monotonic() + _CACHE_SECONDS, {(task, pool): (w, n) for task, pool, w, n in rows}
    return _cached[1]
