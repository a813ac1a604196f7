"""What every test of this room starts without: keys this process has just looked up."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_recent_keys() -> Iterator[None]:
    from accounts import recognition

    recognition.forget()
    yield
    recognition.forget()
