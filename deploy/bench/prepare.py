"""`python -m deploy.bench.prepare accounts <n> | capture`, run with a platform's settings; prints JSON."""

import json
import sys
from datetime import timedelta
from typing import Any

import django

django.setup()

from accounts.models import User  # noqa: E402 - Django first
from accounts.services.keys import mint_key  # noqa: E402
from billing.services.adjust import adjust  # noqa: E402
from billing.services.open_account import open_account  # noqa: E402
from core import clock  # noqa: E402
from deploy.bench.capture import capture  # noqa: E402
from deploy.bench.statements import pgbench_script  # noqa: E402
from deploy.bench.traffic import account_uuid  # noqa: E402
from media.fleet.services import note_heartbeat, register_node  # noqa: E402
from workers.protocol.pools import pools  # noqa: E402

PLENTY = 1_000_000_000_000
"""A million dollars: no run empties an account."""


def accounts(count: int) -> list[str]:
    """Accounts 0 to count - 1 with money and a key each; the keys."""
    keys = []
    for number in range(count):
        user = User.objects.create_user(f"bench{number}@localhost.localdomain", id=account_uuid(number))
        open_account(account_id=user.pk)
        adjust(account_id=user.pk, amount=PLENTY, reason="bench", reference=f"bench:{number}", actor=None)
        keys.append(mint_key(user=user, label="bench", now=clock.now()).plain)
    return keys


def placeholder_node(node_id: str) -> None:
    """Let a node without slots live for a day."""
    register_node(node_id=node_id, pools=sorted(pools()))
    later = clock.now() + timedelta(days=1)
    note_heartbeat(node_id=node_id, slots=0, memory_bytes=0, version="bench", now=later)


def main() -> None:
    printed: Any
    if sys.argv[1] == "accounts":
        printed = accounts(int(sys.argv[2]))
    else:
        placeholder_node(sys.argv[3])
        captured = capture(key=sys.argv[2])
        scripts = {
            "spread": pgbench_script(captured.submit, account=":client_id"),
            "hot": pgbench_script(captured.submit, account="0"),
        }
        printed = {"captured": captured.packed(), "scripts": scripts}
    json.dump(printed, sys.stdout)


if __name__ == "__main__":
    main()
