"""How many jobs an account may have open: exactly so many, whoever submits at the same moment."""

from functools import partial
from typing import Any

import pytest
from django.test import Client

from billing.ledger.models import Transfer
from billing.selectors import audit
from core.idempotency.models import IdempotencyRecord
from media import buckets
from media.models import Job
from media.selectors import open_jobs
from tests.billing.racing import race, results
from tests.media.customers import IMAGE, IMAGE_MICROS, JOBS, PROMPT, Customer, error, new_customer
from tests.media.standin import StandIn
from tests.media.test_inline_media import base64_of, picture

pytestmark = pytest.mark.django_db
CAP = 12


@pytest.fixture(autouse=True)
def _cap(settings: Any) -> None:
    settings.MEDIA_MOST_OPEN_JOBS = CAP


def fill(customer: Customer, number: int) -> list[Job]:
    return [customer.accepted() for _ in range(number)]


def test_the_next_one_is_refused_and_nothing_of_it_is_left(customer: Customer, other: Customer) -> None:
    fill(customer, CAP)
    with customer.untouched():
        answer = customer.submit(idempotencyKey="later")
        body = error(answer, 429, "too_many_jobs")
    assert (body["details"], body["billed"], body["retryAfter"]) == ({"limit": CAP}, False, 30)
    assert answer["Retry-After"] == "30"
    assert not IdempotencyRecord.objects.exists()
    assert other.submit().status_code == 201
    assert customer.money() == (10_000_000 - CAP * IMAGE_MICROS, CAP * IMAGE_MICROS)


def test_what_ends_makes_room_and_what_runs_does_not(customer: Customer, node: StandIn) -> None:
    jobs = fill(customer, CAP)
    run = node.take(jobs[0])
    error(customer.submit(), 429, "too_many_jobs")
    run.deliver()
    assert customer.submit().status_code == 201
    error(customer.submit(), 429, "too_many_jobs")
    customer.cancel(jobs[1])
    assert customer.submit(idempotencyKey="now").status_code == 201
    error(customer.submit(), 429, "too_many_jobs")
    assert customer.submit(idempotencyKey="now").status_code == 200, "what was accepted is told again"


def test_an_estimate_is_always_answered(customer: Customer) -> None:
    fill(customer, CAP)
    assert customer.post("/api/v1/media/estimate", {"task": IMAGE, "input": PROMPT}).status_code == 200


def test_nothing_is_stored_for_one_that_has_no_room(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(customer, CAP)
    stored: list[str] = []
    monkeypatch.setattr(buckets, "put", lambda **what: stored.append(what["key"]))
    source = {"dataBase64": base64_of(picture()), "mimeType": "image/png"}
    error(customer.submit("image.edit", {"prompt": "greener", "sourceImage": source}), 429, "too_many_jobs")
    assert stored == []


@pytest.mark.django_db(transaction=True)
def test_two_hundred_at_once_and_ten_get_in(node: StandIn, settings: Any) -> None:
    settings.MEDIA_MOST_OPEN_JOBS = 30
    customer = new_customer()
    fill(customer, 20)

    def submit(times: int) -> list[int]:
        client = Client(raise_request_exception=False)
        headers = {"Authorization": f"Bearer {customer.key}"}
        body = {"task": IMAGE, "input": PROMPT}
        return [
            int(client.post(JOBS, body, content_type="application/json", headers=headers).status_code)
            for _ in range(times)
        ]

    statuses = [status for batch in results(race([partial(submit, 10)] * 20)) for status in batch]
    assert (statuses.count(201), statuses.count(429)) == (10, 190)
    assert open_jobs(account_id=customer.id, most=1_000) == 30
    assert Transfer.objects.filter(kind="hold").count() == 30
    assert customer.money() == (10_000_000 - 30 * IMAGE_MICROS, 30 * IMAGE_MICROS)
    assert audit() == []
