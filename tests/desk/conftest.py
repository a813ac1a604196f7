"""No figures of an earlier test on the front page."""

from collections.abc import Iterator

import pytest

from gateway.desk import figures


@pytest.fixture(autouse=True)
def _fresh_figures() -> Iterator[None]:
    figures.forget()
    yield
    figures.forget()
