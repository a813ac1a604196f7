"""x402 payments that must not be taken: nothing of them is kept, nothing moves, and the answer says why."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from deploy.embedded.sandboxes.x402.payer import header, tampered
from payments.models import X402Payment
from tests.media.customers import error, refused_fields
from tests.payments.x402.buyers import PURCHASE, Buyer, bought_once, decoded, just_before_settling, ledger, never_sent

STRANGER = "0x00000000000000000000000000000000000Bad00"
PLACE = "payload.authorization."


def refused(answer: Any, reason: str) -> None:
    """402, with the reason, and with what would be taken."""
    body = error(answer, 402, "payment_required")
    assert body["details"]["reason"] == reason
    assert body["details"]["accepts"][0]["scheme"] == "exact"
    assert body["billed"] is False
    required = decoded(answer["PAYMENT-REQUIRED"])
    assert required["error"] == reason
    assert required["accepts"] == body["details"]["accepts"]


VALUE = "invalid_exact_evm_payload_authorization_value_mismatch"
PAYEE = "invalid_exact_evm_payload_recipient_mismatch"
ENDED = "invalid_exact_evm_payload_authorization_valid_before"
EARLY = "invalid_exact_evm_payload_authorization_valid_after"
SIGNATURE = "invalid_exact_evm_payload_signature"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("accepted.scheme", "upto", "unsupported_scheme"),
        ("accepted.network", "eip155:8453", "network_mismatch"),
        ("accepted.asset", STRANGER, "asset_mismatch"),
        ("accepted.payTo", STRANGER, PAYEE),
        ("accepted.amount", "1", VALUE),
        (f"{PLACE}to", STRANGER, PAYEE),
        (f"{PLACE}value", "10000001", VALUE),
        (f"{PLACE}value", "9999999", VALUE),
        (f"{PLACE}validAfter", "1", SIGNATURE),
        (f"{PLACE}from", STRANGER, SIGNATURE),
        (f"{PLACE}nonce", f"0x{'11' * 32}", SIGNATURE),
        ("payload.signature", f"0x{'1b' * 65}", SIGNATURE),
    ],
)
def test_a_payment_changed_after_signing(asker: Buyer, path: str, value: str, reason: str) -> None:
    payload = tampered(asker.signed(), path, value)
    with asker.nothing_bought():
        refused(asker.pay(payload), reason)


def test_a_payment_really_signed_for_something_else(asker: Buyer) -> None:
    now = int(time.time())
    for changes, reason in (
        ({"pay_to": STRANGER}, PAYEE),
        ({"value": "1"}, VALUE),
        ({"value": "010000000"}, None),
        ({"asset": STRANGER}, SIGNATURE),
        ({"chain_id": 8_453}, SIGNATURE),
        ({"valid_before": now - 1}, ENDED),
        ({"valid_before": now + 5}, ENDED),
        ({"valid_before": now + 86_400 + 60}, ENDED),
        ({"valid_before": 2**256 - 1}, ENDED),
        ({"valid_after": now + 60}, EARLY),
    ):
        payload = asker.signed(**changes)
        with asker.nothing_bought():
            if reason is None:
                assert "PAYMENT-SIGNATURE.payload.authorization.value" in refused_fields(asker.pay(payload))
            else:
                refused(asker.pay(payload), reason)


def test_a_payment_of_another_amount_than_the_body_names(asker: Buyer) -> None:
    payload = asker.signed(500)
    with asker.nothing_bought():
        refused(asker.pay(payload, 1_000), VALUE)


def test_a_wallet_that_has_too_little(new_buyer: Callable[..., Buyer]) -> None:
    buyer = new_buyer(units=9_999_999)
    with buyer.nothing_bought():
        answer = buyer.pay(buyer.signed())
    refused(answer, "invalid_exact_evm_insufficient_balance")
    assert "PAYMENT-RESPONSE" not in answer  # no settlement was tried


def test_a_wallet_emptied_between_verifying_and_settling(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    payload = buyer.signed()
    just_before_settling(monkeypatch, lambda: buyer.sandboxes.x402.chain.fund(buyer.wallet.address, -95_000_000))
    answer = buyer.pay(payload)
    refused(answer, "invalid_exact_evm_insufficient_balance")
    assert decoded(answer["PAYMENT-RESPONSE"]) == {
        "success": False,
        "errorReason": "invalid_exact_evm_insufficient_balance",
        "transaction": "",
        "network": "eip155:84532",
        "payer": buyer.wallet.address.lower(),
    }
    payment = buyer.payment()
    assert (payment.status, payment.note) == ("failed", "invalid_exact_evm_insufficient_balance")
    assert payment.reconcile_at is not None
    assert payment.reconcile_at > payment.valid_before  # whoever has the signature could use it until then
    assert (ledger(buyer), buyer.available, buyer.units) == ([], 0, 5_000_000)
    again = buyer.pay(payload)
    refused(again, "invalid_exact_evm_insufficient_balance")
    assert again["PAYMENT-RESPONSE"] == answer["PAYMENT-RESPONSE"]


def test_another_accounts_payment(buyer: Buyer, new_buyer: Callable[..., Buyer]) -> None:
    payload = buyer.signed()
    assert buyer.pay(payload).status_code == 201
    thief = new_buyer()
    with thief.nothing_bought():
        refused(thief.pay(payload), "invalid_exact_evm_nonce_already_used")
    bought_once(buyer)


def test_another_accounts_payment_whose_outcome_is_unknown(buyer: Buyer, new_buyer: Callable[..., Buyer]) -> None:
    payload = buyer.signed()
    never_sent(buyer)
    error(buyer.pay(payload), 503, "payment_pending")
    thief = new_buyer()
    with thief.nothing_bought():
        refused(thief.pay(payload), "invalid_exact_evm_nonce_already_used")
    assert X402Payment.objects.get().account_id == buyer.customer.id


def test_the_same_nonce_with_another_amount(buyer: Buyer) -> None:
    payload = buyer.signed(1_000)
    nonce = payload["payload"]["authorization"]["nonce"]
    assert buyer.pay(payload).status_code == 201
    other = buyer.signed(2_000, nonce=nonce)
    refused(buyer.pay(other, 2_000), "invalid_exact_evm_nonce_already_used")
    upper = tampered(other, f"{PLACE}nonce", f"0x{nonce[2:].upper()}")
    refused(buyer.pay(upper, 2_000), "invalid_exact_evm_nonce_already_used")
    bought_once(buyer, cents=1_000)
    assert buyer.units == 90_000_000


def test_a_nonce_used_on_the_chain_before_we_heard_of_it(asker: Buyer) -> None:
    payload = asker.signed()
    nonce = payload["payload"]["authorization"]["nonce"]
    asker.sandboxes.x402.chain.cancel_authorization(asker.wallet.address, bytes.fromhex(nonce[2:]))
    with asker.nothing_bought():
        refused(asker.pay(payload), "invalid_exact_evm_nonce_already_used")


def in_base64(value: Any) -> str:
    return base64.b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).decode()


def without(payload: dict[str, Any], path: str) -> dict[str, Any]:
    found = tampered(payload, path, None)
    *outer, last = path.split(".")
    place = found
    for name in outer:
        place = place[name]
    del place[last]
    return found


@pytest.mark.parametrize(
    "value",
    [
        "",
        "not base64!",
        in_base64(b"\xff\xfe"),
        in_base64(b"{"),
        in_base64(b"[" * 6_000),
        in_base64([]),
        in_base64("text"),
        in_base64(None),
        "QUFB" * 5_000,
    ],
    ids=str.__len__,
)
def test_a_header_that_is_no_payment(asker: Buyer, value: str) -> None:
    with asker.nothing_bought():
        assert "PAYMENT-SIGNATURE" in refused_fields(asker.pay(value))


def test_a_payload_of_another_form(asker: Buyer) -> None:
    good = asker.signed()
    root = "PAYMENT-SIGNATURE"
    for payload, field in (
        ({**good, "x402Version": 1}, "x402Version"),
        ({**good, "x402Version": "2"}, "x402Version"),
        (without(good, "x402Version"), "x402Version"),
        (without(good, "accepted"), "accepted"),
        (without(good, "payload.authorization"), "payload.authorization"),
        (without(good, "payload.signature"), "payload.signature"),
        (tampered(good, "payload.signature", "0x"), "payload.signature"),
        (tampered(good, "payload.signature", f"0x{'1' * 131}"), "payload.signature"),
        (tampered(good, f"{PLACE}nonce", "0x01"), f"{PLACE}nonce"),
        (tampered(good, f"{PLACE}nonce", f"0x{'1' * 66}"), f"{PLACE}nonce"),
        (tampered(good, f"{PLACE}from", "me"), f"{PLACE}from"),
        (tampered(good, f"{PLACE}value", 10_000_000), f"{PLACE}value"),
        (tampered(good, f"{PLACE}value", "-1"), f"{PLACE}value"),
        (tampered(good, f"{PLACE}value", "1e7"), f"{PLACE}value"),
        (tampered(good, f"{PLACE}validBefore", "9" * 79), f"{PLACE}validBefore"),
        (tampered(good, f"{PLACE}validAfter", "now"), f"{PLACE}validAfter"),
        ({**good, "payload": {"permit2Authorization": {}, "signature": "0x"}}, "payload.authorization"),
    ):
        with asker.nothing_bought():
            assert f"{root}.{field}" in refused_fields(asker.pay(payload)), field


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"usdCents": 99},
        {"usdCents": 900_719_925_475},
        {"usdCents": "1000"},
        {"usdCents": 1000.0},
        {"usdCents": True},
        {"usdCents": None},
        {"usdCents": 1_000, "packageCode": "starter"},
        {"usdCents": 1_000, "affiliateCode": "abc"},
        {"usdCents": 1_000, "affiliateCode": "a" * 33},
        {"usdCents": 1_000, "affiliateCode": None},
        {"usdCents": 1_000, "affiliateCode": "ab\0cd"},
    ],
    ids=str,
)
def test_a_body_that_the_contract_does_not_know(asker: Buyer, body: dict[str, Any]) -> None:
    payload = asker.signed()
    with asker.nothing_bought():
        answer = asker.customer.post(PURCHASE, body, headers={"PAYMENT-SIGNATURE": header(payload)})
        refused_fields(answer)


def test_the_smallest_and_the_largest_purchase_are_asked_for_exactly(asker: Buyer) -> None:
    assert asker.asked(100)["amount"] == "1000000"
    assert asker.asked(900_719_925_474)["amount"] == "9007199254740000"


def test_nobody_buys_without_the_scope_or_a_key(asker: Buyer) -> None:
    payload = asker.signed()
    from accounts.services.keys import mint_key
    from core import clock

    user = X402Payment._meta.get_field("account").related_model.objects.get(pk=asker.customer.id)
    weak = mint_key(user=user, label="weak", scopes=["billing:read"], now=clock.now()).plain
    with asker.nothing_bought():
        for key, status, code in ((weak, 403, "missing_scope"), ("kt_live_wrong", 401, "unauthenticated")):
            answer = asker.customer.http.post(
                PURCHASE,
                {"usdCents": 1_000},
                content_type="application/json",
                headers={"Authorization": f"Bearer {key}", "PAYMENT-SIGNATURE": header(payload)},
            )
            error(answer, status, code)


@pytest.mark.parametrize("name", ["X402_FACILITATOR_URL", "X402_PAY_TO"])
def test_not_configured(asker: Buyer, settings: Any, name: str) -> None:
    payload = asker.signed()
    setattr(settings, name, "")
    with asker.nothing_bought():
        for answer in (asker.ask(), asker.pay(payload)):
            body = error(answer, 503, "unavailable")
            assert body["billed"] is False


def test_a_facilitator_that_cannot_verify(buyer: Buyer, settings: Any) -> None:
    payload = buyer.signed()
    faults = buyer.sandboxes.x402.faults
    facilitator = settings.X402_FACILITATOR_URL

    def moved_to(url: str) -> None:
        settings.X402_FACILITATOR_URL = url

    for trouble in (
        lambda: faults.fail_next(on="/verify"),
        lambda: faults.fail_next(status=401, on="/verify"),
        lambda: faults.drop_next(on="/verify"),
        lambda: moved_to("http://127.0.0.1:9"),
        lambda: moved_to(f"{buyer.sandboxes.url}/rpc"),
    ):
        moved_to(facilitator)
        trouble()
        with buyer.nothing_bought():
            body = error(buyer.pay(payload), 503, "unavailable")
            assert body["billed"] is False
    moved_to(facilitator)
    assert buyer.pay(payload).status_code == 201
    bought_once(buyer)


def test_a_facilitator_that_will_not_read_it(asker: Buyer) -> None:
    payload = asker.signed()
    asker.sandboxes.x402.faults.fail_next(status=400, on="/verify")
    with asker.nothing_bought():
        refused(asker.pay(payload), "invalid_payload")
