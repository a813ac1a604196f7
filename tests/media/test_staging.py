"""Inputs by URL are fetched once into our bucket, and what is staged is what was priced."""

import io
import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.conf import settings as django_settings
from PIL import Image

from core import clock, ids
from media import buckets, staging
from media.models import Attempt, Job, JobInput
from media.staging import stage_due
from tests.core.origin import answer
from tests.media.conftest import Hosted
from tests.media.customers import IMAGE_MICROS, PROMPT, Customer
from tests.media.standin import CLIP, StandIn, publish_all

pytestmark = pytest.mark.django_db

FULL = 10_000_000


def stage(seconds: float = 0, limit: int = 8) -> int:
    return stage_due(limit=limit, now=clock.now() + timedelta(seconds=seconds))


def resize(customer: Customer, url: str, **options: Any) -> Job:
    return customer.accepted("video.resize", {"sourceVideoUrl": url, "width": 320, "height": 180, **options})


def picture(format: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 16), (90, 10, 60)).save(out, format)
    return out.getvalue()


def assert_refused(customer: Customer, job: Job, code: str) -> dict[str, Any]:
    """The job failed at staging: not billed, nothing to run, money back."""
    status = customer.status(job)
    assert (status["status"], status["errorCode"], status["billed"]) == ("failed", code, False)
    assert customer.money() == (FULL, 0)
    assert Attempt.objects.get(job=job).status == "failed"
    assert publish_all(job) == []
    return status


def test_clips_are_fetched_once_stored_and_handed_to_the_worker(
    customer: Customer, node: StandIn, host: Hosted, clips: dict[str, bytes], wakes: list[str]
) -> None:
    host.files = {"a.mp4": clips["one"], "b.mp4": clips["two"]}
    urls = [host.url("b.mp4?token=secret"), host.url("a.mp4")]
    job = customer.accepted("video.combine", {"videoUrls": urls})
    assert publish_all() == []
    assert (customer.status(job)["status"], customer.status(job)["queuePosition"]) == ("queued", 1)
    probes = host.connects
    assert stage() == 2
    assert host.connects - probes == 2
    assert wakes == ["staging", "dispatcher"]
    assert stage(3600) == 0
    assert host.connects - probes == 2
    assert Attempt.objects.get().status == "ready"
    run = node.take(job)
    files = run.claim.files
    assert [(file.field, file.index, file.media_type) for file in files] == [
        ("videoUrls", 0, "video/mp4"),
        ("videoUrls", 1, "video/mp4"),
    ]
    assert [httpx.get(file.url).content for file in files] == [clips["two"], clips["one"]]
    assert all("/killatamata-private/staging/" in file.url and host.url("") not in file.url for file in files)
    assert [(file.bytes, len(file.sha256 or "")) for file in files] == [
        (len(clips["two"]), 64),
        (len(clips["one"]), 64),
    ]
    assert host.connects - probes == 2
    assert run.deliver(CLIP).json() == {"outcome": "completed"}


def test_a_job_waits_for_the_last_of_its_inputs(customer: Customer, host: Hosted, clips: dict[str, bytes]) -> None:
    host.files = {"a.mp4": clips["one"], "b.mp4": [clips["one"], None, clips["one"]]}
    job = customer.accepted("video.combine", {"videoUrls": [host.url("a.mp4"), host.url("b.mp4")]})
    assert stage() == 2
    assert list(JobInput.objects.order_by("index").values_list("status", flat=True)) == ["stored", "pending"]
    assert (Attempt.objects.get().status, publish_all()) == ("staging", [])
    assert stage() == 0
    assert stage(3) == 1
    assert (Attempt.objects.get().status, len(publish_all(job))) == ("ready", 1)


def test_a_longer_clip_than_was_priced_is_input_changed(
    customer: Customer, host: Hosted, clips: dict[str, bytes]
) -> None:
    host.files = {"a.mp4": [clips["one"], clips["two"]]}
    job = resize(customer, host.url("a.mp4"))
    assert stage() == 1
    status = assert_refused(customer, job, "input_changed")
    assert status["error"] == "input.sourceVideoUrl: the clip lasts 2.00 s, 1.00 s were priced"
    assert JobInput.objects.get().status == "refused"


def test_a_clip_as_long_or_shorter_is_staged(customer: Customer, host: Hosted, clips: dict[str, bytes]) -> None:
    host.files = {"a.mp4": [clips["two"], clips["one"]], "b.mp4": [clips["ntsc"], clips["two"]]}
    resize(customer, host.url("a.mp4"))
    resize(customer, host.url("b.mp4"))  # 2.002 s and 2 s: within a tenth
    assert stage() == 2
    assert list(Attempt.objects.values_list("status", flat=True)) == ["ready", "ready"]


