"""What the operator's front page tells of jobs."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Count

from core import ids
from media.models import Job
from media.selectors import live_attempts
from media.transitions import ATTEMPT_LIVE, COMPLETED, FAILED


class JobCounts(NamedTuple):
    """Jobs that were submitted since some moment."""

    by_task: dict[str, dict[str, int]]
    """Task → status → how many."""

    def of(self, status: str) -> int:
        """How many, of all tasks."""
        return sum(statuses.get(status, 0) for statuses in self.by_task.values())

    @property
    def failure_rate(self) -> float | None:
        """Failed of those that completed or failed; None while there are none."""
        over = self.of(COMPLETED) + self.of(FAILED)
        return self.of(FAILED) / over if over else None


def jobs_by_task(*, since: datetime) -> JobCounts:
    """Jobs submitted since then, by task and state: one walk over the end of the primary key."""
    counted: dict[str, dict[str, int]] = {}
    jobs = Job.objects.filter(pk__gte=ids.earliest(since), created_at__gte=since).order_by()
    for task, status, count in jobs.values_list("task", "status").annotate(Count("pk")):
        counted.setdefault(task, {})[status] = count
    return JobCounts(dict(sorted(counted.items())))


def queue_by_pool() -> dict[str, dict[str, int]]:
    """Pool → status of its live attempts → how many."""
    pools: dict[str, dict[str, int]] = {}
    for pool, status, count in live_attempts():
        pools.setdefault(pool, dict.fromkeys(ATTEMPT_LIVE, 0))[status] = count
    return dict(sorted(pools.items()))
