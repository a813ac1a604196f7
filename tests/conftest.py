"""Puts real servers under the tests before pytest-django sets Django up; what every test starts without."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings as django_settings

from deploy.embedded import EmbeddedServers
from tests.servers import TestServers

# At import, not in a hook: pytest reads this file before pytest-django's own pytest_configure, which reads the
# settings. pyproject.toml therefore names no settings module; start() does. Django is set up at once, because the
# conftests below import models.
_test_servers = TestServers()
_test_servers.start()
django.setup()
# WhiteNoise warns of a missing folder, and warnings are errors here; in a fresh clone nothing has made it yet.
Path(django_settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


def pytest_unconfigure() -> None:
    _test_servers.stop()


@pytest.fixture(scope="session")
def embedded_servers() -> EmbeddedServers:
    """The servers that this run started (those that the environment replaced are missing)."""
    return _test_servers.servers


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_guards() -> Iterator[None]:
    """After a transactional test: delete, past the ledger's guards, and do not truncate.

    The tables are many and small. TRUNCATE makes each of them a new file and waits for the disk: half a second a test,
    where deleting the few rows takes hundredths.
    """
    from django.db.backends.postgresql.operations import DatabaseOperations

    patch = pytest.MonkeyPatch()
    plain = DatabaseOperations.sql_flush

    def sql_flush(self: Any, style: Any, tables: Sequence[str], **options: Any) -> list[str]:
        emptied = [f"DELETE FROM {self.quote_name(table)};" for table in tables]
        if options.get("reset_sequences"):
            emptied = plain(self, style, tables, **options)
        return ["SET LOCAL session_replication_role = replica;", *emptied]

    patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """What a process keeps for a second or five must not outlive a test's rows."""
    from accounts import recognition  # models: only after the setup above
    from billing.price_versions import forget_cached_versions
    from core import wake
    from core.valkey import valkey
    from gateway import throttling
    from media import selectors
    from media.fleet import selectors as fleet
    from media.fleet.services import forget_nodes

    forget_cached_versions()
    recognition.forget()
    selectors._snapshots.clear()
    fleet._recent = (0.0, {})
    forget_nodes()
    throttling._shares.clear()
    counted = list(valkey().scan_iter("ratelimit:*", count=1000))  # every test comes from one address
    if counted:
        valkey().delete(*counted)
    wake._told.clear()
