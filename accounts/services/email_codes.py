"""One-time codes that prove an email address: six digits, mailed, good for ten minutes, once, and for five guesses.

The digits are stored nowhere: they follow from the code's id under the server's pepper, and whoever needs them (the
handler that mails them, the verification) computes them again.
"""

import hmac
import smtplib
import time
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction

from accounts.digests import digest
from accounts.models import EmailCode
from accounts.refusals import SignInRefused, note_refusal
from accounts.services.attempts import Limit, count_attempt
from core import outbox_topics
from core.client_address import subscriber
from core.errors import Unavailable
from core.outbox.services import emit

LIFETIME = timedelta(minutes=10)
MOST_GUESSES = 5
FOR_ADDRESS = Limit(kind="email_code_for_address", most=5)
FROM_CLIENT = Limit(kind="email_code_from_client", most=5)
KEPT = timedelta(days=1)
MAIL_PAUSE_SECONDS = 15
"""No mail is tried for so long after the mail server failed: other events wait behind each try's timeout."""
_NOT_LET_IN = frozenset({530, 534, 535, 538})
"""SMTP's answers about our own authentication or encryption: every message would get them."""
_SHUTTING_DOWN = 421

_GUESS = """
UPDATE accounts_emailcode SET tries = tries + 1
WHERE id = (SELECT id FROM accounts_emailcode WHERE email = %(email)s ORDER BY created_at DESC, id DESC LIMIT 1)
  AND tries < %(most)s AND used_at IS NULL AND expires_at > %(now)s
RETURNING id
"""
_SUBJECT = "Your sign-in code for Killa Tamata"
_TEXT = """Your sign-in code is {digits}

It is good for ten minutes and works once. If you did not ask for it, do nothing: nobody can sign in without it.
"""
_HTML = """<!doctype html>
<html lang="en"><body style="font-family: sans-serif">
<p>Your sign-in code is</p>
<p style="font-size: 2em; letter-spacing: 0.2em"><strong>{digits}</strong></p>
<p>It is good for ten minutes and works once. If you did not ask for it, do nothing: nobody can sign in without it.</p>
</body></html>
"""
_log = structlog.get_logger(__name__)


class CodeRefused(SignInRefused):
    """The code is wrong, used or expired; ask for a new one."""


class MailNotConfigured(Unavailable):
    """This installation cannot send mail, so it has no sign-in by email code."""


class MailFailed(Unavailable):
    """The mail server did not take the mail."""


def start_email_code(*, email: str, client: str | None, now: datetime) -> None:
    """Have a new code mailed to `email` (in its normal form); codes of this address from before count no longer.

    Looks at no account, so that known and unknown addresses cost and answer the same. `client` is the asking address.

    Raises:
        MailNotConfigured: there is no mail server; nothing was counted.
        RateLimited: the address, or the client, has had its five codes within an hour.
    """
    if not settings.EMAIL_HOST:
        raise MailNotConfigured
    with transaction.atomic():
        count_attempt(subjects=[(FOR_ADDRESS, email), (FROM_CLIENT, subscriber(client))], now=now)
        code = EmailCode.objects.create(email=email, created_at=now, expires_at=now + LIFETIME)
        emit(topic=outbox_topics.EMAIL_CODE_REQUESTED, payload={"codeId": str(code.pk)})


def mail_code(*, code_id: UUID, now: datetime) -> None:
    """Send a code's mail, unless the code is of no use any more.

    Talks to the mail server. If the process dies between the server's answer and the commit around it, the same
    digits are mailed a second time. What the server refuses for good (no such mailbox, unwanted content) is given up:
    one message that it will not have must not keep everybody's codes waiting.

    Raises:
        MailFailed: the server would not take this message now, or no message: it cannot be reached or does not let
            us in. In the second case none is tried for MAIL_PAUSE_SECONDS.
    """
    code = EmailCode.objects.filter(pk=code_id, used_at=None, expires_at__gt=now).first()
    if code is None or EmailCode.objects.filter(email=code.email, created_at__gt=code.created_at).exists():
        return
    if time.monotonic() < _mail_server.away_until:
        raise MailFailed(retry_after=MAIL_PAUSE_SECONDS)
    shown = _digits(code.pk)
    mail = EmailMultiAlternatives(_SUBJECT, _TEXT.format(digits=shown), settings.DEFAULT_FROM_EMAIL, [code.email])
    mail.attach_alternative(_HTML.format(digits=shown), "text/html")
    try:
        mail.send()
    except (smtplib.SMTPException, OSError) as error:
        status = _status_of(error)
        if status is not None and status >= 500:
            _log.info("mail_refused", code_id=str(code.pk), status=status)
            return
        if status is None:
            _mail_server.away_until = time.monotonic() + MAIL_PAUSE_SECONDS
        raise MailFailed(f"The mail server failed: {type(error).__name__}.", retry_after=MAIL_PAUSE_SECONDS) from None


def judge_guess(*, email: str, code: str, now: datetime) -> UUID:
    """The id of the address's newest code when these are its digits; follow it by `use_code`.

    The guess is counted, and the count committed, before it is judged: however many come at once, five are judged.

    Raises:
        CodeRefused: one answer for wrong, used, expired, used up by guesses, never sent.
        RuntimeError: called inside a transaction, whose rollback would forget the guess.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_GUESS, {"email": email, "most": MOST_GUESSES, "now": now})
        row = cursor.fetchone()
    code_id = row[0] if row is not None else None
    expected = _digits(code_id) if code_id is not None else "no code"
    if not hmac.compare_digest(expected.encode(), code.encode()) or code_id is None:
        note_refusal("email_code_wrong" if code_id is not None else "email_code_none")
        raise CodeRefused
    return UUID(str(code_id))


def use_code(*, code_id: UUID, now: datetime) -> None:
    """Use up a code that was guessed rightly, in the transaction of what it is used for.

    Raises:
        CodeRefused: it was used or has expired meanwhile; of two right guesses at once, one succeeds.
    """
    if EmailCode.objects.filter(pk=code_id, used_at=None, expires_at__gt=now).update(used_at=now) != 1:
        note_refusal("email_code_none")
        raise CodeRefused


def forget_old(*, now: datetime, limit: int = 5000) -> int:
    """Delete codes older than a day; how many."""
    old = EmailCode.objects.filter(created_at__lte=now - KEPT).order_by("created_at").values("pk")[:limit]
    return EmailCode.objects.filter(pk__in=old).delete()[0]


def _status_of(error: Exception) -> int | None:
    """What the server answered to this one message; None when the trouble is the server's own, whatever is sent."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        status = min(status for status, _ in error.recipients.values())
    elif isinstance(error, (smtplib.SMTPSenderRefused, smtplib.SMTPDataError)):
        status = error.smtp_code
    else:
        return None
    return None if status == _SHUTTING_DOWN or status in _NOT_LET_IN else status


def _digits(code_id: UUID) -> str:
    return f"{int.from_bytes(digest(f'email-code:{code_id}')) % 10**6:06}"


class _MailServer:
    """What this process knows of it."""

    away_until = 0.0


_mail_server = _MailServer()
