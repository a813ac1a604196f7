"""What a facilitator's answers mean, and what it is sent: over a transport that answers as it is told."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from x402.schemas import PaymentPayload, PaymentRequirements

from payments.providers import x402_facilitator as facilitator
from payments.providers.x402_facilitator import FacilitatorUnavailable, Refused, Settled, Unknown, settle, verify

HASH = f"0x{'ab' * 32}"
TERMS = PaymentRequirements(
    scheme="exact",
    network="eip155:8453",
    asset=f"0x{'22' * 20}",
    amount="10000000",
    pay_to=f"0x{'11' * 20}",
    max_timeout_seconds=300,
    extra={"name": "USD Coin", "version": "2"},
)
PAYMENT = PaymentPayload(accepted=TERMS, payload={"signature": "0x", "authorization": {"value": "10000000"}})
Answers = Callable[..., list[httpx.Request]]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Answers:
    """Has the facilitator answer so; the requests that it gets."""
    settings.X402_FACILITATOR_URL = "https://facilitator.example/base"
    settings.X402_FACILITATOR_KEY = ""

    def become(body: Any, status: int = 200) -> list[httpx.Request]:
        asked: list[httpx.Request] = []

        def handle(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            if isinstance(body, Exception):
                raise body
            return (
                httpx.Response(status, content=body) if isinstance(body, bytes) else httpx.Response(status, json=body)
            )

        hooks = {"response": [facilitator._refuse_unfit]}
        monkeypatch.setattr(
            facilitator, "_http", lambda seconds: httpx.Client(transport=httpx.MockTransport(handle), event_hooks=hooks)
        )
        return asked

    return become


def settled(**changes: Any) -> dict[str, Any]:
    return {"success": True, "transaction": HASH, "network": "eip155:8453", "payer": "0x1"} | changes


def failed(reason: str | None, transaction: str = "") -> dict[str, Any]:
    return {"success": False, "errorReason": reason, "transaction": transaction, "network": "eip155:8453"}


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        (settled(), Settled(HASH)),
        (settled(transaction=HASH.upper().replace("X", "x"), amount="10000000"), Settled(HASH)),
        (failed("insufficient_funds"), Refused("insufficient_funds")),
        (failed("invalid_exact_evm_payload_signature"), Refused("invalid_exact_evm_payload_signature")),
        (failed("insufficient_funds", HASH), Unknown("insufficient_funds", HASH)),
        (failed("settlement_pending", HASH), Unknown("settlement_pending", HASH)),
        (failed("transaction_failed"), Unknown("transaction_failed")),
        (failed("invalid_exact_evm_nonce_already_used"), Unknown("invalid_exact_evm_nonce_already_used")),
        (failed("something_new", "pending"), Unknown("something_new")),
        (failed(None), Unknown("no reason given")),
    ],
    ids=str,
)
def test_only_a_clear_answer_to_a_settlement_counts(answers: Answers, body: Any, meaning: Any) -> None:
    answers(body)
    assert settle(PAYMENT, TERMS) == meaning


@pytest.mark.parametrize(
    ("changes", "hash_"),
    [
        ({"network": "eip155:1"}, HASH),
        ({"amount": "9999999"}, HASH),
        ({"transaction": ""}, ""),
        ({"transaction": "0x1"}, ""),
    ],
    ids=str,
)
def test_a_success_of_something_else_is_unknown(answers: Answers, changes: dict[str, str], hash_: str) -> None:
    answers(settled(**changes))
    found = settle(PAYMENT, TERMS)
    assert isinstance(found, Unknown)
    assert found.transaction == hash_


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (httpx.ReadTimeout("silence"), 200),
        (httpx.ConnectError("away"), 200),
        (b"<html>", 200),
        ({"success": True}, 200),
        (settled(), 500),
        (failed("insufficient_funds"), 400),
        (failed("insufficient_funds"), 503),
        (b"", 302),
    ],
    ids=str,
)
def test_anything_else_leaves_a_settlement_unknown_and_a_verification_undone(
    answers: Answers, body: Any, status: int
) -> None:
    answers(body, status)
    found = settle(PAYMENT, TERMS)
    assert isinstance(found, Unknown)
    assert found.why.startswith("no clear answer: ")
    if status == 400:
        assert verify(PAYMENT, TERMS) == "invalid_payload"
        return
    with pytest.raises(FacilitatorUnavailable):
        verify(PAYMENT, TERMS)


def test_what_a_verification_says(answers: Answers) -> None:
    answers({"isValid": True, "payer": "0x1"})
    assert verify(PAYMENT, TERMS) is None
    answers({"isValid": False, "invalidReason": "insufficient_funds"})
    assert verify(PAYMENT, TERMS) == "insufficient_funds"
    answers({"isValid": False})
    assert verify(PAYMENT, TERMS) == "invalid_payload"
    answers({"isValid": False, "invalidReason": "invalid_payload_shape"}, 400)
    assert verify(PAYMENT, TERMS) == "invalid_payload_shape"


def test_what_is_sent_and_with_which_key(answers: Answers, settings: Any) -> None:
    asked = answers(settled())
    settle(PAYMENT, TERMS)
    settings.X402_FACILITATOR_KEY = "a-key"
    settle(PAYMENT, TERMS)
    assert [str(one.url) for one in asked] == ["https://facilitator.example/base/settle"] * 2
    assert [one.headers.get("Authorization") for one in asked] == [None, "Bearer a-key"]
    sent = json.loads(asked[0].content)
    assert sent.keys() == {"x402Version", "paymentPayload", "paymentRequirements"}
    assert sent["paymentRequirements"] == TERMS.model_dump(by_alias=True)
    assert sent["paymentPayload"]["accepted"] == sent["paymentRequirements"]


def test_the_parts_of_the_sdk_that_every_process_loads_are_light() -> None:
    code = "import sys, x402.http, x402.schemas; print(sorted({'web3', 'eth_account', 'eth_abi'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
