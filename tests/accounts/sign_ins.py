"""Signing in over the real routes, as a client or a browser does it."""

import re
from datetime import UTC, datetime
from typing import Any

from django.core import mail
from django.test import Client

from accounts.models import ApiKey, EmailCode, SecurityEvent, User
from accounts.refusals import SIGN_IN_REFUSALS
from accounts.services.email_codes import mail_code, start_email_code
from core import clock, ids
from core.outbox.services import handle_due
from tests.accounts.credentials import KEY_FORM

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


def nothing_happened() -> None:
    """No account, no key, and nothing to tell of."""
    assert not ApiKey.objects.exists()
    assert not User.objects.exists()
    assert not SecurityEvent.objects.exists()


def issued(answer: Any, label: str, email: str = SOMEBODY) -> str:
    """The key in an answer that is exactly right."""
    assert answer.status_code == 200, answer.content
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Type"] == "application/json"
    assert answer.cookies == {}
    body = answer.json()
    key: str = body["apiKey"]
    assert KEY_FORM.fullmatch(key)
    user = User.objects.get(email=email)
    assert body == {
        "ok": True,
        "apiKey": key,
        "keyPrefix": key[:16],
        "label": label,
        "account": {"id": ids.encode(ids.ACCOUNT, user.pk), "email": email},
    }
    row = ApiKey.objects.get(prefix=key[:16])
    assert (row.user_id, row.label, row.parent_id, row.scopes) == (user.pk, label, None, None)
    return key


def balance_with(key: str) -> Any:
    return client().get("/api/v1/balance", headers={"x-api-key": key})
