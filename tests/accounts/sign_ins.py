"""Signing in over the real routes, as a client or a browser does it."""

import re
from datetime import UTC, datetime
from typing import Any

from django.core import mail
from django.test import Client

from accounts.models import EmailCode
from accounts.refusals import SIGN_IN_REFUSALS
from accounts.services.email_codes import mail_code, start_email_code
from core import clock
from core.outbox.services import handle_due

AUTH = "/api/v1/auth"
START = f"{AUTH}/email/start"
VERIFY = f"{AUTH}/email/verify"
GOOGLE = f"{AUTH}/google"
BROWSER_VERIFY = f"{AUTH}/browser/email/verify"
BROWSER_GOOGLE = f"{AUTH}/browser/google"
SESSION = f"{AUTH}/browser/session"
COOKIE = "killa_tamata_browser_session"
SOMEBODY = "somebody@example.com"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def client(**more: Any) -> Client:
    """A browser or program of its own, whose CSRF checks are real."""
    return Client(raise_request_exception=False, enforce_csrf_checks=True, **more)


def post(path: str, body: Any, *, browser: Client | None = None, **headers: str) -> Any:
    return (browser or client()).post(path, body, content_type="application/json", headers=headers)


def handle_events() -> None:
    handle_due(limit=100, now=clock.now())


def mailed_code(email: str = SOMEBODY) -> str:
    """Ask for a code over the API, let the outbox mail it, read the mail."""
    answer = post(START, {"email": email})
    assert answer.status_code == 200, answer.content
    handle_events()
    assert mail.outbox[-1].to == [email.strip().lower()]
    return digits_of(mail.outbox[-1])


def digits_of(message: Any) -> str:
    found: list[str] = re.findall(r"\b\d{6}\b", message.body)
    assert len(found) == 1
    return found[0]


def another(code: str) -> str:
    """Digits that are not these."""
    return f"{(int(code) + 1) % 10**6:06}"


def refusals(reason: str) -> float:
    """How many this process has counted."""
    return SIGN_IN_REFUSALS.labels(reason)._value.get()


def start_code(email: str = SOMEBODY, client: str | None = "203.0.113.7", now: datetime = NOW) -> EmailCode:
    """Ask the service for a code; its row."""
    start_email_code(email=email, client=client, now=now)
    return EmailCode.objects.order_by("pk").last()  # type: ignore[return-value]


def mailed(code: EmailCode, now: datetime = NOW) -> str:
    """Mail it; its digits."""
    mail_code(code_id=code.pk, now=now)
    return digits_of(mail.outbox[-1])
