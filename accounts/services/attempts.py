"""What may be done only so often: counted atomically in PostgreSQL, since losing Valkey must not forget guesses."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from accounts.models import CountedAttempt
from core.errors import RateLimited

LONGEST_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most `most` attempts of `kind` by one subject in any `window`."""

    kind: str
    most: int
    window: timedelta = LONGEST_WINDOW


def count_attempt(*, subjects: Sequence[tuple[Limit, str]], now: datetime) -> None:
    """Count one attempt against every (limit, subject), or none if one of them is used up.

    Atomic between processes: whoever counts the same subject waits. Locks are taken in one order.

    Raises:
        RateLimited: with the seconds until the attempt may be made; it was not counted.
    """
    with transaction.atomic():
        _lock([f"{limit.kind}:{subject}" for limit, subject in subjects])
        for limit, subject in subjects:
            counted = list(
                CountedAttempt.objects.filter(kind=limit.kind, subject=subject, at__gt=now - limit.window)
                .order_by("-at")
                .values_list("at", flat=True)[: limit.most]
            )
            if len(counted) >= limit.most:
                seconds = (counted[-1] + limit.window - now).total_seconds()
                raise RateLimited("Too many attempts; try again later.", retry_after=max(1, round(seconds)))
        CountedAttempt.objects.bulk_create(
            [CountedAttempt(kind=limit.kind, subject=subject, at=now) for limit, subject in subjects]
        )


def forget_old_attempts(*, now: datetime, limit: int = 5000) -> int:
    """Delete attempts that count no longer; how many."""
    old = CountedAttempt.objects.filter(at__lte=now - LONGEST_WINDOW).order_by("at").values("pk")[:limit]
    return CountedAttempt.objects.filter(pk__in=old).delete()[0]


def _lock(names: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        for number in sorted(zlib.crc32(name.encode()) for name in names):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCKS, number - 2**31])


_LOCKS = zlib.crc32(b"accounts.attempts") - 2**31
