"""Count who follows a referral code, and hand out its capture token; the same whether or not the code exists."""

from datetime import UTC, datetime
from typing import Literal

from django.db import connection, transaction

from affiliates.capture import Capture, capture
from affiliates.codes import normal_code
from affiliates.transitions import APPROVED
from core.durability import commit_without_waiting

_COUNT = """
INSERT INTO affiliates_codeday (code_id, day, clicks, captures)
SELECT code.id, %(day)s, %(clicks)s, %(captures)s
FROM affiliates_affiliatecode code JOIN affiliates_affiliate affiliate ON affiliate.id = code.affiliate_id
WHERE code.code = %(code)s AND code.retired_at IS NULL AND affiliate.status = %(approved)s
ON CONFLICT (code_id, day) DO UPDATE
SET clicks = affiliates_codeday.clicks + excluded.clicks, captures = affiliates_codeday.captures + excluded.captures
"""


def follow(*, code: str, now: datetime) -> Capture:
    """Somebody opened a referral link: count a click, and capture the code."""
    return _visit(code, "clicks", now)


def capture_code(*, code: str, now: datetime) -> Capture:
    """A page or a program captures a code for later: count it."""
    return _visit(code, "captures", now)


def _visit(text: str, kind: Literal["clicks", "captures"], now: datetime) -> Capture:
    """Only codes in use are counted, by the same statements as for all others.

    The commit does not wait for the disk: it would have something to wait for only where a code exists, and anybody
    with a clock could tell. A crash may cost a counted click.
    """
    code = normal_code(text)
    with transaction.atomic(), connection.cursor() as cursor:
        commit_without_waiting()
        cursor.execute(
            _COUNT,
            {
                "code": code or "",
                "approved": APPROVED,
                "day": now.astimezone(UTC).date(),
                "clicks": int(kind == "clicks"),
                "captures": int(kind == "captures"),
            },
        )
    return capture(code=code or "", now=now)
