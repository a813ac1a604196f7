"""The accounts' signing secrets: made on first use, encrypted at rest, rotated without a gap."""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction

from core.clock import rfc3339
from core.webhooks.models import WebhookSecret
from core.webhooks.signing import SECRET_PREFIX

OVERLAP = timedelta(hours=24)
"""How long a rotated secret keeps signing."""
MAX_SECRETS = 4
"""The newest and those it replaced; somebody who rotates without end loses the oldest."""


class SecretUnreadable(Exception):
    """A stored secret was encrypted with a key that DATA_ENCRYPTION_KEYS no longer has."""


@dataclass(frozen=True, kw_only=True)
class Secret:
    """An account's newest secret, as its owner may see it."""

    secret: str
    created_at: datetime
    previous_valid_until: datetime | None
    """Until when messages also carry the signature of the secret before; None when they do not."""


def current_secret(*, account_id: UUID, now: datetime) -> Secret:
    """The account's secret; the first call makes it.

    Raises:
        SecretUnreadable: see there.
    """
    return _shown(_row(account_id, now), now)


def signing_secrets(*, account_id: UUID, now: datetime) -> list[str]:
    """Every secret that a message sent `now` is signed with, newest first.

    Raises:
        SecretUnreadable: see there.
    """
    return [_decrypt(entry["token"]) for entry in _valid(_row(account_id, now).encrypted, now)]


def rotate_secret(*, account_id: UUID, now: datetime) -> Secret:
    """Put a new secret in front; the one before keeps signing for OVERLAP.

    Two rotations at once both count: the row is locked.

    Raises:
        SecretUnreadable: never for the new secret; see there.
    """
    _row(account_id, now)
    with transaction.atomic():
        row = WebhookSecret.objects.select_for_update().get(account_id=account_id)
        before = [
            entry if entry["until"] else {"token": entry["token"], "until": rfc3339(now + OVERLAP)}
            for entry in _valid(row.encrypted, now)
        ]
        row.encrypted = [_fresh(), *before][:MAX_SECRETS]
        row.rotated_at = now
        row.save(update_fields=["encrypted", "rotated_at"])
    return _shown(row, now)


def reencrypt_secrets() -> int:
    """Write every stored secret anew under the first of DATA_ENCRYPTION_KEYS; how many accounts have one.

    The secrets themselves stay. Once this is done the other keys can be left out of the setting. Each row is locked
    while it is written, so that a rotation by its account loses nothing.

    Raises:
        SecretUnreadable: of one that no key opens; those before it are done, and doing it again does no harm.
    """
    done = 0
    for account_id in list(WebhookSecret.objects.order_by("account_id").values_list("account_id", flat=True)):
        with transaction.atomic():
            row = WebhookSecret.objects.select_for_update().get(account_id=account_id)
            row.encrypted = [{**entry, "token": _reencrypted(entry["token"])} for entry in row.encrypted]
            row.save(update_fields=["encrypted"])
        done += 1
    return done


def _reencrypted(token: str) -> str:
    try:
        return _fernet().rotate(token).decode()
    except InvalidToken:
        raise SecretUnreadable from None


def _row(account_id: UUID, now: datetime) -> WebhookSecret:
    row, _ = WebhookSecret.objects.get_or_create(
        account_id=account_id, defaults={"encrypted": [_fresh()], "created_at": now}
    )
    return row


def _shown(row: WebhookSecret, now: datetime) -> Secret:
    newest, *before = _valid(row.encrypted, now)
    return Secret(
        secret=_decrypt(newest["token"]),
        created_at=row.rotated_at or row.created_at,
        previous_valid_until=datetime.fromisoformat(before[0]["until"]) if before else None,
    )


def _valid(entries: list[dict[str, str]], now: datetime) -> list[dict[str, str]]:
    return [entry for entry in entries if not entry["until"] or datetime.fromisoformat(entry["until"]) > now]


def _fresh() -> dict[str, str | None]:
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    return {"token": _fernet().encrypt(secret.encode()).decode(), "until": None}


def _decrypt(token: str) -> str:
    try:
        return _fernet().decrypt(token).decode()
    except InvalidToken:
        raise SecretUnreadable from None


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.DATA_ENCRYPTION_KEYS])
