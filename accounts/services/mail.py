"""Send one mail, and spare a mail server that is away."""

import smtplib
import time

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from core.errors import Unavailable

MAIL_PAUSE_SECONDS = 15
"""No mail is tried for so long after the mail server failed: other events wait behind each try's timeout."""
_NOT_LET_IN = frozenset({530, 534, 535, 538})
"""SMTP's answers about our own authentication or encryption: every message would get them."""
_SHUTTING_DOWN = 421
_log = structlog.get_logger(__name__)


class MailFailed(Unavailable):
    """The mail server did not take the mail."""


def send_mail(*, to: str, subject: str, text: str, html: str, about: str) -> bool:
    """Hand one message to the mail server; False when it refuses this one for good, which `about` names in the log.

    What is refused (no such mailbox, unwanted content) is given up: one message that the server will not have must
    not keep everybody's waiting.

    Raises:
        MailFailed: the server would not take this message now, or no message: it cannot be reached or does not let
            us in. In the second case none is tried for MAIL_PAUSE_SECONDS.
    """
    if time.monotonic() < server.away_until:
        raise MailFailed(retry_after=MAIL_PAUSE_SECONDS)
    mail = EmailMultiAlternatives(subject, text, settings.DEFAULT_FROM_EMAIL, [to])
    mail.attach_alternative(html, "text/html")
    try:
        mail.send()
    except (smtplib.SMTPException, OSError) as error:
        status = _status_of(error)
        if status is not None and status >= 500:
            _log.info("mail_refused", about=about, status=status)
            return False
        if status is None:
            server.away_until = time.monotonic() + MAIL_PAUSE_SECONDS
        raise MailFailed(f"The mail server failed: {type(error).__name__}.", retry_after=MAIL_PAUSE_SECONDS) from None
    return True


def _status_of(error: Exception) -> int | None:
    """What the server answered to this one message; None when the trouble is the server's own, whatever is sent."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        status = min(status for status, _ in error.recipients.values())
    elif isinstance(error, (smtplib.SMTPSenderRefused, smtplib.SMTPDataError)):
        status = error.smtp_code
    else:
        return None
    return None if status == _SHUTTING_DOWN or status in _NOT_LET_IN else status


class _MailServer:
    """What this process knows of it."""

    away_until = 0.0


server = _MailServer()
