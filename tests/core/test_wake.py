"""A wake reaches every listener, and only after the commit of what it announces."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection, transaction

from core.wake import CHANNEL, wake_steward


@pytest.fixture
def listener(transactional_db: None) -> Iterator[psycopg.Connection]:
    parameters = connection.get_connection_params()
    with psycopg.connect(
        autocommit=True, **{name: parameters[name] for name in ("dbname", "user", "password", "host", "port")}
    ) as opened:
        opened.execute(f"LISTEN {CHANNEL}")
        yield opened


def heard(listener: psycopg.Connection, seconds: float = 10) -> list[tuple[str, str]]:
    return [(one.channel, one.payload) for one in listener.notifies(timeout=seconds, stop_after=1)]


def test_a_wake_is_heard(listener: psycopg.Connection) -> None:
    wake_steward()
    assert heard(listener) == [("steward", "")]


def test_inside_a_transaction_it_is_refused_and_nothing_is_sent(listener: psycopg.Connection) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="after the commit of what it announces"):
        wake_steward()
    assert heard(listener, seconds=0.2) == []
    wake_steward()
    assert heard(listener) == [("steward", "")]
