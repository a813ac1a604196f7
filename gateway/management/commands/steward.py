"""`manage.py steward`: the control plane's duties, until SIGTERM."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gateway.steward import LOOPS, Steward


class Command(BaseCommand):
    """Run the steward's loops."""

    help = "Run the steward: events, dispatch, staging, callbacks, reaper, retention."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--loops a,b` splits the duties over several processes."""
        parser.add_argument("--loops", default="", help="only these loops, comma-separated; all by default")

    def handle(self, *args: Any, **options: Any) -> None:
        """Block until a signal."""
        wanted = [name for name in options["loops"].split(",") if name]
        unknown = set(wanted) - {loop.name for loop in LOOPS}
        if unknown:
            raise CommandError(f"no such loop: {', '.join(sorted(unknown))}")
        steward = Steward([loop for loop in LOOPS if not wanted or loop.name in wanted])
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: steward.stop())
        steward.run()
