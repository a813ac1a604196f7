"""Customers, jobs and a node from the media room's tests; no figures of an earlier test on the front page."""

from collections.abc import Iterator

import pytest

from gateway.desk import figures
from tests.media.conftest import customer, job, node, other, priced, run, wakes

__all__ = ["customer", "job", "node", "other", "priced", "run", "wakes"]


@pytest.fixture(autouse=True)
def _fresh_figures() -> Iterator[None]:
    figures.forget()
    yield
    figures.forget()
