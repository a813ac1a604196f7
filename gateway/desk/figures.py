"""The front page's figures, read from every room at most twice a minute."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from affiliates.figures import Payouts, applications_waiting, payouts_waiting
from billing.figures import Debts, adjustments_waiting, captured_by_day, debts
from core import clock
from core.outbox.services import backlog
from core.webhooks.selectors import pending_deliveries
from media.figures import JobCounts, jobs_by_task, queue_by_pool
from media.fleet.selectors import PoolState, pool_states
from payments.figures import Flagged, deposits_by_day, flagged

DAYS = 30
REMEMBERED_SECONDS = 30.0
_Figures = TypeVar("_Figures")
_remembered: dict[str, tuple[float, object]] = {}


@dataclass(frozen=True, kw_only=True)
class Money:
    """For finance."""

    days: list[date]
    revenue: dict[date, int]
    """Micros that were charged for work."""
    deposits: dict[tuple[date, str], int]
    """Micros by day and provider."""
    adjustments: int
    """Waiting for a second person."""
    debts: Debts


@dataclass(frozen=True, kw_only=True)
class Work:
    """For whoever looks after jobs."""

    jobs: JobCounts
    """Of the last day."""
    queues: dict[str, dict[str, int]]
    pools: dict[str, PoolState]
    waiting_events: int
    dead_events: int
    waiting_callbacks: int


@dataclass(frozen=True, kw_only=True)
class Reviews:
    """What waits for affiliates' reviewers."""

    payouts: dict[str, Payouts]
    applications: int


def money() -> Money:
    """The last 30 days (UTC), today last."""
    return _recent("money", _money)


def work() -> Work:
    """The last 24 hours and now."""
    return _recent("work", _work)


def reviews() -> Reviews:
    """Now."""
    return _recent("reviews", lambda: Reviews(payouts=payouts_waiting(), applications=applications_waiting()))


def payments_flagged() -> Flagged:
    """Now."""
    return _recent("flagged", flagged)


def forget() -> None:
    """Read everything afresh from now on, in this process."""
    _remembered.clear()


def _money() -> Money:
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=DAYS - 1)
    return Money(
        days=[(first + timedelta(days=number)).date() for number in range(DAYS)],
        revenue=captured_by_day(since=first),
        deposits=deposits_by_day(since=first),
        adjustments=adjustments_waiting(),
        debts=debts(),
    )


def _work() -> Work:
    now: datetime = clock.now()
    waiting, dead = backlog()
    return Work(
        jobs=jobs_by_task(since=now - timedelta(days=1)),
        queues=queue_by_pool(),
        pools=pool_states(now=now),
        waiting_events=waiting,
        dead_events=dead,
        waiting_callbacks=pending_deliveries(),
    )


def _recent(name: str, read: Callable[[], _Figures]) -> _Figures:
    known = _remembered.get(name)
    if known is None or known[0] < time.monotonic():
        known = _remembered[name] = time.monotonic() + REMEMBERED_SECONDS, read()
    figures: _Figures = known[1]  # type: ignore[assignment]  # what `read` returned under this name
    return figures
