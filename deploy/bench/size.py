"""How long the bench measures: the default for figures worth keeping, the quick one to see that all is well."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Size:
    """Every bound of a run, in count and time."""

    rounds: int
    """How often each contender runs; the medians count. Many short rounds pair better than few long ones."""
    seconds: float
    """Of one run."""
    clients: tuple[int, ...]
    floor_clients: tuple[int, ...]
    """Where pgbench runs; bare Django and the platform run at `clients`."""
    jobs: int
    jobs_in_flight: int
    job_limit_seconds: float
    single_jobs: int
    history_jobs: int
    statement_entries: int


DEFAULT = Size(
    rounds=5,
    seconds=2,
    clients=(1, 16, 64),
    floor_clients=(1, 4, 16, 64),
    jobs=800,
    jobs_in_flight=400,
    job_limit_seconds=90,
    single_jobs=60,
    history_jobs=1_000_000,
    statement_entries=1_000_000,
)
QUICK = Size(
    rounds=1,
    seconds=1,
    clients=(1, 16),
    floor_clients=(1, 4, 16),
    jobs=150,
    jobs_in_flight=100,
    job_limit_seconds=60,
    single_jobs=15,
    history_jobs=50_000,
    statement_entries=50_000,
)
WORKER_SLOTS = 16
