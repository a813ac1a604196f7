"""Hand ready attempts to the broker: never more than the pool can take, by priority and fair share."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection

from media.fleet.selectors import PoolState, recent_pool_states
from media.models import Attempt
from media.transitions import ATTEMPT, ATTEMPT_PUBLISHED, ATTEMPT_READY
from workers.protocol.envelope import AttemptMessage
from workers.protocol.pools import pools

WINDOW = 5000
"""How deep into a pool's waiting attempts fair share looks."""

Publish = Callable[[AttemptMessage], None]
_log = structlog.get_logger(__name__)


class _Chosen(NamedTuple):
    id: UUID
    task: str
    pool: str


def dispatch(*, publish: Publish, now: datetime) -> int:
    """Publish what the living pools can take now; how many messages went out.

    An attempt is marked `published` first and its message sent after that commit: a crash between the two is
    mended by the republishing, and a message too many is dropped by its claim. A message that the broker refuses
    puts its attempt, and those that were to follow, back to `ready`.
    """
    sent = 0
    for name, overdue in _pools_with_work(now):
        state = recent_pool_states()[name]
        if state.slots == 0:
            continue
        batch = [*(_overdue(state, now) if overdue else ()), *_next(state, now)]
        for place, chosen in enumerate(batch):
            try:
                publish(AttemptMessage(attempt_id=chosen.id, task=chosen.task, pool=chosen.pool))
            except Exception as error:
                for unsent in batch[place:]:
                    ATTEMPT.apply("unpublish", Attempt.objects.filter(pk=unsent.id))
                _log.warning("publish_failed", attempt_id=str(chosen.id), pool=chosen.pool, error=repr(error))
                return sent
            sent += 1
    return sent


def _pools_with_work(now: datetime) -> list[tuple[str, bool]]:
    """Each pool with something to do, and whether messages of it are overdue.

    Most rounds find nothing: one small query then, whatever the number of pools.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pool, bool_or(status = %s) FROM media_attempt "
            "WHERE status = %s OR (status = %s AND published_at < %s) GROUP BY pool",
            [ATTEMPT_PUBLISHED, ATTEMPT_READY, ATTEMPT_PUBLISHED, _republish_before(now)],
        )
        return [(name, overdue) for name, overdue in cursor.fetchall() if name in pools()]


def _republish_before(now: datetime) -> datetime:
    return now - timedelta(seconds=settings.MEDIA_REPUBLISH_SECONDS)


def _overdue(state: PoolState, now: datetime) -> list[_Chosen]:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE media_attempt SET published_at = %s "
            "WHERE pool = %s AND status = %s AND published_at < %s RETURNING id, task, pool",
            [now, state.pool.name, ATTEMPT_PUBLISHED, _republish_before(now)],
        )
        return [_Chosen(*row) for row in cursor.fetchall()]


def _next(state: PoolState, now: datetime) -> list[_Chosen]:
    """Mark the next attempts published. An account's turn is its place among its own plus what it has in flight."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH busy AS (
                SELECT account_id, count(*) AS attempts FROM media_attempt
                WHERE pool = %(pool)s AND status IN ('published', 'running') GROUP BY account_id
            ), room AS (
                SELECT greatest(%(capacity)s - coalesce(sum(attempts), 0), 0) AS free FROM busy
            ), waiting AS (
                SELECT id, account_id, priority FROM media_attempt
                WHERE pool = %(pool)s AND status = 'ready' ORDER BY priority DESC, id LIMIT %(window)s
            ), ranked AS (
                SELECT waiting.id, waiting.priority,
                       row_number() OVER (PARTITION BY waiting.account_id, waiting.priority ORDER BY waiting.id)
                           + coalesce(busy.attempts, 0) AS turn
                FROM waiting LEFT JOIN busy USING (account_id)
            )
            UPDATE media_attempt SET status = %(target)s, published_at = %(now)s
            WHERE status = %(source)s AND id = ANY (ARRAY(
                SELECT id FROM ranked ORDER BY priority DESC, turn, id LIMIT (SELECT free FROM room)
            ))
            RETURNING id, task, pool
            """,
            {
                "pool": state.pool.name,
                "capacity": state.slots + state.pool.prefetch,
                "window": WINDOW,
                "source": ATTEMPT_READY,
                "target": ATTEMPT_PUBLISHED,
                "now": now,
            },
        )
        return [_Chosen(*row) for row in cursor.fetchall()]