def test_a_hint_that_was_too_short_is_found_out(
    customer: Customer, host: Hosted, clips: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.sources.PROBE_BYTES", 300_000)
    clip = clips["two"]
    end = int.from_bytes(clip[:4], "big")
    host.files = {"late.mp4": clip[:end] + (400_000).to_bytes(4, "big") + b"free" + bytes(399_992) + clip[end:]}
    job = resize(customer, host.url("late.mp4"), sourceDurationSeconds=0.5)
    assert job.price_micros == 5_029  # 5 000 + 0.0576 MP × 0.5 s × 60 / 60
    assert stage() == 1
    assert_refused(customer, job, "input_changed")


@pytest.mark.parametrize(
    ("swapped", "code"),
    [
        (b"<html>gone</html>", "invalid_input"),
        (b"#EXTM3U\nhttp://127.0.0.1:1/secret.ts\n", "invalid_input"),
        (b"", "invalid_input"),
    ],
)
def test_a_clip_swapped_for_something_else_is_refused(
    customer: Customer, host: Hosted, clips: dict[str, bytes], swapped: bytes, code: str
) -> None:
    host.files = {"a.mp4": [clips["one"], swapped]}
    job = resize(customer, host.url("a.mp4"))
    assert stage() == 1
    assert_refused(customer, job, code)


def test_a_redirect_inward_at_staging_is_refused(customer: Customer, host: Hosted, clips: dict[str, bytes]) -> None:
    host.files = {"a.mp4": clips["one"]}
    job = resize(customer, host.url("a.mp4"))
    inward = f"{django_settings.S3_ENDPOINT_URL}/killatamata-private/embedded/ready"
    host.respond = lambda _: answer(status="302 Found", location=inward)
    assert stage() == 1
    assert_refused(customer, job, "input_unavailable")


def test_what_is_away_is_tried_again_and_given_up_at_last(
    customer: Customer, host: Hosted, clips: dict[str, bytes]
) -> None:
    host.files = {"a.mp4": [clips["one"], None]}
    job = resize(customer, host.url("a.mp4"))
    waits = 0.0
    for tries in (1, 2, 3):
        assert stage(waits) == 1
        row = JobInput.objects.get()
        assert (row.status, row.tries, customer.status(job)["status"]) == ("pending", tries, "queued")
        assert customer.money() == (FULL - job.price_micros, job.price_micros)
        waits += 2**tries
        assert row.due_at - clock.now() == pytest.approx(timedelta(seconds=waits), abs=timedelta(seconds=1))
        waits += 1
    assert stage(waits) == 1
    assert_refused(customer, job, "input_unavailable")


def test_a_missing_file_is_not_tried_again(customer: Customer, host: Hosted, clips: dict[str, bytes]) -> None:
    host.files = {"a.mp4": clips["one"]}
    job = resize(customer, host.url("a.mp4"))
    host.files = {}
    assert stage() == 1
    status = assert_refused(customer, job, "input_unavailable")
    assert status["error"] == "input.sourceVideoUrl: The server answered with status 404."
    assert stage(3600) == 0


def test_while_our_bucket_is_away_no_input_is_given_up(
    customer: Customer, host: Hosted, clips: dict[str, bytes], settings: Any
) -> None:
    host.files = {"a.mp4": clips["one"]}
    job = resize(customer, host.url("a.mp4"))
    JobInput.objects.update(tries=7)
    there = settings.S3_ENDPOINT_URL
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"
    assert stage() == 1
    assert (JobInput.objects.get().status, customer.status(job)["status"]) == ("pending", "queued")
    settings.S3_ENDPOINT_URL = there
    assert stage(600) == 1
    assert Attempt.objects.get().status == "ready"


def test_a_steward_that_dies_in_the_middle_leaves_the_input_to_the_next(
    customer: Customer, host: Hosted, clips: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    host.files = {"a.mp4": clips["one"]}
    resize(customer, host.url("a.mp4"))

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("media.staging._conclude", die)
        with pytest.raises(KeyboardInterrupt):
            stage()
    assert stage(20) == 0
    assert stage(31) == 1
    assert Attempt.objects.get().status == "ready"


def test_a_defect_with_one_input_does_not_hold_up_the_others(
    customer: Customer, host: Hosted, clips: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    host.files = {"a.mp4": clips["one"], "b.mp4": clips["one"]}
    bad, good = resize(customer, host.url("a.mp4")), resize(customer, host.url("b.mp4"))
    real = buckets.put

    def broken(*, key: str, **more: Any) -> None:
        if ids.encode(ids.JOB, bad.pk) in key:
            raise ZeroDivisionError("a defect")
        real(key=key, **more)

    monkeypatch.setattr("media.staging.buckets.put", broken)
    assert stage() == 2
    assert Attempt.objects.get(job=good).status == "ready"
    assert Attempt.objects.get(job=bad).status == "staging"
    for round_ in range(3):
        assert stage(100 * (round_ + 1)) == 1
    assert customer.status(bad)["status"] == "failed"
    assert customer.money() == (FULL - good.price_micros, good.price_micros)


def test_pictures_are_staged_and_checked_by_their_bytes(customer: Customer, node: StandIn, host: Hosted) -> None:
    host.files = {"a.png": picture("PNG"), "b.jpg": picture("JPEG"), "c.webp": picture("WEBP")}
    job = customer.accepted(task_input={**PROMPT, "referenceImageUrls": [host.url(name) for name in host.files]})
    assert stage() == 3
    run = node.take(job)
    assert [(file.field, file.index, file.media_type) for file in run.claim.files] == [
        ("referenceImages", 0, "image/png"),
        ("referenceImages", 1, "image/jpeg"),
        ("referenceImages", 2, "image/webp"),
    ]


@pytest.mark.parametrize(
    "body", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture("GIF"), b"text", picture()[:20]]
)
def test_what_is_no_picture_is_refused(customer: Customer, host: Hosted, body: bytes) -> None:
    host.files = {"a.png": picture(), "b.png": body}
    job = customer.accepted(task_input={**PROMPT, "referenceImageUrls": [host.url("a.png"), host.url("b.png")]})
    assert customer.money() == (FULL - IMAGE_MICROS, IMAGE_MICROS)
    assert stage() == 2
    status = assert_refused(customer, job, "invalid_input")
    assert status["error"].startswith("input.referenceImageUrls.1: ")


def test_a_picture_beyond_its_limit_is_refused(
    customer: Customer, host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.staging.MAX_INLINE_BYTES", len(picture()) - 1)
    host.files = {"a.png": picture()}
    job = customer.accepted(task_input={**PROMPT, "referenceImageUrls": [host.url("a.png")]})
    assert stage() == 1
    assert_refused(customer, job, "input_unavailable")


def test_cancel_while_staging_ends_the_job_and_fetches_no_more(
    customer: Customer, host: Hosted, clips: dict[str, bytes]
) -> None:
    host.files = {"a.mp4": clips["one"]}
    job = resize(customer, host.url("a.mp4"))
    connects = host.connects
    assert customer.cancel(job).json()["status"] == "canceled"
    assert customer.money() == (FULL, 0)
    assert stage(3600) == 0
    assert host.connects == connects


def test_cancel_in_the_middle_of_a_fetch_wins(
    customer: Customer, host: Hosted, clips: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    host.files = {"a.mp4": clips["one"]}
    job = resize(customer, host.url("a.mp4"))

    conclude = staging._conclude

    def cancel_first(job_input: JobInput, outcome: Any, now: Any) -> bool:
        assert customer.cancel(job).status_code == 200
        return conclude(job_input, outcome, now)

    monkeypatch.setattr(staging, "_conclude", cancel_first)
    assert stage() == 1
    assert (customer.status(job)["status"], Attempt.objects.get().status) == ("canceled", "canceled")
    assert customer.money() == (FULL, 0)
    assert publish_all() == []


def test_slow_servers_hold_up_their_own_account_alone(
    customer: Customer, other: Customer, host: Hosted, clips: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    host.files = {"slow.mp4": clips["one"], "quick.mp4": clips["two"]}
    for _ in range(6):
        resize(customer, host.url("slow.mp4"))
    quick = resize(other, host.url("quick.mp4"))
    real, quick_came, at_once, most = staging._fetch, threading.Event(), [0], [0]

    def fetch(job_input: JobInput) -> Any:
        if job_input.job_id == quick.pk:
            quick_came.set()
            return real(job_input)
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        assert quick_came.wait(20), "the slow account's fetches took every place"
        at_once[0] -= 1
        return real(job_input)

    monkeypatch.setattr(staging, "_fetch", fetch)
    assert stage(limit=5) == 7
    assert most[0] <= staging.PER_ACCOUNT
    assert set(Attempt.objects.values_list("status", flat=True)) == {"ready"}


def test_inputs_of_an_ended_job_wait_for_nobody(customer: Customer, host: Hosted, clips: dict[str, bytes]) -> None:
    host.files = {"a.mp4": clips["one"]}
    job = resize(customer, host.url("a.mp4"))
    assert customer.cancel(job).json()["status"] == "canceled"
    assert JobInput.objects.get().status == "refused"
    before = host.connects
    assert stage() == 0
    assert host.connects == before
