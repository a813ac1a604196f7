"""A chain with one token, USDC as deployed on Base Sepolia: balances, EIP-3009 authorizations, blocks, receipts.

Signatures are really recovered and everything the true contract refuses is refused here, in its words.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_keys import keys
from eth_keys.constants import SECPK1_N
from eth_keys.exceptions import BadSignature
from eth_keys.exceptions import ValidationError as BadSignatureValue
from eth_utils import keccak, to_checksum_address
from x402.mechanisms.evm.eip712 import hash_eip3009_authorization
from x402.mechanisms.evm.types import ExactEIP3009Authorization

from deploy.embedded.sandboxes.settings import ASSET, ASSET_NAME, CHAIN_ID
from deploy.embedded.sandboxes.store import Store

VERSION, DECIMALS = "2", 6
BLOCK_SECONDS = 2
FIRST_BLOCK = 30_000_000
TRANSFER = "0x" + keccak(text="Transfer(address,address,uint256)").hex()
AUTHORIZATION_USED = "0x" + keccak(text="AuthorizationUsed(address,bytes32)").hex()
TOKEN_CODE = b"\x60\x80"
"""Some code: that an address has any is what tells a contract from a wallet."""


class Reverted(Exception):
    """A call that the contract refuses; its reason is the contract's."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"execution reverted: {reason}")
        self.reason = reason


class Chain:
    """The ledger. Every method may be called from any thread; a transfer is one transaction of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.transaction():
            known = store.get("chain.genesis", "0")
            if known is None:
                known = {"at": int(time.time()), "ahead": 0}
                store.put("chain.genesis", "0", known)
        self._born: int = known["at"]
        self._ahead: int = known["ahead"]
        self._reverting = 0
        self._functions: dict[str, Callable[..., Any]] = {
            "name()": lambda: ASSET_NAME,
            "symbol()": lambda: ASSET_NAME,
            "version()": lambda: VERSION,
            "decimals()": lambda: DECIMALS,
            "balanceOf(address)": self.balance,
            "authorizationState(address,bytes32)": self.authorization_used,
        }
        self._selectors = {keccak(text=one)[:4]: one for one in self._functions}

    # Time -------------------------------------------------------------------------------------------------

    def now(self) -> int:
        """The chain's time in Unix seconds."""
        return int(time.time()) + self._ahead

    def advance(self, seconds: int) -> None:
        """Let the chain's time run ahead of ours, as if so many seconds had passed."""
        with self._store.transaction():
            self._ahead += seconds
            self._store.put("chain.genesis", "0", {"at": self._born, "ahead": self._ahead})

    def height(self) -> int:
        """The number of the newest block."""
        return FIRST_BLOCK + (self.now() - self._born) // BLOCK_SECONDS

    def block_time(self, number: int) -> int:
        """When a block was made, in Unix seconds."""
        return self._born + (number - FIRST_BLOCK) * BLOCK_SECONDS

    # Reading ----------------------------------------------------------------------------------------------

    def balance(self, holder: str) -> int:
        """Atomic units (10⁻⁶ USDC) that an address holds."""
        found = self._store.get("chain.balance", holder.lower())
        return int(found["units"]) if found else 0

    def authorization_used(self, payer: str, nonce: bytes) -> bool:
        """Whether this payer's nonce was used, or canceled."""
        return self._store.get("chain.nonce", _nonce_id(payer, nonce)) is not None

    def receipt(self, transaction: str) -> dict[str, Any] | None:
        """A transaction's receipt, as eth_getTransactionReceipt answers it."""
        return self._store.get("chain.receipt", transaction.lower())

    def receipts(self) -> list[dict[str, Any]]:
        """All receipts, newest first."""
        return self._store.newest("chain.receipt")

    def code(self, address: str) -> bytes:
        """An address's code: only the token has any."""
        return TOKEN_CODE if address.lower() == ASSET.lower() else b""

    def call(self, to: str, data: bytes) -> bytes:
        """eth_call: what the token answers; nothing from an address without code.

        Raises:
            Reverted: the token has no such function, or refuses.
        """
        if to.lower() != ASSET.lower():
            return b""
        signature = self._selectors.get(data[:4])
        if signature is None:
            raise Reverted("unknown function")
        inner = signature[signature.index("(") + 1 : -1]
        try:
            arguments = decode(inner.split(",") if inner else [], data[4:])
        except DecodingError:
            raise Reverted("the arguments cannot be read") from None
        return encoded(self._functions[signature](*arguments))

    # Writing ----------------------------------------------------------------------------------------------

    def fund(self, holder: str, units: int) -> None:
        """Mint so many atomic units to an address."""
        with self._store.transaction():
            self._change(holder, units)

    def revert_next(self, times: int = 1) -> None:
        """The next transfers are broadcast and then fail in their block: a receipt of status 0, nothing moved."""
        self._reverting += times

    def cancel_authorization(self, payer: str, nonce: bytes) -> None:
        """The payer takes a nonce back, so that it can never be used."""
        with self._store.transaction():
            self._store.put("chain.nonce", _nonce_id(payer, nonce), {"transaction": None})

    def check_transfer(self, arguments: "Transfer") -> None:
        """What `transferWithAuthorization` checks, in the contract's order.

        Raises:
            Reverted: it would be refused.
        """
        now = self.now()
        if now <= arguments.valid_after:
            raise Reverted("FiatTokenV2: authorization is not yet valid")
        if now >= arguments.valid_before:
            raise Reverted("FiatTokenV2: authorization is expired")
        if self.authorization_used(arguments.payer, arguments.nonce):
            raise Reverted("FiatTokenV2: authorization is used or canceled")
        if _signer(arguments) != arguments.payer.lower():
            raise Reverted("FiatTokenV2: invalid signature")
        if int(arguments.payee, 16) == 0:
            raise Reverted("ERC20: transfer to the zero address")
        if self.balance(arguments.payer) < arguments.value:
            raise Reverted("ERC20: transfer amount exceeds balance")

    def transfer(self, arguments: "Transfer", *, sender: str) -> str:
        """Broadcast a transfer and put it into the next block; the transaction's hash.

        Raises:
            Reverted: it would fail, so it was not broadcast; nothing moved.
        """
        with self._store.transaction():
            self.check_transfer(arguments)
            transaction = f"0x{secrets.token_hex(32)}"
            block = self.height()
            logs: list[dict[str, Any]] = []
            failed = self._reverting > 0
            if failed:
                self._reverting -= 1
            else:
                self._change(arguments.payer, -arguments.value)
                self._change(arguments.payee, arguments.value)
                used = _nonce_id(arguments.payer, arguments.nonce)
                self._store.put("chain.nonce", used, {"transaction": transaction})
                payer, payee = _topic(arguments.payer), _topic(arguments.payee)
                nonce = f"0x{arguments.nonce.hex()}"
                value = f"0x{arguments.value:064x}"
                logs.append(_log([AUTHORIZATION_USED, payer, nonce], "0x", transaction, block, 0))
                logs.append(_log([TRANSFER, payer, payee], value, transaction, block, 1))
            receipt = {
                "transactionHash": transaction,
                "transactionIndex": "0x0",
                "blockHash": block_hash(block),
                "blockNumber": hex(block),
                "from": sender,
                "to": ASSET,
                "contractAddress": None,
                "cumulativeGasUsed": hex(85_000),
                "gasUsed": hex(85_000),
                "effectiveGasPrice": hex(1_000_000),
                "logs": logs,
                "logsBloom": f"0x{'0' * 512}",
                "status": "0x0" if failed else "0x1",
                "type": "0x2",
            }
            self._store.put("chain.receipt", transaction, receipt)
        return transaction

    def _change(self, holder: str, units: int) -> None:
        self._store.put("chain.balance", holder.lower(), {"units": str(self.balance(holder) + units)})


