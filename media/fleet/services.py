"""Register nodes, recognise them, note their heartbeats; take them out of service and put them back."""

import time
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings

from core.errors import InvalidState, NotFound
from media.models import Attempt, Node
from media.transitions import ATTEMPT_RUNNING
from workers.protocol import signing

REMEMBERED_SECONDS = 1.0
_known: dict[str, tuple[float, Node]] = {}


def register_node(*, node_id: str, pools: Sequence[str]) -> signing.NodeCredential:
    """Make the node known for these pools and derive its credential; the secret itself is stored nowhere."""
    node, _ = Node.objects.update_or_create(id=node_id, defaults={"pools": list(pools), "disabled_at": None})
    return credential(node)


class NodeNotFound(NotFound):
    """There is no such node."""


class NodeOutOfService(InvalidState):
    """The node is disabled; enable it first."""


def drain_node(*, node_id: str, now: datetime) -> None:
    """Give the node no new work; what it runs is finished. It is told at its next heartbeat. Safe to repeat.

    Raises:
        NodeNotFound: there is no such node.
        NodeOutOfService: it is disabled.
    """
    nodes = Node.objects.filter(pk=node_id)
    if not nodes.filter(disabled_at=None, drain_requested_at=None).update(drain_requested_at=now):
        node = nodes.first()
        if node is None:
            raise NodeNotFound
        if node.disabled_at is not None:
            raise NodeOutOfService
    forget_nodes()


def disable_node(*, node_id: str, now: datetime) -> None:
    """Hear the node no more, within a second in every process. What it runs is lost with its leases. Safe to repeat.

    Raises:
        NodeNotFound: there is no such node.
    """
    nodes = Node.objects.filter(pk=node_id)
    if not nodes.filter(disabled_at=None).update(disabled_at=now) and not nodes.exists():
        raise NodeNotFound
    forget_nodes()


def enable_node(*, node_id: str) -> None:
    """Hear the node and give it work again, whether it was draining or disabled.

    Raises:
        NodeNotFound: there is no such node.
    """
    if not Node.objects.filter(pk=node_id).update(disabled_at=None, drain_requested_at=None):
        raise NodeNotFound
    forget_nodes()


def credential(node: Node) -> signing.NodeCredential:
    """What `node` must sign with."""
    return _derived(settings.NODE_MASTER_KEY, node)


def accepted_secrets(node: Node) -> list[bytes]:
    """What `node` may sign with: today's secret first, then those of the master keys that are being replaced."""
    return [_derived(key, node).secret for key in (settings.NODE_MASTER_KEY, *settings.NODE_MASTER_KEY_FALLBACKS)]


def find_node(node_id: str) -> Node | None:
    """A node that may be heard, remembered for a second: every call of every worker asks for one."""
    known = _known.get(node_id)
    if known is None or known[0] < time.monotonic():
        node = Node.objects.filter(pk=node_id, disabled_at=None).first()
        if node is None:
            return None
        known = _known[node_id] = time.monotonic() + REMEMBERED_SECONDS, node
    return known[1]


def forget_nodes() -> None:
    """Read nodes afresh from now on, in this process."""
    _known.clear()


def note_heartbeat(*, node_id: str, slots: int, memory_bytes: int, version: str, now: datetime) -> None:
    """The node lives and has this many slots."""
    Node.objects.filter(pk=node_id).update(slots=slots, memory_bytes=memory_bytes, version=version, last_seen_at=now)


def attempts_to_stop(*, node_id: str, running: Sequence[UUID]) -> list[UUID]:
    """Those of the node's running attempts that it should stop: cancelled jobs, and leases it no longer has."""
    alive = set(
        Attempt.objects.filter(
            pk__in=running, node_id=node_id, status=ATTEMPT_RUNNING, job__cancel_requested_at=None
        ).values_list("pk", flat=True)
    )
    return [attempt_id for attempt_id in running if attempt_id not in alive]


def _derived(master_key: str, node: Node) -> signing.NodeCredential:
    return signing.derive(master_key.encode(), node_id=node.pk, version=node.secret_version)
