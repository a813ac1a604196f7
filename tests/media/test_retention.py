"""Outputs stay readable for two days and are gone after three, with everything else a job left in the buckets."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.conf import settings as django_settings

from core import clock
from core.errors import Unavailable
from media import buckets, keys
from media.models import Job
from media.retention import sweep
from media.staging import stage_due
from tests.media.conftest import Hosted
from tests.media.customers import Customer
from tests.media.standin import CLIP, PICTURE, StandIn

pytestmark = pytest.mark.django_db


def objects(job: Job) -> list[str]:
    """Everything of a job in both buckets."""
    owner = {"account_id": job.account_id, "job_id": job.pk}
    wanted = [
        (django_settings.S3_PUBLIC_BUCKET, keys.job_prefix(**owner)),
        (django_settings.S3_PRIVATE_BUCKET, keys.staging_prefix(**owner)),
        *[
            (django_settings.S3_PRIVATE_BUCKET, keys.result_key(attempt_id=pk))
            for pk in job.attempts.values_list("pk", flat=True)
        ],
    ]
    found: list[str] = []
    for bucket, prefix in wanted:
        listed = buckets.client().list_objects_v2(Bucket=bucket, Prefix=prefix)
        found += [entry["Key"] for entry in listed.get("Contents", [])]
    return found


def finished(job: Job) -> Any:
    job.refresh_from_db()
    assert job.finished_at is not None
    return job.finished_at


def test_a_jobs_files_are_swept_after_three_days_and_not_before(
    customer: Customer, node: StandIn, host: Hosted, clips: dict[str, bytes]
) -> None:
    host.files = {"a.mp4": clips["one"]}
    task_input = {"sourceVideoUrl": host.url("a.mp4"), "width": 64, "height": 64}
    job = customer.accepted("video.resize", task_input)
    stage_due(limit=8, now=clock.now())
    failed = node.take(job)
    failed.upload(CLIP, failed.result(CLIP))
    failed.fail()
    node.finish(job, CLIP)
    assert len(objects(job)) == 5  # an input, two outputs, two results
    before = customer.status(job)
    [url] = before["downloadableOutputUrls"]
    ended = finished(job)

    assert sweep(now=ended + timedelta(hours=48)) == 0
    assert httpx.get(url).content == CLIP["output_0001.mp4"][1]
    assert sweep(now=ended + timedelta(hours=72)) == 0
    assert len(objects(job)) == 5
    assert "outputsExpired" not in customer.status(job)

    books = customer.books()
    assert sweep(now=ended + timedelta(hours=72, seconds=1)) == 1
    assert objects(job) == []
    assert httpx.get(url).status_code in {403, 404}
    after = customer.status(job)
    assert (after["outputsExpired"], after["status"], after["billed"]) == (True, "completed", True)
    assert (after["downloadableOutputUrls"], after["expectedOutputUrls"], after["outputUrl"]) == ([], [], None)
    assert after["outputFiles"] == before["outputFiles"]
    assert customer.books() == books
    assert sweep(now=ended + timedelta(hours=80)) == 0


def test_jobs_that_did_not_complete_are_swept_too(customer: Customer, node: StandIn) -> None:
    run = node.take(customer.accepted())
    run.upload(PICTURE, run.result())
    run.fail(retryable=False)
    assert len(objects(run.job)) == 2
    assert sweep(now=finished(run.job) + timedelta(hours=73)) == 1
    assert objects(run.job) == []
    assert "outputsExpired" not in customer.status(run.job)


def test_other_jobs_and_open_ones_are_left_alone(customer: Customer, node: StandIn) -> None:
    old, young = customer.accepted(), customer.accepted()
    node.finish(old)
    node.finish(young)
    running = node.take(customer.accepted())
    running.upload(PICTURE, running.result())
    now = clock.now()
    Job.objects.filter(pk=old.pk).update(finished_at=now - timedelta(hours=73))
    Job.objects.filter(pk=running.job.pk).update(created_at=now - timedelta(days=30))
    assert sweep(now=now) == 1
    assert (len(objects(old)), len(objects(young)), len(objects(running.job))) == (0, 2, 2)


def test_while_the_bucket_is_away_nothing_counts_as_swept(customer: Customer, node: StandIn, settings: Any) -> None:
    job = customer.accepted()
    node.finish(job)
    there = settings.S3_ENDPOINT_URL
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"
    with pytest.raises(Unavailable):
        sweep(now=finished(job) + timedelta(hours=73))
    settings.S3_ENDPOINT_URL = there
    assert Job.objects.get(pk=job.pk).swept_at is None
    assert sweep(now=finished(job) + timedelta(hours=73)) == 1
    assert objects(job) == []
