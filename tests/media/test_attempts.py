"""An attempt from claim to settled: who may speak for it, and how its outputs are accepted."""

import json
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.conf import settings as django_settings

from core import clock, ids
from media import buckets
from media.fleet.services import register_node
from media.models import Attempt, Job
from media.reaper import reap
from tests.billing.racing import race
from tests.media.customers import IMAGE_MICROS, Customer, error
from tests.media.standin import PICTURE, Run, StandIn, declare, members, publish_all, put
from tests.media.traces import events, kinds, lose_lease
from workers.protocol import signing
from workers.protocol.result import AttemptResult, Output, SignedResult

pytestmark = pytest.mark.django_db

FULL = 10_000_000
OTHER_PICTURE = {"output_0001.webp": ("image/webp", b"another picture")}


# -- claim ------------------------------------------------------------------------------------------------------------


def test_a_claim_starts_the_job_and_says_all_the_worker_needs(node: StandIn, customer: Customer, job: Job) -> None:
    before = clock.now()
    run = node.take(job)
    assert run.claim.model_dump() == {
        "v": 1,
        "attempt_id": run.attempt.pk,
        "job_id": job.pk,
        "task": "image.generate",
        "pool": "image",
        "params": {
            "prompt": "a red barn under a pale moon",
            "width": 1024,
            "height": 1024,
            "outputFormat": "webp",
            "highDetail": False,
            "upscale": False,
        },
        "seed": job.seed,
        "files": [],
        "lease_seconds": 30.0,
    }
    started = run.job
    assert (started.status, run.attempt.status, run.attempt.node_id) == ("processing", "running", "node-1")
    assert run.attempt.delivery_id == run.delivery_id
    assert started.started_at is not None
    assert before <= started.started_at <= clock.now()
    assert run.attempt.lease_expires_at == started.started_at + timedelta(seconds=30)
    assert events(job) == ["queued", "started"]
    assert customer.money() == (FULL - IMAGE_MICROS, IMAGE_MICROS)


def test_the_same_delivery_gets_the_same_claim_and_another_one_none(
    node: StandIn, second_node: StandIn, run: Run
) -> None:
    lease = run.attempt.lease_expires_at
    again = node.ask_claim(run.claim.attempt_id, run.delivery_id)
    assert again.status_code == 200
    assert again.json() == json.loads(run.claim.model_dump_json())
    error(node.ask_claim(run.claim.attempt_id, uuid4()), 409, "lease_lost")
    error(second_node.ask_claim(run.claim.attempt_id, run.delivery_id), 409, "lease_lost")
    assert (run.attempt.lease_expires_at, run.attempt.node_id) == (lease, "node-1")
    assert events(run.job) == ["queued", "started"]


def test_a_delivery_whose_lease_ran_out_cannot_claim_it_back(node: StandIn, run: Run) -> None:
    lose_lease(run.claim.attempt_id)
    error(node.ask_claim(run.claim.attempt_id, run.delivery_id), 409, "lease_lost")


def test_nothing_is_claimed_that_waits_for_nobody(node: StandIn, job: Job) -> None:
    attempt = Attempt.objects.get(job=job)
    error(node.ask_claim(attempt.pk, uuid4()), 409, "lease_lost")
    attempt.refresh_from_db()
    job.refresh_from_db()
    assert (attempt.status, job.status, job.started_at) == ("ready", "queued", None)
    assert events(job) == ["queued"]


def test_an_attempt_that_is_over_or_for_another_pool_is_gone(node: StandIn, customer: Customer, job: Job) -> None:
    stranger = StandIn(credential=register_node(node_id="stitcher", pools=["video-tools"]))
    [message] = publish_all(job)
    error(stranger.ask_claim(message.attempt_id, uuid4()), 410, "gone")
    error(node.ask_claim(uuid4(), uuid4()), 410, "gone")
    assert Attempt.objects.get(pk=message.attempt_id).status == "published"
    assert customer.cancel(job).status_code == 200
    error(node.ask_claim(message.attempt_id, uuid4()), 410, "gone")
    job.refresh_from_db()
    assert job.status == "canceled"


