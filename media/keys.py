"""Where a job's files lie in the buckets."""

import re
from uuid import UUID

from django.conf import settings

from core import ids

_OUTPUT = re.compile(r"users/(acct_[0-9a-z]{26})/jobs/job_[0-9a-z]{26}/att_[0-9a-z]{26}/output_\d{4}\.[a-z0-9]{2,5}")


def job_prefix(*, account_id: UUID, job_id: UUID) -> str:
    """Everything a job's attempts put into the public bucket."""
    return f"users/{ids.encode(ids.ACCOUNT, account_id)}/jobs/{ids.encode(ids.JOB, job_id)}/"


def output_key(*, account_id: UUID, job_id: UUID, attempt_id: UUID, name: str) -> str:
    """An output of one attempt: a stale attempt can never overwrite the one that won."""
    return f"{job_prefix(account_id=account_id, job_id=job_id)}{ids.encode(ids.ATTEMPT, attempt_id)}/{name}"


def staging_prefix(*, account_id: UUID, job_id: UUID) -> str:
    """A job's staged inputs in the private bucket, each named by its content's hash."""
    return f"staging/{ids.encode(ids.ACCOUNT, account_id)}/{ids.encode(ids.JOB, job_id)}/"


def result_key(*, attempt_id: UUID) -> str:
    """The signed result of an attempt in the private bucket, written after its outputs."""
    return f"results/{ids.encode(ids.ATTEMPT, attempt_id)}.json"


def own_output(url: str) -> tuple[str, str] | None:
    """(owner's public account id, key) when `url` is exactly one of our output URLs, else None."""
    base = f"{settings.CDN_BASE_URL}/"
    if not url.startswith(base):
        return None
    match = _OUTPUT.fullmatch(url[len(base) :])
    return (match.group(1), match.group(0)) if match else None


def is_own(url: str) -> bool:
    """Whether `url` lies under our CDN or bucket base at all, however it goes on."""
    bases = (settings.CDN_BASE_URL, f"{settings.S3_PUBLIC_ENDPOINT_URL}/{settings.S3_PUBLIC_BUCKET}")
    return any(url == base or url.startswith((f"{base}/", f"{base}?", f"{base}#")) for base in bases)
