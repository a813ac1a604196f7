"""Where a job's files lie in the buckets."""

import re
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from core import ids

_OUTPUT = re.compile(r"users/(acct_[0-9a-z]{26})/jobs/(job_[0-9a-z]{26})/att_[0-9a-z]{26}/output_\d{4}\.[a-z0-9]{2,5}")


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


def job_of_output(url: str) -> UUID | None:
    """The job whose output has this URL; None when it is none of ours."""
    base = f"{settings.CDN_BASE_URL}/"
    match = _OUTPUT.fullmatch(url[len(base) :]) if url.startswith(base) else None
    return ids.decode(ids.JOB, match.group(2)) if match else None


def is_own(url: str) -> bool:
    """Whether `url` names one of our own file hosts, however the name is spelled and whatever follows it.

    Such a URL is a key or nothing: it is never fetched, so another account's file cannot come in by a side door.
    """
    return _host(url) in {_host(settings.CDN_BASE_URL), _host(settings.S3_PUBLIC_ENDPOINT_URL)}


def _host(url: str) -> tuple[str, int | None] | None:
    """Host and port of a URL, the schemes' own ports left out; None when it has none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (host, None if port in {80, 443} else port) if host else None
