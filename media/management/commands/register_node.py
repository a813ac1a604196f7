"""`manage.py register_node <id> --pools image,video-tools`: let a worker node in and print its NODE_SECRET."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from media.fleet.enrolment import CannotEnrol, enrol_node


class Command(BaseCommand):
    """Register a node; the token is the only thing on standard output, so a script can take it."""

    help = "Register a worker node, or show a registered one's secret again; prints its NODE_SECRET."

    def add_arguments(self, parser: CommandParser) -> None:
        """The node, what it serves, and whether its secret changes."""
        parser.add_argument("node_id", help="a name of your choice, such as rack2-gpu1")
        parser.add_argument("--pools", default="", help="comma-separated; left out, a registered node keeps its own")
        parser.add_argument(
            "--rotate", action="store_true", help="make a new secret; the old one is refused within a second"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the token.

        Raises:
            CommandError: see CannotEnrol.
        """
        served = [name.strip() for name in options["pools"].split(",") if name.strip()]
        try:
            credential = enrol_node(node_id=options["node_id"], pools_served=served or None, rotate=options["rotate"])
        except CannotEnrol as error:
            raise CommandError(str(error)) from error
        self.stdout.write(credential.token())
