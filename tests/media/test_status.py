"""What a client reads of its job, at each step of its life."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from core import clock, ids
from media.models import Attempt, Job
from tests.media.customers import JOBS, PROMPT, Customer, error
from tests.media.standin import StandIn, declare, publish_all

pytestmark = pytest.mark.django_db

FILES = {"output_0001.webp": ("image/webp", b"finished picture")}


def test_a_waiting_job(customer: Customer) -> None:
    job = customer.accepted()
    public_id = ids.encode(ids.JOB, job.pk)
    body = customer.status(job)
    [url] = body.pop("expectedOutputUrls")
    attempt = ids.encode(ids.ATTEMPT, Attempt.objects.get().pk)
    assert url.endswith(f"/killatamata-public/users/{customer.public_id}/jobs/{public_id}/{attempt}/output_0001.webp")
    assert httpx.get(url).status_code in {403, 404}
    assert body == {
        "ok": True,
        "task": "image.generate",
        "externalJobId": public_id,
        "status": "queued",
        "result": {"jobId": public_id, "status": "queued", "startedAt": None, "finishedAt": None},
        "estimatedDurationSeconds": 1.9,
        "durationEstimateMeta": {"basis": "formula", "runSeconds": 1.9},
        "billing": {
            "usdChargedMicros": 40_000,
            "usdCharged": "0.04",
            "pricingMeta": job.pricing_meta,
            "stagedInputCount": 0,
        },
        "createdAt": clock.rfc3339(job.created_at),
        "updatedAt": clock.rfc3339(job.created_at),
        "durationMs": None,
        "outputFiles": None,
        "outputUrl": None,
        "generatedImageIds": None,
        "downloadableOutputUrls": [],
        "billed": False,
        "billedReason": "held, not billed: the job waits",
        "progress": 0.0,
        "queuePosition": 1,
        "etaSeconds": 1.9,
        "attempts": 1,
        "cancelRequested": False,
    }


def test_a_running_job(customer: Customer, node: StandIn, later: Any) -> None:
    run = node.take(customer.accepted())
    later(10)
    run.progress(0.5)
    body = customer.status(run.job)
    assert (body["status"], body["progress"], body["queuePosition"]) == ("processing", 0.5, None)
    assert body["billedReason"] == "held, not billed: the job runs"
    assert body["etaSeconds"] == pytest.approx(10, abs=1)
    assert (body["downloadableOutputUrls"], body["outputUrl"], body["durationMs"]) == ([], None, None)
    started = datetime.fromisoformat(body["result"]["startedAt"])
    assert started == run.job.started_at.replace(microsecond=run.job.started_at.microsecond // 1000 * 1000)  # type: ignore[union-attr]


def test_a_finished_job(customer: Customer, node: StandIn) -> None:
    job = customer.accepted()
    expected = customer.status(job)["expectedOutputUrls"]
    signed: dict[str, Any] = {"run_ms": 4321, "info": {"engine": "composer", "seed": job.seed}}
    run = node.take(job)
    outputs = [output.model_copy(update={"width": 1024, "height": 1024}) for output in declare(FILES)]
    document = run.result(FILES, outputs=outputs, **signed)
    run.upload(FILES, document)
    assert run.complete(document).status_code == 200
    body = customer.status(job)
    assert (body["ok"], body["status"], body["progress"], body["billed"]) == (True, "completed", 1.0, True)
    assert body["billedReason"] == "billed: the job completed"
    assert body["billing"]["usdChargedMicros"] == 40_000
    assert body["durationMs"] == 4321
    assert body["downloadableOutputUrls"] == body["expectedOutputUrls"] == expected == [body["outputUrl"]]
    assert body["outputFiles"] == [
        {
            "name": "output_0001.webp",
            "type": "image/webp",
            "bytes": 16,
            "width": 1024,
            "height": 1024,
            "seconds": None,
        }
    ]
    assert body["generatedImageIds"] == {"output_0001.webp": outputs[0].sha256}
    assert (body["queuePosition"], body["etaSeconds"], body["attempts"]) == (None, None, 1)
    for name in ("detailsIncluded", "effectiveInput", "inputAdjustments", "error", "errorCode", "outputsExpired"):
        assert name not in body
    assert "upstream" not in body["result"]
    download = httpx.get(body["outputUrl"])
    assert (download.status_code, download.content) == (200, b"finished picture")
    assert download.headers["content-type"] == "image/webp"
    assert customer.status(job) == body


@pytest.mark.parametrize("flag", ["1", "true", "TRUE"])
def test_details_on_request(customer: Customer, node: StandIn, flag: str) -> None:
    task_input = {**PROMPT, "aspectRatio": "16:9", "width": 64, "height": 64}
    job = customer.accepted(task_input=task_input)
    node.finish(job, FILES, info={"engine": "composer"})
    body = customer.status(job, includeDetails=flag)
    assert body["detailsIncluded"] is True
    assert body["result"]["upstream"] == {"engine": "composer"}
    assert body["effectiveInput"] == {
        "prompt": PROMPT["prompt"],
        "width": 64,
        "height": 64,
        "outputFormat": "webp",
        "highDetail": False,
        "upscale": False,
    }
    assert [entry["field"] for entry in body["inputAdjustments"]] == ["aspectRatio"]
    plain = customer.status(job)
    extra = {"detailsIncluded", "effectiveInput", "inputAdjustments"}
    body["result"].pop("upstream")
    assert {name: value for name, value in body.items() if name not in extra} == plain


@pytest.mark.parametrize("flag", ["0", "false", "", "yes", "2"])
def test_no_details_otherwise(customer: Customer, flag: str) -> None:
    assert "effectiveInput" not in customer.status(customer.accepted(), includeDetails=flag)


def test_a_failed_job_says_why_and_that_it_costs_nothing(customer: Customer, node: StandIn) -> None:
    run = node.take(customer.accepted())
    run.fail(code="invalid_input", message="Not a picture.", retryable=False)
    body = customer.status(run.job)
    assert (body["ok"], body["status"], body["error"], body["errorCode"]) == (
        True,
        "failed",
        "Not a picture.",
        "invalid_input",
    )
    assert (body["billed"], body["billedReason"]) == (False, "not billed: the job failed")
    assert (body["billing"]["usdChargedMicros"], body["billing"]["usdCharged"]) == (0, "0")
    assert (body["downloadableOutputUrls"], body["outputFiles"], body["durationMs"]) == ([], None, None)


def test_expected_urls_follow_the_current_attempt(customer: Customer, node: StandIn) -> None:
    run = node.take(customer.accepted())
    [first] = customer.status(run.job)["expectedOutputUrls"]
    run.fail()
    [second] = customer.status(run.job)["expectedOutputUrls"]
    assert first != second
    assert first.rsplit("/", 2)[0] == second.rsplit("/", 2)[0]
    again = node.finish(run.job, FILES)
    assert customer.status(run.job)["downloadableOutputUrls"] == [second]
    assert second.rsplit("/", 2)[1] == ids.encode(ids.ATTEMPT, again.attempt.pk)


def test_queue_positions_count_the_pools_own(customer: Customer, other: Customer) -> None:
    jobs = [customer.accepted(), other.accepted(), customer.accepted()]
    positions = [customer.status(jobs[0]), other.status(jobs[1]), customer.status(jobs[2])]
    assert [body["queuePosition"] for body in positions] == [1, 2, 3]


def test_a_published_job_has_no_position(customer: Customer) -> None:
    job = customer.accepted()
    publish_all()
    assert customer.status(job)["queuePosition"] is None


def test_another_accounts_job_is_a_404_that_tells_nothing(customer: Customer, other: Customer, node: StandIn) -> None:
    theirs = other.accepted()
    public_id = ids.encode(ids.JOB, theirs.pk)
    unknown = error(customer.get(JOBS, jobId=ids.encode(ids.JOB, ids.new())), 404, "not_found")
    assert error(customer.get(JOBS, jobId=public_id), 404, "not_found") == unknown
    assert error(customer.cancel(theirs), 404, "not_found") == unknown
    theirs.refresh_from_db()
    assert (theirs.status, theirs.cancel_requested_at) == ("queued", None)
    assert other.status(theirs)["status"] == "queued"


def test_ids_are_read_in_any_case(customer: Customer) -> None:
    job = customer.accepted()
    public_id = ids.encode(ids.JOB, job.pk)
    answer = customer.get(JOBS, jobId="job_" + public_id[4:].upper())
    assert (answer.status_code, answer.json()["externalJobId"]) == (200, public_id)


def test_times_are_rfc_3339_in_utc(customer: Customer, node: StandIn) -> None:
    before = clock.now()
    job = customer.accepted()
    node.finish(job, FILES)
    body = customer.status(job)
    created, updated = (datetime.fromisoformat(body[name]) for name in ("createdAt", "updatedAt"))
    assert body["createdAt"].endswith("Z")
    assert before - timedelta(milliseconds=1) <= created <= updated <= clock.now()
    assert Job.objects.get().finished_at is not None
    assert body["result"]["finishedAt"] == body["updatedAt"]
