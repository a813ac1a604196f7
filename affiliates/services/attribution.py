"""Decide who brought an account: once, before its first settled deposit, and never itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import connection, transaction

from affiliates.capture import captured_code
from affiliates.codes import active_code
from affiliates.models import AffiliateCode, Attribution
from affiliates.self_referral import is_self

Reason = Literal["applied", "unknown_code", "already_bound", "too_late", "own_code", "invalid_token"]

_INSERT = """
INSERT INTO affiliates_attribution (account_id, affiliate_id, code_id, source, at)
VALUES (%(account)s, %(affiliate)s, %(code)s, %(source)s, %(now)s)
ON CONFLICT (account_id) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class BindOutcome:
    """Whether a code was bound, and if not, why."""

    applied: bool
    reason: Reason
    code: str = ""
    """The code that the account is bound by, where it is: now or from before."""


def bind_explicit(*, account_id: UUID, code: str, now: datetime, token: str | None = None) -> BindOutcome:
    """Bind the account to the affiliate of a code that was named for it; else to the one of a capture token.

    The token is asked only where the code is nobody's. One that is forged or expired binds nothing at all, so that
    whoever sent it learns of it.
    """
    captured = None if token is None else captured_code(token, now=now)
    if token is not None and captured is None:
        return BindOutcome(applied=False, reason="invalid_token")
    source, found = "code", active_code(code)
    if found is None and captured is not None:
        source, found = "token", active_code(captured)
    return _bind(account_id, source, found, now)


def bind_passive(*, account_id: UUID, token: str, now: datetime) -> BindOutcome:
    """Bind the account to the affiliate whose link its browser followed before: `token` is the cookie's."""
    captured = captured_code(token, now=now)
    if captured is None:
        return BindOutcome(applied=False, reason="invalid_token")
    return _bind(account_id, "cookie", active_code(captured), now)


def close_attribution(*, account_id: UUID, now: datetime) -> None:
    """A deposit of the account settles: whoever is not bound yet never will be. In the deposit's transaction.

    A binding under way at the same moment makes this wait, and whichever row was written first stays.
    """
    _insert(account_id, None, "deposit", now)


def _bind(account_id: UUID, source: str, code: AffiliateCode | None, now: datetime) -> BindOutcome:
    with transaction.atomic():
        if code is None:
            # What is decided is said first: asking with one code after another must not tell which ones exist.
            return _decided(account_id) or BindOutcome(applied=False, reason="unknown_code")
        if is_self(affiliate=code.affiliate, account_id=account_id):
            return _decided(account_id) or BindOutcome(applied=False, reason="own_code")
        if _insert(account_id, code, source, now):
            return BindOutcome(applied=True, reason="applied", code=code.code)
        decided = _decided(account_id)
    if decided is None:
        raise LookupError(account_id)  # it was in the way of ours, and such rows are never deleted
    return decided


def _decided(account_id: UUID) -> BindOutcome | None:
    """Why nothing can be bound any more; None while something can."""
    earlier = Attribution.objects.select_related("code").filter(account_id=account_id).first()
    if earlier is None:
        return None
    if earlier.code is None:
        return BindOutcome(applied=False, reason="too_late")
    return BindOutcome(applied=False, reason="already_bound", code=earlier.code.code)


def _insert(account_id: UUID, code: AffiliateCode | None, source: str, now: datetime) -> bool:
    row = {
        "account": account_id,
        "affiliate": code.affiliate_id if code is not None else None,
        "code": code.pk if code is not None else None,
        "source": source,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, row)
        return bool(cursor.rowcount == 1)
