"""Where the room's commands print their tables."""

from typing import IO, cast

from django.core.management.base import OutputWrapper
from rich.console import Console


def console(stdout: OutputWrapper) -> Console:
    """A console as wide as the terminal, or wide enough for a whole row where there is none."""
    return Console(file=cast(IO[str], stdout), width=None if stdout.isatty() else 160)
