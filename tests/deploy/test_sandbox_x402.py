"""The x402 facilitator and its chain, met by the SDK's own HTTP client and by a node's JSON-RPC."""

import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from eth_keys.constants import SECPK1_N
from x402.http.facilitator_client import FacilitatorConfig, HTTPFacilitatorClientSync
from x402.http.utils import decode_payment_signature_header
from x402.schemas import PaymentPayload, PaymentRequirements, SettleResponse, VerifyResponse

from deploy.embedded.sandboxes.server import Sandboxes
from deploy.embedded.sandboxes.settings import ASSET, NETWORK
from deploy.embedded.sandboxes.x402.chain import AUTHORIZATION_USED, TRANSFER, Reverted
from deploy.embedded.sandboxes.x402.payer import Payer, Payload, header, tampered

PRICE = 5_000_000
STRANGER = "0x" + "ab" * 20
LATER = 60


class Shop:
    """A resource server: asks the facilitator by the SDK's client, and the node by JSON-RPC."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        self.sandbox = sandboxes.x402
        self.chain = sandboxes.x402.chain
        self.pay_to = sandboxes.keys.x402_pay_to
        self.http = httpx.Client(trust_env=False, timeout=5, verify=False)  # loopback, without TLS
        self.rpc_url = sandboxes.settings()["X402_RPC_URL"]
        config = FacilitatorConfig(url=sandboxes.settings()["X402_FACILITATOR_URL"], http_client=self.http)
        self.facilitator = HTTPFacilitatorClientSync(config)
        self.requirements: Payload = {
            "scheme": "exact",
            "network": NETWORK,
            "asset": ASSET,
            "amount": str(PRICE),
            "payTo": self.pay_to,
            "maxTimeoutSeconds": 300,
            "extra": {"name": "USDC", "version": "2"},
        }

    def verify(self, payload: Payload, requirements: Payload | None = None) -> VerifyResponse:
        return self.facilitator.verify(*self._models(payload, requirements))

    def settle(self, payload: Payload, requirements: Payload | None = None) -> SettleResponse:
        return self.facilitator.settle(*self._models(payload, requirements))

    def call(self, method: str, *params: Any) -> Any:
        answer = self.http.post(self.rpc_url, json={"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
        found = answer.json()
        assert found["id"] == 7
        return found["result"] if "result" in found else found["error"]

    def authorization_used(self, payload: Payload) -> bool:
        """As a reconciler asks: eth_call of authorizationState(address,bytes32)."""
        given = payload["payload"]["authorization"]
        data = "0xe94a0102" + given["from"][2:].lower().rjust(64, "0") + given["nonce"][2:]
        answer = self.call("eth_call", {"to": ASSET, "data": data}, "latest")
        assert answer in (f"0x{0:064x}", f"0x{1:064x}")
        return bool(int(answer, 16))

    def earned(self) -> int:
        return self.chain.balance(self.pay_to)

    def _models(self, payload: Payload, requirements: Payload | None) -> tuple[PaymentPayload, PaymentRequirements]:
        asked = self.requirements if requirements is None else requirements
        return PaymentPayload.model_validate(payload), PaymentRequirements.model_validate(asked)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Sandboxes() as sandboxes:
        made = Shop(sandboxes)
        yield made
        made.http.close()


def test_it_says_what_it_supports(shop: Shop) -> None:
    supported = shop.facilitator.get_supported()
    assert [(kind.x402_version, kind.scheme, kind.network) for kind in supported.kinds] == [(2, "exact", NETWORK)]


def test_a_payment_is_verified_and_settled_once(shop: Shop) -> None:
    payer = shop.sandbox.payer(units=PRICE + 1)
    payload = payer.sign(shop.requirements)
    assert decode_payment_signature_header(header(payload)).payload == payload["payload"]
    verified = shop.verify(payload)
    assert (verified.is_valid, verified.payer) == (True, payer.address)
    assert shop.earned() == 0
    assert not shop.authorization_used(payload)
    settled = shop.settle(payload)
    assert (settled.success, settled.network, settled.payer) == (True, NETWORK, payer.address)
    assert (shop.earned(), shop.chain.balance(payer.address)) == (PRICE, 1)
    assert shop.authorization_used(payload)
    again = shop.settle(payload)
    assert (again.success, again.error_reason) == (False, "invalid_exact_evm_nonce_already_used")
    assert shop.verify(payload).invalid_reason == "invalid_exact_evm_nonce_already_used"
    assert shop.earned() == PRICE


def test_fifty_settlements_of_one_payment_move_it_once(shop: Shop) -> None:
    payload = shop.sandbox.payer().sign(shop.requirements)
    outcomes: list[bool] = []
    threads = [threading.Thread(target=lambda: outcomes.append(shop.settle(payload).success)) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == [False] * 49 + [True]
    assert shop.earned() == PRICE
    assert len(shop.chain.receipts()) == 1


Spoil = Callable[[Shop, Payer], tuple[Payload, Payload | None]]


def _tampered(path: str, value: Any) -> Spoil:
    return lambda shop, payer: (tampered(payer.sign(shop.requirements), path, value), None)


def _signed(**change: Any) -> Spoil:
    return lambda shop, payer: (payer.sign(shop.requirements, **change), None)


def _wanted(**change: Any) -> Spoil:
    return lambda shop, payer: (payer.sign(shop.requirements), shop.requirements | change)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_tampered("payload.authorization.value", "4999999"), "authorization_value_mismatch"),
        (_tampered("payload.authorization.to", STRANGER), "recipient_mismatch"),
        (_tampered("payload.authorization.from", STRANGER), "payload_signature"),
        (_tampered("payload.authorization.nonce", "0x" + "11" * 32), "payload_signature"),
        (_tampered("payload.authorization.validBefore", "99999999999"), "payload_signature"),
        (_tampered("payload.signature", "0x" + "22" * 64 + "1b"), "payload_signature"),
        (_tampered("payload.signature", "0x" + "22" * 65), "failed_to_verify_signature"),
        (_tampered("payload.signature", ""), "payload_signature"),
        (_tampered("accepted.network", "eip155:8453"), "network_mismatch"),
        (_signed(value="1"), "authorization_value_mismatch"),
        (_signed(pay_to=STRANGER), "recipient_mismatch"),
        (_signed(asset=STRANGER), "payload_signature"),
        (_signed(chain_id=8_453), "payload_signature"),
        (_signed(valid_before=int(time.time()) - 1), "authorization_valid_before"),
        (_signed(valid_after=int(time.time()) + 3_600), "authorization_valid_after"),
        (_wanted(amount=str(PRICE + 1)), "authorization_value_mismatch"),
        (_wanted(payTo=STRANGER), "recipient_mismatch"),
        (_wanted(asset=STRANGER), "payload_signature"),
        (_wanted(extra={"name": "USD Coin", "version": "2"}), "payload_signature"),
    ],
)
def test_a_spoiled_payment_is_refused_and_moves_nothing(shop: Shop, spoil: Spoil, reason: str) -> None:
    payer = shop.sandbox.payer()
    payload, requirements = spoil(shop, payer)
    verified = shop.verify(payload, requirements)
    assert not verified.is_valid
    assert reason in str(verified.invalid_reason)
    settled = shop.settle(payload, requirements)
    assert (settled.success, settled.transaction) == (False, "")
    assert (shop.earned(), shop.chain.balance(payer.address)) == (0, 1_000_000_000)
    assert shop.chain.receipts() == []


def test_an_empty_wallet_pays_nothing(shop: Shop) -> None:
    payer = shop.sandbox.payer(units=PRICE - 1)
    payload = payer.sign(shop.requirements)
    assert shop.verify(payload).invalid_reason == "invalid_exact_evm_insufficient_balance"
    assert shop.settle(payload).success is False
    assert (shop.earned(), shop.authorization_used(payload)) == (0, False)


def test_a_nonce_taken_back_is_refused(shop: Shop) -> None:
    payer = shop.sandbox.payer()
    payload = payer.sign(shop.requirements)
    shop.chain.cancel_authorization(payer.address, bytes.fromhex(payload["payload"]["authorization"]["nonce"][2:]))
    assert shop.settle(payload).error_reason == "invalid_exact_evm_nonce_already_used"
    assert shop.earned() == 0


def test_the_chain_takes_no_mirrored_signature(shop: Shop) -> None:
    """Each signature has a twin with the other half's `s`; the contract refuses it."""
    payload = shop.sandbox.payer().sign(shop.requirements)
    signature = bytes.fromhex(payload["payload"]["signature"][2:])
    twin = signature[:32] + (SECPK1_N - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    twin += bytes([55 - signature[64]])
    mirrored = tampered(payload, "payload.signature", f"0x{twin.hex()}")
    assert not shop.verify(mirrored).is_valid
    assert not shop.settle(mirrored).success
    assert shop.earned() == 0
    assert shop.settle(payload).success


def test_an_unknown_network_or_scheme_is_a_400(shop: Shop) -> None:
    payload = shop.sandbox.payer().sign(shop.requirements)
    for change in ({"network": "eip155:1"}, {"scheme": "upto"}):
        with pytest.raises(ValueError, match=r"\(400\)"):
            shop.settle(payload | {"accepted": shop.requirements | change}, shop.requirements | change)
    assert shop.http.post(f"{shop.facilitator._url}/settle", json={"x402Version": 2}).status_code == 400
    assert shop.http.post(f"{shop.facilitator._url}/settle", content=b"nonsense").status_code == 400
    assert shop.earned() == 0


# Unknown outcomes ---------------------------------------------------------------------------------------------


def impatient(shop: Shop, payload: Payload) -> None:
    """Settle with little patience.

    Raises:
        httpx.ReadTimeout: no answer came.
    """
    shop.http.timeout = 0.3
    try:
        shop.settle(payload)
    finally:
        shop.http.timeout = 5


def test_a_time_out_after_broadcasting_has_moved_the_money(shop: Shop) -> None:
    payload = shop.sandbox.payer().sign(shop.requirements)
    shop.sandbox.settle_then_time_out()
    with pytest.raises(httpx.ReadTimeout):
        impatient(shop, payload)
    assert (shop.earned(), shop.authorization_used(payload)) == (PRICE, True)
    assert shop.settle(payload).error_reason == "invalid_exact_evm_nonce_already_used"
    assert shop.earned() == PRICE


def test_a_time_out_before_broadcasting_has_moved_nothing(shop: Shop) -> None:
    payload = shop.sandbox.payer().sign(shop.requirements)
    shop.sandbox.time_out_before_settling()
    with pytest.raises(httpx.ReadTimeout):
        impatient(shop, payload)
    assert (shop.earned(), shop.authorization_used(payload)) == (0, False)
    assert shop.settle(payload).success


def test_an_error_of_the_server_is_one_for_the_client(shop: Shop) -> None:
    payload = shop.sandbox.payer().sign(shop.requirements)
    shop.sandbox.faults.fail_next(1, 500, on="/settle")
    assert shop.verify(payload).is_valid
    with pytest.raises(ValueError, match="500"):
        shop.settle(payload)
    assert shop.earned() == 0
    assert shop.settle(payload).success


def test_a_lost_receipt_is_pending_until_it_is_asked_for_again(shop: Shop) -> None:
    payload = shop.sandbox.payer().sign(shop.requirements)
    shop.sandbox.lose_receipts()
    pending = shop.settle(payload)
    assert (pending.success, pending.error_reason) == (False, "settlement_pending")
    assert shop.call("eth_getTransactionReceipt", pending.transaction)["status"] == "0x1"
    again = shop.settle(payload)
    assert (again.success, again.transaction) == (True, pending.transaction)
    assert shop.earned() == PRICE


def test_a_reverted_transaction_leaves_the_nonce_unused(shop: Shop) -> None:
    payload = shop.sandbox.payer().sign(shop.requirements)
    shop.sandbox.revert_next()
    failed = shop.settle(payload)
    assert (failed.success, failed.error_reason) == (False, "transaction_failed")
    assert shop.call("eth_getTransactionReceipt", failed.transaction)["status"] == "0x0"
    assert (shop.earned(), shop.authorization_used(payload)) == (0, False)
    assert shop.settle(payload).success


# The node -----------------------------------------------------------------------------------------------------


def test_the_node_knows_the_token(shop: Shop) -> None:
    payer = shop.sandbox.payer(units=123)
    holder = payer.address[2:].lower().rjust(64, "0")
    assert shop.call("eth_chainId") == "0x14a34"
    assert int(shop.call("eth_call", {"to": ASSET, "data": f"0x70a08231{holder}"}, "latest"), 16) == 123
    assert shop.call("eth_call", {"to": STRANGER, "data": f"0x70a08231{holder}"}, "latest") == "0x"
    assert shop.call("eth_call", {"to": ASSET, "data": "0xdeadbeef"}, "latest")["code"] == 3
    assert (shop.call("eth_getCode", STRANGER, "latest"), shop.call("eth_getCode", ASSET, "latest")) == ("0x", "0x6080")


def test_a_settlement_has_a_receipt_a_block_and_logs(shop: Shop) -> None:
    payer = shop.sandbox.payer()
    payload = payer.sign(shop.requirements)
    settled = shop.settle(payload)
    receipt = shop.call("eth_getTransactionReceipt", settled.transaction)
    assert (receipt["status"], receipt["to"]) == ("0x1", ASSET)
    used, moved = receipt["logs"]
    assert used["topics"][0] == AUTHORIZATION_USED
    assert used["topics"][2] == payload["payload"]["authorization"]["nonce"]
    assert moved["topics"] == [
        TRANSFER,
        f"0x{payer.address[2:].lower().rjust(64, '0')}",
        f"0x{shop.pay_to[2:].lower().rjust(64, '0')}",
    ]
    assert int(moved["data"], 16) == PRICE
    block = shop.call("eth_getBlockByNumber", receipt["blockNumber"], False)
    assert (block["hash"], block["transactions"]) == (receipt["blockHash"], [settled.transaction])
    wanted = {"address": ASSET, "topics": [AUTHORIZATION_USED, None, used["topics"][2]], "fromBlock": "earliest"}
    assert shop.call("eth_getLogs", wanted) == [used]
    assert shop.call("eth_getLogs", wanted | {"toBlock": hex(int(receipt["blockNumber"], 16) - 1)}) == []
    assert shop.call("eth_getTransactionReceipt", "0x" + "00" * 32) is None


def test_the_chains_time_can_run_ahead(shop: Shop) -> None:
    payer = shop.sandbox.payer()
    payload = payer.sign(shop.requirements, valid_before=int(time.time()) + LATER)
    before = shop.call("eth_getBlockByNumber", "latest", False)
    shop.chain.advance(LATER)
    after = shop.call("eth_getBlockByNumber", "latest", False)
    assert LATER <= int(after["timestamp"], 16) - int(before["timestamp"], 16) <= LATER + 4
    assert LATER // 2 <= int(shop.call("eth_blockNumber"), 16) - int(before["number"], 16) <= LATER // 2 + 2
    assert shop.settle(payload).error_reason == "invalid_exact_evm_payload_authorization_valid_before"
    assert (shop.earned(), shop.authorization_used(payload)) == (0, False)


def test_the_nodes_own_errors(shop: Shop) -> None:
    assert shop.call("eth_sendRawTransaction", "0x00")["code"] == -32_601
    assert shop.call("eth_call", {"to": ASSET}, "latest")["code"] == -32_602
    assert shop.call("eth_getBlockByNumber", "0x1", False) is None
    assert shop.http.post(shop.rpc_url, content=b"{").json()["error"]["code"] == -32_700
    batch = shop.http.post(shop.rpc_url, json=[{"id": 1, "method": "eth_chainId"}, {"id": 2, "method": "net_version"}])
    assert [one["result"] for one in batch.json()] == ["0x14a34", "84532"]
    shop.sandbox.rpc.faults.fail_next(1, 503)
    assert shop.http.post(shop.rpc_url, json={"id": 1, "method": "eth_chainId"}).status_code == 503


def test_the_contract_itself_refuses_what_the_facilitator_would_not_ask(shop: Shop) -> None:
    with pytest.raises(Reverted, match="unknown function"):
        shop.sandbox.signer.read_contract(ASSET, [], "allowance", STRANGER, STRANGER)
    with pytest.raises(Reverted, match="deploys no wallets"):
        shop.sandbox.signer.send_transaction(STRANGER, b"")
    assert shop.sandbox.signer.get_balance(STRANGER, ASSET) == 0
    assert shop.chain.authorization_used(STRANGER, secrets.token_bytes(32)) is False


def test_the_libraries_below_leave_the_recursion_limit_alone() -> None:
    code = (
        "import sys; before = sys.getrecursionlimit()\n"
        "from deploy.embedded.sandboxes.server import Sandboxes\n"
        "from x402.mechanisms.evm.exact import register_exact_evm_client\n"
        "assert 'py_ecc' in sys.modules; assert sys.getrecursionlimit() == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
