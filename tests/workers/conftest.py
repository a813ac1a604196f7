"""A scripted control plane, and a clock that only a pause moves."""

import random
import time
from collections.abc import Iterator

import pytest

from tests.workers.control_plane import ControlPlane
from workers import control_client, storage


class FakeTime:
    """Stands in for a module's `time`: a pause is over at once and has taken its seconds."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as plane:
        yield plane
        assert plane.forged == []


@pytest.fixture
def fake_time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    """No pause between tries is really waited; jitter is fixed at 1."""
    fake = FakeTime()
    monkeypatch.setattr(control_client, "time", fake)
    monkeypatch.setattr(storage, "time", fake)
    monkeypatch.setattr(random, "uniform", lambda low, high: 1.0)
    return fake
