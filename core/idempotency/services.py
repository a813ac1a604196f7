"""Look up, claim and forget idempotency keys."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core.errors import ApiError, InvalidRequest
from core.idempotency.models import IdempotencyRecord

HEADERS = ("X-Idempotency-Key", "Idempotency-Key")
KEPT = timedelta(hours=72)
"""At least 48 h are promised."""


class IdempotencyConflict(ApiError):
    """This idempotency key was used before with a different request."""

    code = "idempotency_conflict"
    http_status = 409


@dataclass(frozen=True, kw_only=True)
class Key:
    """One idempotency key in its scope, with the fingerprint of the request that carries it."""

    account_id: UUID
    route: str
    key: str
    fingerprint: bytes


def fingerprint(request: Any) -> bytes:
    """SHA-256 of the canonical JSON form: the order of members and white space make no difference."""
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).digest()


def header_of(headers: Mapping[str, str]) -> str | None:
    """What the request's headers name as its key; both spellings may be given if they agree.

    Raises:
        InvalidRequest: they differ.
    """
    given = {headers[name] for name in HEADERS if name in headers}
    if len(given) > 1:
        raise InvalidRequest({"idempotencyKey": f"{' and '.join(HEADERS)} differ"})
    return next(iter(given), None)


def one_key(*, header: str | None, body: str | None = None) -> str | None:
    """The request's key, from the header or the body.

    Raises:
        InvalidRequest: both are given and differ, the length is not 1..200, or there are control characters.
    """
    if header is not None and body is not None and header != body:
        raise InvalidRequest({"idempotencyKey": "differs from the idempotency header"})
    key = body if body is not None else header
    if key is not None and not 1 <= len(key) <= 200:
        raise InvalidRequest({"idempotencyKey": "must have 1 to 200 characters"})
    if key is not None and not key.isprintable():
        raise InvalidRequest({"idempotencyKey": "must consist of printable characters"})
    return key


def find(*, key: Key) -> IdempotencyRecord | None:
    """The record of an earlier answer to the same request.

    Raises:
        IdempotencyConflict: the key was used with another request.
    """
    record = IdempotencyRecord.objects.filter(account_id=key.account_id, route=key.route, key=key.key).first()
    if record is not None and bytes(record.fingerprint) != key.fingerprint:
        raise IdempotencyConflict
    return record


def claim(*, key: Key, subject_id: UUID, status: int, body: Any, now: datetime) -> None:
    """Remember the answer, in the transaction of its effect.

    A concurrent claim of the same key waits here for the first one's commit.

    Raises:
        django.db.IntegrityError: somebody else claimed it; roll back and `find` their answer.
    """
    IdempotencyRecord.objects.create(
        account_id=key.account_id,
        route=key.route,
        key=key.key,
        fingerprint=key.fingerprint,
        subject_id=subject_id,
        status=status,
        body=body,
        created_at=now,
    )


def release(*, account_id: UUID, route: str, subject_id: UUID) -> None:
    """Forget the keys claimed for a subject that came to nothing, in the transaction that says so."""
    IdempotencyRecord.objects.filter(account_id=account_id, route=route, subject_id=subject_id).delete()


def forget_old(*, now: datetime, limit: int = 5000) -> int:
    """Delete records older than they are kept; how many."""
    old = IdempotencyRecord.objects.filter(created_at__lt=now - KEPT).order_by("created_at").values("pk")[:limit]
    return IdempotencyRecord.objects.filter(pk__in=old).delete()[0]


def forget_account(*, account_id: UUID) -> None:
    """Delete every record of an account, with the answers in them."""
    IdempotencyRecord.objects.filter(account_id=account_id).delete()