@pytest.mark.django_db(transaction=True)
def test_racing_claims_have_one_winner(node: StandIn, customer: Customer) -> None:
    for _ in range(3):
        job = customer.accepted()
        [message] = publish_all(job)
        deliveries = [uuid4() for _ in range(6)]
        asked = [*deliveries, deliveries[0]]  # one of them sent twice
        outcomes = race([partial(node.ask_claim, message.attempt_id, delivery) for delivery in asked])
        assert [error_ for _, error_ in outcomes if error_ is not None] == []
        winner = Attempt.objects.get(pk=message.attempt_id).delivery_id
        for delivery, (answer, _) in zip(asked, outcomes, strict=True):
            if delivery == winner:
                assert answer.status_code == 200
            else:
                error(answer, 409, "lease_lost")
        assert events(job) == ["queued", "started"]
        node_run = Run(node=node, claim=node.claim(message.attempt_id, winner).claim, delivery_id=winner)
        assert node_run.deliver().status_code == 200


# -- progress ---------------------------------------------------------------------------------------------------------


def test_progress_extends_the_lease_and_never_goes_back(run: Run, customer: Customer, later: Any) -> None:
    later(20)
    told = run.progress(0.4, "painting")
    assert (told.cancel, told.lease_seconds) == (False, 30.0)
    attempt = run.attempt
    assert attempt.lease_expires_at is not None
    assert timedelta(seconds=29) < attempt.lease_expires_at - clock.now() <= timedelta(seconds=30)
    run.progress(0.2, "encoding")
    assert (run.attempt.fraction, run.attempt.phase) == (0.4, "encoding")
    assert customer.status(run.job)["progress"] == 0.4


@pytest.mark.parametrize("fraction", [-0.01, 1.01])
def test_progress_beyond_its_range_is_refused(run: Run, fraction: float) -> None:
    body = json.dumps({"delivery_id": str(run.delivery_id), "fraction": fraction}).encode()
    answer = run.node.call(f"attempts/{run.claim.attempt_id}/progress", body)
    assert error(answer, 400, "invalid_request")["details"]["fields"].keys() == {"fraction"}
    assert run.attempt.fraction == 0


def test_progress_carries_the_wish_to_stop(run: Run, customer: Customer) -> None:
    assert customer.cancel(run.job).status_code == 200
    assert run.progress(0.1).cancel is True
    assert run.node.heartbeat(running=[run.claim.attempt_id]).cancel == [run.claim.attempt_id]
    assert (run.job.status, run.attempt.status) == ("processing", "running")
    assert customer.money() == (FULL - IMAGE_MICROS, IMAGE_MICROS)


def test_a_heartbeat_stops_what_is_not_the_nodes_own(run: Run, second_node: StandIn) -> None:
    unknown = uuid4()
    assert run.node.heartbeat(running=[run.claim.attempt_id, unknown]).cancel == [unknown]
    assert second_node.heartbeat(running=[run.claim.attempt_id]).cancel == [run.claim.attempt_id]


def test_without_the_lease_nothing_is_heard(run: Run) -> None:
    signed = run.result()
    lose_lease(run.claim.attempt_id)
    error(run.report(0.5), 409, "lease_lost")
    error(run.ask_uploads(PICTURE, signed), 409, "lease_lost")
    assert run.attempt.fraction == 0


def test_another_delivery_is_not_heard(run: Run, second_node: StandIn) -> None:
    for impostor in (
        Run(node=run.node, claim=run.claim, delivery_id=uuid4()),
        Run(node=second_node, claim=run.claim, delivery_id=run.delivery_id),
    ):
        error(impostor.report(0.9), 409, "lease_lost")
        error(impostor.ask_uploads(PICTURE, impostor.result()), 409, "lease_lost")
        error(impostor.fail(), 409, "lease_lost")
        error(impostor.complete(impostor.result()), 403, "forbidden")
    assert (run.attempt.fraction, run.attempt.status, run.job.status) == (0, "running", "processing")


