"""Mailing codes over SMTP: what one message's refusal means, and what a server that is away means to all."""

import logging
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from accounts.services import mail
from accounts.services.email_codes import mail_code
from accounts.services.mail import MailFailed
from accounts.services.security_events import NOWHERE
from accounts.services.sign_in import sign_in_with_email_code
from core import clock
from core.outbox.models import DeadEvent, OutboxEvent
from core.outbox.services import handle_due
from deploy import ports
from deploy.embedded.mail import MailServers
from tests.accounts import smtp_site
from tests.accounts.sign_ins import NOW, SOMEBODY
from tests.accounts.sign_ins import start_code as start
from tests.accounts.smtp_site import HANG_UP, SmtpSite

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_in")]
OTHER = "other@example.com"


@pytest.fixture
def port(settings: Any) -> Iterator[int]:
    """Where mail goes: over SMTP, not into Django's list."""
    port = ports.take(name="smtp")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield port
    ports.release([port])


@pytest.fixture
def site(port: int) -> Iterator[SmtpSite]:
    """A server there."""
    with smtp_site.serve(port) as site:
        yield site


def two_codes_due() -> None:
    """Ask for two codes and have the outbox mail them, somebody's first."""
    start(now=clock.now())
    start(OTHER, "203.0.113.8", now=clock.now())
    handle_due(limit=2, now=clock.now())


def twenty_seconds_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail.server, "away_until", 0.0)
    handle_due(limit=2, now=clock.now() + timedelta(seconds=20))
    assert not OutboxEvent.objects.exists()
    assert not DeadEvent.objects.exists()


def waits_unblamed(event: OutboxEvent) -> None:
    """It is tried again, and named nobody."""
    assert event.tries == 0
    assert "MailFailed" in (event.last_error or "")
    assert "@" not in (event.last_error or "")
    assert clock.now() + timedelta(seconds=10) < event.due_at < clock.now() + timedelta(seconds=16)


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("MAIL", "550 5.1.8 no such sender"),
        ("MAIL", "552 5.3.4 too big"),
        ("RCPT", "550 5.1.1 no such user"),
        ("RCPT", "554 5.7.1 relay access denied"),
        ("DATA", "554 5.7.1 looks like spam"),
        ("DATA", "521 5.2.1 not from you"),
        ("DATA", "550 5.7.1 <somebody@example.com> is not served"),
    ],
)
def test_a_message_that_is_refused_is_given_up_and_nobody_elses_waits(
    site: SmtpSite, verb: str, answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    site.answers[verb] = answer
    with caplog.at_level(logging.DEBUG):
        two_codes_due()
    assert site.taken == [[OTHER]]
    assert site.connections == 2
    assert not OutboxEvent.objects.exists()
    assert not DeadEvent.objects.exists()
    assert mail.server.away_until == 0.0
    ours = [record.getMessage() for record in caplog.records if record.name != "mail.log"]  # aiosmtpd's
    (line,) = (text for text in ours if "mail_refused" in text)
    assert answer[:3] in line
    assert "@" not in line
    assert not any(SOMEBODY in text for text in ours)


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("MAIL", "452 4.3.1 no space"),
        ("RCPT", "450 4.2.0 greylisted"),
        ("DATA", "451 4.3.0 later"),
    ],
)
def test_a_message_that_is_put_off_is_tried_again_and_nobody_elses_waits(
    site: SmtpSite, verb: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.answers[verb] = answer
    two_codes_due()
    assert site.taken == [[OTHER]]
    waits_unblamed(OutboxEvent.objects.get())
    assert mail.server.away_until == 0.0
    twenty_seconds_later(monkeypatch)
    assert site.taken == [[OTHER], [SOMEBODY]]


class TestAServerThatIsAway:
    @pytest.mark.parametrize(
        ("verb", "answer"),
        [
            ("CONNECT", "421 4.3.2 shutting down"),
            ("CONNECT", "521 no mail here"),
            ("CONNECT", "554 no service for you"),
            ("EHLO", "550 who are you"),
            ("MAIL", "421 4.3.2 shutting down"),
            ("MAIL", "530 5.7.0 authentication required"),
            ("RCPT", "421 4.3.2 shutting down"),
            ("DATA", "421 4.3.2 shutting down"),
            ("MAIL", HANG_UP),
            ("DATA", HANG_UP),
        ],
    )
    def test_is_tried_again_and_spared_meanwhile(
        self, site: SmtpSite, verb: str, answer: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        site.answers[verb] = answer
        two_codes_due()
        assert site.connections == 1  # the second waits too: the outbox has others to serve
        assert site.taken == []
        assert OutboxEvent.objects.count() == 2
        for event in OutboxEvent.objects.all():
            waits_unblamed(event)
        twenty_seconds_later(monkeypatch)
        assert site.taken == [[SOMEBODY], [OTHER]]

    def test_refuses_our_password(self, site: SmtpSite, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "codes", "wrong"
        two_codes_due()
        assert (site.connections, site.taken) == (1, [])
        assert OutboxEvent.objects.count() == 2
        for event in OutboxEvent.objects.all():
            waits_unblamed(event)
        settings.EMAIL_HOST_USER = ""
        twenty_seconds_later(monkeypatch)
        assert site.taken == [[SOMEBODY], [OTHER]]

    def test_says_nothing(self, port: int, settings: Any) -> None:
        settings.EMAIL_TIMEOUT = 0.2
        code = start()
        with socket.create_server(("127.0.0.1", port)), pytest.raises(MailFailed, match="SMTPServerDisconnected"):
            mail_code(code_id=code.pk, now=NOW)
        assert mail.server.away_until > 0

    def test_does_not_listen(self, port: int) -> None:
        code = start()
        with pytest.raises(MailFailed) as failed:
            mail_code(code_id=code.pk, now=NOW)
        assert (failed.value.http_status, failed.value.retry_after) == (503, 15)
        assert mail.server.away_until > 0


def test_the_code_that_a_server_took_signs_in(port: int) -> None:
    page_port = ports.take(name="mail")
    servers = MailServers(smtp_port=port, page_port=page_port)
    servers.start()
    try:
        mail_code(code_id=start().pk, now=NOW)
        (caught,) = servers.mailbox.after(0, wait=10)
    finally:
        servers.stop()
        ports.release([page_port])
    assert caught.recipients == [SOMEBODY]
    assert caught.code_line is not None
    digits = re.sub(r"\D", "", caught.code_line)
    assert sign_in_with_email_code(email=SOMEBODY, code=digits, origin=NOWHERE, now=NOW).email == SOMEBODY
