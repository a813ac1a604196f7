"""One key, one job: replays, conflicts, and fifty submits at once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from billing.ledger.models import Transfer
from billing.services.credit_deposit import credit_deposit
from core import wake
from core.idempotency.models import IdempotencyRecord
from core.idempotency.services import KEPT, forget_old
from media.fleet import selectors
from media.models import Attempt, Job, Node
from tests.billing.racing import race, results
from tests.media.customers import IMAGE, IMAGE_MICROS, JOBS, PROMPT, Customer, error, new_customer
from tests.media.standin import StandIn

pytestmark = pytest.mark.django_db

KEY = "order-17"


def assert_replayed(answer: Any, first: Any) -> None:
    assert answer.status_code == 200
    assert answer["Idempotent-Replay"] == "true"
    assert answer.json() == first.json()


@pytest.mark.parametrize("header", ["Idempotency-Key", "X-Idempotency-Key", "idempotency-key", None])
def test_the_same_key_and_request_gets_the_stored_answer(customer: Customer, header: str | None) -> None:
    way: dict[str, Any] = {"headers": {header: KEY}} if header else {"idempotencyKey": KEY}
    first = customer.submit(**way)
    assert first.status_code == 201
    assert "Idempotent-Replay" not in first
    customer.accepted()  # the balance goes on; the stored answer does not
    with customer.untouched():
        assert_replayed(customer.submit(**way), first)
        assert_replayed(customer.submit(headers={"Idempotency-Key": KEY}), first)
        assert_replayed(customer.submit(idempotencyKey=KEY), first)
        assert_replayed(customer.submit(headers={"X-Idempotency-Key": KEY}, idempotencyKey=KEY), first)
    assert Job.objects.count() == 2


def test_a_replay_stays_the_same_when_the_job_has_gone_on(customer: Customer, node: StandIn) -> None:
    first = customer.submit(idempotencyKey=KEY)
    node.finish(customer.job(first.json()["externalJobId"]))
    with customer.untouched():
        assert_replayed(customer.submit(idempotencyKey=KEY), first)
    assert first.json()["result"]["status"] == "queued"


def test_the_order_of_members_makes_no_difference_and_a_value_does(customer: Customer) -> None:
    first = customer.submit(task_input={"prompt": "a", "upscale": True}, idempotencyKey=KEY)
    again = customer.http.generic(
        "POST",
        JOBS,
        b'{ "idempotencyKey":"order-17","input":{"upscale":true , "prompt":"a"},"task":"image.generate"}',
        content_type="application/json",
        headers={"Authorization": f"Bearer {customer.key}"},
    )
    assert_replayed(again, first)
    others: list[dict[str, Any]] = [
        {"prompt": "a"},
        {"prompt": "a", "upscale": False},
        {"prompt": "a", "upscale": True, "highDetail": False},
        {"prompt": "A", "upscale": True},
        {"prompt": "a", "upscale": "true"},
    ]
    for task_input in others:
        with customer.untouched():
            body = error(customer.submit(task_input=task_input, idempotencyKey=KEY), 409, "idempotency_conflict")
            assert body["billed"] is False
    with customer.untouched():
        error(
            customer.submit("video.combine", {"prompt": "a", "upscale": True}, idempotencyKey=KEY),
            409,
            "idempotency_conflict",
        )


def test_the_callback_url_is_no_part_of_the_request_and_the_first_one_stays(customer: Customer) -> None:
    first = customer.submit(idempotencyKey=KEY, completionCallbackUrl="https://example.com/first")
    with customer.untouched():
        for url in ("https://example.com/second", "https://example.com/first"):
            assert_replayed(customer.submit(idempotencyKey=KEY, completionCallbackUrl=url), first)
        assert_replayed(customer.submit(idempotencyKey=KEY), first)
    assert Job.objects.get().callback_url == "https://example.com/first"


def test_keys_are_each_accounts_own(customer: Customer, other: Customer) -> None:
    one, two = customer.submit(idempotencyKey=KEY), other.submit(idempotencyKey=KEY, task_input={"prompt": "else"})
    assert (one.status_code, two.status_code) == (201, 201)
    assert Job.objects.count() == 2


@pytest.mark.parametrize("key", ["x", "x" * 200, "käse 雪", "a b/c?d"])
def test_keys_of_one_to_two_hundred_characters_are_taken(customer: Customer, key: str) -> None:
    first = customer.submit(idempotencyKey=key)
    assert first.status_code == 201
    assert_replayed(customer.submit(idempotencyKey=key), first)


def test_refusals_are_not_stored(node: StandIn) -> None:
    poor = new_customer(IMAGE_MICROS - 1)
    error(poor.submit(idempotencyKey=KEY), 402, "insufficient_balance")
    error(poor.submit(task_input={"prompt": ""}, idempotencyKey=KEY), 400, "invalid_request")
    assert not IdempotencyRecord.objects.exists()
    credit_deposit(account_id=poor.id, amount=1, provider="stripe", reference="deposit:one-more:paid")
    assert poor.submit(idempotencyKey=KEY).status_code == 201
    assert poor.money() == (0, IMAGE_MICROS)


def test_a_replay_needs_neither_money_nor_a_living_worker(node: StandIn) -> None:
    customer = new_customer(IMAGE_MICROS)
    first = customer.submit(idempotencyKey=KEY)
    Node.objects.update(last_seen_at=None)
    selectors._recent = (0.0, {})
    with customer.untouched():
        assert_replayed(customer.submit(idempotencyKey=KEY), first)


def test_keys_are_kept_for_at_least_two_days(customer: Customer) -> None:
    assert timedelta(hours=48) <= KEPT
    first = customer.submit(idempotencyKey=KEY)
    stored = IdempotencyRecord.objects.get().created_at
    assert forget_old(now=stored + KEPT) == 0
    assert_replayed(customer.submit(idempotencyKey=KEY), first)
    assert forget_old(now=stored + KEPT + timedelta(seconds=1)) == 1
    assert customer.submit(idempotencyKey=KEY).status_code == 201
    assert Job.objects.count() == 2


def test_the_stored_answer_carries_no_secret(customer: Customer) -> None:
    customer.submit(idempotencyKey=KEY)
    stored = json.dumps(IdempotencyRecord.objects.get().body)
    assert customer.key not in stored
    assert "secret" not in stored


def post(customer: Customer, key: str | None = None, prompt: str = PROMPT["prompt"]) -> Any:
    """A submit from a thread: a client of its own, as a web server would see it."""
    body: dict[str, Any] = {"task": IMAGE, "input": {"prompt": prompt}}
    headers = {"Authorization": f"Bearer {customer.key}"} | ({"Idempotency-Key": key} if key else {})
    return Client(raise_request_exception=False).post(JOBS, body, content_type="application/json", headers=headers)


@pytest.mark.django_db(transaction=True)
def test_fifty_submits_of_one_key_make_one_job(customer: Customer) -> None:
    answers = results(race([lambda: post(customer, KEY)] * 50))
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    [first] = [answer for answer in answers if answer.status_code == 201]
    for answer in answers:
        if answer is not first:
            assert_replayed(answer, first)
    assert (Job.objects.count(), Attempt.objects.count(), IdempotencyRecord.objects.count()) == (1, 1, 1)
    assert Transfer.objects.filter(kind="hold").count() == 1
    assert customer.money() == (10_000_000 - IMAGE_MICROS, IMAGE_MICROS)


@pytest.mark.django_db(transaction=True)
def test_two_requests_racing_for_one_key_conflict_and_one_wins(customer: Customer) -> None:
    asked = [lambda prompt=prompt: post(customer, KEY, prompt) for prompt in ("left", "right") * 10]
    answers = results(race(asked))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 1
    won = statuses.index(201) % 2
    assert statuses[won::2].count(200) == 9
    assert statuses[1 - won :: 2] == [409] * 10
    assert Job.objects.get().params["prompt"] == ("left", "right")[won]
    assert customer.money() == (10_000_000 - IMAGE_MICROS, IMAGE_MICROS)


@pytest.mark.django_db(transaction=True)
def test_one_key_racing_with_money_for_less_than_one_makes_no_job(node: StandIn) -> None:
    poor = new_customer(IMAGE_MICROS - 1)
    answers = results(race([lambda: post(poor, KEY)] * 20))
    assert {answer.status_code for answer in answers} == {402}
    assert not Job.objects.exists()
    assert not IdempotencyRecord.objects.exists()
    assert poor.money() == (IMAGE_MICROS - 1, 0)


@pytest.mark.django_db(transaction=True)
def test_the_wake_after_a_submit_is_heard_by_who_listens(customer: Customer) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {wake.CHANNEL}")
    heard = race([lambda: post(customer, KEY)])
    assert heard[0][0].status_code == 201
    [notice] = list(connection.connection.notifies(timeout=10, stop_after=1))
    assert (notice.channel, notice.payload) == ("steward", "dispatcher")
    with customer.untouched():
        assert_replayed(race([lambda: post(customer, KEY)])[0][0], heard[0][0])
    assert list(connection.connection.notifies(timeout=0)) == []
    with connection.cursor() as cursor:
        cursor.execute(f"UNLISTEN {wake.CHANNEL}")
