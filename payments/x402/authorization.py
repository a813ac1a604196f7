"""The header PAYMENT-SIGNATURE: read strictly, and compared with what was asked for."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from x402.schemas import PaymentPayload, PaymentRequirements

from core.errors import InvalidRequest
from core.messages import wrong_fields

HEADER = "PAYMENT-SIGNATURE"
LONGEST_HEADER = 16_384
"""Characters. A plain key's payment has about 1 100; a smart wallet's signature may add thousands."""
SECONDS_TO_SETTLE = 10
"""An authorization that ends sooner is not begun: the facilitator could not bring it into a block in time."""
LONGEST_VALIDITY = timedelta(hours=24)
"""One that is valid for longer is refused, since an unknown outcome is certain only when it has ended."""

_Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
_Number = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,77})$")]
"""An unsigned 256-bit integer in decimal digits."""


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, strict=True, frozen=True, extra="ignore")


class _Authorization(_Part):
    sender: Annotated[_Address, Field(alias="from")]
    to: _Address
    value: _Number
    valid_after: _Number
    valid_before: _Number
    nonce: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$")]


class _Signed(_Part):
    signature: Annotated[str, Field(pattern=r"^0x([0-9a-fA-F]{2}){65,}$")]
    authorization: _Authorization


class _Accepted(_Part):
    scheme: str
    network: str
    asset: str
    amount: str
    pay_to: str


class _Envelope(_Part):
    x402_version: Annotated[Literal[2], Field(alias="x402Version")]
    accepted: _Accepted
    payload: _Signed


@dataclass(frozen=True)
class Mismatch:
    """Why a payment is not what was asked for."""

    reason: str
    """A code; the x402 SDK's own where it has one."""
    sentence: str


class SignedPayment:
    """An EIP-3009 authorization with its signature, as a buyer sent it."""

    def __init__(self, envelope: _Envelope) -> None:
        self._accepted = envelope.accepted
        self._signed = envelope.payload
        authorization = envelope.payload.authorization
        self.payer = authorization.sender.lower()
        self.nonce = authorization.nonce.lower()
        self.value = int(authorization.value)
        self._valid_after = int(authorization.valid_after)
        self._valid_before = int(authorization.valid_before)

    @property
    def valid_before(self) -> datetime:
        """The first moment at which the chain refuses it. Only after `untimely` let it pass."""
        return datetime.fromtimestamp(self._valid_before, UTC)

    def payload(self, requirements: PaymentRequirements) -> PaymentPayload:
        """What is sent to the facilitator: the signed values under our own terms; nothing else that the buyer sent."""
        authorization = self._signed.authorization
        return PaymentPayload(
            accepted=requirements,
            payload={
                "signature": self._signed.signature,
                "authorization": authorization.model_dump(by_alias=True),
            },
        )

    def mismatch(self, requirements: PaymentRequirements) -> Mismatch | None:
        """What it differs in from the terms, times apart."""
        accepted, authorization = self._accepted, self._signed.authorization
        if accepted.scheme != requirements.scheme:
            return Mismatch("unsupported_scheme", f"The scheme must be {requirements.scheme}.")
        if accepted.network != requirements.network:
            return Mismatch("network_mismatch", f"The network must be {requirements.network}.")
        if accepted.asset.lower() != requirements.asset.lower():
            return Mismatch("asset_mismatch", f"The asset must be {requirements.asset}.")
        payees = {accepted.pay_to.lower(), authorization.to.lower()}
        if payees != {requirements.pay_to.lower()}:
            return Mismatch("invalid_exact_evm_payload_recipient_mismatch", f"The payee must be {requirements.pay_to}.")
        if {accepted.amount, authorization.value} != {requirements.amount}:
            return Mismatch(
                "invalid_exact_evm_payload_authorization_value_mismatch",
                f"The signed value must be {requirements.amount} atomic units.",
            )
        return None

    def untimely(self, now: datetime) -> Mismatch | None:
        """Why it cannot be settled now."""
        if self._valid_after > now.timestamp():
            return Mismatch(
                "invalid_exact_evm_payload_authorization_valid_after", "The authorization is not valid yet."
            )
        if self._valid_before < now.timestamp() + SECONDS_TO_SETTLE:
            return Mismatch(
                "invalid_exact_evm_payload_authorization_valid_before",
                f"The authorization has expired, or will within {SECONDS_TO_SETTLE} seconds.",
            )
        if self._valid_before > (now + LONGEST_VALIDITY).timestamp():
            return Mismatch(
                "invalid_exact_evm_payload_authorization_valid_before",
                "The authorization is valid for longer than 24 hours.",
            )
        return None


def read_payment(header: str) -> SignedPayment:
    """The payment in the header's base64 JSON.

    Raises:
        InvalidRequest: it is no version 2 payload with an EIP-3009 authorization.
    """
    if len(header) > LONGEST_HEADER:
        raise InvalidRequest({HEADER: f"must have at most {LONGEST_HEADER} characters"})
    try:
        found: Any = json.loads(base64.b64decode(header, validate=True))
    except (ValueError, RecursionError):
        raise InvalidRequest({HEADER: "must be JSON in base64"}) from None
    if not isinstance(found, dict):
        raise InvalidRequest({HEADER: "must be a JSON object in base64"})
    if found.get("x402Version") != 2:
        raise InvalidRequest({f"{HEADER}.x402Version": "must be 2"})
    try:
        return SignedPayment(_Envelope.model_validate(found))
    except ValidationError as error:
        raise InvalidRequest(wrong_fields(error, root=(HEADER,))) from None
