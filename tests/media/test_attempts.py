"""An attempt from claim to settled: who may speak for it, and every way in which it can end."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.conf import settings as django_settings

from billing.ledger.models import Transfer
from billing.selectors import find_settlement
from core import clock, ids
from media import buckets, keys
from media.fleet.services import forget_nodes, register_node
from media.models import Attempt, Job, JobEvent, Node
from media.reaper import reap
from media.services.settle import hold_reference
from tests.billing.racing import race
from tests.media.customers import IMAGE_MICROS, Customer, error
from tests.media.standin import PICTURE, Run, StandIn, declare, members, publish_all, put
from workers.protocol import signing
from workers.protocol.pools import pools
from workers.protocol.result import AttemptResult, Output, SignedResult

pytestmark = pytest.mark.django_db

FULL = 10_000_000
OTHER_PICTURE = {"output_0001.webp": ("image/webp", b"another picture")}


@pytest.fixture
def job(customer: Customer) -> Job:
    return customer.accepted()


@pytest.fixture
def run(node: StandIn, job: Job) -> Run:
    return node.take(job)


@pytest.fixture
def second_node(node: StandIn) -> StandIn:
    standin = StandIn(credential=register_node(node_id="node-2", pools=sorted(pools())))
    standin.heartbeat(slots=1)
    return standin


def events(job: Job) -> list[str]:
    return list(JobEvent.objects.filter(job=job).order_by("seq").values_list("type", flat=True))


def kinds(job: Job) -> list[str]:
    """The transfers of a job's money, in order."""
    return list(
        Transfer.objects.filter(reference__startswith=f"job:{job.pk}:").order_by("id").values_list("kind", flat=True)
    )


def lose_lease(attempt_id: UUID) -> None:
    Attempt.objects.filter(pk=attempt_id).update(lease_expires_at=clock.now() - timedelta(seconds=1))


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


def test_the_same_delivery_gets_the_same_claim_and_another_one_none(node: StandIn, second_node: StandIn, run: Run) -> None:
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
        asked = [lambda d=d: node.ask_claim(message.attempt_id, d) for d in deliveries]
        outcomes = race([*asked, lambda d=deliveries[0]: node.ask_claim(message.attempt_id, d)])
        assert [error_ for _, error_ in outcomes if error_ is not None] == []
        winner = Attempt.objects.get(pk=message.attempt_id).delivery_id
        for delivery, (answer, _) in zip([*deliveries, deliveries[0]], outcomes, strict=True):
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
    assert httpx.put(upload.url, content=body, headers=upload.headers | {"Content-Type": "text/html"}).status_code == 403
    assert buckets.head(bucket=django_settings.S3_PUBLIC_BUCKET, key=key) is None
    assert put(upload, body) == 200
    assert httpx.get(buckets.public_url(key)).content == body


# -- complete ---------------------------------------------------------------------------------------------------------


def test_complete_settles_once_and_its_repetition_changes_nothing(run: Run, customer: Customer) -> None:
    signed = run.result()
    run.upload(PICTURE, signed)
    assert run.complete(signed).json() == {"outcome": "completed"}
    job = run.job
    assert (job.status, job.duration_ms, run.attempt.status, run.attempt.fraction) == ("completed", 1234, "succeeded", 1)
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


@pytest.mark.parametrize("wrong", ["absent", "another hash", "another length", "another type"])
def test_outputs_that_are_not_in_the_bucket_mean_another_try_on_the_same_hold(
    run: Run, customer: Customer, node: StandIn, wrong: str
) -> None:
    [output] = declare(PICTURE)
    change: dict[str, Any] = {
        "absent": {"name": "output_0002.webp"},
        "another hash": {"sha256": "0" * 64},
        "another length": {"bytes": output.bytes + 1},
        "another type": {"media_type": "image/png"},
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
