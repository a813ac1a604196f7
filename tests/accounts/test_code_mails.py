"""The mails that carry one-time codes: what they say, and what is kept of them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection

from accounts.models import CountedAttempt, EmailCode, User
from accounts.services import email_codes
from accounts.services.email_codes import MailNotConfigured, mail_code
from core import clock
from core.outbox.models import OutboxEvent
from core.outbox.services import handle_due
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
