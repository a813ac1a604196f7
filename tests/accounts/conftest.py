"""What tests of this room start without (keys this process has just looked up), and what signing in needs."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.google import certificates
from accounts.services import email_codes
from core.valkey import valkey
from tests import google


@pytest.fixture(autouse=True)
def _no_recent_keys() -> Iterator[None]:
    from accounts import recognition

    recognition.forget()
    yield
    recognition.forget()


@pytest.fixture
def signing_in(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server's name (Django's tests keep the mails), limits that are of no concern, counts from zero."""
    settings.EMAIL_HOST = "mail.example"
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "sign_in": 1_000_000}
    valkey().flushdb()
    monkeypatch.setattr(email_codes._mail_server, "away_until", 0.0)


@pytest.fixture
def issuer(settings: Any) -> Iterator[google.Google]:
    """An issuer of ID tokens that this site believes."""
    certificates.forget()
    with google.serve() as serving:
        settings.GOOGLE_CLIENT_IDS = [google.CLIENT_ID, "another-client"]
        settings.GOOGLE_CERTS_URL = serving.address
        yield serving
    certificates.forget()
