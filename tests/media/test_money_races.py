"""Many at once for the same money: exactly as many jobs as it pays for, and every micro accounted for."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Sum
from django.test import Client

from accounts.models import User
from accounts.services.keys import mint_key
from billing.key_spend import KeySpend
from billing.ledger.models import Transfer
from billing.selectors import audit
from core import clock, ids
from media.models import Attempt, Job, JobEvent
from media.reaper import reap
from tests.billing.racing import race, results
from tests.media.customers import IMAGE, IMAGE_MICROS, JOBS, PROMPT, Customer, error, new_customer
from tests.media.standin import PICTURE, Run, StandIn, publish_all

pytestmark = pytest.mark.django_db(transaction=True)

THREADS, EACH, PAID = 20, 10, 37


def submit(customer: Customer) -> int:
    body = {"task": IMAGE, "input": PROMPT}
    headers = {"Authorization": f"Bearer {customer.key}"}
    answer = Client(raise_request_exception=False).post(JOBS, body, content_type="application/json", headers=headers)
    return int(answer.status_code)


def test_two_hundred_submits_with_money_for_thirty_seven(node: StandIn, other: Customer) -> None:
    """One micro more than 37 images cost; twenty connections, ten submits each, from one starting line."""
    customer = new_customer(PAID * IMAGE_MICROS + 1)
    batches = results(race([lambda: [submit(customer) for _ in range(EACH)]] * THREADS))
    statuses = [status for batch in batches for status in batch]
    assert statuses.count(201) == PAID
    assert statuses.count(402) == THREADS * EACH - PAID
    assert customer.money() == (1, PAID * IMAGE_MICROS)
    assert Job.objects.filter(account_id=customer.id, status="queued").count() == PAID
    assert (Attempt.objects.count(), JobEvent.objects.count()) == (PAID, PAID)
    holds = Transfer.objects.filter(kind="hold")
    assert (holds.count(), holds.aggregate(all=Sum("amount"))["all"]) == (PAID, PAID * IMAGE_MICROS)
    assert other.money() == (10_000_000, 0)
    assert audit() == []


def test_cancel_and_complete_race_and_the_money_goes_one_way(node: StandIn) -> None:
    for _ in range(4):
        customer = new_customer(IMAGE_MICROS)
        job = customer.accepted()
        run = node.take(job)
        signed = run.result()
        run.upload(PICTURE, signed)
        public_id = ids.encode(ids.JOB, job.pk)

        def cancel(customer: Customer = customer, public_id: str = public_id) -> Any:
            headers = {"Authorization": f"Bearer {customer.key}"}
            return Client().post(
                f"{JOBS}/cancel", {"jobId": public_id}, content_type="application/json", headers=headers
            )

        def complete(run: Run = run, signed: Any = signed) -> Any:
            return run.complete(signed)

        canceled, completed = results(race([cancel, complete]))
        job.refresh_from_db()
        moved = list(
            Transfer.objects.filter(reference__startswith=f"job:{job.pk}").order_by("id").values_list("kind", flat=True)
        )
        if job.status == "completed":
            assert (canceled.status_code, completed.json()) == (409, {"outcome": "completed"})
            assert (moved, customer.money()) == (["hold", "capture"], (0, 0))
        else:
            assert job.status == "canceled"
            assert (canceled.status_code, completed.json()) == (200, {"outcome": "canceled"})
            assert (moved, customer.money()) == (["hold", "release"], (IMAGE_MICROS, 0))
    assert audit() == []


def test_cancel_and_claim_race_and_nothing_is_left_running(node: StandIn) -> None:
    for _ in range(4):
        customer = new_customer(IMAGE_MICROS)
        job = customer.accepted()
        [message] = publish_all(job)
        delivery = uuid4()
        canceled, claimed = results(
            race([partial(customer.cancel, job), partial(node.ask_claim, message.attempt_id, delivery)])
        )
        assert canceled.status_code == 200
        job.refresh_from_db()
        if claimed.status_code == 200:
            assert (job.status, job.cancel_requested_at is not None) == ("processing", True)
            run = Run(node=node, claim=node.claim(message.attempt_id, delivery).claim, delivery_id=delivery)
            assert run.progress(0.1).cancel is True
            run.fail(kind="canceled", retryable=False)
            job.refresh_from_db()
        else:
            assert claimed.status_code == 410
        assert job.status == "canceled"
        assert customer.money() == (IMAGE_MICROS, 0)
    assert audit() == []


def test_failures_and_reapers_race_and_one_new_attempt_comes_of_it(node: StandIn) -> None:
    customer = new_customer(IMAGE_MICROS)
    job = customer.accepted()
    run = node.take(job)
    Attempt.objects.filter(pk=run.attempt.pk).update(lease_expires_at=clock.now())
    now = clock.now()
    outcomes = race([run.fail, run.fail, lambda: reap(now=now), lambda: reap(now=now)])
    assert [problem for _, problem in outcomes if problem is not None] == []
    assert list(Attempt.objects.order_by("number").values_list("number", "status")) == [(1, "failed"), (2, "ready")]
    assert customer.money() == (0, IMAGE_MICROS)
    assert audit() == []


def test_two_hundred_submits_under_a_spend_limit_for_thirty_seven(node: StandIn) -> None:
    """Money for all of them, and a key that may spend 37 images' worth and a micro; half come through its child."""
    customer = new_customer(300 * IMAGE_MICROS)
    user = User.objects.get(pk=customer.id)
    limit = PAID * IMAGE_MICROS + 1
    parent = mint_key(user=user, label="limited", now=clock.now(), monthly_spend_limit=limit)
    child = mint_key(user=user, label="its child", now=clock.now(), parent_id=parent.key.pk)
    callers = [
        Customer(id=customer.id, key_id=minted.key.pk, key=minted.plain) for minted in (parent, child) * (THREADS // 2)
    ]
    batches = results(race([lambda caller=caller: [submit(caller) for _ in range(EACH)] for caller in callers]))
    statuses = [status for batch in batches for status in batch]
    assert statuses.count(201) == PAID
    assert statuses.count(403) == THREADS * EACH - PAID
    assert customer.money() == ((300 - PAID) * IMAGE_MICROS, PAID * IMAGE_MICROS)
    assert Job.objects.filter(account_id=customer.id).count() == PAID
    assert [(row.key_id, row.amount) for row in KeySpend.objects.all()] == [(parent.key.pk, PAID * IMAGE_MICROS)]
    refused = callers[1].submit()
    assert error(refused, 403, "spend_limit_exceeded")["details"] == {
        "limitUsdMicros": limit,
        "spentUsdMicros": PAID * IMAGE_MICROS,
        "requiredUsdMicros": IMAGE_MICROS,
    }
    assert refused.json()["billed"] is False
    assert audit() == []
