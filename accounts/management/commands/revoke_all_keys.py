"""`manage.py revoke_all_keys <email> --reason …`: every key of an account ends."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.management.lookup import account_of
from accounts.services.keys import revoke_all_keys
from core import clock


class Command(BaseCommand):
    """Revoke all keys of an account."""

    help = "Revoke every usable API key of an account, within a second everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose keys, and why."""
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="kept for operators; the account is not told")

    def handle(self, *args: Any, **options: Any) -> None:
        """Revoke and say how many."""
        user = account_of(options["email"])
        prefixes = revoke_all_keys(account_id=user.pk, reason=options["reason"], now=clock.now())
        self.stdout.write(f"{len(prefixes)} keys of {user.email} are revoked.")
