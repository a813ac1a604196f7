"""`manage.py mint_key <email>`: a new API key for an account, shown once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.services.keys import mint_key
from core import clock


class Command(BaseCommand):
    """Mint a key."""

    help = "Mint an API key for an account and print it; it is stored nowhere and cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose key, and what it is called."""
        parser.add_argument("email")
        parser.add_argument("--label", default="minted by the operator")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the key alone, so that a script can take it.

        Raises:
            CommandError: there is no active account of this address.
        """
        user = User.objects.filter(email=options["email"].strip().lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active account {options['email']}")
        self.stdout.write(mint_key(user=user, label=options["label"], now=clock.now()).plain)
