"""`manage.py reset_second_factor <email> --reason …`: for staff who lost authenticator and recovery codes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.management.lookup import account_of
from accounts.services.second_factor import reset_second_factor
from accounts.services.security_events import NOWHERE
from core import clock


class Command(BaseCommand):
    """Take a second factor away."""

    help = "Take an account's authenticator and recovery codes away and end its sessions; the next sign-in enrols anew."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and why."""
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="kept for operators")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reset and say so."""
        user = account_of(options["email"])
        done = reset_second_factor(
            account_id=user.pk, actor_id=None, reason=options["reason"], origin=NOWHERE, now=clock.now()
        )
        said = "has no second factor any more; the next sign-in sets one up" if done else "had no second factor"
        self.stdout.write(f"{user.email} {said}.")
