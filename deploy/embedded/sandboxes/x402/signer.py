"""The facilitator's wallet, as the x402 SDK wants it, over the sandbox's chain instead of a node."""

from collections.abc import Callable
from typing import Any

from x402.mechanisms.evm.constants import MULTICALL3_ADDRESS
from x402.mechanisms.evm.types import TransactionReceipt, TypedDataDomain
from x402.mechanisms.evm.verify import verify_typed_data_strict

from deploy.embedded.sandboxes.settings import ASSET, CHAIN_ID
from deploy.embedded.sandboxes.x402.chain import Chain, Reverted, Transfer, encoded

TRANSFER_FUNCTION = "transferWithAuthorization"


class ReceiptLost(TimeoutError):
    """The transaction is broadcast, and the node tells nothing of it."""


class SandboxSigner:
    """The SDK's `FacilitatorEvmSigner`; only `transferWithAuthorization` with a wallet's own signature can be sent."""

    def __init__(self, chain: Chain, *, address: str) -> None:
        self._chain = chain
        self._address = address
        self.receipts_to_lose = 0
        """So many transactions will be broadcast without a receipt being found for them."""

    def get_addresses(self) -> list[str]:
        return [self._address]

    def read_contract(self, address: str, abi: list[dict[str, Any]], function_name: str, *args: Any) -> Any:
        """A call that changes nothing; a transfer is only tried.

        Raises:
            Reverted: the contract refuses.
        """
        if address.lower() == MULTICALL3_ADDRESS.lower() and function_name == "tryAggregate":
            return [self._try(target, data) for target, data in args[1]]
        if address.lower() != ASSET.lower():
            raise Reverted("no contract at this address")
        if function_name == TRANSFER_FUNCTION:
            return self._chain.check_transfer(_transfer(args))
        readers: dict[str, Callable[..., Any]] = {
            "balanceOf": self._chain.balance,
            "authorizationState": self._chain.authorization_used,
        }
        if function_name not in readers:
            raise Reverted(f"unknown function {function_name}")
        return readers[function_name](*args)

    def verify_typed_data(
        self,
        address: str,
        domain: TypedDataDomain,
        types: dict[str, list[Any]],
        primary_type: str,
        message: dict[str, Any],
        signature: bytes,
    ) -> bool:
        return bool(verify_typed_data_strict(self, address, domain, types, primary_type, message, signature))

    def write_contract(
        self, address: str, abi: list[dict[str, Any]], function_name: str, *args: Any, data_suffix: str | None = None
    ) -> str:
        """Broadcast a transfer; the transaction's hash.

        Raises:
            Reverted: it would fail; nothing was broadcast.
        """
        if address.lower() != ASSET.lower() or function_name != TRANSFER_FUNCTION:
            raise Reverted(f"the sandbox sends no {function_name}")
        return self._chain.transfer(_transfer(args), sender=self._address)

    def send_transaction(self, to: str, data: bytes) -> str:
        raise Reverted("the sandbox deploys no wallets")

    def wait_for_transaction_receipt(self, tx_hash: str) -> TransactionReceipt:
        """The receipt.

        Raises:
            ReceiptLost: one of those that were to be lost.
        """
        if self.receipts_to_lose > 0:
            self.receipts_to_lose -= 1
            raise ReceiptLost(f"no receipt for {tx_hash} in time")
        found = self._chain.receipt(tx_hash)
        if found is None:
            raise ReceiptLost(f"{tx_hash} is unknown")
        return TransactionReceipt(
            status=int(found["status"], 16),
            block_number=int(found["blockNumber"], 16),
            tx_hash=tx_hash,
            logs=found["logs"],
        )

    def get_balance(self, address: str, token_address: str) -> int:
        return self._chain.balance(address) if token_address.lower() == ASSET.lower() else 0

    def get_chain_id(self) -> int:
        return CHAIN_ID

    def get_code(self, address: str) -> bytes:
        return self._chain.code(address)

    def _try(self, target: str, data: bytes) -> tuple[bool, bytes]:
        try:
            return True, self._chain.call(target, data)
        except Reverted as error:
            return False, bytes.fromhex("08c379a0") + encoded(error.reason)


def _transfer(args: tuple[Any, ...]) -> Transfer:
    if len(args) != 9:
        raise Reverted("the sandbox's wallets are plain keys: signatures of contracts are refused")
    return Transfer(*args)
