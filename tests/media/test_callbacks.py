"""The terminal callback: queued with the end of the job, signed, delivered to a real receiver, told once."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from core import clock, ids
from core.webhooks.delivery import deliver_due
from core.webhooks.models import WebhookDelivery
from core.webhooks.secrets import current_secret
from media.models import Attempt, Job
from media.reaper import reap
from tests.core.origin import Origin, answer
from tests.media.conftest import Hosted
from tests.media.customers import PROMPT, Customer
from tests.media.standin import PICTURE, StandIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver(host: Hosted) -> Origin:
    host.respond = lambda _: answer(b"ok")
    return host


def submit(customer: Customer, receiver: Origin, path: str = "/hook?job=1", **more: Any) -> Job:
    return customer.accepted(completionCallbackUrl=f"http://127.0.0.1:{receiver.port}{path}", **more)


def complete(customer: Customer, node: StandIn, job: Job) -> str:
    node.finish(job)
    return "completed"


def fail(customer: Customer, node: StandIn, job: Job) -> str:
    node.take(job).fail(code="invalid_input", message="No.", retryable=False)
    return "failed"


def cancel(customer: Customer, node: StandIn, job: Job) -> str:
    assert customer.cancel(job).status_code == 200
    return "canceled"


def cancel_running(customer: Customer, node: StandIn, job: Job) -> str:
    run = node.take(job)
    assert customer.cancel(job).status_code == 200
    assert not WebhookDelivery.objects.exists()
    run.deliver()
    return "canceled"


def terminate(customer: Customer, node: StandIn, job: Job) -> str:
    assert reap(now=job.created_at + timedelta(hours=25)) == 1
    return "terminated"


@pytest.mark.parametrize("end", [complete, fail, cancel, cancel_running, terminate])
def test_every_end_is_told_once_with_the_whole_status(
    customer: Customer, node: StandIn, receiver: Origin, end: Callable[[Customer, StandIn, Job], str]
) -> None:
    task_input = {**PROMPT, "aspectRatio": "9:16", "width": 64, "height": 96}
    job = submit(customer, receiver, task_input=task_input)
    assert deliver_due(limit=10, now=clock.now()) == 0
    status = end(customer, node, job)
    delivery = WebhookDelivery.objects.get()
    assert (delivery.topic, delivery.subject_id, delivery.account_id) == ("media.job_terminal", job.pk, customer.id)
    assert delivery.next_try_at is not None
    assert deliver_due(limit=10, now=delivery.next_try_at) == 1
    assert deliver_due(limit=10, now=delivery.next_try_at + timedelta(days=1)) == 0
    [request] = receiver.requests
    assert (request.method, request.target) == ("POST", "/hook?job=1")
    assert request.headers["content-type"] == "application/json"
    body = json.loads(request.body)
    assert (body["status"], body["callbackType"], body["billed"]) == (
        status,
        "media_job_terminal",
        status == "completed",
    )
    assert body == customer.status(job, includeDetails="1") | {"callbackType": "media_job_terminal"}
    assert body["detailsIncluded"] is True
    assert (body["effectiveInput"]["width"], body["inputAdjustments"][0]["field"]) == (64, "aspectRatio")
    assert body["result"]["upstream"] == ({"engine": "stand-in"} if status == "completed" else {})
    delivery.refresh_from_db()
    assert (delivery.status, delivery.tries) == ("delivered", 1)


def test_the_callback_is_signed_with_the_accounts_secret(
    customer: Customer, other: Customer, node: StandIn, receiver: Origin
) -> None:
    complete(customer, node, submit(customer, receiver))
    deliver_due(limit=10, now=clock.now())
    [request] = receiver.requests
    secret = customer.get("/api/v1/account/webhook-secret").json()["secret"]
    assert Webhook(secret).verify(request.body, request.headers)["callbackType"] == "media_job_terminal"
    with pytest.raises(WebhookVerificationError):
        Webhook(current_secret(account_id=other.id, now=clock.now()).secret).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(request.body.replace(b"completed", b"succeeded"), request.headers)
    assert request.headers["webhook-id"] == ids.encode(ids.WEBHOOK_DELIVERY, WebhookDelivery.objects.get().pk)
    assert secret not in request.body.decode() + str(request.headers)


def test_the_urls_in_a_callback_can_be_downloaded(customer: Customer, node: StandIn, receiver: Origin) -> None:
    complete(customer, node, submit(customer, receiver))
    deliver_due(limit=10, now=clock.now())
    body = json.loads(receiver.requests[0].body)
    assert httpx.get(body["outputUrl"]).content == b"RIFF....WEBP pretended picture"


def test_a_retried_job_calls_back_at_its_end_only(customer: Customer, node: StandIn, receiver: Origin) -> None:
    job = submit(customer, receiver)
    for _ in range(2):
        node.take(job).fail()
        assert not WebhookDelivery.objects.exists()
    node.take(job).fail(message="the last")
    body = json.loads(WebhookDelivery.objects.get().body)
    assert (body["status"], body["attempts"], body["error"]) == ("failed", 3, "the last")


def test_the_end_and_its_callback_stand_or_fall_together(
    customer: Customer, node: StandIn, receiver: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = node.take(submit(customer, receiver))
    signed = run.result()
    run.upload(PICTURE, signed)

    def break_down(**_: Any) -> None:
        raise ArithmeticError

    with monkeypatch.context() as patch, customer.untouched():
        patch.setattr("media.services.settle.capture_hold", break_down)
        assert run.complete(signed).status_code == 500
    assert (run.job.status, run.attempt.status) == ("processing", "running")
    assert run.complete(signed).json() == {"outcome": "completed"}
    assert WebhookDelivery.objects.count() == 1


def test_without_a_url_nobody_is_called(customer: Customer, node: StandIn) -> None:
    complete(customer, node, customer.accepted())
    assert not WebhookDelivery.objects.exists()


def test_a_receiver_that_fails_is_tried_again_and_the_job_is_done_all_the_same(
    customer: Customer, node: StandIn, receiver: Origin
) -> None:
    receiver.respond = lambda _: answer(status="503 Away")
    job = submit(customer, receiver)
    complete(customer, node, job)
    now = clock.now()
    assert deliver_due(limit=10, now=now) == 1
    assert deliver_due(limit=10, now=now + timedelta(seconds=29)) == 0
    receiver.respond = lambda _: answer(b"ok")
    assert deliver_due(limit=10, now=now + timedelta(seconds=30)) == 1
    assert receiver.requests[0].body == receiver.requests[1].body
    assert receiver.requests[0].headers["webhook-id"] == receiver.requests[1].headers["webhook-id"]
    assert Job.objects.get(pk=job.pk).status == "completed"
    listed = customer.get("/api/v1/webhook-deliveries", jobId=ids.encode(ids.JOB, job.pk)).json()["webhookDeliveries"]
    assert [(entry["status"], [t["httpStatus"] for t in entry["tries"]]) for entry in listed] == [
        ("delivered", [503, 200])
    ]


def test_the_first_callback_url_of_an_idempotency_key_is_the_one_called(
    customer: Customer, node: StandIn, receiver: Origin
) -> None:
    job = submit(customer, receiver, "/first", idempotencyKey="k")
    again = customer.submit(idempotencyKey="k", completionCallbackUrl=f"http://127.0.0.1:{receiver.port}/second")
    assert again.status_code == 200
    complete(customer, node, job)
    assert deliver_due(limit=10, now=clock.now()) == 1
    assert [request.target for request in receiver.requests] == ["/first"]
    assert Attempt.objects.count() == 1
