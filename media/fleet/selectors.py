"""Which nodes live and how many slots a pool has."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from core import clock
from core.errors import Unavailable
from media.models import Node
from workers.protocol.pools import Pool, pools

HEARTBEAT_SECONDS = 5.0
ALIVE_FOR = timedelta(seconds=20)
"""A node is alive this long after its last heartbeat: three may be lost."""


class PoolUnavailable(Unavailable):
    """No worker that runs this task is alive right now; try again shortly."""


@dataclass(frozen=True, kw_only=True)
class PoolState:
    """What a pool can take."""

    pool: Pool
    live_nodes: int
    slots: int


def pool_states(*, now: datetime) -> dict[str, PoolState]:
    """Every pool of the routing table with its living nodes and their slots."""
    nodes = list(
        Node.objects.filter(last_seen_at__gte=now - ALIVE_FOR, disabled_at=None, drain_requested_at=None).values_list(
            "pools", "slots"
        )
    )
    return {
        name: PoolState(
            pool=pool,
            live_nodes=sum(1 for served, _ in nodes if name in served),
            slots=sum(slots for served, slots in nodes if name in served),
        )
        for name, pool in pools().items()
    }


_recent: tuple[float, dict[str, PoolState]] = (0.0, {})


def recent_pool_states() -> dict[str, PoolState]:
    """`pool_states`, at most a second old: what submits ask."""
    global _recent  # noqa: PLW0603 - one value per process, replaced whole
    if _recent[0] < time.monotonic():
        _recent = time.monotonic() + 1.0, pool_states(now=clock.now())
    return _recent[1]


def require_pool(pool: Pool) -> None:
    """Check that a submit to this pool makes sense now.

    Raises:
        PoolUnavailable: no node of it lives and none can be started on demand.
    """
    if not pool.scalable and recent_pool_states()[pool.name].live_nodes == 0:
        raise PoolUnavailable(details={"pool": pool.name})
