"""Operators let nodes in: `register_node` with the checks that a person at a keyboard needs, and rotation."""

import re
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from media.fleet.services import register_node
from media.models import Node
from workers.protocol.pools import pools
from workers.protocol.signing import NodeCredential

_NODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


class CannotEnrol(ValueError):
    """The node cannot be let in as asked; the message says why. Nothing changed."""


def enrol_node(*, node_id: str, pools_served: Sequence[str] | None, rotate: bool) -> NodeCredential:
    """Let `node_id` serve these pools (None: those it serves already) and hand out its credential.

    The same call again gives the same credential, unless `rotate` makes the one before worthless: within a second,
    for so long web processes remember nodes. A node that was disabled is let in again.

    Raises:
        CannotEnrol: the name cannot be used, a pool is not in pools.toml, a new node names no pool, or there is no
            secret to rotate yet.
    """
    if _NODE_ID.fullmatch(node_id) is None:
        raise CannotEnrol("a node's name has 1 to 60 letters, digits, dots, dashes or underscores")
    unknown = sorted(set(pools_served or ()) - set(pools()))
    if unknown:
        raise CannotEnrol(f"pools.toml has no pool {', '.join(unknown)}; it has {', '.join(sorted(pools()))}")
    with transaction.atomic():
        known = Node.objects.select_for_update().filter(pk=node_id).first()
        if known is None and rotate:
            raise CannotEnrol(f"there is no node {node_id} whose secret could be rotated")
        wanted = list(dict.fromkeys(pools_served)) if pools_served else known.pools if known else []
        if not wanted:
            raise CannotEnrol("name the pools that a new node serves")
        if rotate:
            Node.objects.filter(pk=node_id).update(secret_version=F("secret_version") + 1)
        return register_node(node_id=node_id, pools=wanted)
