"""Outputs are promised for 48 hours and swept after 72, with staged inputs, failed attempts and results."""

from datetime import datetime, timedelta

from django.conf import settings

from media import buckets, keys
from media.models import Attempt, Job

SWEPT_AFTER = timedelta(hours=72)
BATCH = 50


def sweep(*, now: datetime) -> int:
    """Delete the files of jobs that ended more than 72 hours ago; how many jobs.

    Deleting again is harmless, so a crash before `swept_at` is written costs nothing.

    Raises:
        StorageUnavailable: the bucket does not answer; the rest waits for the next sweep.
    """
    due = list(Job.objects.filter(swept_at=None, finished_at__lt=now - SWEPT_AFTER).order_by("finished_at")[:BATCH])
    for job in due:
        owner = {"account_id": job.account_id, "job_id": job.pk}
        buckets.delete_prefix(bucket=settings.S3_PUBLIC_BUCKET, prefix=keys.job_prefix(**owner))
        buckets.delete_prefix(bucket=settings.S3_PRIVATE_BUCKET, prefix=keys.staging_prefix(**owner))
        for attempt_id in Attempt.objects.filter(job=job).values_list("pk", flat=True):
            buckets.delete_prefix(bucket=settings.S3_PRIVATE_BUCKET, prefix=keys.result_key(attempt_id=attempt_id))
        Job.objects.filter(pk=job.pk).update(swept_at=now)
    return len(due)
