"""`manage.py bootstrap`: make a fresh installation usable, as `make up` does. Safe to repeat."""

import json
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.services.bootstrap import find_or_create, first_key
from accounts.services.staff import sync_groups
from billing.services.adjust import adjust
from billing.services.open_account import open_account
from core import clock, ids
from gateway.desk.groups import GROUPS, POWERS
from media.fleet.services import register_node
from media.services.publish_prices import publish_missing_prices
from workers.protocol.pools import pools

WELCOME_MICROS = 25_000_000


class Command(BaseCommand):
    """Prices, the desk's groups, the local node, an operator and a first account with $25 and a key."""

    help = "Publish prices, register the local node, create the operator and a first funded account; prints JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """Who is created; the defaults are those of a local installation."""
        parser.add_argument("--email", default="developer@localhost.localdomain")
        parser.add_argument("--admin-email", default="admin@localhost.localdomain")
        parser.add_argument("--node-id", default="local-1")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what exists now; `api_key` is null when it was made by an earlier run (a key is shown once)."""
        publish_missing_prices()
        sync_groups(groups=GROUPS, powers=POWERS)
        register_node(node_id=options["node_id"], pools=sorted(pools()))
        admin_password = os.environ.get("ADMIN_PASSWORD")
        if admin_password:
            find_or_create(email=options["admin_email"], password=admin_password, operator=True)
        user = find_or_create(email=options["email"], password=None, operator=False)
        open_account(account_id=user.pk)
        adjust(
            account_id=user.pk,
            amount=WELCOME_MICROS,
            reason="first credit of a local installation",
            reference=f"bootstrap:{user.pk}",
            actor=None,
            source="promotion",
        )
        printed = {
            "account_id": ids.encode(ids.ACCOUNT, user.pk),
            "email": user.email,
            "api_key": first_key(user=user, label="first key", now=clock.now()),
            "admin": {"email": options["admin_email"], "password": admin_password} if admin_password else None,
        }
        self.stdout.write(json.dumps(printed))
