"""The Stripe sandbox, met by the real SDK and by a customer's browser."""

import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from deploy.embedded.sandboxes.server import Sandboxes
from deploy.embedded.sandboxes.stripe.errors import StripeError
from tests.deploy.sandbox_shop import CANCEL_URL, client, order, paid, press


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Sandboxes]:
    with Sandboxes() as running:
        yield running


@pytest.fixture
def shop(sandboxes: Sandboxes) -> stripe.StripeClient:
    return client(sandboxes)


def refused(error: pytest.ExceptionInfo[stripe.StripeError]) -> tuple[int | None, str | None, str | None]:
    """Status, code and parameter of a refusal."""
    body = error.value.json_body["error"]
    return error.value.http_status, body.get("code"), body.get("param")


def test_a_session_says_what_was_ordered(sandboxes: Sandboxes, shop: stripe.StripeClient) -> None:
    before = int(time.time())
    made = shop.v1.checkout.sessions.create(order(2_000, customer_email="ada@example.com"))
    assert made.id.startswith("cs_test_")
    assert made.url == f"{sandboxes.url}/stripe/pay/{made.id}"
    read = shop.v1.checkout.sessions.retrieve(made.id, {"expand": ["line_items"]})
    assert (read.status, read.payment_status, read.payment_intent) == ("open", "unpaid", None)
    assert (read.amount_total, read.currency, read.livemode) == (2_000, "usd", False)
    assert read.client_reference_id == "dep_7"
    assert read.metadata is not None
    assert read.metadata.to_dict() == {"deposit": "dep_7"}
    assert before + 86_400 <= read.expires_at <= int(time.time()) + 86_400
    assert read.line_items is not None
    assert [(item.description, item.amount_total) for item in read.line_items.data] == [("Starter <pack>", 2_000)]


def test_a_paid_session_leads_to_its_payment_and_charge(sandboxes: Sandboxes, shop: stripe.StripeClient) -> None:
    made = shop.v1.checkout.sessions.create(order(5_000))
    sandboxes.stripe.pay(made.id)
    read = shop.v1.checkout.sessions.retrieve(made.id, {"expand": ["payment_intent.latest_charge"]})
    assert (read.status, read.payment_status, read.url) == ("complete", "paid", None)
    intent: Any = read.payment_intent
    assert (intent.status, intent.amount_received) == ("succeeded", 5_000)
    charge = intent.latest_charge
    assert (charge.status, charge.paid, charge.amount, charge.amount_refunded) == ("succeeded", True, 5_000, 0)
    assert shop.v1.charges.retrieve(charge.id).payment_intent == intent.id
    assert shop.v1.payment_intents.retrieve(intent.id).latest_charge == charge.id
    [listed] = shop.v1.charges.list({"payment_intent": intent.id}).data
    assert listed.id == charge.id
    with pytest.raises(stripe.InvalidRequestError) as error:
        shop.v1.checkout.sessions.expire(made.id)
    assert refused(error) == (400, "checkout_session_not_open", None)


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"mode": "subscription"}, "parameter_invalid", "mode"),
        ({"coupon": "x"}, "parameter_unknown", "coupon"),
        ({"success_url": "javascript:alert(1)"}, "url_invalid", "success_url"),
        ({"line_items": []}, "parameter_missing", "line_items"),
        ({"line_items": [{"price": "price_1", "quantity": 1}]}, "resource_missing", "line_items[0][price]"),
        ({"client_reference_id": "x" * 201}, "parameter_invalid", "client_reference_id"),
        ({"customer_email": "nobody"}, "email_invalid", "customer_email"),
        ({"expires_at": 1}, "parameter_invalid", "expires_at"),
        ({"metadata": {"k": "v" * 501}}, "parameter_invalid", "metadata[k]"),
        ({"expand": ["customer"]}, None, "expand[]"),
    ],
)
def test_a_session_of_wrong_parameters_is_refused(
    shop: stripe.StripeClient, sandboxes: Sandboxes, change: dict[str, Any], code: str | None, param: str
) -> None:
    before = len(sandboxes.stripe.store.newest("stripe.session"))
    with pytest.raises(stripe.InvalidRequestError) as error:
        shop.v1.checkout.sessions.create(order(**change))
    assert refused(error) == (400, code, param)
    if "expand" not in change:
        assert len(sandboxes.stripe.store.newest("stripe.session")) == before


