"""JSON-RPC of the sandbox's chain: what a reconciler asks a node."""

import json
from collections.abc import Callable
from typing import Any

from deploy.embedded.sandboxes.faults import Faults
from deploy.embedded.sandboxes.settings import CHAIN_ID
from deploy.embedded.sandboxes.wire import Answer, Request, json_answer
from deploy.embedded.sandboxes.x402.chain import FIRST_BLOCK, Chain, Reverted, block_hash

FINAL_AFTER = 32
"""Blocks after which one is final; half as many make it safe."""


class RpcError(Exception):
    """A refusal with JSON-RPC's number."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Rpc:
    """What stands behind `/rpc`."""

    def __init__(self, chain: Chain) -> None:
        self.faults = Faults()
        self._chain = chain
        self._methods: dict[str, Callable[..., Any]] = {
            "eth_blockNumber": lambda: hex(chain.height()),
            "eth_call": self._call,
            "eth_chainId": lambda: hex(CHAIN_ID),
            "eth_getBlockByNumber": self._block,
            "eth_getCode": lambda address, block="latest": f"0x{chain.code(address).hex()}",
            "eth_getLogs": self._logs,
            "eth_getTransactionReceipt": chain.receipt,
            "net_version": lambda: str(CHAIN_ID),
        }

    def handle(self, request: Request) -> Answer:
        """One call or a batch of them."""
        if request.method != "POST":
            return json_answer(405, _failure(None, -32600, "Calls are posted."))
        try:
            asked = json.loads(request.body)
        except ValueError:
            return json_answer(200, _failure(None, -32700, "parse error"))
        if isinstance(asked, list):
            return json_answer(200, [self._answer(one) for one in asked])
        return json_answer(200, self._answer(asked))

    def _answer(self, asked: Any) -> dict[str, Any]:
        if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
            return _failure(None, -32600, "invalid request")
        method = self._methods.get(asked["method"])
        if method is None:
            return _failure(asked.get("id"), -32601, f"the method {asked['method']} does not exist")
        try:
            result = method(*asked.get("params", []))
        except Reverted as error:
            return _failure(asked.get("id"), 3, str(error))
        except RpcError as error:
            return _failure(asked.get("id"), error.code, str(error))
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            return _failure(asked.get("id"), -32602, f"invalid params: {error}")
        return {"jsonrpc": "2.0", "id": asked.get("id"), "result": result}

    def _call(self, call: dict[str, Any], block: str = "latest") -> str:
        self._number(block)
        data = bytes.fromhex((call.get("input") or call["data"]).removeprefix("0x"))
        return f"0x{self._chain.call(call['to'], data).hex()}"

    def _block(self, block: str, full: bool = False) -> dict[str, Any] | None:
        number = self._number(block)
        if not FIRST_BLOCK <= number <= self._chain.height():
            return None
        found = [one["transactionHash"] for one in self._chain.receipts() if int(one["blockNumber"], 16) == number]
        return {
            "number": hex(number),
            "hash": block_hash(number),
            "parentHash": block_hash(number - 1),
            "timestamp": hex(self._chain.block_time(number)),
            "transactions": found,
            "gasLimit": hex(60_000_000),
            "gasUsed": hex(85_000 * len(found)),
            "baseFeePerGas": hex(1_000_000),
        }

    def _logs(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        first = self._number(wanted.get("fromBlock", "earliest"))
        last = self._number(wanted.get("toBlock", "latest"))
        logs = [log for receipt in reversed(self._chain.receipts()) for log in receipt["logs"]]
        return [log for log in logs if first <= int(log["blockNumber"], 16) <= last and _matches(log, wanted)]

    def _number(self, block: str) -> int:
        height = self._chain.height()
        names = {
            "earliest": FIRST_BLOCK,
            "latest": height,
            "pending": height,
            "safe": max(FIRST_BLOCK, height - FINAL_AFTER // 2),
            "finalized": max(FIRST_BLOCK, height - FINAL_AFTER),
        }
        return names[block] if block in names else int(block, 16)


def _matches(log: dict[str, Any], wanted: dict[str, Any]) -> bool:
    address = wanted.get("address")
    if address is not None:
        addresses = [address] if isinstance(address, str) else address
        if log["address"].lower() not in {one.lower() for one in addresses}:
            return False
    for place, topic in enumerate(wanted.get("topics", [])):
        if topic is None:
            continue
        topics = [topic] if isinstance(topic, str) else topic
        if place >= len(log["topics"]) or log["topics"][place].lower() not in {one.lower() for one in topics}:
            return False
    return True


def _failure(id: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}
