"""A test's wallet: signs x402 payments as a client's does, and can spoil each part of one."""

import base64
import copy
import json
import secrets
import time
from typing import Any

from eth_account import Account
from x402.mechanisms.evm.eip712 import build_typed_data_for_signing
from x402.mechanisms.evm.signers import EthAccountSigner
from x402.mechanisms.evm.types import ExactEIP3009Authorization

from deploy.embedded.sandboxes.settings import ASSET_NAME, CHAIN_ID
from deploy.embedded.sandboxes.x402.chain import VERSION

LIFE_SECONDS = 300
Payload = dict[str, Any]


class Payer:
    """One wallet. `requirements` are an element of `accepts` in a 402's PAYMENT-REQUIRED."""

    def __init__(self) -> None:
        self._account = Account.create()
        self._signer = EthAccountSigner(self._account)
        self.address: str = self._account.address

    def sign(
        self,
        requirements: Payload,
        *,
        nonce: str | None = None,
        value: str | None = None,
        pay_to: str | None = None,
        asset: str | None = None,
        chain_id: int = CHAIN_ID,
        valid_after: int = 0,
        valid_before: int | None = None,
        resource: Payload | None = None,
    ) -> Payload:
        """A payment of what is asked for, valid for five minutes; what is given is signed instead."""
        extra = requirements.get("extra") or {}
        authorization = ExactEIP3009Authorization(
            from_address=self.address,
            to=pay_to or requirements["payTo"],
            value=value or requirements["amount"],
            valid_after=str(valid_after),
            valid_before=str(valid_before if valid_before is not None else int(time.time()) + LIFE_SECONDS),
            nonce=nonce or f"0x{secrets.token_hex(32)}",
        )
        types: Any
        domain, types, primary, message = build_typed_data_for_signing(
            authorization,
            chain_id,
            asset or requirements["asset"],
            extra.get("name", ASSET_NAME),
            extra.get("version", VERSION),
        )
        signature = self._signer.sign_typed_data(domain, types, primary, message)
        payload: Payload = {
            "x402Version": 2,
            "accepted": copy.deepcopy(requirements),
            "payload": {
                "signature": f"0x{signature.hex()}",
                "authorization": {
                    "from": authorization.from_address,
                    "to": authorization.to,
                    "value": authorization.value,
                    "validAfter": authorization.valid_after,
                    "validBefore": authorization.valid_before,
                    "nonce": authorization.nonce,
                },
            },
        }
        return payload if resource is None else {**payload, "resource": resource}


def tampered(payload: Payload, path: str, value: Any) -> Payload:
    """The payload with one part changed after it was signed; `path` as "payload.authorization.value"."""
    changed = copy.deepcopy(payload)
    *outer, last = path.split(".")
    place = changed
    for name in outer:
        place = place[name]
    if last not in place:
        raise KeyError(f"{path} is no part of the payload")
    place[last] = value
    return changed


def header(payload: Payload) -> str:
    """The value of PAYMENT-SIGNATURE."""
    return base64.b64encode(json.dumps(payload).encode()).decode()
