"""Outputs are promised for 48 hours and swept after 72, with staged inputs, failed attempts and results.

Files that must go sooner (taken down, or their account deleted) are asked for by `sweep_asked_at`.
"""

from datetime import datetime, timedelta

from django.conf import settings

from media import buckets, keys
from media.models import Attempt, Job

SWEPT_AFTER = timedelta(hours=72)
BATCH = 50


def sweep(*, now: datetime) -> int:
    """Delete the files of ended jobs that were asked for, and of those that ended over 72 hours ago; how many jobs.

    Deleting again is harmless, so a crash before `swept_at` is written costs nothing.

    Raises:
        StorageUnavailable: the bucket does not answer; the rest waits for the next sweep.
    """
    ended = Job.objects.filter(swept_at=None, finished_at__isnull=False)
    due = list(ended.filter(sweep_asked_at__isnull=False).order_by("sweep_asked_at")[:BATCH])
    due += ended.filter(finished_at__lt=now - SWEPT_AFTER, sweep_asked_at=None).order_by("finished_at")[:BATCH]
    for job in due:
        sweep_job(job=job, now=now)
    return len(due)


def sweep_job(*, job: Job, now: datetime) -> int:
    """Delete everything that an ended job has in the buckets; how many files.

    Raises:
        StorageUnavailable: the bucket does not answer; the job is swept again later.
    """
    owner = {"account_id": job.account_id, "job_id": job.pk}
    deleted = buckets.delete_prefix(bucket=settings.S3_PUBLIC_BUCKET, prefix=keys.job_prefix(**owner))
    deleted += buckets.delete_prefix(bucket=settings.S3_PRIVATE_BUCKET, prefix=keys.staging_prefix(**owner))
    for attempt_id in Attempt.objects.filter(job=job).values_list("pk", flat=True):
        deleted += buckets.delete_prefix(
            bucket=settings.S3_PRIVATE_BUCKET, prefix=keys.result_key(attempt_id=attempt_id)
        )
    Job.objects.filter(pk=job.pk).update(swept_at=now)
    return deleted
