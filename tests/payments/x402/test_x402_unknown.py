"""Answers that were lost: the payment stays pending until the chain says what became of it, and is credited once."""

from datetime import datetime, timedelta
from itertools import pairwise, zip_longest
from typing import Any

import pytest
from eth_utils import keccak

from accounts.models import User
from core import clock
from core.errors import InvalidRequest, InvalidState, NotFound
from deploy.embedded.sandboxes.settings import ASSET
from deploy.embedded.sandboxes.x402.chain import AUTHORIZATION_USED, TRANSFER, Transfer, _log, _topic
from payments.models import Deposit, X402Payment
from payments.providers import x402_chain
from payments.providers.x402_chain import AUTHORIZATION_CANCELED
from payments.services import purchase_x402 as service
from payments.services.decide_x402 import OwnPayment, decide_payment
from payments.services.reconcile_x402 import MOST_LOOKS, UNUSED_LOOKS, _sought, reconcile_due, reconcile_payment
from tests.media.customers import error
from tests.payments.x402.buyers import Buyer, bought_once, just_before_settling, ledger, never_sent, public_id
from tests.payments.x402.test_x402_refused import refused

USED = "invalid_exact_evm_nonce_already_used"


def later(payment: X402Payment, **by: float) -> datetime:
    """So long after the next look is due."""
    payment.refresh_from_db()
    assert payment.reconcile_at is not None
    return payment.reconcile_at + timedelta(**by)


def pending(buyer: Buyer, answer: Any) -> X402Payment:
    """The answer leaves it open, and says so; nothing is credited yet."""
    body = error(answer, 503, "payment_pending")
    payment = buyer.payment()
    assert body["details"] == {"paymentId": public_id(payment), "status": payment.status}
    assert "billed" not in body  # nobody knows
    assert answer["Retry-After"] == "2"
    assert "PAYMENT-REQUIRED" not in answer  # it must not be paid again
    assert (payment.status, payment.finished_at, ledger(buyer), buyer.available) == ("pending", None, [], 0)
    return payment


def transfer(buyer: Buyer, payload: dict[str, Any]) -> str:
    """Somebody takes the payment's call out of the open and sends it to the chain himself."""
    one = payload["payload"]["authorization"]
    signature = bytes.fromhex(payload["payload"]["signature"][2:])
    return buyer.sandboxes.x402.chain.transfer(
        Transfer(
            one["from"],
            one["to"],
            int(one["value"]),
            int(one["validAfter"]),
            int(one["validBefore"]),
            bytes.fromhex(one["nonce"][2:]),
            signature[64],
            signature[:32],
            signature[32:64],
        ),
        sender="0x000000000000000000000000000000000000dEaD",
    )


def lost_after(buyer: Buyer, how: str) -> None:
    """The next settlement is broadcast and its answer lost in this way."""
    x402 = buyer.sandboxes.x402
    match how:
        case "time_out":
            x402.settle_then_time_out()
        case "drop":
            x402.faults.drop_next(on="/settle", after=True)
        case "status":
            x402.faults.fail_next(on="/settle", after=True)
        case "refusal":
            x402.faults.fail_next(on="/settle", status=400, after=True)
        case "receipt":
            x402.lose_receipts()


@pytest.mark.parametrize("how", ["time_out", "drop", "status", "refusal", "receipt"])
def test_broadcast_and_never_heard_of(buyer: Buyer, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service.facilitator, "SETTLE_SECONDS", 1)
    lost_after(buyer, how)
    payment = pending(buyer, buyer.pay(buyer.signed()))
    assert buyer.units == 90_000_000
    now = clock.now()
    assert reconcile_due(limit=10, now=now) == 1
    deposit = bought_once(buyer)
    assert deposit.settled_at == now
    assert reconcile_due(limit=10, now=now + timedelta(days=1)) == 0
    reconcile_payment(payment_id=payment.pk, now=now)
    bought_once(buyer)


def test_the_customer_who_asks_again_is_told(buyer: Buyer) -> None:
    payload = buyer.signed()
    lost_after(buyer, "drop")
    pending(buyer, buyer.pay(payload))
    reconcile_due(limit=10, now=clock.now())
    again = buyer.pay(payload)
    assert (again.status_code, again.json()["replayed"]) == (200, True)
    bought_once(buyer)