class Transfer:
    """The arguments of `transferWithAuthorization`, in the contract's order."""

    def __init__(
        self,
        payer: str,
        payee: str,
        value: int,
        valid_after: int,
        valid_before: int,
        nonce: bytes,
        v: int,
        r: bytes,
        s: bytes,
    ) -> None:
        self.payer, self.payee, self.value = payer, payee, value
        self.valid_after, self.valid_before, self.nonce = valid_after, valid_before, nonce
        self.v, self.r, self.s = v, r, s


def _signer(arguments: Transfer) -> str:
    """Who signed, in lower case, as the contract's ECRecover finds it."""
    if int.from_bytes(arguments.s, "big") > SECPK1_N // 2:
        raise Reverted("ECRecover: invalid signature 's' value")
    if arguments.v not in (27, 28):
        raise Reverted("ECRecover: invalid signature 'v' value")
    authorization = ExactEIP3009Authorization(
        from_address=arguments.payer,
        to=arguments.payee,
        value=str(arguments.value),
        valid_after=str(arguments.valid_after),
        valid_before=str(arguments.valid_before),
        nonce=f"0x{arguments.nonce.hex()}",
    )
    digest = hash_eip3009_authorization(authorization, CHAIN_ID, ASSET, ASSET_NAME, VERSION)
    try:
        signature = keys.Signature(signature_bytes=arguments.r + arguments.s + bytes([arguments.v - 27]))
        return signature.recover_public_key_from_msg_hash(digest).to_address()
    except (BadSignature, BadSignatureValue):
        raise Reverted("ECRecover: invalid signature") from None


def block_hash(number: int) -> str:
    """A block's hash; the same at each look."""
    return f"0x{keccak(text=f'block {number}').hex()}"


def _nonce_id(payer: str, nonce: bytes) -> str:
    return f"{payer.lower()}:{nonce.hex()}"


def _topic(address: str) -> str:
    return f"0x{address.lower().removeprefix('0x').rjust(64, '0')}"


def _log(topics: list[str], data: str, transaction: str, block: int, place: int) -> dict[str, Any]:
    return {
        "address": to_checksum_address(ASSET),
        "topics": topics,
        "data": data,
        "blockNumber": hex(block),
        "blockHash": block_hash(block),
        "transactionHash": transaction,
        "transactionIndex": "0x0",
        "logIndex": hex(place),
        "removed": False,
    }


def encoded(value: Any) -> bytes:
    kind = "bool" if isinstance(value, bool) else "uint256" if isinstance(value, int) else "string"
    return encode([kind], [value])
