"""The Coinbase Commerce sandbox: charges over its API, payments on its page."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deploy.embedded.sandboxes.coinbase.charges import ChargeError
from deploy.embedded.sandboxes.server import Sandboxes
from tests.deploy.sandbox_shop import CANCEL_URL, press

THANKS = "https://shop.example/thanks"
ORDER = {
    "name": "Creator",
    "description": "20 dollars of credit",
    "pricing_type": "fixed_price",
    "local_price": {"amount": "20.00", "currency": "USD"},
    "metadata": {"deposit": "dep_7"},
    "redirect_url": THANKS,
    "cancel_url": CANCEL_URL,
}


class Merchant:
    """A client of the API."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        headers = {"X-CC-Api-Key": sandboxes.keys.coinbase_key, "X-CC-Version": "2018-03-22"}
        self.sandbox = sandboxes.coinbase
        self.http = httpx.Client(base_url=f"{sandboxes.url}/coinbase", headers=headers, trust_env=False)

    def create(self, **change: Any) -> dict[str, Any]:
        answer = self.http.post("/charges", json=ORDER | change)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()["data"]
        return made

    def read(self, name: str) -> dict[str, Any]:
        answer = self.http.get(f"/charges/{name}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["data"]
        return found

    def told(self, charge: dict[str, Any]) -> list[str]:
        """The types of a charge's events, oldest first."""
        return [one["type"] for one in self.sandbox.events() if one["data"]["id"] == charge["id"]][::-1]


@pytest.fixture(scope="module")
def merchant() -> Iterator[Merchant]:
    with Sandboxes() as sandboxes:
        client = Merchant(sandboxes)
        yield client
        client.http.close()


def steps(charge: dict[str, Any]) -> list[str]:
    """The charge's states, with their contexts."""
    return [" ".join([one["status"], one.get("context", "")]).strip() for one in charge["timeline"]]


def test_a_charge_says_what_was_ordered(merchant: Merchant) -> None:
    made = merchant.create()
    assert made["hosted_url"] == f"{merchant.sandbox.url}/pay/{made['code']}"
    assert (made["resource"], made["pricing_type"], len(made["code"])) == ("charge", "fixed_price", 8)
    assert made["pricing"]["local"] == {"amount": "20.00", "currency": "USD"}
    assert made["metadata"] == {"deposit": "dep_7"}
    assert (steps(made), made["payments"], made["confirmed_at"]) == (["NEW"], [], None)
    assert merchant.read(made["code"]) == merchant.read(made["id"]) == made
    assert merchant.told(made) == ["charge:created"]


def test_an_exact_payment_is_seen_and_then_confirmed(merchant: Merchant) -> None:
    made = merchant.create()
    assert press(made["hosted_url"], "pay").status_code == 200
    seen = merchant.read(made["code"])
    assert steps(seen) == ["NEW", "PENDING"]
    [payment] = seen["payments"]
    assert (payment["status"], payment["network"]) == ("PENDING", "ethereum")
    assert seen["timeline"][1]["payment"]["transaction_id"] == payment["transaction_id"]
    answer = press(made["hosted_url"], "confirm")
    assert (answer.status_code, answer.headers["Location"]) == (303, THANKS)
    done = merchant.read(made["code"])
    assert steps(done) == ["NEW", "PENDING", "COMPLETED"]
    [payment] = done["payments"]
    assert payment["status"] == "CONFIRMED"
    assert payment["value"]["local"] == {"amount": "20.00", "currency": "USD"}
    assert payment["value"]["crypto"] == {"amount": "20.000000", "currency": "USDC"}
    assert done["confirmed_at"] is not None
    assert merchant.told(made) == ["charge:created", "charge:pending", "charge:confirmed"]


@pytest.mark.parametrize(
    ("button", "amount", "context"), [("underpay", "19.99", "UNDERPAID"), ("overpay", "20.01", "OVERPAID")]
)
def test_a_wrong_amount_is_unresolved(merchant: Merchant, button: str, amount: str, context: str) -> None:
    made = merchant.create()
    press(made["hosted_url"], button)
    press(made["hosted_url"], "confirm")
    found = merchant.read(made["code"])
    assert steps(found) == ["NEW", "PENDING", f"UNRESOLVED {context}"]
    assert [one["value"]["local"]["amount"] for one in found["payments"]] == [amount]
    assert found["confirmed_at"] is None
    assert merchant.told(made) == ["charge:created", "charge:pending", "charge:failed"]
    resolved = merchant.http.post(f"/charges/{made['code']}/resolve")
    assert steps(resolved.json()["data"])[-1] == "RESOLVED MANUAL"
    assert merchant.told(made)[-1] == "charge:resolved"


def test_two_payments_are_multiple(merchant: Merchant) -> None:
    made = merchant.create()
    merchant.sandbox.pay(made["code"], "15.00")
    merchant.sandbox.pay(made["code"], "5.00")
    assert steps(merchant.sandbox.confirm(made["code"]))[-1] == "UNRESOLVED MULTIPLE"
    assert merchant.told(made) == ["charge:created", "charge:pending", "charge:failed"]


def test_a_payment_after_the_time_is_delayed(merchant: Merchant) -> None:
    made = merchant.create()
    press(made["hosted_url"], "expire")
    assert steps(merchant.read(made["code"])) == ["NEW", "EXPIRED"]
    press(made["hosted_url"], "pay")
    assert steps(merchant.read(made["code"])) == ["NEW", "EXPIRED", "UNRESOLVED DELAYED"]
    assert merchant.told(made) == ["charge:created", "charge:failed", "charge:delayed"]


def test_the_clock_expires_only_what_is_new(merchant: Merchant) -> None:
    unpaid, seen = merchant.create(), merchant.create()
    merchant.sandbox.pay(seen["code"])
    merchant.sandbox.expire_due(now=time.time() + 3_599)
    assert steps(merchant.read(unpaid["code"])) == ["NEW"]
    merchant.sandbox.expire_due(now=time.time() + 3_601)
    assert steps(merchant.read(unpaid["code"])) == ["NEW", "EXPIRED"]
    assert steps(merchant.read(seen["code"])) == ["NEW", "PENDING"]


def test_a_payment_may_fail_on_the_chain(merchant: Merchant) -> None:
    made = merchant.create()
    merchant.sandbox.pay(made["code"])
    press(made["hosted_url"], "fail")
    found = merchant.read(made["code"])
    assert (steps(found)[-1], [one["status"] for one in found["payments"]]) == ("FAILED", ["FAILED"])


def test_only_a_new_charge_can_be_canceled(merchant: Merchant) -> None:
    made = merchant.create()
    answer = merchant.http.post(f"/charges/{made['code']}/cancel")
    assert (answer.status_code, steps(answer.json()["data"])) == (200, ["NEW", "CANCELED"])
    again = merchant.http.post(f"/charges/{made['code']}/cancel")
    assert (again.status_code, again.json()["error"]["type"]) == (400, "invalid_request")
    with pytest.raises(ChargeError, match="CANCELED"):
        merchant.sandbox.pay(made["code"])
    assert merchant.told(made) == ["charge:created", "charge:failed"]
    back = press(merchant.create()["hosted_url"], "back")
    assert (back.status_code, back.headers["Location"]) == (303, CANCEL_URL)


@pytest.mark.parametrize(
    ("change", "type"),
    [
        ({"pricing_type": "no_price"}, "validation_error"),
        ({"local_price": {"currency": "USD"}}, "param_required"),
        ({"local_price": {"amount": "0.00", "currency": "USD"}}, "validation_error"),
        ({"local_price": {"amount": "-1", "currency": "USD"}}, "validation_error"),
        ({"local_price": {"amount": "1.00", "currency": "dollars"}}, "validation_error"),
        ({"redirect_url": "javascript:alert(1)"}, "validation_error"),
        ({"metadata": "text"}, "validation_error"),
        ({"name": "x" * 101}, "validation_error"),
    ],
)
def test_a_charge_of_wrong_parameters_is_refused(merchant: Merchant, change: dict[str, Any], type: str) -> None:
    before = len(merchant.sandbox.store.newest("coinbase.charge"))
    answer = merchant.http.post("/charges", json=ORDER | change)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, type)
    assert len(merchant.sandbox.store.newest("coinbase.charge")) == before


