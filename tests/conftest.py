"""Puts real servers under the tests before pytest-django sets Django up."""

import pytest

from deploy.embedded import EmbeddedServers
from tests.servers import TestServers

# At import, not in a hook: pytest reads this file before pytest-django's own pytest_configure, which reads the
# settings. pyproject.toml therefore names no settings module; start() does.
_test_servers = TestServers()
_test_servers.start()


def pytest_unconfigure() -> None:
    _test_servers.stop()


@pytest.fixture(scope="session")
def embedded_servers() -> EmbeddedServers:
    """The servers that this run started (those that the environment replaced are missing)."""
    return _test_servers.servers
