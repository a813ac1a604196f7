"""The x402 facilitator: verifies signatures and brings them onto the chain. Its word is believed; silence is not."""

import re
from dataclasses import dataclass
from typing import Any

import httpx
import structlog
from django.conf import settings
from x402.http import CreateHeadersAuthProvider, FacilitatorConfig, HTTPFacilitatorClientSync
from x402.schemas import PaymentPayload, PaymentRequirements, SettleResponse

from core.errors import Unavailable

VERIFY_SECONDS = 10
SETTLE_SECONDS = 25
"""A block of Base takes two; the facilitator answers when the transaction is in one."""
_CONNECT_SECONDS = 5
_HASH = re.compile(r"0x[0-9a-f]{64}")
_UNFIT = (400, 412, 422)
"""Statuses by which facilitators refuse a payload instead of answering about it."""
_DEFINITE = frozenset(
    {
        "asset_not_deployed_contract",
        "eip6492_factory_not_allowed",
        "insufficient_funds",
        "invalid_exact_evm_eip3009_not_supported",
        "invalid_exact_evm_insufficient_balance",
        "invalid_exact_evm_payload_authorization_valid_after",
        "invalid_exact_evm_payload_authorization_valid_before",
        "invalid_exact_evm_payload_authorization_value_mismatch",
        "invalid_exact_evm_payload_recipient_mismatch",
        "invalid_exact_evm_payload_signature",
        "invalid_exact_evm_payload_undeployed_smart_wallet",
        "invalid_exact_evm_token_name_mismatch",
        "invalid_exact_evm_token_version_mismatch",
        "invalid_network",
        "invalid_payload",
        "invalid_payment_requirements",
        "invalid_scheme",
        "invalid_x402_version",
        "missing_eip712_domain",
        "network_mismatch",
        "smart_wallet_deployment_failed",
        "unsupported_scheme",
    }
)
"""Reasons that say: nothing was broadcast, and nothing will be. Not among them: a failed transaction and a used nonce,
since a stranger who copies the call out of the open may have settled it for us."""
_log = structlog.get_logger(__name__)


class FacilitatorUnavailable(Unavailable):
    """The x402 facilitator cannot be reached right now; nothing was paid. Send the same payment again shortly."""


@dataclass(frozen=True)
class Settled:
    """The money moved."""

    transaction: str
    """Its hash, in lower case."""


@dataclass(frozen=True)
class Refused:
    """Nothing moved, and nothing will by this request."""

    reason: str


@dataclass(frozen=True)
class Unknown:
    """Nobody knows whether it moved, or will."""

    why: str
    transaction: str = ""
    """Where it was broadcast, the hash."""


class _Unfit(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def verify(payload: PaymentPayload, requirements: PaymentRequirements) -> str | None:
    """Why the payment would not settle now, as the facilitator's code; None when it would.

    Raises:
        FacilitatorUnavailable: no answer that can be understood.
    """
    try:
        with _http(VERIFY_SECONDS) as http:
            answer = _client(http).verify(payload, requirements)
    except _Unfit as error:
        return error.reason
    except (httpx.HTTPError, ValueError) as error:
        raise FacilitatorUnavailable from error
    if answer.is_valid:
        return None
    return answer.invalid_reason or "invalid_payload"


def settle(payload: PaymentPayload, requirements: PaymentRequirements) -> Settled | Refused | Unknown:
    """Have the payment brought onto the chain. Once asked, only a clear answer counts; anything else is unknown."""
    try:
        with _http(SETTLE_SECONDS) as http:
            answer = _client(http).settle(payload, requirements)
    except (_Unfit, httpx.HTTPError, ValueError) as error:
        status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None
        _log.warning("x402_settlement_unknown", error=type(error).__name__, status=status)
        return Unknown(f"no clear answer: {type(error).__name__}")
    return _judged(answer, requirements)


def _judged(answer: SettleResponse, requirements: PaymentRequirements) -> Settled | Refused | Unknown:
    transaction = answer.transaction.lower()
    known = _HASH.fullmatch(transaction) is not None
    if answer.success:
        told = (answer.network, answer.amount or requirements.amount)
        if not known or told != (requirements.network, requirements.amount):
            return Unknown(f"settled {told[1]} on {told[0]} in {transaction}"[:300], transaction if known else "")
        return Settled(transaction)
    reason = (answer.error_reason or "no reason given")[:200]
    if not transaction and reason in _DEFINITE:
        return Refused(reason)
    return Unknown(reason, transaction if known else "")


def _http(seconds: int) -> httpx.Client:
    """A fresh connection for each call: on one kept too long, a lost request looks like a lost answer."""
    timeout = httpx.Timeout(seconds, connect=_CONNECT_SECONDS)
    return httpx.Client(timeout=timeout, event_hooks={"response": [_refuse_unfit]})


def _client(http: httpx.Client) -> HTTPFacilitatorClientSync:
    headers = {"Authorization": f"Bearer {settings.X402_FACILITATOR_KEY}"} if settings.X402_FACILITATOR_KEY else {}
    both = {"verify": headers, "settle": headers}
    return HTTPFacilitatorClientSync(
        FacilitatorConfig(
            url=settings.X402_FACILITATOR_URL,
            http_client=http,
            auth_provider=CreateHeadersAuthProvider(lambda: both),
        )
    )


def _refuse_unfit(response: httpx.Response) -> None:
    if response.status_code not in _UNFIT:
        return
    response.read()
    try:
        found: Any = response.json()
    except ValueError:
        found = None
    reason = found.get("invalidReason") if isinstance(found, dict) else None
    raise _Unfit(reason if isinstance(reason, str) and reason else "invalid_payload")
