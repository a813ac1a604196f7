"""One-time codes that prove an email address: six digits, mailed, good for ten minutes, once, and for five guesses.

The digits are stored nowhere: they follow from the code's id under the server's pepper, and whoever needs them (the
handler that mails them, the verification) computes them again.
"""

import hmac
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from accounts.digests import digests
from accounts.models import EmailCode
from accounts.refusals import SignInRefused, note_refusal
from accounts.services.attempts import Limit, count_attempt
from accounts.services.mail import send_mail
from core import outbox_topics
from core.client_address import subscriber
from core.errors import Unavailable
from core.outbox.services import emit

LIFETIME = timedelta(minutes=10)
MOST_GUESSES = 5
FOR_ADDRESS = Limit(kind="email_code_for_address", most=5)
FROM_CLIENT = Limit(kind="email_code_from_client", most=5)
KEPT = timedelta(days=1)

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


class CodeRefused(SignInRefused):
    """The code is wrong, used or expired; ask for a new one."""


class MailNotConfigured(Unavailable):
    """This installation cannot send mail, so it has no sign-in by email code."""


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
    digits are mailed a second time. What the server refuses for good is given up.

    Raises:
        accounts.services.mail.MailFailed: the server is away, or would not take the message now.
    """
    code = EmailCode.objects.filter(pk=code_id, used_at=None, expires_at__gt=now).first()
    if code is None or EmailCode.objects.filter(email=code.email, created_at__gt=code.created_at).exists():
        return
    shown = _digits(code.pk)
    send_mail(
        to=code.email,
        subject=_SUBJECT,
        text=_TEXT.format(digits=shown),
        html=_HTML.format(digits=shown),
        about=f"code {code.pk}",
    )


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
    expected = _accepted(code_id) if code_id is not None else ["no code"]
    if not any(hmac.compare_digest(one.encode(), code.encode()) for one in expected) or code_id is None:
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


def _digits(code_id: UUID) -> str:
    """What the mail says."""
    return _accepted(code_id)[0]


def _accepted(code_id: UUID) -> list[str]:
    """What the mail says; then what it said under the peppers that are being replaced."""
    return [f"{int.from_bytes(one) % 10**6:06}" for one in digests(f"email-code:{code_id}")]