def test_past_its_run_limit_a_run_is_told_to_stop_and_its_lease_runs_out(
    run: Run, customer: Customer, later: Any
) -> None:
    assert run.job.run_limit_seconds == 600
    for _ in range(23):
        later(26)
        assert run.progress(0.1).cancel is False
    held_until = run.attempt.lease_expires_at
    later(3)
    assert run.progress(0.2).cancel is True
    assert run.attempt.lease_expires_at == held_until
    later(30)
    assert reap(now=clock.now()) == 1
    status = customer.status(run.job)
    assert (status["status"], status["errorCode"], status["billed"]) == ("terminated", "deadline", False)
    assert status["error"] == "The job ran longer than its limit of 600 s."
    assert status["attempts"] == 1
    assert customer.money() == (FULL, 0)
    assert kinds(run.job) == ["hold", "release"]


# -- uploads ----------------------------------------------------------------------------------------------------------


def test_uploads_are_bound_to_the_attempt_the_length_and_the_hash(run: Run, customer: Customer) -> None:
    grant = run.grant(PICTURE, run.result())
    [upload] = grant.uploads
    job, attempt = ids.encode(ids.JOB, run.claim.job_id), ids.encode(ids.ATTEMPT, run.claim.attempt_id)
    key = f"users/{customer.public_id}/jobs/{job}/{attempt}/output_0001.webp"
    assert upload.url.partition("?")[0] == f"{django_settings.S3_ENDPOINT_URL}/killatamata-public/{key}"
    body = PICTURE["output_0001.webp"][1]
    assert put(upload, body[:-1]) >= 400
    assert put(upload, body[:-1] + b"!") >= 400
    assert put(upload.model_copy(update={"url": upload.url.replace("output_0001", "output_0002")}), body) == 403
    assert (
        httpx.put(upload.url, content=body, headers=upload.headers | {"Content-Type": "text/html"}).status_code == 403
    )
    assert buckets.head(bucket=django_settings.S3_PUBLIC_BUCKET, key=key) is None
    assert put(upload, body) == 200
    assert httpx.get(buckets.public_url(key)).content == body


# -- complete ---------------------------------------------------------------------------------------------------------


def test_complete_settles_once_and_its_repetition_changes_nothing(run: Run, customer: Customer) -> None:
    signed = run.result()
    run.upload(PICTURE, signed)
    assert run.complete(signed).json() == {"outcome": "completed"}
    job = run.job
    assert (job.status, job.duration_ms, run.attempt.status, run.attempt.fraction) == (
        "completed",
        1234,
        "succeeded",
        1,
    )
    assert job.result == {"engine": "stand-in"}
    assert customer.money() == (FULL - IMAGE_MICROS, 0)
    with customer.untouched():
        again = run.complete(signed)
        assert (again.status_code, again.json()) == (200, {"outcome": "replayed"})
        assert reap(now=clock.now() + timedelta(hours=1)) == 0
    assert kinds(job) == ["hold", "capture"]
    assert events(job) == ["queued", "started", "completed"]


def test_another_result_after_the_first_conflicts(run: Run, customer: Customer) -> None:
    assert run.deliver().status_code == 200
    with customer.untouched():
        error(run.complete(run.result(run_ms=9)), 409, "invalid_state")
    assert run.job.duration_ms == 1234


def test_a_forged_result_changes_nothing(run: Run, customer: Customer, second_node: StandIn) -> None:
    signed = run.result()
    run.upload(PICTURE, signed)
    genuine = AttemptResult.model_validate(members(signed))
    node_id = run.node.credential.node_id
    other_secret = second_node.credential.secret
    forged = [
        signed.model_copy(update={"signature": "0" * 64}),
        signed.model_copy(update={"result": signed.result.replace("1234", "1235")}),
        signed.model_copy(update={"node_id": "node-2"}),
        SignedResult.sign(genuine, node_id=node_id, secret=other_secret),
        SignedResult.sign(genuine, node_id="node-2", secret=other_secret),
        run.result(attempt_id=uuid4()),
        run.result(delivery_id=uuid4()),
        SignedResult(
            node_id=node_id, result="{}", signature=signing.sign_text(run.node.credential.secret, "result", "{}")
        ),
    ]
    with customer.untouched():
        for document in forged:
            error(run.complete(document), 403, "forbidden")
    assert (run.job.status, run.attempt.status) == ("processing", "running")
    assert run.complete(signed).json() == {"outcome": "completed"}


