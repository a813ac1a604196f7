"""The command `killatamata`."""

from killatamata.cli.entry import main

__all__ = ["main"]
