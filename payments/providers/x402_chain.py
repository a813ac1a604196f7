"""The chain itself, asked over JSON-RPC what became of an EIP-3009 authorization."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.conf import settings

from core.errors import Unavailable

AUTHORIZATION_STATE = "0xe94a0102"
"""The selector of `authorizationState(address,bytes32)`."""
AUTHORIZATION_USED = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5"
AUTHORIZATION_CANCELED = "0x1cdd46ff242716cdaa72d159d339a485b3438398348d68f09d7c8c0a59353d81"
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""Topics of `AuthorizationUsed(address,bytes32)`, `AuthorizationCanceled(address,bytes32)`,
`Transfer(address,address,uint256)`."""
BLOCKS_A_QUESTION = 1_000
"""Public nodes refuse longer ranges of logs."""
SLACK = timedelta(minutes=5)
"""How far our clock may be ahead of the chain's."""
_SECONDS = httpx.Timeout(5)


class ChainUnavailable(Unavailable):
    """The chain's node cannot be asked right now."""


@dataclass(frozen=True, kw_only=True)
class Authorization:
    """What to look for. Addresses and nonce in lower case."""

    network: str
    asset: str
    payer: str
    nonce: str
    pay_to: str
    atomic_units: int
    since: datetime
    """It was unused then."""
    transaction: str
    """Where it was broadcast, if that is known; else empty."""


@dataclass(frozen=True)
class Moved:
    """It was used, and its transfer to us is on the chain."""

    transaction: str


@dataclass(frozen=True)
class Spoilt:
    """It was used up without paying us, for good."""

    why: str
    """A code."""


@dataclass(frozen=True)
class Unused:
    """It was not used until the chain's newest block."""

    chain_time: int
    """That block's time, in Unix seconds."""


@dataclass(frozen=True)
class Untraceable:
    """It was used, and the node does not show how."""


Fate = Moved | Spoilt | Unused | Untraceable


def fate(sought: Authorization) -> Fate:
    """What became of the authorization.

    Raises:
        ChainUnavailable: the node gave no answer, or it is another chain's.
    """
    try:
        with httpx.Client(timeout=_SECONDS) as http:
            return _fate(_Node(http, settings.X402_RPC_URL), sought)
    except httpx.HTTPStatusError as error:
        # Not the error itself, which tells the node's address: that often holds a key.
        raise ChainUnavailable(f"The chain's node answered {error.response.status_code}.") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ChainUnavailable(f"The chain's node cannot be asked: {type(error).__name__}.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ChainUnavailable(f"The chain's node gave no answer that can be understood: {error!r}"[:500]) from error


class _Node:
    def __init__(self, http: httpx.Client, url: str) -> None:
        self._http = http
        self._url = url

    def ask(self, method: str, *params: Any) -> Any:
        """The call's result.

        Raises:
            httpx.HTTPError: no answer.
            ValueError: an error, or no JSON-RPC.
        """
        answer = self._http.post(
            self._url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        ).raise_for_status()
        found = answer.json()
        if not isinstance(found, dict) or found.get("error") is not None or "result" not in found:
            raise ValueError(f"{method}: {str(found)[:200]}")
        return found["result"]

    def block(self, number: int | None) -> tuple[int, int] | None:
        """Number and time of a block, None for the newest; None when the node has none of this number."""
        found = self.ask("eth_getBlockByNumber", "latest" if number is None else hex(number), False)
        return None if found is None else (int(found["number"], 16), int(found["timestamp"], 16))


def _fate(node: _Node, sought: Authorization) -> Fate:
    chain_id = int(node.ask("eth_chainId"), 16)
    if sought.network != f"eip155:{chain_id}":
        raise ValueError(f"the node is of eip155:{chain_id}, not of {sought.network}")
    newest = node.block(None)
    if newest is None:
        raise ValueError("the node has no block")
    height, chain_time = newest
    asked = {"to": sought.asset, "data": AUTHORIZATION_STATE + _word(sought.payer) + _word(sought.nonce)}
    # At that very block, so that "unused" is as new as its time, whichever machine answers behind the node's name.
    if int(node.ask("eth_call", asked, hex(height)), 16) == 0:
        return Unused(chain_time)
    if sought.transaction:
        found = _judge(node, sought, sought.transaction)
        if found is not None:
            return found
    return _traced(node, sought, height)


def _traced(node: _Node, sought: Authorization, height: int) -> Fate:
    """Follow the contract's log to the transaction that used the authorization."""
    topics = [[AUTHORIZATION_USED, AUTHORIZATION_CANCELED], f"0x{_word(sought.payer)}", sought.nonce]
    for first, last in _ranges(node, sought, height):
        wanted = {"address": sought.asset, "fromBlock": hex(first), "toBlock": hex(last), "topics": topics}
        for log in node.ask("eth_getLogs", wanted):
            if log["topics"][0].lower() == AUTHORIZATION_CANCELED:
                return Spoilt("authorization_canceled")
            found = _judge(node, sought, log["transactionHash"].lower())
            if found is not None:
                return found
    return Untraceable()


def _ranges(node: _Node, sought: Authorization, height: int) -> Iterator[tuple[int, int]]:
    """Ranges of blocks, newest first, back to when the authorization was unused."""
    oldest = (sought.since - SLACK).timestamp()
    last = height
    while last >= 0:
        first = max(0, last - BLOCKS_A_QUESTION + 1)
        yield first, last
        block = node.block(first)
        if block is None or block[1] < oldest:
            return
        last = first - 1


def _judge(node: _Node, sought: Authorization, transaction: str) -> Fate | None:
    """What this transaction did with the authorization; None when nothing, or the node does not know it.

    The token writes `AuthorizationUsed` and then, as its next line, the `Transfer` that it allowed. Only that one
    counts: another transfer of the same sum in the same transaction may belong to another authorization.
    """
    receipt = node.ask("eth_getTransactionReceipt", transaction)
    if receipt is None or int(receipt["status"], 16) != 1:
        return None
    logs = sorted(
        (log for log in receipt["logs"] if log["address"].lower() == sought.asset),
        key=lambda log: int(log["logIndex"], 16),
    )
    used = [AUTHORIZATION_USED, f"0x{_word(sought.payer)}", sought.nonce]
    paid = [TRANSFER, f"0x{_word(sought.payer)}", f"0x{_word(sought.pay_to)}"]
    for place, log in enumerate(logs):
        if _topics(log) != used:
            continue
        following = logs[place + 1] if place + 1 < len(logs) else None
        if following is not None and _topics(following) == paid and int(following["data"], 16) == sought.atomic_units:
            return Moved(transaction)
        return Spoilt("authorization_used_elsewhere")
    return None


def _topics(log: dict[str, Any]) -> list[str]:
    return [str(topic).lower() for topic in log["topics"]]


def _word(value: str) -> str:
    """An address or a nonce as 32 bytes of hex."""
    return value.removeprefix("0x").rjust(64, "0")
