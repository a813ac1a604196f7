"""What a submit answers, stores and holds."""

import base64
import io
import re
from hashlib import sha256
from typing import Any

import httpx
import pytest
from django.conf import settings as django_settings
from PIL import Image

from billing.ledger.models import Transfer
from billing.selectors import find_hold
from core import ids
from media import buckets
from media.models import Attempt, Job, JobEvent, JobInput
from media.services.settle import hold_reference
from tests.media.conftest import Hosted
from tests.media.customers import IMAGE_MICROS, PROMPT, Customer
from tests.media.standin import StandIn, publish_all
from workers.protocol.claim import StagedFile

pytestmark = pytest.mark.django_db


def test_a_submit_answers_everything_the_contract_has(customer: Customer, wakes: list[str]) -> None:
    answer = customer.submit()
    assert answer.status_code == 201
    assert answer["Content-Type"] == "application/json"
    assert "Idempotent-Replay" not in answer
    body = answer.json()
    job = Job.objects.get()
    public_id = body["externalJobId"]
    assert re.fullmatch(r"job_[0-9a-hjkmnp-tv-z]{26}", public_id)
    pricing = {
        "formula": "image.v1",
        "priceVersion": str(job.price_version_id),
        "coefficients": {"floor": 10_000, "per_megapixel": 40_000, "high_detail_percent": 150},
        "units": {"finishedPixels": 1_048_576, "highDetail": 0},
    }
    assert body == {
        "ok": True,
        "task": "image.generate",
        "externalJobId": ids.encode(ids.JOB, job.pk),
        "usdChargedMicros": 40_000,
        "usdCharged": "0.04",
        "usdBalanceMicros": 9_960_000,
        "usdBalance": "9.96",
        "pricingMeta": pricing,
        "stagedInputCount": 0,
        "estimatedDurationSeconds": 1.9,
        "durationEstimateMeta": {"basis": "formula", "runSeconds": 1.9},
        "effectiveInput": {
            "prompt": PROMPT["prompt"],
            "width": 1024,
            "height": 1024,
            "outputFormat": "webp",
            "highDetail": False,
            "upscale": False,
        },
        "inputAdjustments": [],
        "billing": {
            "usdChargedMicros": 40_000,
            "usdCharged": "0.04",
            "pricingMeta": pricing,
            "stagedInputCount": 0,
        },
        "result": {"jobId": public_id, "status": "queued"},
        "billed": False,
        "billedReason": "held, not billed: the job waits",
    }
    assert wakes == ["dispatcher"]


def test_a_submit_stores_a_job_an_attempt_an_event_and_one_hold(customer: Customer) -> None:
    job = customer.accepted()
    assert (job.account_id, job.api_key_id, job.status, job.price_micros) == (
        customer.id,
        customer.key_id,
        "queued",
        40_000,
    )
    assert 0 <= job.seed < 2**53
    assert (job.run_limit_seconds, job.has_inputs, job.callback_url) == (600, False, "")
    attempt = Attempt.objects.get()
    assert (attempt.job_id, attempt.number, attempt.status, attempt.pool) == (job.pk, 1, "ready", "image")
    assert attempt.account_id == customer.id
    assert list(JobEvent.objects.values_list("seq", "type")) == [(1, "queued")]
    assert not JobInput.objects.exists()
    hold = find_hold(reference=hold_reference(job.pk))
    assert hold is not None
    assert (hold.amount, hold.account_id) == (IMAGE_MICROS, customer.id)
    assert Transfer.objects.filter(reference__startswith="job:").count() == 1
    assert customer.money() == (10_000_000 - IMAGE_MICROS, IMAGE_MICROS)


def test_seeds_are_drawn_for_each_job_and_never_taken(customer: Customer) -> None:
    seeds = {customer.accepted().seed for _ in range(5)}
    assert len(seeds) == 5


def test_money_is_counted_down_and_nobody_elses_is_touched(customer: Customer, other: Customer) -> None:
    balances = [customer.submit().json()["usdBalanceMicros"] for _ in range(3)]
    assert balances == [9_960_000, 9_920_000, 9_880_000]
    assert other.money() == (10_000_000, 0)


