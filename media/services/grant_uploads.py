"""Upload URLs for the files that a run has made."""

from datetime import datetime
from uuid import UUID

from django.conf import settings

from media import buckets, keys
from media.services.attempts import running_attempt
from workers.protocol.result import Output, StoredFile, Upload, UploadGrant

RESULT_MEDIA_TYPE = "application/json"


def grant_uploads(
    *,
    attempt_id: UUID,
    node_id: str,
    delivery_id: UUID,
    outputs: list[Output],
    result: StoredFile,
    now: datetime,
) -> UploadGrant:
    """One URL per declared file, each bound to its length, type and hash, under the attempt's own prefix.

    Raises:
        LeaseLost: this delivery does not hold the attempt.
    """
    attempt = running_attempt(attempt_id=attempt_id, node_id=node_id, delivery_id=delivery_id, now=now)
    uploads = []
    for output in outputs:
        url, headers = buckets.presign_put(
            bucket=settings.S3_PUBLIC_BUCKET,
            key=keys.output_key(
                account_id=attempt.account_id, job_id=attempt.job_id, attempt_id=attempt.pk, name=output.name
            ),
            media_type=output.media_type,
            length=output.bytes,
            sha256=output.sha256,
        )
        uploads.append(Upload(name=output.name, url=url, headers=headers))
    url, headers = buckets.presign_put(
        bucket=settings.S3_PRIVATE_BUCKET,
        key=keys.result_key(attempt_id=attempt.pk),
        media_type=RESULT_MEDIA_TYPE,
        length=result.bytes,
        sha256=result.sha256,
    )
    return UploadGrant(uploads=uploads, result=Upload(name="result.json", url=url, headers=headers))