def test_the_customer_who_asks_again_before_the_chain_was_asked_pays_once(buyer: Buyer) -> None:
    """Settling again is harmless: the facilitator finds the nonce used, and that is no refusal to be believed."""
    payload = buyer.signed()
    lost_after(buyer, "drop")
    pending(buyer, buyer.pay(payload))
    payment = pending(buyer, buyer.pay(payload))
    assert (payment.note, buyer.units) == (USED, 90_000_000)
    reconcile_due(limit=10, now=clock.now())
    bought_once(buyer)


def test_a_settlement_still_pending_at_the_facilitator_is_found_by_asking_it_again(buyer: Buyer) -> None:
    payload = buyer.signed()
    buyer.sandboxes.x402.lose_receipts()
    payment = pending(buyer, buyer.pay(payload))
    assert (payment.note, len(payment.transaction)) == ("settlement_pending", 66)
    again = buyer.pay(payload)
    assert (again.status_code, again.json()["transaction"]) == (201, payment.transaction)
    bought_once(buyer, transaction=payment.transaction)


def test_never_broadcast_is_failed_only_when_it_can_never_be(buyer: Buyer) -> None:
    never_sent(buyer)
    payment = pending(buyer, buyer.pay(buyer.signed()))
    # Our own clock says nothing: the chain's does.
    for wait in (timedelta(0), timedelta(days=30)):
        assert reconcile_due(limit=10, now=later(payment) + wait) == 1
        payment.refresh_from_db()
        assert payment.status == "pending"
    buyer.sandboxes.x402.chain.advance(300)  # ended a moment ago: a late block could still be written anew
    assert reconcile_due(limit=10, now=later(payment)) == 1
    payment.refresh_from_db()
    assert payment.status == "pending"
    buyer.sandboxes.x402.chain.advance(180)
    try:
        assert reconcile_due(limit=10, now=later(payment)) == 1
    finally:
        buyer.sandboxes.x402.chain.advance(-480)
    payment.refresh_from_db()
    assert (payment.status, payment.note, payment.reconcile_at) == ("failed", "authorization_expired_unused", None)
    assert (ledger(buyer), buyer.units, Deposit.objects.count()) == ([], 100_000_000, 0)


def test_never_broadcast_and_asked_again_is_settled(buyer: Buyer) -> None:
    payload = buyer.signed()
    never_sent(buyer)
    payment = pending(buyer, buyer.pay(payload))
    reconcile_due(limit=10, now=clock.now())
    again = buyer.pay(payload)
    assert (again.status_code, again.json()["replayed"]) == (201, False)
    assert bought_once(buyer).pk == payment.pk
    assert buyer.units == 90_000_000


def test_a_transaction_that_failed_on_the_chain(buyer: Buyer) -> None:
    payload = buyer.signed()
    buyer.sandboxes.x402.revert_next()
    payment = pending(buyer, buyer.pay(payload))
    assert payment.note == "transaction_failed"
    reconcile_due(limit=10, now=clock.now())
    payment.refresh_from_db()
    assert payment.status == "pending"
    assert buyer.pay(payload).status_code == 201
    assert bought_once(buyer, transaction=buyer.payment().transaction).provider_id != payment.transaction


