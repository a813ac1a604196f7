"""API keys: their form, what is stored of them, who they stand for, and for how long."""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from accounts import recognition
from accounts.models import ApiKey, User
from accounts.recognition import Identity, recognise
from accounts.services.bootstrap import find_or_create, first_key
from accounts.services.keys import NewKey, mint_key, revoke_key
from core import ids

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


class Clock:
    """Stands in for the module's clock."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(recognition, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def user() -> User:
    return get_user_model().objects.create_user("somebody@example.com")


@pytest.fixture
def minted(user: User) -> NewKey:
    return mint_key(user=user, label="laptop", now=NOW)


def test_the_form_of_a_key(minted: NewKey) -> None:
    assert re.fullmatch(r"kt_live_[A-Za-z0-9]{8}_[A-Za-z0-9_-]{43}", minted.plain)
    assert minted.key.prefix == minted.plain[:16]
    assert (minted.key.label, minted.key.created_at, minted.key.revoked_at) == ("laptop", NOW, None)


def test_no_two_keys_are_alike(user: User) -> None:
    made = [mint_key(user=user, label="", now=NOW) for _ in range(20)]
    assert len({one.plain[:16] for one in made}) == 20
    assert len({one.plain[17:] for one in made}) == 20


def test_only_a_keyed_hash_is_stored(minted: NewKey, settings: Any) -> None:
    expected = hmac.new(settings.API_KEY_PEPPER.encode(), minted.plain.encode(), hashlib.sha256).digest()
    assert bytes(ApiKey.objects.get().digest) == expected
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(accounts_apikey)::text, digest FROM accounts_apikey")
        text, digest = cursor.fetchone()
    secret = minted.plain[17:]
    for place in (text, bytes(digest).hex(), bytes(digest).decode("latin-1")):
        assert secret not in place
        assert secret.encode().hex() not in place
    assert hashlib.sha256(minted.plain.encode()).digest() != bytes(digest)


def test_a_key_stands_for_its_account(user: User, minted: NewKey) -> None:
    get_user_model().objects.create_user("other@example.com")
    assert recognise(minted.plain) == Identity(account_id=user.pk, key_id=minted.key.pk)


def alter(text: str, place: int) -> str:
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


def test_what_is_not_exactly_the_key_is_nobody(minted: NewKey) -> None:
    plain = minted.plain
    assert len(plain) == 60
    wrong = [plain[:-1], plain[1:], f"{plain}A", f" {plain}", f"{plain}\n", plain.upper(), plain.lower(), ""]
    wrong += [alter(plain, place) for place in range(60)]
    wrong += [plain[:16], plain[:17], plain[:16] + "-" + plain[17:], plain.replace("kt_live_", "kt_test_")]
    wrong += [plain[:8] + "\0" * 8 + plain[16:], plain[:17] + "é" * 43, plain[:8] + "%" * 8 + plain[16:]]
    assert plain not in wrong
    assert [recognise(text) for text in wrong] == [None] * len(wrong)
    assert recognise(plain) is not None


def test_what_has_not_the_form_of_a_key_asks_no_query(minted: NewKey, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert recognise("nonsense") is None
        assert recognise(minted.plain[:-1]) is None
        assert recognise(minted.plain.replace("live", "test")) is None


def test_one_query_cold_and_none_warm(minted: NewKey, clock: Clock, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        identity = recognise(minted.plain)
    clock.seconds += recognition.CACHE_SECONDS - 0.001
    with django_assert_num_queries(0):
        assert recognise(minted.plain) == identity
        assert recognise(alter(minted.plain, 59)) is None
    clock.seconds += 0.001
    with django_assert_num_queries(1):
        assert recognise(minted.plain) == identity


def test_an_unknown_key_is_looked_up_each_time(django_assert_num_queries: Any) -> None:
    """Else a key minted a moment later would be refused from memory."""
    with django_assert_num_queries(2):
        assert recognise(f"kt_live_unknown1_{'x' * 43}") is None
        assert recognise(f"kt_live_unknown1_{'x' * 43}") is None


def test_a_key_revoked_here_is_refused_at_once(user: User, minted: NewKey) -> None:
    assert recognise(minted.plain) is not None
    assert revoke_key(account_id=user.pk, prefix=minted.key.prefix, now=NOW) is True
    assert recognise(minted.plain) is None
    assert ApiKey.objects.get().revoked_at == NOW


def test_a_key_revoked_elsewhere_is_refused_within_the_cache_time(minted: NewKey, clock: Clock) -> None:
    assert recognition.CACHE_SECONDS <= 1
    assert recognise(minted.plain) is not None
    ApiKey.objects.update(revoked_at=NOW)
    clock.seconds += recognition.CACHE_SECONDS
    assert recognise(minted.plain) is None


def test_an_inactive_account_is_refused_within_the_cache_time(user: User, minted: NewKey, clock: Clock) -> None:
    assert recognise(minted.plain) is not None
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)
    clock.seconds += recognition.CACHE_SECONDS
    assert recognise(minted.plain) is None
    get_user_model().objects.filter(pk=user.pk).update(is_active=True)
    assert recognise(minted.plain) is not None


def test_revoking_takes_the_exact_prefix_of_ones_own_key(user: User, minted: NewKey) -> None:
    other = get_user_model().objects.create_user("other@example.com")
    second = mint_key(user=user, label="server", now=NOW)
    prefix = minted.key.prefix
    for part in (
        "",
        "kt_live_",
        prefix[:-1],
        f"{prefix}_",
        prefix + minted.plain[16:],
        prefix.swapcase(),
        "%",
        f"{prefix[:-1]}_",
    ):
        assert revoke_key(account_id=user.pk, prefix=part, now=NOW) is False
    assert revoke_key(account_id=other.pk, prefix=prefix, now=NOW) is False
    assert not ApiKey.objects.exclude(revoked_at=None).exists()

    assert revoke_key(account_id=user.pk, prefix=prefix, now=NOW) is True
    assert revoke_key(account_id=user.pk, prefix=prefix, now=NOW + timedelta(hours=1)) is False
    assert list(ApiKey.objects.exclude(revoked_at=None).values_list("prefix", "revoked_at")) == [(prefix, NOW)]
    assert recognise(second.plain) is not None


def test_the_memory_of_keys_is_bounded(user: User, clock: Clock) -> None:
    for number in range(10_001):
        recognition._recent[f"kt_live_{number:08}", None] = (
            clock.seconds + 1,
            (Identity(account_id=ids.new(), key_id=ids.new()), b""),
        )
    minted = mint_key(user=user, label="", now=NOW)
    assert recognise(minted.plain) is not None
    assert list(recognition._recent) == [(minted.key.prefix, None)]


def test_the_first_key_is_shown_once(user: User) -> None:
    plain = first_key(user=user, label="first", now=NOW)
    assert plain is not None
    assert recognise(plain) == Identity(account_id=user.pk, key_id=ApiKey.objects.get().pk)
    assert first_key(user=user, label="first", now=NOW) is None
    assert ApiKey.objects.count() == 1
    revoke_key(account_id=user.pk, prefix=plain[:16], now=NOW)
    again = first_key(user=user, label="first", now=NOW)
    assert again is not None
    assert again != plain


def test_find_or_create_keeps_an_existing_account_as_it_is() -> None:
    first = find_or_create(email="Admin@Example.com", password="one", operator=True)
    again = find_or_create(email="admin@example.COM", password="two", operator=False)
    assert again.pk == first.pk
    assert (again.is_staff, again.is_superuser) == (True, True)
    assert again.check_password("one")
    assert not again.check_password("two")
    assert get_user_model().objects.count() == 1
