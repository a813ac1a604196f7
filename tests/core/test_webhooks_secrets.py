"""Signing secrets: encrypted at rest, made once, rotated without a gap."""

import base64
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from core import ids
from core.webhooks.models import WebhookSecret
from core.webhooks.secrets import (
    MAX_SECRETS,
    SecretUnreadable,
    current_secret,
    rotate_secret,
    signing_secrets,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ACCOUNT = ids.new()
OLD_KEY = base64.urlsafe_b64encode(b"o" * 32).decode()
NEW_KEY = base64.urlsafe_b64encode(b"n" * 32).decode()

pytestmark = pytest.mark.django_db


def after(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def test_the_first_call_makes_the_secret_and_later_ones_show_it() -> None:
    first = current_secret(account_id=ACCOUNT, now=NOW)
    assert current_secret(account_id=ACCOUNT, now=after(1)) == first
    assert (first.created_at, first.previous_valid_until) == (NOW, None)
    assert len(base64.b64decode(first.secret.removeprefix("whsec_"))) == 32
    assert current_secret(account_id=ids.new(), now=NOW).secret != first.secret


def test_the_database_never_sees_the_secret() -> None:
    secret = current_secret(account_id=ACCOUNT, now=NOW).secret
    stored = str(WebhookSecret.objects.values().get(account_id=ACCOUNT))
    assert secret not in stored
    assert secret.removeprefix("whsec_") not in stored


def test_rotation_keeps_the_previous_secret_for_a_day() -> None:
    old = current_secret(account_id=ACCOUNT, now=NOW).secret
    rotated = rotate_secret(account_id=ACCOUNT, now=after(1))
    assert (rotated.created_at, rotated.previous_valid_until) == (after(1), after(25))
    assert signing_secrets(account_id=ACCOUNT, now=after(24.9)) == [rotated.secret, old]
    assert signing_secrets(account_id=ACCOUNT, now=after(25)) == [rotated.secret]
    assert current_secret(account_id=ACCOUNT, now=after(25)).previous_valid_until is None


def test_each_secret_has_its_own_day() -> None:
    first = current_secret(account_id=ACCOUNT, now=NOW).secret
    second = rotate_secret(account_id=ACCOUNT, now=after(1)).secret
    third = rotate_secret(account_id=ACCOUNT, now=after(13)).secret
    assert signing_secrets(account_id=ACCOUNT, now=after(14)) == [third, second, first]
    assert signing_secrets(account_id=ACCOUNT, now=after(26)) == [third, second]
    assert signing_secrets(account_id=ACCOUNT, now=after(38)) == [third]


def test_endless_rotation_does_not_grow_the_list() -> None:
    newest = [rotate_secret(account_id=ACCOUNT, now=NOW).secret for _ in range(10)]
    assert signing_secrets(account_id=ACCOUNT, now=NOW) == newest[::-1][:MAX_SECRETS]


def test_encryption_keys_rotate_too(settings: Any) -> None:
    settings.DATA_ENCRYPTION_KEYS = [OLD_KEY]
    old = current_secret(account_id=ACCOUNT, now=NOW).secret
    settings.DATA_ENCRYPTION_KEYS = [NEW_KEY, OLD_KEY]
    assert current_secret(account_id=ACCOUNT, now=NOW).secret == old
    new = rotate_secret(account_id=ACCOUNT, now=NOW).secret
    settings.DATA_ENCRYPTION_KEYS = [NEW_KEY]
    assert current_secret(account_id=ACCOUNT, now=NOW).secret == new
    with pytest.raises(SecretUnreadable):
        signing_secrets(account_id=ACCOUNT, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_racing_rotations_and_first_uses_lose_no_secret() -> None:
    start = threading.Barrier(4)
    got: list[str] = []

    def use(rotate: bool) -> None:
        try:
            start.wait(10)
            act = rotate_secret if rotate else current_secret
            got.append(act(account_id=ACCOUNT, now=NOW).secret)
        finally:
            connection.close()

    threads = [threading.Thread(target=use, args=(rotate,)) for rotate in (True, True, False, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(got) == 4
    valid = signing_secrets(account_id=ACCOUNT, now=NOW)
    assert len(valid) == 3  # the first, and one for each rotation
    assert set(got) <= set(valid)
