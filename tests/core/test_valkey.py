"""The client for what may be forgotten answers, or says quickly that it cannot."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from redis import ConnectionError as Unreachable

from core.valkey import valkey
from deploy import ports


@pytest.fixture
def fresh() -> Iterator[None]:
    valkey.cache_clear()
    yield
    valkey.cache_clear()


def test_one_client_per_process_reaches_the_real_server() -> None:
    assert valkey() is valkey()
    name = "test-core-valkey"
    try:
        assert valkey().set(name, 1, nx=True, ex=60) is True
        assert valkey().set(name, 2, nx=True, ex=60) is None
        assert valkey().get(name) == b"1"
    finally:
        valkey().delete(name)


def test_an_absent_server_is_an_error_within_seconds(fresh: None, settings: Any) -> None:
    port = ports.take(None, name="nobody")
    try:
        settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
        started = time.monotonic()
        with pytest.raises(Unreachable):
            valkey().ping()
        assert time.monotonic() - started < 5
    finally:
        ports.release([port])
