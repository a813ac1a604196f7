"""What tests of this room start without (keys this process has just looked up), and what signing in needs."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.google import certificates
from accounts.services import mail
from core import clock
from core.valkey import valkey
from tests import google
from tests.accounts.credentials import browser_of
from tests.media.customers import Customer, new_customer


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
    monkeypatch.setattr(mail.server, "away_until", 0.0)


@pytest.fixture
def issuer(settings: Any) -> Iterator[google.Google]:
    """An issuer of ID tokens that this site believes."""
    certificates.forget()
    with google.serve() as serving:
        settings.GOOGLE_CLIENT_IDS = [google.CLIENT_ID, "another-client"]
        settings.GOOGLE_CERTS_URL = serving.address
        yield serving
    certificates.forget()


@pytest.fixture
def customer(db: None) -> Customer:
    """Somebody with a key."""
    return new_customer()


@pytest.fixture
def other(db: None) -> Customer:
    """Somebody else with a key."""
    return new_customer()


@pytest.fixture
def browser(customer: Customer) -> Client:
    """Signed in as the customer, without a key."""
    return browser_of(customer)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stops the clock; call with seconds to move it."""
    moment = clock.now().replace(microsecond=0)

    def move(seconds: float) -> None:
        nonlocal moment
        moment += timedelta(seconds=seconds)

    monkeypatch.setattr(clock, "now", lambda: moment)
    return move
