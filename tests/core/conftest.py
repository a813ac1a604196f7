"""What the transactional tests of this room need from the database."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_guards() -> Iterator[None]:
    """Let the flush after a transactional test truncate what the ledger's triggers guard."""
    patch = pytest.MonkeyPatch()
    plain = DatabaseOperations.sql_flush

    def sql_flush(self: DatabaseOperations, *args: Any, **options: Any) -> list[str]:
        return ["SET LOCAL session_replication_role = replica;", *plain(self, *args, **options)]

    patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
    yield
    patch.undo()