def test_too_small_an_amount_is_refused(shop: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as error:
        shop.v1.checkout.sessions.create(order(49))
    assert refused(error) == (400, "amount_too_small", "line_items")


def test_keys_are_checked(sandboxes: Sandboxes) -> None:
    with pytest.raises(stripe.AuthenticationError) as error:
        client(sandboxes, key="sk_test_of_somebody_else").v1.checkout.sessions.create(order())
    assert error.value.http_status == 401
    assert "somebody" not in str(error.value)
    bare = httpx.get(f"{sandboxes.url}/stripe/v1/account", trust_env=False)
    assert (bare.status_code, bare.json()["error"]["type"]) == (401, "invalid_request_error")
    basic = httpx.get(f"{sandboxes.url}/stripe/v1/account", auth=(sandboxes.keys.stripe_key, ""), trust_env=False)
    assert basic.json()["id"] == sandboxes.stripe.account["id"]


def test_what_does_not_exist_is_a_404(shop: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as error:
        shop.v1.checkout.sessions.retrieve("cs_test_nothing")
    assert refused(error) == (404, "resource_missing", "id")
    with pytest.raises(stripe.InvalidRequestError) as error:
        shop.v1.customers.create({"email": "ada@example.com"})
    assert error.value.http_status == 404


def test_answers_carry_their_version_and_a_request_id(sandboxes: Sandboxes, shop: stripe.StripeClient) -> None:
    account = shop.v1.accounts.retrieve_current()
    assert account.id.startswith("acct_")
    assert account.last_response is not None
    assert account.last_response.headers["Stripe-Version"] == stripe.api_version
    assert str(account.last_response.request_id).startswith("req_")


# Idempotency --------------------------------------------------------------------------------------------------


def test_an_idempotency_key_opens_one_session(sandboxes: Sandboxes, shop: stripe.StripeClient) -> None:
    first = shop.v1.checkout.sessions.create(order(700), {"idempotency_key": "dep-1"})
    again = shop.v1.checkout.sessions.create(order(700), {"idempotency_key": "dep-1"})
    assert again.id == first.id
    assert first.last_response is not None
    assert again.last_response is not None
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    sandboxes.stripe.pay(first.id)
    assert shop.v1.checkout.sessions.create(order(700), {"idempotency_key": "dep-1"}).payment_status == "unpaid"
    with pytest.raises(stripe.IdempotencyError) as error:
        shop.v1.checkout.sessions.create(order(701), {"idempotency_key": "dep-1"})
    assert error.value.http_status == 400
    assert [one["amount_total"] for one in sandboxes.stripe.store.newest("stripe.session", limit=1)] == [700]


def test_a_refusal_uses_no_idempotency_key_up(shop: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.checkout.sessions.create(order(1), {"idempotency_key": "dep-2"})
    assert shop.v1.checkout.sessions.create(order(800), {"idempotency_key": "dep-2"}).amount_total == 800


def test_the_same_key_at_the_same_time_is_a_409(sandboxes: Sandboxes, shop: stripe.StripeClient) -> None:
    answers: queue.Queue[httpx.Response] = queue.Queue()
    before = len(sandboxes.stripe.store.newest("stripe.session"))

    def create() -> None:
        headers = {"Authorization": f"Bearer {sandboxes.keys.stripe_key}", "Idempotency-Key": "dep-3"}
        form = {"mode": "payment", "success_url": CANCEL_URL, "line_items[0][quantity]": "1"}
        price = {"currency": "usd", "unit_amount": "900", "product_data][name": "Starter"}
        form |= {f"line_items[0][price_data][{name}]": value for name, value in price.items()}
        address = f"{sandboxes.url}/stripe/v1/checkout/sessions"
        answers.put(httpx.post(address, data=form, headers=headers, trust_env=False))

    threads = [threading.Thread(target=create) for _ in range(6)]
    with sandboxes.stripe.store.transaction():  # whoever takes the key first waits for the ledger
        for thread in threads:
            thread.start()
        early = [answers.get(timeout=10) for _ in range(5)]
    late = answers.get(timeout=10)
    for thread in threads:
        thread.join(10)
    assert [one.status_code for one in early] == [409] * 5
    assert {one.json()["error"]["code"] for one in early} == {"idempotency_key_in_use"}
    assert late.status_code == 200
    assert len(sandboxes.stripe.store.newest("stripe.session")) == before + 1


def test_an_answer_that_was_lost_is_had_again_by_the_sdk_itself(sandboxes: Sandboxes) -> None:
    before = len(sandboxes.stripe.store.newest("stripe.session"))
    sandboxes.stripe.faults.drop_next(1, on="POST /v1/checkout/sessions", after=True)
    made = client(sandboxes, retries=1).v1.checkout.sessions.create(order(650))
    assert len(sandboxes.stripe.store.newest("stripe.session")) == before + 1
    assert sandboxes.stripe.store.newest("stripe.session", limit=1)[0]["id"] == made.id


# Lists --------------------------------------------------------------------------------------------------------


def test_lists_are_paged_and_bounded_by_time() -> None:
    with Sandboxes() as sandboxes:
        shop = client(sandboxes)
        ids = [shop.v1.checkout.sessions.create(order(500 + number)).id for number in range(5)]
        newest_first = ids[::-1]
        page = shop.v1.checkout.sessions.list({"limit": 2})
        assert ([one.id for one in page.data], page.has_more) == (newest_first[:2], True)
        page = shop.v1.checkout.sessions.list({"limit": 2, "starting_after": newest_first[1]})
        assert [one.id for one in page.data] == newest_first[2:4]
        page = shop.v1.checkout.sessions.list({"limit": 2, "ending_before": newest_first[4]})
        assert [one.id for one in page.data] == newest_first[2:4]
        page = shop.v1.checkout.sessions.list({"limit": 2, "ending_before": newest_first[1]})
        assert ([one.id for one in page.data], page.has_more) == (newest_first[:1], False)
        intents = [sandboxes.stripe.pay(id)["payment_intent"] for id in ids[:2]]
        [found] = shop.v1.checkout.sessions.list({"payment_intent": intents[1]}).data
        assert found.id == ids[1]
        assert shop.v1.checkout.sessions.list({"payment_intent": "pi_nothing"}).data == []
        assert [one.id for one in shop.v1.checkout.sessions.list({"status": "complete"}).data] == ids[1::-1]
        told = shop.v1.events.list({"type": "checkout.session.completed", "limit": 1})
        assert ([one.data.object["id"] for one in told.data], told.has_more) == ([ids[1]], True)
        every = [one.id for one in shop.v1.checkout.sessions.list({"limit": 2}).auto_paging_iter()]
        assert every == newest_first
        now = int(time.time())
        assert len(shop.v1.checkout.sessions.list({"created": {"gte": now - 60}}).data) == 5
        assert shop.v1.checkout.sessions.list({"created": {"gt": now + 60}}).data == []
        with pytest.raises(stripe.InvalidRequestError) as error:
            shop.v1.checkout.sessions.list({"limit": 101})
        assert refused(error) == (400, "parameter_invalid_integer", "limit")


# Refunds and disputes -----------------------------------------------------------------------------------------


def test_refunds_in_parts_up_to_the_whole(sandboxes: Sandboxes, shop: stripe.StripeClient) -> None:
    intent = paid(sandboxes, 1_000)
    first = shop.v1.refunds.create({"payment_intent": intent, "amount": 300, "metadata": {"why": "late"}})
    assert (first.status, first.amount, first.payment_intent) == ("succeeded", 300, intent)
    with pytest.raises(stripe.InvalidRequestError) as error:
        shop.v1.refunds.create({"payment_intent": intent, "amount": 701})
    assert refused(error) == (400, None, "amount")
    second = shop.v1.refunds.create({"payment_intent": intent})
    assert second.amount == 700
    with pytest.raises(stripe.InvalidRequestError) as error:
        shop.v1.refunds.create({"payment_intent": intent})
    assert refused(error) == (400, "charge_already_refunded", None)
    assert [one.id for one in shop.v1.refunds.list({"payment_intent": intent}).data] == [second.id, first.id]
    assert shop.v1.refunds.retrieve(first.id).charge == second.charge
    charge = shop.v1.charges.retrieve(str(second.charge), {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (1_000, True)
    with pytest.raises(StripeError, match="Nothing is left"):
        sandboxes.stripe.dispute(intent)
    assert shop.v1.disputes.list({"payment_intent": intent}).data == []
    assert charge.refunds is not None
    assert [one.amount for one in charge.refunds.data] == [700, 300]


def test_a_refund_that_comes_back_gives_the_rest_free_again(sandboxes: Sandboxes, shop: stripe.StripeClient) -> None:
    intent = paid(sandboxes, 1_000)
    pending = sandboxes.stripe.refund(intent, 400, pending=True)
    assert shop.v1.refunds.retrieve(pending["id"]).status == "pending"
    sandboxes.stripe.fail_refund(pending["id"])
    assert shop.v1.refunds.retrieve(pending["id"]).status == "failed"
    [charge] = shop.v1.charges.list({"payment_intent": intent}).data
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert shop.v1.refunds.create({"payment_intent": intent}).amount == 1_000


def test_an_unpaid_session_has_nothing_to_refund(sandboxes: Sandboxes, shop: stripe.StripeClient) -> None:
    made = shop.v1.checkout.sessions.create(order())
    sandboxes.stripe.decline(made.id)
    intent = shop.v1.checkout.sessions.retrieve(made.id).payment_intent
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.refunds.create({"payment_intent": str(intent)})
    assert shop.v1.refunds.list({"payment_intent": str(intent)}).data == []


def test_a_dispute_won_and_one_lost(sandboxes: Sandboxes, shop: stripe.StripeClient) -> None:
    won, lost = paid(sandboxes, 1_000), paid(sandboxes, 2_000)
    opened = sandboxes.stripe.dispute(won)
    [found] = shop.v1.disputes.list({"payment_intent": won}).data
    assert (found.id, found.status, found.amount) == (opened["id"], "needs_response", 1_000)
    assert [one.amount for one in found.balance_transactions] == [-1_000]
    with pytest.raises(stripe.InvalidRequestError) as error:
        shop.v1.refunds.create({"payment_intent": won})
    assert refused(error) == (400, "charge_disputed", None)
    sandboxes.stripe.win_dispute(opened["id"])
    read = shop.v1.disputes.retrieve(opened["id"])
    assert (read.status, [one.amount for one in read.balance_transactions]) == ("won", [-1_000, 1_000])
    with pytest.raises(StripeError, match="won already"):
        sandboxes.stripe.lose_dispute(opened["id"])
    other = sandboxes.stripe.dispute(lost, 1_500)
    sandboxes.stripe.lose_dispute(other["id"])
    read = shop.v1.disputes.retrieve(other["id"])
    assert (read.status, read.amount, [one.amount for one in read.balance_transactions]) == ("lost", 1_500, [-1_500])


# The hosted page ----------------------------------------------------------------------------------------------


def test_a_customer_pays_on_the_hosted_page(sandboxes: Sandboxes, shop: stripe.StripeClient) -> None:
    made = shop.v1.checkout.sessions.create(order(1_234))
    address = str(made.url)
    page = httpx.get(address, trust_env=False)
    assert page.status_code == 200
    for shown in ("SANDBOX", "$12.34", "Starter &lt;pack&gt;", made.id):
        assert shown in page.text
    assert "<pack>" not in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    answer = press(address, "pay")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"https://shop.example/thanks?session={made.id}")
    assert shop.v1.checkout.sessions.retrieve(made.id).payment_status == "paid"
    assert "This is paid." in httpx.get(address, trust_env=False).text
    assert "cannot be paid" in press(address, "pay").text
    assert (
        len(
            shop.v1.charges.list(
                {"payment_intent": str(sandboxes.stripe.get("session", made.id)["payment_intent"])}
            ).data
        )
        == 1
    )


def test_a_declined_card_leaves_the_session_open(sandboxes: Sandboxes, shop: stripe.StripeClient) -> None:
    made = shop.v1.checkout.sessions.create(order())
    answer = press(str(made.url), "decline")
    assert answer.status_code == 200
    assert "The card was declined." in answer.text
    read = shop.v1.checkout.sessions.retrieve(made.id, {"expand": ["payment_intent"]})
    assert (read.status, read.payment_status) == ("open", "unpaid")
    intent: Any = read.payment_intent
    assert (intent.status, intent.amount_received) == ("requires_payment_method", 0)
    assert intent.last_payment_error.decline_code == "generic_decline"
    assert press(str(made.url), "pay").status_code == 303
    assert shop.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_cancelling_goes_back_to_the_shop(shop: stripe.StripeClient) -> None:
    made = shop.v1.checkout.sessions.create(order())
    answer = press(str(made.url), "cancel")
    assert (answer.status_code, answer.headers["Location"]) == (303, CANCEL_URL)
    assert shop.v1.checkout.sessions.retrieve(made.id).status == "open"


@pytest.mark.parametrize(("button", "paid_after"), [("settle", "paid"), ("fail", "unpaid")])
def test_a_bank_debit_is_decided_later(shop: stripe.StripeClient, button: str, paid_after: str) -> None:
    made = shop.v1.checkout.sessions.create(order())
    assert press(str(made.url), "pay_later").status_code == 303
    assert (read := shop.v1.checkout.sessions.retrieve(made.id)).status == "complete"
    assert read.payment_status == "unpaid"
    assert press(str(made.url), button).status_code == 200
    assert shop.v1.checkout.sessions.retrieve(made.id).payment_status == paid_after
    press(str(made.url), "settle")
    assert shop.v1.checkout.sessions.retrieve(made.id).payment_status == paid_after


def test_an_expired_session_takes_no_money(shop: stripe.StripeClient, sandboxes: Sandboxes) -> None:
    made = shop.v1.checkout.sessions.create(order())
    assert shop.v1.checkout.sessions.expire(made.id).status == "expired"
    answer = press(str(made.url), "pay")
    assert answer.status_code == 200
    assert "expired" in answer.text
    assert shop.v1.checkout.sessions.retrieve(made.id).payment_intent is None
    assert httpx.get(f"{sandboxes.url}/stripe/pay/cs_test_nothing", trust_env=False).status_code == 404


def test_the_clock_expires_what_nobody_paid() -> None:
    with Sandboxes() as sandboxes:
        shop = client(sandboxes)
        kept = shop.v1.checkout.sessions.create(order())
        done = shop.v1.checkout.sessions.create(order())
        sandboxes.stripe.pay(done.id)
        sandboxes.stripe.expire_due(now=time.time() + 86_399)
        assert shop.v1.checkout.sessions.retrieve(kept.id).status == "open"
        sandboxes.stripe.expire_due(now=time.time() + 86_401)
        assert shop.v1.checkout.sessions.retrieve(kept.id).status == "expired"
        assert shop.v1.checkout.sessions.retrieve(done.id).status == "complete"
        assert len(sandboxes.stripe.events("checkout.session.expired")) == 1


def test_everything_outlives_a_restart(tmp_path: Path) -> None:
    with Sandboxes(data=tmp_path) as first:
        intent = paid(first, 1_000)
        account = first.stripe.account["id"]
        keys = first.keys
    with Sandboxes(data=tmp_path, keys=keys) as second:
        assert client(second).v1.refunds.create({"payment_intent": intent}).amount == 1_000
        assert second.stripe.account["id"] == account
