"""Check that a callback is the platform's own (Standard Webhooks) before its body is believed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from killatamata.errors import KillaTamataError
from killatamata.models import Job

TOLERANCE_SECONDS = 300
_PREFIX = "whsec_"
_VERSION = "v1"
_JOB_ENDED = "media_job_terminal"


class InvalidSignature(KillaTamataError):
    """The message is not signed with this secret, is too old, or was changed on its way: do not believe it."""


@dataclass(frozen=True)
class Event:
    """A message that was proven."""

    id: str
    """The message's id, the same each time it is sent again: remember it to act once."""
    sent_at: datetime
    type: str
    """`media_job_terminal`, `webhook_test`, …"""
    body: dict[str, Any]
    """The JSON as it came."""

    @property
    def job(self) -> Job | None:
        """The job that ended, where the message is about one."""
        return Job.read(self.body) if self.type == _JOB_ENDED else None


def verify(
    secret: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes | str,
    *,
    tolerance: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> Event:
    """The message, once one of its signatures fits one of the secrets.

    `secret` is the account's `whsec_…`, or several while one replaces another. `headers` are the request's, in any
    case; `body` is the request's body exactly as it came, before any parsing. `tolerance` is how many seconds old, or
    ahead of this clock, the message may be; `now` is a Unix time instead of this clock's.

    Raises:
        InvalidSignature: it is not proven.
        ValueError: `secret` is not a signing secret.
    """
    keys = [_key(one) for one in ([secret] if isinstance(secret, str) else secret)]
    found = {name.lower(): value for name, value in headers.items()}
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if not found.get(name)]
    if missing:
        raise InvalidSignature(f"The message has no {missing[0]} header.")
    message_id, timestamp = found["webhook-id"], found["webhook-timestamp"]
    content = body.encode() if isinstance(body, str) else bytes(body)
    if not (message_id.isascii() and timestamp.isascii()):  # what was signed could then be another text
        raise InvalidSignature("The message's id or time has characters that are not ASCII.")
    signed = f"{message_id}.{timestamp}.".encode("ascii") + content
    expected = [hmac.digest(key, signed, hashlib.sha256) for key in keys]
    given = _signatures(found["webhook-signature"])
    # Every pair is compared, so that the time taken tells nothing about which of them fits.
    if not any([hmac.compare_digest(one, other) for one in expected for other in given]):  # noqa: C419
        raise InvalidSignature("No signature of the message fits the secret.")
    sent = _timestamp(timestamp)
    if abs((time.time() if now is None else now) - sent) > tolerance:
        raise InvalidSignature("The message is too old, or its time lies ahead.")
    return _event(message_id, sent, content)


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if not key:
        raise ValueError("a signing secret is the text whsec_ and base64 after it")
    return key


def _signatures(header: str) -> list[bytes]:
    """The signatures of the one version there is; others are for other receivers."""
    found = []
    for part in header.split():
        version, _, text = part.partition(",")
        if version == _VERSION:
            try:
                found.append(base64.b64decode(text, validate=True))
            except (ValueError, binascii.Error):
                continue
    return found


def _timestamp(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise InvalidSignature("The message's time is not a whole number of seconds.")
    return int(text)


def _event(message_id: str, sent: int, content: bytes) -> Event:
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise InvalidSignature("The message is not a JSON object.")
    kind = document.get("callbackType")
    at = datetime.fromtimestamp(sent, tz=timezone.utc)
    return Event(id=message_id, sent_at=at, type=kind if isinstance(kind, str) else "", body=document)
