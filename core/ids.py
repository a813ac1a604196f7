"""Identifiers: UUIDv7 inside, `<prefix>_<26 characters of Crockford base32>` on the wire.

Prefixes are put on at the edge; the database holds native UUIDs. Version 7 (RFC 9562) starts with a
millisecond clock, so primary keys arrive in order and indexes stay dense.
"""

from datetime import datetime
from uuid import UUID

import uuid_utils.compat as uuid_utils

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)} | {"o": 0, "i": 1, "l": 1}
_LENGTH = 26  # 26 × 5 bits = 130 bits: the first character carries only 3 of the 128

ACCOUNT = "acct"
API_KEY = "key"
JOB = "job"
ATTEMPT = "att"
EVENT = "evt"
REQUEST = "req"
WEBHOOK_DELIVERY = "whd"
TRANSFER = "txn"
CHECKOUT = "chk"
DEPOSIT = "dep"
X402_PAYMENT = "x4p"
PROVIDER_EVENT = "pev"
AFFILIATE = "aff"
COMMISSION = "com"
PAYOUT = "pay"


def new() -> UUID:
    """A fresh UUIDv7."""
    return uuid_utils.uuid7()


def earliest(moment: datetime) -> UUID:
    """An id that no UUIDv7 made at `moment` or later comes before: where a time begins in a table ordered by id."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def encode(prefix: str, value: UUID) -> str:
    """The public form of `value`: `encode("job", …)` → `job_06bq…`."""
    number = value.int
    characters = [_ALPHABET[(number >> shift) & 31] for shift in range((_LENGTH - 1) * 5, -1, -5)]
    return f"{prefix}_{''.join(characters)}"


def decode(prefix: str, text: str) -> UUID | None:
    """The UUID behind a public id, or None when `text` is not one of this prefix.

    Follows Crockford: case does not matter, `o` reads as 0, `i` and `l` as 1.
    """
    head, separator, tail = text.partition("_")
    if head != prefix or not separator or len(tail) != _LENGTH or not tail.isascii():
        return None
    number = 0
    for character in tail.lower():
        value = _VALUES.get(character)
        if value is None:
            return None
        number = number << 5 | value
    return UUID(int=number) if number < 1 << 128 else None
