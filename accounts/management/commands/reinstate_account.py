"""`manage.py reinstate_account <email> --reason …`: a suspended account is let in again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.management.lookup import account_of
from accounts.services.suspension import reinstate_account
from core import clock


class Command(BaseCommand):
    """Reinstate an account."""

    help = "Let a suspended account in again, with the keys that it had."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose account, and why."""
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="kept for operators; the account is not told")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reinstate and say so."""
        user = account_of(options["email"])
        done = reinstate_account(account_id=user.pk, actor_id=None, reason=options["reason"], now=clock.now())
        self.stdout.write(f"{user.email} is reinstated." if done else f"{user.email} is not suspended.")
