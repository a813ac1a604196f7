"""Django's database sessions, with keys that are signed in the cookie and hashed in the table.

A tampered cookie costs no query, and a copy of the table opens no session.
"""

import hashlib
import hmac
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils.crypto import get_random_string

from core import clock

_RANDOM_CHARACTERS = 32
_SIGNATURE_CHARACTERS = 32
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_COLUMN = 40


class SessionStore(db.SessionStore):
    """`SESSION_ENGINE`: the key is 32 random characters and 32 of their HMAC under SECRET_KEY."""

    def _get_new_session_key(self) -> str:
        random = get_random_string(_RANDOM_CHARACTERS, _ALPHABET)
        return random + _signature(random, settings.SECRET_KEY)

    def _validate_session_key(self, key: str | None) -> bool:
        if not key or len(key) != _RANDOM_CHARACTERS + _SIGNATURE_CHARACTERS or not key.isascii():
            return False
        shown, random = key[_RANDOM_CHARACTERS:], key[:_RANDOM_CHARACTERS]
        secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        return any(hmac.compare_digest(shown, _signature(random, secret)) for secret in secrets)

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        plain = self.session_key
        try:
            return self.model.objects.get(session_key=_stored(plain or ""), expire_date__gt=clock.now())
        except self.model.DoesNotExist:
            self._session_key = None
            return None

    def exists(self, session_key: str | None) -> bool:
        """Whether this session is kept."""
        return bool(self.model.objects.filter(session_key=_stored(session_key or "")).exists())

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """The row: under the hash of its key."""
        row = super().create_model_instance(data)
        row.session_key = _stored(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """Forget a session, by default this one."""
        plain = session_key if session_key is not None else self.session_key
        if plain is not None:
            self.model.objects.filter(session_key=_stored(plain)).delete()


def _signature(random: str, secret: str) -> str:
    key = b"session" + secret.encode()
    return hmac.digest(key, random.encode(), hashlib.sha256).hex()[:_SIGNATURE_CHARACTERS]


def _stored(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()[:_COLUMN]