def test_keys_are_checked_and_strangers_find_nothing(merchant: Merchant) -> None:
    wrong = merchant.http.get("/charges", headers={"X-CC-Api-Key": "another"})
    assert (wrong.status_code, wrong.json()["error"]["type"]) == (401, "authentication_error")
    for path in ("/charges/NOTHING1", "/checkouts", "/events/nothing"):
        answer = merchant.http.get(path)
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found")
    assert press(f"{merchant.sandbox.url}/pay/NOTHING1", "pay").status_code == 404


def test_charges_and_events_are_listed(merchant: Merchant) -> None:
    first, second = merchant.create(), merchant.create()
    page = merchant.http.get("/charges", params={"limit": 1}).json()
    assert [one["id"] for one in page["data"]] == [second["id"]]
    page = merchant.http.get("/charges", params={"limit": 1, "starting_after": second["id"]}).json()
    assert [one["id"] for one in page["data"]] == [first["id"]]
    [event] = merchant.http.get("/events", params={"limit": 1}).json()["data"]
    assert merchant.http.get(f"/events/{event['id']}").json()["data"]["data"]["id"] == second["id"]
    assert merchant.http.get("/charges", params={"limit": 0}).status_code == 400


def test_what_a_page_shows_is_never_markup(merchant: Merchant) -> None:
    made = merchant.create(name="<b>gold</b>")
    page = httpx.get(made["hosted_url"], trust_env=False).text
    assert "&lt;b&gt;gold&lt;/b&gt;" in page
    assert "<b>" not in page
    assert "SANDBOX" in page
