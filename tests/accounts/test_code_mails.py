"""The mails that carry one-time codes: what they say, what is kept of them, and what a mail server may do to them."""

import re
import smtplib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection

from accounts.models import CountedAttempt, EmailCode, User
from accounts.services import email_codes
from accounts.services.email_codes import MailFailed, MailNotConfigured, mail_code
from accounts.services.security_events import NOWHERE
from accounts.services.sign_in import sign_in_with_email_code
from core import clock
from core.outbox.models import DeadEvent, OutboxEvent
from core.outbox.services import handle_due
from deploy import ports
from deploy.embedded.mail import MailServers
from tests.accounts.sign_ins import NOW, SOMEBODY, mailed
from tests.accounts.sign_ins import start_code as start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_in")]


class TestMailing:
    def test_a_code_is_a_row_and_an_event_that_hold_no_digits(self) -> None:
        code = start()
        assert (code.email, code.tries, code.created_at, code.used_at) == (SOMEBODY, 0, NOW, None)
        assert code.expires_at == NOW + timedelta(minutes=10)
        event = OutboxEvent.objects.get()
        assert (event.topic, event.payload) == ("accounts.email_code_requested", {"codeId": str(code.pk)})
        assert mail.outbox == []
        digits = mailed(code)
        with connection.cursor() as cursor:
            cursor.execute("SELECT row_to_json(c)::text FROM accounts_emailcode c")
            row = cursor.fetchone()[0]
        assert digits not in row.replace(str(code.pk), "")
        assert not User.objects.exists()

    def test_the_mail_says_what_it_is(self, settings: Any) -> None:
        settings.DEFAULT_FROM_EMAIL = "Somewhere <codes@example.org>"
        digits = mailed(start())
        (message,) = mail.outbox
        assert message.to == [SOMEBODY]
        assert message.from_email == "Somewhere <codes@example.org>"
        assert message.subject == "Your sign-in code for Killa Tamata"
        assert digits not in message.subject
        ((html, kind),) = message.alternatives
        assert kind == "text/html"
        assert re.findall(r"\b\d{6}\b", str(html)) == [digits]

    def test_the_outbox_mails_it_once(self) -> None:
        start(now=clock.now())
        assert handle_due(limit=10, now=clock.now()) == 1
        assert handle_due(limit=10, now=clock.now()) == 0
        assert len(mail.outbox) == 1
        assert not OutboxEvent.objects.exists()

    def test_digits_follow_from_the_id_and_the_pepper(self, settings: Any) -> None:
        code = start()
        first, again = mailed(code), mailed(code)
        assert first == again
        others = {email_codes._digits(start(f"n{n}@example.com", f"203.0.113.{n}").pk) for n in range(50)}
        assert len(others) > 45
        settings.API_KEY_PEPPER = "another"
        assert mailed(code) != first

    def test_what_is_of_no_use_is_not_mailed(self) -> None:
        code = start()
        mail_code(code_id=code.pk, now=code.expires_at)
        newer = start(now=NOW + timedelta(seconds=1))
        mail_code(code_id=code.pk, now=NOW + timedelta(seconds=2))
        EmailCode.objects.filter(pk=newer.pk).update(used_at=NOW)
        mail_code(code_id=newer.pk, now=NOW + timedelta(seconds=2))
        EmailCode.objects.all().delete()
        mail_code(code_id=newer.pk, now=NOW)
        assert mail.outbox == []

    def test_without_a_mail_server_nothing_is_started(self, settings: Any) -> None:
        settings.EMAIL_HOST = ""
        with pytest.raises(MailNotConfigured) as refused:
            start()
        assert (refused.value.http_status, refused.value.code) == (503, "unavailable")
        assert not EmailCode.objects.exists()
        assert not CountedAttempt.objects.exists()
        assert not OutboxEvent.objects.exists()


class MailServer:
    """Stands in for sending a mail; raises what it is given to raise."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.tried = 0

    def send(self) -> int:
        self.tried += 1
        if self.trouble is not None:
            raise self.trouble
        return 1


class TestMailServer:
    @pytest.fixture
    def server(self, monkeypatch: pytest.MonkeyPatch) -> MailServer:
        server = MailServer()
        monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", server.send)
        return server

    @pytest.mark.parametrize(
        "trouble",
        [
            ConnectionRefusedError("refused"),
            TimeoutError("timed out"),
            smtplib.SMTPServerDisconnected("gone"),
            smtplib.SMTPAuthenticationError(535, b"no"),
            smtplib.SMTPDataError(451, b"later"),
        ],
        ids=lambda trouble: type(trouble).__name__,
    )
    def test_one_that_fails_is_tried_again_and_spared_meanwhile(
        self, server: MailServer, trouble: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = clock.now()
        server.trouble = trouble
        start(now=now)
        start("other@example.com", "203.0.113.8", now=now)
        handle_due(limit=2, now=clock.now())
        assert server.tried == 1  # the second waits too: the outbox has others to serve
        for event in OutboxEvent.objects.all():
            assert event.tries == 0
            assert "MailFailed" in (event.last_error or "")
            assert SOMEBODY not in (event.last_error or "")
            assert event.due_at > now + timedelta(seconds=14)
        server.trouble = None
        monkeypatch.setattr(email_codes._mail_server, "away_until", 0.0)
        handle_due(limit=2, now=clock.now() + timedelta(seconds=20))
        assert server.tried == 3
        assert not OutboxEvent.objects.exists()
        assert not DeadEvent.objects.exists()

    def test_a_mailbox_that_does_not_exist_is_given_up(self, server: MailServer) -> None:
        server.trouble = smtplib.SMTPRecipientsRefused({SOMEBODY: (550, b"no such user")})
        start(now=clock.now())
        handle_due(limit=1, now=clock.now())
        assert server.tried == 1
        assert not OutboxEvent.objects.exists()
        assert not DeadEvent.objects.exists()

    def test_a_mailbox_that_is_busy_is_not(self, server: MailServer) -> None:
        server.trouble = smtplib.SMTPRecipientsRefused({SOMEBODY: (450, b"greylisted")})
        start(now=clock.now())
        handle_due(limit=1, now=clock.now())
        assert OutboxEvent.objects.get().tries == 0
        assert email_codes._mail_server.away_until == 0.0  # the server is there


class TestRealMail:
    """Over SMTP, not into Django's list."""

    @pytest.fixture
    def port(self, settings: Any) -> Iterator[int]:
        port = ports.take(name="smtp")
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        yield port
        ports.release([port])

    def test_the_code_that_a_server_took_signs_in(self, port: int) -> None:
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

    def test_nobody_listens(self, port: int) -> None:
        code = start()
        with pytest.raises(MailFailed) as failed:
            mail_code(code_id=code.pk, now=NOW)
        assert (failed.value.http_status, failed.value.retry_after) == (503, 15)
        assert email_codes._mail_server.away_until > 0
