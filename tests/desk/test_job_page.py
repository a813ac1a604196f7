"""A job's page: its timeline, attempts, money and callbacks; what may be done to it."""

import pytest

from core import clock, ids
from core.webhooks.models import WebhookDelivery, WebhookTry
from media.models import Job
from tests.desk.staff import desk
from tests.media.customers import Customer

pytestmark = pytest.mark.django_db


def page(job: Job) -> str:
    return f"/admin/media/job/{job.pk}/change/"


def test_it_tells_the_jobs_whole_story(customer: Customer, job: Job) -> None:
    delivery = WebhookDelivery.objects.create(
        account_id=customer.id,
        topic="media_job_terminal",
        subject_id=job.pk,
        url="https://client.example/hook",
        body="{}",
        status="failed",
        finished_at=clock.now(),
    )
    WebhookTry.objects.create(delivery=delivery, at=clock.now(), error="timeout", elapsed_ms=10_000)
    text = desk(superuser=True).get(page(job)).content.decode()
    assert ids.encode(ids.JOB, job.pk) in text
    assert f"job:{job.pk}:hold" in text
    assert "-$0.04" in text
    assert ids.encode(ids.WEBHOOK_DELIVERY, delivery.pk) in text
    assert "timeout after 10000 ms" in text
    assert "a red barn under a pale moon" in text
