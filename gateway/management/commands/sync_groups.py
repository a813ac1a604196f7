"""`manage.py sync_groups`: make the desk's groups have the permissions of `gateway.desk.groups`, after each migrate."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.services.staff import sync_groups
from gateway.desk.groups import GROUPS, POWERS


class Command(BaseCommand):
    """Groups of staff."""

    help = "Make the groups support, finance, reviewer and operator, and what they may do; safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        """Sync and say so."""
        sync_groups(groups=GROUPS, powers=POWERS)
        self.stdout.write(f"Groups: {', '.join(sorted(GROUPS))}.")
