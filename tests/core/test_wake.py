"""A wake reaches every listener, and only after the commit of what it announces."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection, transaction

from core import wake
from core.wake import CHANNEL, wake_steward


@pytest.fixture
def listener(transactional_db: None) -> Iterator[psycopg.Connection]:
    parameters = connection.get_connection_params()
    with psycopg.connect(
        autocommit=True, **{name: parameters[name] for name in ("dbname", "user", "password", "host", "port")}
    ) as opened:
        opened.execute(f"LISTEN {CHANNEL}")
        yield opened


def heard(listener: psycopg.Connection, seconds: float = 10, count: int = 1) -> list[tuple[str, str]]:
    return [(one.channel, one.payload) for one in listener.notifies(timeout=seconds, stop_after=count)]


def test_a_wake_is_heard_and_says_which_loop(listener: psycopg.Connection) -> None:
    wake_steward("dispatcher")
    assert heard(listener) == [("steward", "dispatcher")]


def test_a_loop_that_was_woken_a_moment_ago_is_not_told_again(
    listener: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 100.0
    monkeypatch.setattr(wake.time, "monotonic", lambda: moment)
    wake_steward("dispatcher")
    assert heard(listener) == [("steward", "dispatcher")]
    wake_steward("dispatcher")
    assert heard(listener, seconds=0.2) == []
    moment += wake.QUIET_SECONDS
    wake_steward("dispatcher", "webhooks")
    assert heard(listener, count=2) == [("steward", "dispatcher"), ("steward", "webhooks")]


def test_inside_a_transaction_it_is_refused_and_nothing_is_sent(listener: psycopg.Connection) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="after the commit of what it announces"):
        wake_steward("webhooks")
    assert heard(listener, seconds=0.2) == []
    wake_steward("webhooks")
    assert heard(listener) == [("steward", "webhooks")]