def test_a_result_before_any_claim_is_forged(node: StandIn, job: Job, customer: Customer) -> None:
    [message] = publish_all(job)
    result = AttemptResult(
        attempt_id=message.attempt_id, delivery_id=uuid4(), outputs=declare(PICTURE), info={}, run_ms=1
    )
    signed = SignedResult.sign(result, node_id="node-1", secret=node.credential.secret)
    with customer.untouched():
        error(node.call(f"attempts/{message.attempt_id}/complete", signed), 403, "forbidden")
    assert Job.objects.get(pk=job.pk).status == "queued"


@pytest.mark.parametrize("wrong", ["absent", "another hash", "another length"])
def test_outputs_that_are_not_in_the_bucket_mean_another_try_on_the_same_hold(
    run: Run, customer: Customer, node: StandIn, wrong: str
) -> None:
    [output] = declare(PICTURE)
    change: dict[str, Any] = {
        "absent": {"name": "output_0002.webp"},
        "another hash": {"sha256": "0" * 64},
        "another length": {"bytes": output.bytes + 1},
    }[wrong]
    run.upload(PICTURE, run.result(), with_result=False)
    answer = run.complete(run.result(outputs=[Output.model_validate(output.model_dump() | change)]))
    assert (answer.status_code, answer.json()) == (200, {"outcome": "outputs_refused"})
    job = run.job
    assert (job.status, run.attempt.status, run.attempt.error_code) == ("queued", "failed", "outputs_missing")
    assert customer.money() == (FULL - IMAGE_MICROS, IMAGE_MICROS)
    second = node.take(job)
    assert (second.attempt.number, second.claim.seed, second.claim.params) == (2, run.claim.seed, run.claim.params)
    assert second.deliver().json() == {"outcome": "completed"}
    assert kinds(job) == ["hold", "capture"]
    assert customer.money() == (FULL - IMAGE_MICROS, 0)
    assert customer.status(job)["attempts"] == 2


def test_a_node_cannot_put_a_page_under_a_pictures_name(run: Run) -> None:
    [output] = declare(PICTURE)
    asked = {
        "delivery_id": str(run.delivery_id),
        "outputs": [output.model_dump() | {"media_type": "text/html"}],
        "result": {"bytes": 2, "sha256": "0" * 64},
    }
    error(run.node.call(f"attempts/{run.claim.attempt_id}/uploads", json.dumps(asked).encode()), 400, "invalid_request")


def test_a_late_result_of_a_lost_attempt_never_replaces_the_winner(run: Run, customer: Customer, node: StandIn) -> None:
    late = run.result()
    grant = run.grant(PICTURE, late)
    lose_lease(run.claim.attempt_id)
    assert reap(now=clock.now()) == 1
    second = node.take(run.job)
    assert second.deliver(OTHER_PICTURE).json() == {"outcome": "completed"}
    assert put(grant.uploads[0], PICTURE["output_0001.webp"][1]) == 200
    with customer.untouched():
        error(run.complete(late), 409, "lease_lost")
    [url] = customer.status(run.job)["downloadableOutputUrls"]
    assert httpx.get(url).content == b"another picture"
    assert kinds(run.job) == ["hold", "capture"]


@pytest.mark.django_db(transaction=True)
def test_racing_completions_capture_once(node: StandIn, customer: Customer) -> None:
    job = customer.accepted()
    run = node.take(job)
    signed = run.result()
    run.upload(PICTURE, signed)
    lose_lease(run.claim.attempt_id)
    now = clock.now()
    outcomes = race([*[lambda: run.complete(signed)] * 5, lambda: reap(now=now), lambda: reap(now=now)])
    assert [error_ for _, error_ in outcomes if error_ is not None] == []
    told = [answer.json()["outcome"] for answer, _ in outcomes[:5] if answer.status_code == 200]
    assert len(told) == 5
    assert set(told) <= {"completed", "replayed"}
    assert told.count("completed") <= 1
    assert kinds(job) == ["hold", "capture"]
    assert events(job) == ["queued", "started", "completed"]
    assert customer.money() == (FULL - IMAGE_MICROS, 0)