def test_the_last_micro_can_be_spent(customer: Customer) -> None:
    task_input = {**PROMPT, "width": 2048, "height": 2048, "upscale": True}  # 360 000
    for _ in range(27):
        customer.accepted(task_input=task_input)
    assert customer.money() == (280_000, 9_720_000)
    for _ in range(7):
        customer.accepted()
    assert customer.money() == (0, 10_000_000)
    with customer.untouched():
        answer = customer.submit(task_input={**PROMPT, "width": 32, "height": 32})
        assert answer.status_code == 402
        assert answer.json()["details"] == {"requiredUsdMicros": 10_000, "availableUsdMicros": 0}


@pytest.mark.parametrize(
    ("aspect_ratio", "size"),
    [("1:1", (1024, 1024)), ("16:9", (1344, 768)), ("9:16", (768, 1344)), ("9:7", (1152, 896)), ("7:9", (896, 1152))],
)
def test_aspect_ratios_choose_the_canvas(customer: Customer, aspect_ratio: str, size: tuple[int, int]) -> None:
    body = customer.submit(task_input={**PROMPT, "aspectRatio": aspect_ratio}).json()
    assert (body["effectiveInput"]["width"], body["effectiveInput"]["height"]) == size
    assert body["inputAdjustments"] == []


def test_a_size_wins_over_an_aspect_ratio_and_that_is_said(customer: Customer) -> None:
    body = customer.submit(task_input={**PROMPT, "aspectRatio": "16:9", "width": 640, "height": 320}).json()
    assert (body["effectiveInput"]["width"], body["effectiveInput"]["height"]) == (640, 320)
    assert body["inputAdjustments"] == [
        {
            "field": "aspectRatio",
            "requested": "16:9",
            "effective": "640x320",
            "reason": "width and height win over aspectRatio",
        }
    ]


@pytest.mark.parametrize("dotted", ["webp", "png", "jpg", ".webp", ".png", ".jpg"])
def test_formats_are_taken_with_and_without_a_dot(customer: Customer, dotted: str) -> None:
    body = customer.submit(task_input={**PROMPT, "outputFormat": dotted}).json()
    plain = dotted.lstrip(".")
    assert body["effectiveInput"]["outputFormat"] == plain
    [url] = customer.status(Job.objects.get())["expectedOutputUrls"]
    assert url.endswith(f"/output_0001.{plain}")


def encoded(format: str) -> tuple[bytes, str]:
    out = io.BytesIO()
    Image.new("RGB", (16, 16), (10, 120, 60)).save(out, format)
    return out.getvalue(), base64.b64encode(out.getvalue()).decode()


def test_inline_references_are_stored_counted_and_given_to_the_worker_in_order(
    customer: Customer, node: StandIn, host: Hosted
) -> None:
    png, png64 = encoded("PNG")
    jpeg, jpeg64 = encoded("JPEG")
    webp, webp64 = encoded("WEBP")
    answer = customer.submit(
        task_input={
            **PROMPT,
            "referenceImages": [
                {"dataBase64": png64},
                {"dataBase64": jpeg64, "mimeType": "image/jpg"},
                {"dataBase64": f"data:image/webp;base64,{webp64}", "mimeType": "image/webp"},
            ],
        }
    )
    assert answer.status_code == 201, answer.content
    assert (answer.json()["stagedInputCount"], answer.json()["billing"]["stagedInputCount"]) == (3, 3)
    assert png64 not in answer.content.decode()
    job = Job.objects.get()
    assert (job.has_inputs, Attempt.objects.get().status) == (True, "ready")
    run = node.take(job)
    files: list[StagedFile] = run.claim.files
    repacked, *others = [httpx.get(file.url).content for file in files]
    assert others == [jpeg, webp]
    assert len(repacked) < len(png)
    shown = Image.open(io.BytesIO(repacked))
    assert shown.convert("RGB").tobytes() == Image.open(io.BytesIO(png)).convert("RGB").tobytes()
    assert [(file.field, file.index, file.media_type, file.bytes) for file in files] == [
        ("referenceImages", 0, "image/webp", len(repacked)),
        ("referenceImages", 1, "image/jpeg", len(jpeg)),
        ("referenceImages", 2, "image/webp", len(webp)),
    ]
    assert [file.sha256 for file in files] == [sha256(body).hexdigest() for body in (repacked, jpeg, webp)]
    for file in files:
        unsigned = file.url.partition("?")[0]
        assert "/killatamata-private/staging/" in unsigned
        assert httpx.get(unsigned).status_code == 403
    assert host.connects == 0


