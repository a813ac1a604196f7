"""`manage.py set_staff <email> --group finance`: let somebody in at the operator's desk, or out again."""

import os
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services.staff import set_staff, unset_staff


class Command(BaseCommand):
    """Make somebody staff, in exactly the named groups."""

    help = "Make an account staff of exactly these groups (or of none any more); its sessions end."

    def add_arguments(self, parser: CommandParser) -> None:
        """Who, and what they may do."""
        parser.add_argument("email")
        parser.add_argument("--group", action="append", default=[], help="support, finance, reviewer, operator; repeat")
        parser.add_argument("--superuser", action="store_true", help="may do everything that can be done at the desk")
        parser.add_argument("--password", action="store_true", help="ask for a new password, or take $STAFF_PASSWORD")
        parser.add_argument("--remove", action="store_true", help="staff no longer")

    def handle(self, *args: Any, **options: Any) -> None:
        """Set and say so.

        Raises:
            CommandError: see set_staff; or the password is too weak.
        """
        if options["remove"]:
            done = unset_staff(email=options["email"])
            self.stdout.write(f"{options['email']} is {'staff no longer' if done else 'no staff'}.")
            return
        password = self._password() if options["password"] else None
        try:
            user = set_staff(
                email=options["email"], groups=options["group"], superuser=options["superuser"], password=password
            )
        except (LookupError, ValueError) as error:
            raise CommandError(str(error)) from error
        what = "superuser" if user.is_superuser else ", ".join(options["group"]) or "no group"
        self.stdout.write(f"{user.email} is staff: {what}. The next sign-in is at /admin/.")

    def _password(self) -> str:
        password = os.environ.get("STAFF_PASSWORD") or getpass("New password: ")
        try:
            validate_password(password)
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from refusal
        return password
