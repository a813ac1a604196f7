"""`manage.py suspend_account <email> --reason …`: nobody gets in with this account any more."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.management.lookup import account_of
from accounts.services.suspension import suspend_account
from core import clock


class Command(BaseCommand):
    """Suspend an account."""

    help = "Refuse an account's keys, sessions and sign-ins; its jobs go on unless --end-jobs is given."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose account, why, and what becomes of its jobs."""
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="kept for operators; the account is not told")
        parser.add_argument("--end-jobs", action="store_true", help="terminate what waits and runs, not billed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Suspend and say so."""
        user = account_of(options["email"])
        done = suspend_account(
            account_id=user.pk,
            actor_id=None,
            reason=options["reason"],
            end_jobs=options["end_jobs"],
            now=clock.now(),
        )
        self.stdout.write(f"{user.email} is suspended." if done else f"{user.email} was suspended before.")
