"""What an x402 purchase means to others: affiliates, debts, the steward."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.test import Client

from accounts.models import User
from affiliates.capture import capture
from affiliates.models import Attribution, Commission
from billing.ledger.models import Transfer
from billing.selectors import audit, balance, commission
from billing.services.capture_hold import capture_hold
from billing.services.credit_deposit import credit_deposit
from billing.services.place_hold import place_hold
from billing.services.reverse_deposit import reverse_deposit
from core import clock
from core.outbox.services import handle_due
from deploy.embedded.sandboxes.x402.payer import header
from gateway.steward import LOOPS, Steward
from payments.models import Deposit
from tests.affiliates.partners import new_affiliate, new_code
from tests.media.customers import error
from tests.payments.x402.buyers import PURCHASE, Buyer, bought_once, decoded
from tests.payments.x402.test_x402_refused import refused


def outcome(answer: Any, status: int = 201) -> Any:
    assert answer.status_code == status, answer.content
    return answer.json()["affiliate"]


def test_a_code_is_bound_before_the_payment_settles_and_earns_its_commission(buyer: Buyer) -> None:
    affiliate = new_affiliate()
    code = new_code(affiliate)
    answer = buyer.pay(buyer.signed(), affiliateCode=code.lower())
    assert outcome(answer) == {"applied": True, "reason": "applied"}
    bound = Attribution.objects.get(account_id=buyer.customer.id)
    assert (bound.affiliate_id, bound.source) == (affiliate.pk, "code")
    deposit = bought_once(buyer)
    handle_due(limit=100, now=clock.now())
    earned = Commission.objects.get()
    assert (earned.deposit_id, earned.amount_micros) == (deposit.pk, 2_000_000)
    assert commission(affiliate_id=affiliate.account_id).pending == 2_000_000
    assert buyer.pay(buyer.signed(), affiliateCode=code).json()["affiliate"]["reason"] == "already_bound"
    assert audit() == []


def test_a_code_that_cannot_be_bound_stops_nothing(buyer: Buyer, new_buyer: Callable[..., Buyer]) -> None:
    assert outcome(buyer.pay(buyer.signed(), affiliateCode="NOBODYS")) == {"applied": False, "reason": "unknown_code"}
    assert Attribution.objects.get(account_id=buyer.customer.id).affiliate_id is None
    code = new_code(new_affiliate())
    assert outcome(buyer.pay(buyer.signed(), affiliateCode=code)) == {"applied": False, "reason": "too_late"}
    partner = new_buyer()
    own = new_code(new_affiliate(account_id=partner.customer.id))
    assert outcome(partner.pay(partner.signed(), affiliateCode=own)) == {"applied": False, "reason": "own_code"}
    handle_due(limit=100, now=clock.now())
    assert Deposit.objects.count() == 3
    assert not Commission.objects.filter(amount_micros__gt=0).exists()


def test_a_payment_that_is_refused_binds_nobody(buyer: Buyer) -> None:
    code = new_code(new_affiliate())
    with buyer.nothing_bought():
        error(buyer.ask(affiliateCode=code), 402, "payment_required")
        refused(
            buyer.pay(buyer.signed(500), affiliateCode=code), "invalid_exact_evm_payload_authorization_value_mismatch"
        )
    assert not Attribution.objects.exists()


def test_a_replay_binds_nobody(buyer: Buyer) -> None:
    payload = buyer.signed()
    assert outcome(buyer.pay(payload)) is None
    code = new_code(new_affiliate())
    assert outcome(buyer.pay(payload, affiliateCode=code), 200) is None
    assert Attribution.objects.get().affiliate_id is None


def in_a_browser(buyer: Buyer, code: str) -> Client:
    """The customer signed in with a browser that had followed a link with this code."""
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.get(pk=buyer.customer.id), backend="accounts.backends.ProvenAddress")
    browser.cookies["killa_tamata_referral"] = capture(code=code, now=clock.now()).token
    return browser


def test_a_browsers_link_counts_where_no_code_is_named(buyer: Buyer) -> None:
    affiliate = new_affiliate()
    browser = in_a_browser(buyer, new_code(affiliate))
    sent = {"PAYMENT-SIGNATURE": header(buyer.signed()), "Origin": "http://testserver"}
    paid = browser.post(PURCHASE, {"usdCents": 1_000}, content_type="application/json", headers=sent)
    assert outcome(paid) is None
    assert Attribution.objects.get().affiliate_id == affiliate.pk
    bought_once(buyer)


def test_a_named_code_goes_before_the_link_and_a_keys_request_has_none(
    buyer: Buyer, new_buyer: Callable[..., Buyer]
) -> None:
    followed, named = new_affiliate(), new_affiliate()
    link = new_code(followed)
    browser = in_a_browser(buyer, link)
    sent = {"PAYMENT-SIGNATURE": header(buyer.signed()), "Origin": "http://testserver"}
    body = {"usdCents": 1_000, "affiliateCode": new_code(named)}
    paid = browser.post(PURCHASE, body, content_type="application/json", headers=sent)
    assert outcome(paid)["applied"] is True
    assert Attribution.objects.get(account_id=buyer.customer.id).affiliate_id == named.pk
    program = new_buyer()
    program.customer.http.cookies["killa_tamata_referral"] = capture(code=link, now=clock.now()).token
    assert program.pay(program.signed()).status_code == 201
    assert Attribution.objects.get(account_id=program.customer.id).affiliate_id is None


def test_another_sites_page_cannot_buy_with_a_visitors_session(buyer: Buyer) -> None:
    browser = in_a_browser(buyer, "WHATEVER")
    sent = {"PAYMENT-SIGNATURE": header(buyer.signed()), "Origin": "https://elsewhere.example"}
    with buyer.nothing_bought():
        paid = browser.post(PURCHASE, {"usdCents": 1_000}, content_type="application/json", headers=sent)
        error(paid, 403, "forbidden")


def test_a_debt_is_repaid_first(buyer: Buyer) -> None:
    account = buyer.customer.id
    credit_deposit(account_id=account, amount=3_000_000, provider="stripe", reference="deposit:old:paid")
    capture_hold(hold=place_hold(account_id=account, amount=3_000_000, reference="job:1:hold"), amount=3_000_000)
    reverse_deposit(account_id=account, amount=3_000_000, provider="stripe", reference="deposit:old:dispute:d:opened")
    assert balance(account_id=account).receivable == 3_000_000
    answer = buyer.pay(buyer.signed())
    assert (answer.status_code, answer.json()["currentBalanceUsdMicros"]) == (201, 7_000_000)
    assert balance(account_id=account).receivable == 0
    mine = Transfer.objects.filter(reference=f"deposit:{buyer.payment().pk}:paid").order_by("leg")
    assert [(one.kind, one.amount) for one in mine] == [("repayment", 3_000_000), ("deposit", 7_000_000)]
    assert audit() == []


def test_the_steward_credits_what_was_lost_by_itself(buyer: Buyer) -> None:
    payload = buyer.signed()
    steward = Steward([loop for loop in LOOPS if loop.name == "x402"])
    thread = threading.Thread(target=steward.run)
    thread.start()
    try:
        buyer.sandboxes.x402.faults.drop_next(on="/settle", after=True)
        error(buyer.pay(payload), 503, "payment_pending")
        deadline = time.monotonic() + 20
        while buyer.payment().status == "pending" and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        steward.stop()
        thread.join(15)
    assert not thread.is_alive()
    bought_once(buyer)
    assert decoded(buyer.pay(payload)["PAYMENT-RESPONSE"])["success"] is True


def test_nothing_of_a_payment_is_bought_for_a_suspended_account(buyer: Buyer) -> None:
    payload = buyer.signed()
    User.objects.filter(pk=buyer.customer.id).update(is_active=False)
    from accounts import recognition

    recognition.forget()
    with buyer.nothing_bought():
        assert buyer.pay(payload).status_code in {401, 403}
