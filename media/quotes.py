"""Binding quotes: a signed token that fixes facts and price version for ten minutes."""

import hashlib
import json
from typing import Any
from uuid import UUID

from django.core import signing

from billing.price_versions import price_version
from core.errors import ApiError
from core.idempotency.services import fingerprint
from media.orders import Binding, Order, pack_facts, unpack_facts

LIFETIME_SECONDS = 600
_SALT = "media.quote.v1"


class QuoteMismatch(ApiError):
    """The quote does not fit this request: another account, another input, or older than ten minutes."""

    code = "quote_mismatch"
    http_status = 409


def issue(*, order: Order) -> str:
    """The token for an order: account, request, effective input, facts and price version."""
    return signing.dumps(
        {
            "a": str(order.account_id),
            "r": fingerprint({"task": order.task.name, "input": order.canonical_input}).hex(),
            "e": _effective_hash(order),
            "f": pack_facts(order.facts),
            "p": str(order.price_version.id),
        },
        salt=_SALT,
        compress=True,
    )


def open_quote(*, token: str, account_id: UUID, task: str, raw_input: Any) -> Binding:
    """What the quote binds, when it is genuine, young and for this very request.

    Raises:
        QuoteMismatch: it is not.
    """
    try:
        quote = signing.loads(token, salt=_SALT, max_age=LIFETIME_SECONDS)
    except signing.BadSignature:
        raise QuoteMismatch from None
    if quote["a"] != str(account_id) or quote["r"] != fingerprint({"task": task, "input": raw_input}).hex():
        raise QuoteMismatch
    return Binding(
        facts=unpack_facts(quote["f"]),
        price_version=price_version(version_id=UUID(quote["p"])),
        effective_hash=quote["e"],
    )


def confirm(*, order: Order, binding: Binding) -> None:
    """Check that the order made under a quote is still the one that was quoted.

    Raises:
        QuoteMismatch: the input is normalised differently now.
    """
    if _effective_hash(order) != binding.effective_hash:
        raise QuoteMismatch


def _effective_hash(order: Order) -> str:
    text = json.dumps(order.normalised.effective_input, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