def test_references_by_url_follow_those_inline_and_wait_to_be_staged(customer: Customer, host: Hosted) -> None:
    _, png64 = encoded("PNG")
    task_input = {
        **PROMPT,
        "referenceImages": [host.url("b.png"), {"dataBase64": png64}, {"url": host.url("c.png")}],
        "referenceImageUrls": [host.url("d.png"), host.url("e.png")],
    }
    body = customer.submit(task_input=task_input).json()
    assert body["stagedInputCount"] == 1
    stored = JobInput.objects.order_by("index").values_list("index", "status", "source_url")
    assert list(stored) == [
        (0, "pending", host.url("b.png")),
        (1, "stored", ""),
        (2, "pending", host.url("c.png")),
        (3, "pending", host.url("d.png")),
        (4, "pending", host.url("e.png")),
    ]
    assert Attempt.objects.get().status == "staging"
    assert publish_all() == []
    assert host.connects == 0


def test_the_same_inline_picture_twice_is_stored_under_one_name(customer: Customer) -> None:
    _, png64 = encoded("PNG")
    customer.accepted(task_input={**PROMPT, "referenceImages": [{"dataBase64": png64}] * 2})
    keys = list(JobInput.objects.order_by("index").values_list("key", flat=True))
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert buckets.head(bucket=django_settings.S3_PRIVATE_BUCKET, key=keys[0]) is not None


def test_video_defaults_are_filled_in(customer: Customer, host: Hosted, clips: dict[str, bytes]) -> None:
    host.files = {"a.mp4": clips["one"], "b.mp4": clips["two"]}
    urls = [host.url("a.mp4"), host.url("b.mp4")]
    body = customer.submit("video.combine", {"videoUrls": urls}).json()
    assert body["effectiveInput"] == {"videoUrls": urls, "overlapFrames": 1, "frameRate": 60}
    assert (body["usdChargedMicros"], body["usdCharged"], body["inputAdjustments"]) == (10_000, "0.01", [])
    body = customer.submit("video.resize", {"sourceVideoUrl": urls[1], "width": 320, "height": 180}).json()
    assert body["effectiveInput"] == {
        "sourceVideoUrl": urls[1],
        "width": 320,
        "height": 180,
        "frameRate": 30,
        "sourceDurationSeconds": 2.0,
    }
    assert body["inputAdjustments"] == []


def test_a_wrong_duration_hint_is_mended_and_said(customer: Customer, host: Hosted, clips: dict[str, bytes]) -> None:
    host.files = {"a.mp4": clips["two"]}
    task_input: dict[str, Any] = {"sourceVideoUrl": host.url("a.mp4"), "width": 320, "height": 180}
    body = customer.submit("video.resize", task_input | {"sourceDurationSeconds": 9}).json()
    assert body["inputAdjustments"] == [
        {
            "field": "sourceDurationSeconds",
            "requested": 9.0,
            "effective": 2.0,
            "reason": "the clip's own duration was read and is used",
        }
    ]
    assert (
        customer.submit("video.resize", task_input | {"sourceDurationSeconds": 2.05}).json()["inputAdjustments"] == []
    )


def test_what_is_accepted_needs_no_living_steward(customer: Customer) -> None:
    """A job is the database's once it is answered: nothing of it is anywhere else yet."""
    job = customer.accepted()
    assert Attempt.objects.get(job=job).published_at is None
