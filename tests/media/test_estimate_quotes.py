"""Estimates cost nothing and say everything; a quote binds its price and its facts for ten minutes."""

import time
from typing import Any

import pytest

from billing.price_versions import publish_price_version
from core import clock
from media.models import Job, Node
from tests.media.conftest import Hosted
from tests.media.customers import ESTIMATE, PROMPT, Customer, error, new_customer
from tests.media.standin import StandIn

pytestmark = pytest.mark.django_db


def estimate(customer: Customer, task: str = "image.generate", task_input: Any = PROMPT) -> dict[str, Any]:
    with customer.untouched():
        answer = customer.post(ESTIMATE, {"task": task, "input": task_input})
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def double_the_price() -> None:
    coefficients = {"floor": 10_000, "per_megapixel": 80_000, "high_detail_percent": 150}
    publish_price_version(task="image.generate", formula="image.v1", coefficients=coefficients, now=clock.now())


def test_an_estimate_says_what_a_submit_would(customer: Customer, wakes: list[str]) -> None:
    body = estimate(customer)
    submitted = customer.submit().json()
    assert wakes == ["dispatcher"]
    same = body.keys() - {"quoteId", "quoteExpiresInSeconds", "billed"}
    assert same == {
        "ok",
        "task",
        "usdChargedMicros",
        "usdCharged",
        "pricingMeta",
        "estimatedDurationSeconds",
        "durationEstimateMeta",
        "effectiveInput",
        "inputAdjustments",
    }
    assert {name: body[name] for name in same} == {name: submitted[name] for name in same}
    assert (body["billed"], body["quoteExpiresInSeconds"]) == (False, 600)
    assert isinstance(body["quoteId"], str)


def test_an_estimate_needs_no_money_no_worker_and_no_callback(node: StandIn) -> None:
    poor = new_customer(0)
    Node.objects.update(last_seen_at=None)
    assert estimate(poor)["usdChargedMicros"] == 40_000


def test_a_quote_keeps_its_price_when_the_price_changes(customer: Customer) -> None:
    quote = estimate(customer)["quoteId"]
    double_the_price()
    assert customer.submit().json()["usdChargedMicros"] == 80_000
    bound = customer.submit(headers={"X-Quote-Id": quote})
    assert (bound.status_code, bound.json()["usdChargedMicros"]) == (201, 40_000)
    assert Job.objects.latest("created_at").price_micros == 40_000
    assert customer.money() == (10_000_000 - 120_000, 120_000)


def test_a_quote_may_be_used_again_while_it_is_young(customer: Customer) -> None:
    quote = estimate(customer)["quoteId"]
    for _ in range(2):
        assert customer.submit(headers={"X-Quote-Id": quote}).status_code == 201
    assert customer.money() == (10_000_000 - 80_000, 80_000)


@pytest.mark.parametrize(("age", "honoured"), [(599, True), (602, False)])
def test_a_quote_is_honoured_for_ten_minutes(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, age: int, honoured: bool
) -> None:
    quote = estimate(customer)["quoteId"]
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + age)
    books = customer.books()
    answer = customer.submit(headers={"X-Quote-Id": quote})
    if honoured:
        assert answer.status_code == 201
    else:
        assert error(answer, 409, "quote_mismatch")["billed"] is False
        assert customer.books() == books


def test_a_quote_fits_its_account_and_its_request_only(customer: Customer, other: Customer) -> None:
    quote = estimate(customer)["quoteId"]
    headers = {"X-Quote-Id": quote}
    with customer.untouched(), other.untouched():
        error(other.submit(headers=headers), 409, "quote_mismatch")
        error(customer.submit(task_input={"prompt": "else"}, headers=headers), 409, "quote_mismatch")
        error(customer.submit(task_input={**PROMPT, "highDetail": True}, headers=headers), 409, "quote_mismatch")
        error(customer.submit(task_input={**PROMPT, "highDetail": False}, headers=headers), 409, "quote_mismatch")
        error(customer.submit("video.combine", PROMPT, headers=headers), 409, "quote_mismatch")


def test_a_forged_quote_is_refused(customer: Customer) -> None:
    quote = estimate(customer)["quoteId"]
    payload, _, signature = quote.rpartition(":")
    with customer.untouched():
        for token in (
            "",
            "x",
            quote[:-1],
            quote + "A",
            f"{payload}:{signature[::-1]}",
            f".{quote}",
            "a:b:c",
            "x" * 5000,
        ):
            error(customer.submit(headers={"X-Quote-Id": token}), 409, "quote_mismatch")


def test_a_replay_comes_before_the_quote(customer: Customer) -> None:
    first = customer.submit(idempotencyKey="k")
    again = customer.submit(idempotencyKey="k", headers={"X-Quote-Id": "stale"})
    assert (again.status_code, again.json()) == (200, first.json())


def test_a_quote_binds_the_facts_so_the_clip_is_not_read_again(
    customer: Customer, host: Hosted, clips: dict[str, bytes]
) -> None:
    host.files = {"a.mp4": clips["one"]}
    task_input = {"sourceVideoUrl": host.url("a.mp4"), "width": 320, "height": 180}
    body = estimate(customer, "video.resize", task_input)
    assert body["pricingMeta"]["units"]["seconds"] == "1"
    probes = host.connects
    host.files = {"a.mp4": clips["three"]}
    answer = customer.submit("video.resize", task_input, headers={"X-Quote-Id": body["quoteId"]})
    assert (answer.status_code, answer.json()["usdChargedMicros"]) == (201, body["usdChargedMicros"])
    assert host.connects == probes
    assert customer.submit("video.resize", task_input).json()["pricingMeta"]["units"]["seconds"] == "3"
