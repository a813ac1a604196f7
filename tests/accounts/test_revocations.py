"""A revocation reaches every web process at once, over the real Valkey."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings as django_settings

from accounts import recognition, revocations
from accounts.recognition import recognise
from accounts.services.keys import mint_key, revoke_key
from accounts.services.users import create_account

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Process:
    """What another web process would hear."""

    def __init__(self) -> None:
        self.heard: list[str | None] = []
        self.told = threading.Event()

    def forget(self, prefix: str | None) -> None:
        self.heard.append(prefix)
        if prefix is not None:
            self.told.set()


@pytest.fixture
def process() -> Iterator[Process]:
    process = Process()
    listener = revocations.Listener(url=django_settings.REDIS_URL, forget=process.forget)
    listener.start()
    assert listener.listening.wait(10)
    yield process
    listener.stop()


@pytest.mark.django_db(transaction=True)
def test_it_is_announced_once_it_is_committed(process: Process) -> None:
    user = create_account(email="somebody@example.com")
    minted = mint_key(user=user, label="laptop", now=NOW)
    assert recognise(minted.plain) is not None
    assert revoke_key(account_id=user.pk, prefix=minted.key.prefix, now=NOW)
    assert process.told.wait(5)
    assert process.heard == [minted.key.prefix]
    assert recognise(minted.plain) is None


@pytest.mark.django_db(transaction=True)
def test_a_key_that_is_not_revoked_is_not_announced(process: Process) -> None:
    user = create_account(email="somebody@example.com")
    minted = mint_key(user=user, label="laptop", now=NOW)
    assert not revoke_key(account_id=user.pk, prefix=minted.key.prefix[:-1], now=NOW)
    revocations.announce(["the end"])
    assert process.told.wait(5)
    assert process.heard == ["the end"]


@pytest.mark.django_db
def test_without_valkey_it_is_revoked_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from redis import Redis

    nowhere = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    monkeypatch.setattr(revocations, "valkey", lambda: nowhere)
    revocations.announce(["kt_live_whatever"])


def test_a_listener_without_valkey_keeps_trying_and_remembers_nothing() -> None:
    process = Process()
    listener = revocations.Listener(url="redis://127.0.0.1:1/0", forget=process.forget)
    tried = threading.Event()
    plain = process.forget

    def forget(prefix: str | None) -> None:
        plain(prefix)
        tried.set()

    listener._forget = forget
    listener.start()
    assert tried.wait(5)
    listener.stop()
    assert process.heard[0] is None
    assert not listener.listening.is_set()
    recognition.forget()
