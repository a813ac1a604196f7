"""A scripted control plane, and a clock that only a pause moves."""

import random
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from tests.workers.control_plane import CREDENTIAL, ControlPlane
from workers import control_client, storage
from workers.control_client import ControlClient
from workers.protocol.signing import NodeCredential

Connect = Callable[..., ControlClient]


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


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients whose connections are closed in the end."""
    made: list[ControlClient] = []

    def connect(api_base: str, credential: NodeCredential = CREDENTIAL) -> ControlClient:
        made.append(ControlClient(api_base=api_base, credential=credential))
        return made[-1]

    yield connect
    for client in made:
        client._http.close()


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address that refuses every connection: bound, so that nobody else takes it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