def test_a_stranger_settles_it_before_the_facilitator(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call is public once broadcast; whoever copies it pays our customer's purchase, and it must be credited."""
    payload = buyer.signed()
    hashes: list[str] = []
    just_before_settling(monkeypatch, lambda: hashes.append(transfer(buyer, payload)))
    payment = pending(buyer, buyer.pay(payload))
    assert payment.note == USED
    reconcile_due(limit=10, now=clock.now())
    bought_once(buyer, transaction=hashes[0])


def test_a_refused_payment_that_somebody_settled_after_all(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    payload = buyer.signed()
    chain = buyer.sandboxes.x402.chain
    begin = service._begin
    monkeypatch.setattr(
        service, "_begin", lambda *args: (chain.fund(buyer.wallet.address, -95_000_000), begin(*args))[1]
    )
    refused(buyer.pay(payload), "invalid_exact_evm_insufficient_balance")
    chain.fund(buyer.wallet.address, 95_000_000)
    paid = transfer(buyer, payload)
    payment = buyer.payment()
    assert reconcile_due(limit=10, now=payment.valid_before) == 0
    assert reconcile_due(limit=10, now=later(payment)) == 1
    bought_once(buyer, transaction=paid)


def test_a_refused_payment_that_nobody_used_is_left_in_peace(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = buyer.sandboxes.x402.chain
    begin = service._begin
    monkeypatch.setattr(
        service, "_begin", lambda *args: (chain.fund(buyer.wallet.address, -95_000_000), begin(*args))[1]
    )
    refused(buyer.pay(buyer.signed()), "invalid_exact_evm_insufficient_balance")
    payment = buyer.payment()
    chain.advance(600)
    try:
        assert reconcile_due(limit=10, now=later(payment)) == 1
    finally:
        chain.advance(-600)
    payment.refresh_from_db()
    assert (payment.status, payment.note) == ("failed", "invalid_exact_evm_insufficient_balance")
    assert payment.reconcile_at is None
    assert ledger(buyer) == []


def test_an_authorization_that_its_payer_canceled_pays_nothing(buyer: Buyer) -> None:
    """A canceled nonce reads as used on the chain: believing that would be free credit."""
    payload = buyer.signed()
    never_sent(buyer)
    payment = pending(buyer, buyer.pay(payload))
    buyer.sandboxes.x402.chain.cancel_authorization(buyer.wallet.address, bytes.fromhex(payment.nonce[2:]))
    for _ in range(MOST_LOOKS):  # the sandbox's chain writes no log of it, so nothing shows how it was used
        payment.refresh_from_db()
        assert payment.status == "pending"
        reconcile_due(limit=10, now=later(payment))
    payment.refresh_from_db()
    assert (payment.status, payment.reconcile_at) == ("review", None)
    assert (ledger(buyer), buyer.units) == ([], 100_000_000)


def test_a_cancelation_in_the_log_ends_it(buyer: Buyer) -> None:
    never_sent(buyer)
    payment = pending(buyer, buyer.pay(buyer.signed()))
    forged_receipt(buyer, payment, kind=AUTHORIZATION_CANCELED, nonces=[payment.nonce])
    reconcile_due(limit=10, now=clock.now())
    payment.refresh_from_db()
    assert (payment.status, payment.note, payment.reconcile_at) == ("failed", "authorization_canceled", None)
    assert ledger(buyer) == []


def test_the_chains_names_are_computed_right() -> None:
    """Written out in the source, since hashing them there would need the chain's libraries in every process."""
    for text, topic in (
        ("AuthorizationUsed(address,bytes32)", x402_chain.AUTHORIZATION_USED),
        ("AuthorizationCanceled(address,bytes32)", x402_chain.AUTHORIZATION_CANCELED),
        ("Transfer(address,address,uint256)", x402_chain.TRANSFER),
    ):
        assert topic == f"0x{keccak(text=text).hex()}"
    assert f"0x{keccak(text='authorizationState(address,bytes32)')[:4].hex()}" == x402_chain.AUTHORIZATION_STATE


def forged_receipt(
    buyer: Buyer,
    payment: X402Payment,
    *transfers: tuple[str, int],
    nonces: list[str],
    kind: str = AUTHORIZATION_USED,
) -> str:
    """A transaction on the chain in which the token wrote these uses and, after each, its transfer."""
    x402 = buyer.sandboxes.x402
    transaction = f"0x{payment.pk.hex}{payment.pk.hex}"
    height = x402.chain.height()
    logs: list[dict[str, Any]] = []
    payer = _topic(payment.payer)
    for nonce, transferred in zip_longest(nonces, transfers):
        logs.append(_log([kind, payer, nonce], "0x", transaction, height, len(logs)))
        if transferred is not None:
            payee, units = transferred
            logs.append(_log([TRANSFER, payer, _topic(payee)], f"0x{units:064x}", transaction, height, len(logs)))
    receipt = {
        "transactionHash": transaction,
        "blockNumber": hex(height),
        "status": "0x1",
        "to": ASSET,
        "logs": list(reversed(logs)),
    }
    store = x402.chain._store
    with store.transaction():
        store.put("chain.receipt", transaction, receipt)
        for nonce in nonces:
            store.put("chain.nonce", f"{payment.payer}:{nonce[2:]}", {"transaction": transaction})
    return transaction


def test_a_nonce_used_for_another_transfer_pays_nothing(buyer: Buyer) -> None:
    never_sent(buyer)
    payment = pending(buyer, buyer.pay(buyer.signed()))
    elsewhere = "0x000000000000000000000000000000000000dEaD"
    forged_receipt(buyer, payment, (elsewhere, 10_000_000), nonces=[payment.nonce])
    reconcile_due(limit=10, now=clock.now())
    payment.refresh_from_db()
    assert (payment.status, payment.note) == ("failed", "authorization_used_elsewhere")
    assert ledger(buyer) == []


def test_one_transfer_in_a_bundle_pays_one_payment_only(buyer: Buyer) -> None:
    """Two payments pending, one transaction uses both nonces: one to us, one to the payer's other pocket."""
    never_sent(buyer, 2)
    for payload in (buyer.signed(), buyer.signed()):
        error(buyer.pay(payload), 503, "payment_pending")
    ours, theirs = X402Payment.objects.order_by("id")
    elsewhere = "0x000000000000000000000000000000000000dEaD"
    transaction = forged_receipt(
        buyer,
        ours,
        (elsewhere, 10_000_000),
        (ours.pay_to, 10_000_000),
        nonces=[theirs.nonce, ours.nonce],
    )
    assert reconcile_due(limit=10, now=clock.now()) == 2
    ours.refresh_from_db()
    theirs.refresh_from_db()
    assert (ours.status, ours.transaction) == ("settled", transaction)
    assert (theirs.status, theirs.note) == ("failed", "authorization_used_elsewhere")
    assert ledger(buyer) == [(f"deposit:{ours.pk}:paid", "deposit", 10_000_000)]


def test_another_sum_than_was_asked_pays_nothing(buyer: Buyer) -> None:
    never_sent(buyer)
    payment = pending(buyer, buyer.pay(buyer.signed()))
    forged_receipt(buyer, payment, (payment.pay_to, 9_999_999), nonces=[payment.nonce])
    reconcile_due(limit=10, now=clock.now())
    payment.refresh_from_db()
    assert (payment.status, ledger(buyer)) == ("failed", [])


def test_a_node_that_is_down_or_another_chains_changes_nothing(buyer: Buyer, settings: Any) -> None:
    lost_after(buyer, "drop")
    payment = pending(buyer, buyer.pay(buyer.signed()))
    rpc = settings.X402_RPC_URL
    faults = buyer.sandboxes.x402.rpc.faults
    moments = []
    for trouble in (
        faults.fail_next,
        faults.drop_next,
        lambda: setattr(settings, "X402_RPC_URL", "http://127.0.0.1:9"),
        lambda: setattr(settings, "X402_RPC_URL", f"{buyer.sandboxes.url}/x402/supported"),
    ):
        settings.X402_RPC_URL = rpc
        trouble()
        now = later(payment)
        assert reconcile_due(limit=10, now=now) == 1
        payment.refresh_from_db()
        assert (payment.status, ledger(buyer)) == ("pending", [])
        assert payment.reconcile_at is not None
        moments.append((payment.reconcile_at - now).total_seconds())
    assert moments == [2, 4, 8, 16]
    settings.X402_RPC_URL = rpc
    X402Payment.objects.update(network="eip155:8453")
    reconcile_due(limit=10, now=later(payment))
    payment.refresh_from_db()
    assert payment.status == "pending"  # this node's chain cannot speak for another's
    X402Payment.objects.update(network="eip155:84532")
    assert reconcile_due(limit=10, now=later(payment)) == 1
    bought_once(buyer)


def test_without_a_node_an_operator_decides(buyer: Buyer, settings: Any) -> None:
    settings.X402_RPC_URL = ""
    payload = buyer.signed()
    lost_after(buyer, "drop")
    payment = pending(buyer, buyer.pay(payload))
    reconcile_due(limit=10, now=clock.now())
    payment.refresh_from_db()
    assert (payment.status, payment.reconcile_at) == ("review", None)
    assert payment.note.startswith("The outcome is unknown (no clear answer")
    assert (ledger(buyer), reconcile_due(limit=10, now=clock.now() + timedelta(days=9))) == ([], 0)
    body = error(buyer.pay(payload), 503, "payment_pending")
    assert body["details"]["status"] == "review"
    operator = User.objects.create_user("operator@example.com")
    hash_on_chain = buyer.sandboxes.x402.chain.receipts()[0]["transactionHash"]
    decision: dict[str, Any] = {"payment_id": payment.pk, "actor_id": operator.pk, "now": clock.now()}
    with pytest.raises(InvalidRequest, match="say why"):
        decide_payment(decision="fail", reason=" ", **decision)
    with pytest.raises(InvalidRequest, match="64 hexadecimal"):
        decide_payment(decision="settle", reason="seen", **decision)
    with pytest.raises(NotFound):
        decide_payment(decision="fail", reason="no", **{**decision, "payment_id": operator.pk})
    with pytest.raises(OwnPayment):
        decide_payment(
            decision="settle",
            reason="mine",
            transaction_hash=hash_on_chain,
            **{**decision, "actor_id": payment.account_id},
        )
    assert ledger(buyer) == []
    decide_payment(decision="settle", reason="seen on the chain", transaction_hash=hash_on_chain.upper(), **decision)
    bought_once(buyer, transaction=hash_on_chain)
    payment.refresh_from_db()
    assert payment.note.startswith("settled_by_operator: acct_")
    assert payment.note.endswith(": seen on the chain")
    with pytest.raises(InvalidState):
        decide_payment(decision="fail", reason="too late", **decision)
    assert buyer.pay(payload).status_code == 200
    bought_once(buyer)


def test_what_an_operator_refuses_is_over(buyer: Buyer, settings: Any) -> None:
    settings.X402_RPC_URL = ""
    payload = buyer.signed()
    never_sent(buyer)
    payment = pending(buyer, buyer.pay(payload))
    reconcile_due(limit=10, now=clock.now())
    operator = User.objects.create_user("operator@example.com")
    decide_payment(payment_id=payment.pk, decision="fail", actor_id=operator.pk, reason="never came", now=clock.now())
    refused(buyer.pay(payload), "refused_by_operator")
    assert (ledger(buyer), buyer.units) == ([], 100_000_000)


@pytest.mark.parametrize("where", ["before_settling", "before_crediting"])
def test_a_crash_with_the_payment_on_its_way(buyer: Buyer, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    class Crash(BaseException):
        """The process is gone: no handler runs."""

    def crash(*args: Any, **kwargs: Any) -> Any:
        raise Crash

    payload = buyer.signed()
    with monkeypatch.context() as broken:
        broken.setattr(
            *((service.facilitator, "settle") if where == "before_settling" else (service, "settle_payment")), crash
        )
        with pytest.raises(Crash):
            buyer.pay(payload)
    payment = buyer.payment()
    assert (payment.status, ledger(buyer)) == ("pending", [])
    assert buyer.units == (100_000_000 if where == "before_settling" else 90_000_000)
    assert reconcile_due(limit=10, now=clock.now()) == 0  # it might still be under way
    assert reconcile_due(limit=10, now=later(payment)) == 1
    if where == "before_settling":
        assert ledger(buyer) == []
        assert buyer.pay(payload).status_code == 201
    bought_once(buyer)
    assert buyer.units == 90_000_000


def test_the_log_is_followed_back_through_many_blocks(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes refuse long ranges: the chain is read in pieces, back to when the payment began, and no further."""
    monkeypatch.setattr(x402_chain, "BLOCKS_A_QUESTION", 7)
    ranges: list[tuple[int, int]] = []
    ask = x402_chain._Node.ask

    def counting(self: Any, method: str, *params: Any) -> Any:
        if method == "eth_getLogs":
            ranges.append((int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)))
        return ask(self, method, *params)

    monkeypatch.setattr(x402_chain._Node, "ask", counting)
    lost_after(buyer, "drop")
    pending(buyer, buyer.pay(buyer.signed()))
    chain = buyer.sandboxes.x402.chain
    chain.advance(60)
    try:
        reconcile_due(limit=10, now=clock.now())
    finally:
        chain.advance(-60)
    bought_once(buyer)
    assert 4 <= len(ranges) <= 8
    assert all(last - first == 6 for first, last in ranges)
    assert all(newer[0] == older[1] + 1 for newer, older in pairwise(ranges))


def failed_but_watched(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> X402Payment:
    """Refused by the facilitator for good, and looked after once its time is over."""
    chain, begin = buyer.sandboxes.x402.chain, service._begin
    monkeypatch.setattr(
        service, "_begin", lambda *args: (chain.fund(buyer.wallet.address, -95_000_000), begin(*args))[1]
    )
    refused(buyer.pay(buyer.signed()), "invalid_exact_evm_insufficient_balance")
    payment = buyer.payment()
    assert payment.status == "failed"
    return payment


def test_a_refused_payment_that_is_used_and_cannot_be_traced_is_an_operators(
    buyer: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = failed_but_watched(buyer, monkeypatch)
    buyer.sandboxes.x402.chain.cancel_authorization(buyer.wallet.address, bytes.fromhex(payment.nonce[2:]))
    for _ in range(MOST_LOOKS):
        payment.refresh_from_db()
        assert payment.status == "failed"
        assert reconcile_due(limit=10, now=later(payment)) == 1
    payment.refresh_from_db()
    assert (payment.status, payment.reconcile_at, payment.finished_at) == ("review", None, None)
    assert "look it up in an explorer" in payment.note
    assert ledger(buyer) == []


def test_a_refused_payment_whose_node_was_taken_away_is_an_operators(
    buyer: Buyer, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    payment = failed_but_watched(buyer, monkeypatch)
    settings.X402_RPC_URL = ""
    assert reconcile_due(limit=10, now=later(payment)) == 1
    payment.refresh_from_db()
    assert (payment.status, payment.reconcile_at) == ("review", None)
    assert "invalid_exact_evm_insufficient_balance" in payment.note


def test_looks_at_an_unused_one_leave_time_to_trace_it(buyer: Buyer) -> None:
    never_sent(buyer)
    payment = pending(buyer, buyer.pay(buyer.signed()))
    for _ in range(2 * MOST_LOOKS):
        reconcile_due(limit=10, now=later(payment))
    payment.refresh_from_db()
    assert (payment.status, payment.reconcile_tries) == ("pending", UNUSED_LOOKS)
    buyer.sandboxes.x402.chain.cancel_authorization(buyer.wallet.address, bytes.fromhex(payment.nonce[2:]))
    for _ in range(MOST_LOOKS - UNUSED_LOOKS):
        payment.refresh_from_db()
        assert payment.status == "pending"
        reconcile_due(limit=10, now=later(payment))
    payment.refresh_from_db()
    assert payment.status == "review"


def test_a_refusal_after_anothers_lost_try_is_not_believed(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two requests, one row: the other one asked first, and its process died before it wrote what it knew."""
    chain, begin = buyer.sandboxes.x402.chain, service._begin

    def meanwhile(*args: Any) -> X402Payment:
        stored = begin(*args)
        X402Payment.objects.filter(pk=stored.pk).update(note=service.ASKED)
        chain.fund(buyer.wallet.address, -95_000_000)
        return stored

    monkeypatch.setattr(service, "_begin", meanwhile)
    payment = pending(buyer, buyer.pay(buyer.signed()))
    assert payment.note == "invalid_exact_evm_insufficient_balance"


def test_the_nodes_address_is_told_to_nobody(
    buyer: Buyer, settings: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    never_sent(buyer)
    payment = pending(buyer, buyer.pay(buyer.signed()))
    settings.X402_RPC_URL = f"{buyer.sandboxes.url}/x402/nowhere?key=sesame"
    for url in (settings.X402_RPC_URL, "http://127.0.0.1:9/sesame"):
        settings.X402_RPC_URL = url
        with pytest.raises(x402_chain.ChainUnavailable) as raised:
            x402_chain.fate(_sought(payment))
        assert "sesame" not in f"{raised.value!r} {raised.value.__cause__!r}"
    assert reconcile_due(limit=10, now=later(payment)) == 1
    assert "sesame" not in caplog.text + "".join(capsys.readouterr())
