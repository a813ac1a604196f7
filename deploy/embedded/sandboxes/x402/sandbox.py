"""The x402 facilitator over HTTP: the SDK's own, with a wallet on the sandbox's chain."""

import json
import threading
from typing import Any

from pydantic import ValidationError
from x402 import x402FacilitatorSync
from x402.mechanisms.evm.exact import ExactEvmFacilitatorScheme
from x402.schemas import PaymentPayload, PaymentRequirements, SchemeNotFoundError

from deploy.embedded.sandboxes.faults import Faults
from deploy.embedded.sandboxes.settings import NETWORK
from deploy.embedded.sandboxes.store import Store
from deploy.embedded.sandboxes.wire import Answer, Request, json_answer
from deploy.embedded.sandboxes.x402.chain import Chain
from deploy.embedded.sandboxes.x402.payer import Payer
from deploy.embedded.sandboxes.x402.rpc import Rpc
from deploy.embedded.sandboxes.x402.signer import SandboxSigner

FACILITATOR = "0x000000000000000000000000000000000000FAC1"
VERIFY, SETTLE = "/verify", "/settle"


class X402Sandbox:
    """What stands behind the prefix `/x402`: `/supported`, `/verify`, `/settle`; the chain is `.chain`, its RPC `.rpc`.

    `faults` order trouble for the facilitator, `rpc.faults` for the node; the methods below name the usual ones.
    """

    def __init__(self, *, store: Store, pay_to: str) -> None:
        self.pay_to = pay_to
        self.faults = Faults()
        self.chain = Chain(store)
        self.rpc = Rpc(self.chain)
        self.signer = SandboxSigner(self.chain, address=FACILITATOR)
        self._facilitator = x402FacilitatorSync()
        self._facilitator.register([NETWORK], ExactEvmFacilitatorScheme(self.signer))
        self._settling = threading.Lock()

    def payer(self, *, units: int = 1_000_000_000) -> Payer:
        """A fresh wallet with so many atomic units (10⁻⁶ USDC), that signs payments."""
        made = Payer()
        self.chain.fund(made.address, units)
        return made

    def settle_then_time_out(self, times: int = 1) -> None:
        """The next settlements are broadcast and final, but their clients never hear of it."""
        self.faults.time_out_next(times, on=SETTLE, after=True)

    def time_out_before_settling(self, times: int = 1) -> None:
        """The next settlements are never broadcast, and their clients hear nothing."""
        self.faults.time_out_next(times, on=SETTLE)

    def lose_receipts(self, times: int = 1) -> None:
        """The next settlements are broadcast, but answered as `settlement_pending`."""
        self.signer.receipts_to_lose += times

    def revert_next(self, times: int = 1) -> None:
        """The next settlements are broadcast and fail on the chain: nothing moves, the nonce stays unused."""
        self.chain.revert_next(times)

    def handle(self, request: Request) -> Answer:
        """A request under our prefix."""
        if request.method == "GET" and request.path == "/supported":
            return json_answer(200, _plain(self._facilitator.get_supported()))
        if request.method != "POST" or request.path not in (VERIFY, SETTLE):
            return json_answer(404, {"error": "There is nothing here."})
        try:
            asked = json.loads(request.body)
            payload = PaymentPayload.model_validate(asked["paymentPayload"])
            requirements = PaymentRequirements.model_validate(asked["paymentRequirements"])
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            return json_answer(400, {"error": f"invalid request: {error}"})
        if requirements.network != NETWORK:  # the SDK would try any chain of Ethereum's kind with this one's wallet
            return json_answer(400, {"error": f"no facilitator for {requirements.network}"})
        try:
            if request.path == VERIFY:
                return json_answer(200, _plain(self._facilitator.verify(payload, requirements)))
            with self._settling:  # one wallet sends one transaction after the other
                return json_answer(200, _plain(self._facilitator.settle(payload, requirements)))
        except SchemeNotFoundError as error:
            return json_answer(400, {"error": str(error)})
        except (ValueError, KeyError, TypeError) as error:  # what the SDK cannot read in an authorization
            return json_answer(400, {"error": f"invalid payload: {error}"})


def _plain(answer: Any) -> Any:
    return answer.model_dump(mode="json", by_alias=True, exclude_none=True)
