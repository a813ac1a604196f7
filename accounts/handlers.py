"""Events of this room whose effect lies outside the database."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from accounts.services import email_codes
from core import clock


def mail_email_code(payload: Mapping[str, Any]) -> None:
    """Somebody asked for a code: `codeId` is its UUID.

    Raises:
        Unavailable: the mail server is away; the outbox tries again, and gives up once the code has expired.
    """
    email_codes.mail_code(code_id=UUID(payload["codeId"]), now=clock.now())
