"""How attempts end without their worker's success: failures, cancellation, lost leases, limits; and who is heard."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings

from billing.selectors import find_settlement
from core import clock
from media import buckets, keys
from media.fleet.services import forget_nodes
from media.models import Attempt, Job, Node
from media.reaper import reap
from media.services.settle import hold_reference
from tests.media.customers import IMAGE_MICROS, Customer, error
from tests.media.standin import PICTURE, Run, StandIn, publish_all
from tests.media.traces import events, kinds, lose_lease
from workers.protocol import signing

pytestmark = pytest.mark.django_db

FULL = 10_000_000


# -- failure ----------------------------------------------------------------------------------------------------------


def test_the_third_retryable_failure_ends_the_job_and_gives_the_money_back(
    node: StandIn, customer: Customer, job: Job
) -> None:
    for number in (1, 2, 3):
        assert customer.money() == (FULL - IMAGE_MICROS, IMAGE_MICROS)
        run = node.take(job)
        assert run.attempt.number == number
        assert run.fail(message=f"broke {number}").json() == {"outcome": "noted"}
    status = customer.status(job)
    assert (status["status"], status["attempts"], status["billed"]) == ("failed", 3, False)
    assert (status["errorCode"], status["error"]) == ("engine_error", "broke 3")
    assert status["billedReason"] == "not billed: the job failed"
    assert status["billing"]["usdChargedMicros"] == 0
    assert customer.money() == (FULL, 0)
    assert kinds(job) == ["hold", "release"]
    assert publish_all() == []
    assert events(job) == ["queued", "started", "retry", "started", "retry", "started", "failed"]


def test_what_will_never_do_fails_at_once(run: Run, customer: Customer) -> None:
    assert run.fail(code="invalid_input", message="Not a clip.", retryable=False).status_code == 200
    assert (run.job.status, run.job.error_code, run.job.error_message) == ("failed", "invalid_input", "Not a clip.")
    assert Attempt.objects.filter(job=run.job).count() == 1
    assert customer.money() == (FULL, 0)
    with customer.untouched():
        assert run.fail(code="invalid_input", retryable=False).json() == {"outcome": "noted"}


def test_a_worker_that_stops_on_its_own_leaves_the_job_to_another(run: Run, customer: Customer) -> None:
    assert run.fail(kind="canceled", code="canceled", retryable=False).status_code == 200
    assert (run.job.status, run.attempt.status, run.attempt.error_code) == ("queued", "failed", "worker_stopped")
    assert Attempt.objects.get(job=run.job, number=2).status == "ready"
    assert customer.money() == (FULL - IMAGE_MICROS, IMAGE_MICROS)


# -- cancel while running ---------------------------------------------------------------------------------------------


def test_complete_after_cancel_is_canceled_and_not_billed(run: Run, customer: Customer) -> None:
    assert customer.cancel(run.job).json()["status"] == "processing"
    assert run.deliver().json() == {"outcome": "canceled"}
    status = customer.status(run.job)
    assert (status["status"], status["billed"], status["cancelRequested"]) == ("canceled", False, True)
    assert (status["downloadableOutputUrls"], status["outputFiles"]) == ([], None)
    assert (run.attempt.status, run.job.outputs) == ("canceled", [])
    assert customer.money() == (FULL, 0)
    assert kinds(run.job) == ["hold", "release"]


@pytest.mark.parametrize("retryable", [True, False])
def test_a_canceled_run_that_stops_is_never_tried_again(run: Run, customer: Customer, retryable: bool) -> None:
    customer.cancel(run.job)
    assert run.fail(kind="canceled" if retryable else "failed", retryable=retryable).status_code == 200
    assert (run.job.status, run.attempt.status) == ("canceled", "canceled")
    assert Attempt.objects.filter(job=run.job).count() == 1
    assert customer.money() == (FULL, 0)


# -- the reaper -------------------------------------------------------------------------------------------------------


def test_a_lost_lease_with_a_stored_result_completes_once(run: Run, customer: Customer) -> None:
    run.upload(PICTURE, run.result())
    held_until = run.attempt.lease_expires_at
    assert held_until is not None
    assert reap(now=held_until) == 0
    assert reap(now=held_until + timedelta(seconds=1)) == 1
    assert (run.job.status, run.attempt.status) == ("completed", "succeeded")
    assert customer.money() == (FULL - IMAGE_MICROS, 0)
    with customer.untouched():
        assert reap(now=held_until + timedelta(hours=1)) == 0
        assert run.complete(run.result()).json() == {"outcome": "replayed"}
    assert kinds(run.job) == ["hold", "capture"]


def test_a_lost_lease_without_a_result_means_another_try(run: Run, customer: Customer) -> None:
    run.upload(PICTURE, run.result(), with_result=False)
    lose_lease(run.claim.attempt_id)
    assert reap(now=clock.now()) == 1
    assert (run.job.status, run.attempt.status, run.attempt.error_code) == ("queued", "failed", "node_lost")
    again = Attempt.objects.get(job=run.job, number=2)
    assert (again.status, again.node_id, again.delivery_id) == ("ready", "", None)
    assert customer.money() == (FULL - IMAGE_MICROS, IMAGE_MICROS)
    assert kinds(run.job) == ["hold"]


def test_a_node_lost_three_times_ends_the_job_unbilled(node: StandIn, customer: Customer, job: Job) -> None:
    for _ in range(3):
        run = node.take(job)
        lose_lease(run.claim.attempt_id)
        assert reap(now=clock.now()) == 1
    assert (customer.status(job)["status"], customer.status(job)["errorCode"]) == ("failed", "node_lost")
    assert customer.money() == (FULL, 0)


@pytest.mark.parametrize("with_result", [True, False])
def test_a_canceled_job_whose_node_died_is_not_tried_again(run: Run, customer: Customer, with_result: bool) -> None:
    customer.cancel(run.job)
    if with_result:
        run.upload(PICTURE, run.result())
    lose_lease(run.claim.attempt_id)
    assert reap(now=clock.now()) == 1
    assert (run.job.status, run.attempt.status) == ("canceled", "canceled")
    assert Attempt.objects.filter(job=run.job).count() == 1
    assert customer.money() == (FULL, 0)
    assert kinds(run.job) == ["hold", "release"]


def test_a_forged_stored_result_counts_as_a_failure(run: Run, customer: Customer) -> None:
    forged = run.result().model_copy(update={"signature": "0" * 64})
    run.upload(PICTURE, forged)
    lose_lease(run.claim.attempt_id)
    assert reap(now=clock.now()) == 1
    assert (run.job.status, run.attempt.error_code) == ("queued", "result_refused")
    assert customer.money() == (FULL - IMAGE_MICROS, IMAGE_MICROS)


@pytest.mark.parametrize("body", [b"not json", b'{"v": 1}', b"x" * 1_000_001])
def test_rubbish_in_place_of_a_result_is_no_result(run: Run, body: bytes) -> None:
    buckets.client().put_object(
        Bucket=django_settings.S3_PRIVATE_BUCKET, Key=keys.result_key(attempt_id=run.claim.attempt_id), Body=body
    )
    lose_lease(run.claim.attempt_id)
    assert reap(now=clock.now()) == 1
    assert (run.job.status, run.attempt.error_code) == ("queued", "node_lost")


def test_while_the_bucket_is_away_nothing_is_decided(run: Run, customer: Customer, settings: Any) -> None:
    run.upload(PICTURE, run.result())
    lose_lease(run.claim.attempt_id)
    there = settings.S3_ENDPOINT_URL
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"
    with customer.untouched():
        reap(now=clock.now())
    assert (run.job.status, run.attempt.status) == ("processing", "running")
    settings.S3_ENDPOINT_URL = there
    reap(now=clock.now())
    assert run.job.status == "completed"


def test_a_completion_that_breaks_down_five_times_fails_the_job(
    run: Run, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.upload(PICTURE, run.result())
    lose_lease(run.claim.attempt_id)

    def break_down(**_: Any) -> None:
        raise ArithmeticError("a defect")

    monkeypatch.setattr("media.reaper.complete_attempt", break_down)
    for failures in range(1, 5):
        reap(now=clock.now())
        assert (run.attempt.reaper_failures, run.job.status) == (failures, "processing")
    reap(now=clock.now())
    assert (run.job.status, run.job.error_code) == ("failed", "completion_failed")
    assert customer.money() == (FULL, 0)


def test_a_job_nobody_takes_is_ended_after_its_waiting_limit(customer: Customer, job: Job) -> None:
    assert reap(now=job.created_at + timedelta(hours=24)) == 0
    publish_all(job)
    assert reap(now=job.created_at + timedelta(hours=24, seconds=1)) == 1
    status = customer.status(job)
    assert (status["status"], status["errorCode"]) == ("terminated", "waited_too_long")
    assert status["error"] == "No worker was free within 24 hours."
    assert Attempt.objects.get(job=job).status == "canceled"
    assert customer.money() == (FULL, 0)
    assert kinds(job) == ["hold", "release"]
    assert find_settlement(reference=hold_reference(job.pk)) is not None


# -- who is heard at all ----------------------------------------------------------------------------------------------


def test_only_a_known_node_that_signs_freshly_is_heard(node: StandIn, customer: Customer, job: Job, later: Any) -> None:
    [message] = publish_all(job)
    path = f"/workers/v1/attempts/{message.attempt_id}/claim"
    body = json.dumps({"delivery_id": str(uuid4())}).encode()
    now = int(clock.now().timestamp())

    def sign(credential: signing.NodeCredential = node.credential, **change: Any) -> dict[str, str]:
        said = {"method": "POST", "path": path, "body": body, "timestamp": now} | change
        return signing.sign_request(credential, **said)

    def post(headers: dict[str, str]) -> Any:
        return node.http.post(path, body, content_type="application/json", headers=headers)

    good = sign()
    stranger = signing.derive(b"another master", node_id="node-1", version=1)
    refused = [
        {},
        sign(stranger),
        sign(signing.derive(django_settings.NODE_MASTER_KEY.encode(), node_id="nobody", version=1)),
        sign(signing.derive(django_settings.NODE_MASTER_KEY.encode(), node_id="node-1", version=2)),
        sign(timestamp=now - 61),
        sign(timestamp=now + 62),
        sign(method="PUT"),
        sign(path=path + "?x=1"),
        sign(body=body + b" "),
        good | {signing.NONCE_HEADER: "a" * 22},
        good | {signing.NONCE_HEADER: "short"},
        good | {signing.TIME_HEADER: "now"},
        {"Authorization": f"Bearer {customer.key}"},
    ]
    for headers in refused:
        answer = post(headers)
        error(answer, 401, "unauthenticated")
        assert answer["WWW-Authenticate"] == 'Node realm="workers"'
    assert Attempt.objects.get(pk=message.attempt_id).status == "published"
    assert post(good).status_code == 200
    error(post(good), 401, "nonce_replayed")


def test_a_disabled_node_or_an_older_secret_is_not_heard(node: StandIn) -> None:
    Node.objects.filter(pk="node-1").update(disabled_at=clock.now())
    forget_nodes()
    error(node.call("heartbeat", b'{"slots": 2}'), 401, "unauthenticated")
    Node.objects.filter(pk="node-1").update(disabled_at=None, secret_version=2)
    forget_nodes()
    error(node.call("heartbeat", b'{"slots": 2}'), 401, "unauthenticated")
    renewed = signing.derive(django_settings.NODE_MASTER_KEY.encode(), node_id="node-1", version=2)
    assert node.call("heartbeat", b'{"slots": 2}', sign_with=renewed).status_code == 200


def test_a_message_that_is_none_of_the_protocol_is_a_400(run: Run) -> None:
    for verb in ("claim", "progress", "uploads", "complete", "fail"):
        for body in (b"", b"[]", b"{", b'{"delivery_id": 5}', b'{"v": "\xff"}'):
            error(run.node.call(f"attempts/{run.claim.attempt_id}/{verb}", body), 400, "invalid_request")
    assert (run.job.status, run.attempt.fraction) == ("processing", 0)
