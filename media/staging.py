"""Fetch each URL input once, guarded, into our bucket, and check that it is what was priced."""

import tempfile
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, cast

import structlog
from django.conf import settings
from django.db import transaction

from core import clock, http
from core.errors import Unavailable
from core.wake import wake_steward
from media import buckets, keys
from media.events import append_event
from media.models import Attempt, Job, JobInput
from media.orders import MAX_INLINE_BYTES, image_media_type, video_facts
from media.probing import FileSource, NotMedia
from media.services.fail_attempt import conclude_failure
from media.transitions import ATTEMPT, QUEUED
from workers.protocol import containers

MAX_VIDEO_BYTES = 2_000_000_000
FETCH_SECONDS = 300
LEASE = timedelta(seconds=30)
MAX_TRIES = 4
DURATION_TOLERANCE = Fraction(1, 10)
"""How much longer than priced a clip may be: durations are sent and rounded in tenths of a second."""
_log = structlog.get_logger(__name__)


class InputRefused(Exception):
    """This input will never do; the job fails, not billed."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)


class StagingBroke(Exception):
    """We could not look at this input; it may be good."""

    retryable = True

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"the input could not be stored ({type(cause).__name__})")


@dataclass(frozen=True, kw_only=True)
class _Staged:
    key: str
    bytes: int
    sha256: str
    media_type: str


def stage_due(*, limit: int, now: datetime) -> int:
    """Fetch up to `limit` inputs that are due, in parallel; how many were taken up.

    Each is leased by its `due_at`, renewed while its fetch goes on: a steward that dies in the middle leaves it to
    the next one within LEASE.
    """
    waiting = JobInput.objects.filter(status=JobInput.PENDING, due_at__lte=now)
    if not waiting.exists():
        return 0
    with transaction.atomic(durable=True):
        due = list(
            JobInput.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("job")
            .filter(status=JobInput.PENDING, due_at__lte=now, job__status=QUEUED)
            .order_by("due_at")[:limit]
        )
        for job_input in due:
            job_input.tries += 1
            job_input.due_at = now + LEASE
        JobInput.objects.bulk_update(due, ["tries", "due_at"])
    if not due:
        return 0
    with ThreadPoolExecutor(max_workers=min(4, len(due))) as threads:
        fetches = {threads.submit(_fetch, job_input): job_input for job_input in due}
        while fetches:
            done, _ = wait(fetches, timeout=LEASE.total_seconds() / 3, return_when=FIRST_COMPLETED)
            ready = [_conclude(fetches.pop(fetch), fetch.result()) for fetch in done]
            if any(ready):
                wake_steward("dispatcher")
            _renew(fetches.values())
    return len(due)


def _renew(inputs: Iterable[JobInput]) -> None:
    keys = [job_input.pk for job_input in inputs]
    if keys:
        JobInput.objects.filter(pk__in=keys, status=JobInput.PENDING).update(due_at=clock.now() + LEASE)


def _fetch(job_input: JobInput) -> _Staged | Exception:
    """Network only, no database: this runs in a thread of its own."""
    try:
        with tempfile.NamedTemporaryFile(prefix="staging-") as named:
            file = cast("BinaryIO", named)
            fetched = http.fetch_to(
                job_input.source_url,
                sink=file,
                max_bytes=MAX_VIDEO_BYTES if job_input.kind == "video" else MAX_INLINE_BYTES,
                timeout_seconds=FETCH_SECONDS,
            )
            file.flush()
            with FileSource(Path(named.name)) as source:
                media_type = _check(job_input, source)
            key = keys.staging_prefix(account_id=job_input.job.account_id, job_id=job_input.job_id) + fetched.sha256
            file.seek(0)
            buckets.put(
                bucket=settings.S3_PRIVATE_BUCKET, key=key, body=file, media_type=media_type, sha256=fetched.sha256
            )
            return _Staged(key=key, bytes=fetched.bytes, sha256=fetched.sha256, media_type=media_type)
    except (InputRefused, http.HttpError, Unavailable) as error:
        return error
    except Exception as error:
        # A defect of ours must not take the other inputs down with it; this one is tried again.
        _log.exception("staging_broke", job_id=str(job_input.job_id), path=job_input.path)
        return StagingBroke(error)


def _check(job_input: JobInput, source: FileSource) -> str:
    if job_input.kind == "image":
        try:
            return image_media_type(source)
        except NotMedia as error:
            raise InputRefused("invalid_input", f"{job_input.path}: {error}") from None
    try:
        facts = video_facts(source)
    except NotMedia as error:
        raise InputRefused("invalid_input", f"{job_input.path}: {error}") from None
    pinned = job_input.pinned.get("duration")
    if pinned is not None and facts.duration is not None and facts.duration > Fraction(pinned) + DURATION_TOLERANCE:
        raise InputRefused(
            "input_changed",
            f"{job_input.path}: the clip lasts {float(facts.duration):.2f} s, "
            f"{float(Fraction(pinned)):.2f} s were priced",
        )
    container = containers.sniff(source.read(0, containers.HEAD_BYTES))
    if container is None:
        raise InputRefused("invalid_input", f"{job_input.path}: not a container we take")
    return container.media_type


def _conclude(job_input: JobInput, outcome: _Staged | Exception) -> bool:
    """Write down how a fetch went; whether its job can be dispatched now."""
    now = clock.now()
    with transaction.atomic(durable=True):
        job = Job.objects.select_for_update().get(pk=job_input.job_id)
        if job.status != QUEUED:
            return False
        if isinstance(outcome, _Staged):
            JobInput.objects.filter(pk=job_input.pk).update(
                status=JobInput.STORED,
                bucket=settings.S3_PRIVATE_BUCKET,
                key=outcome.key,
                bytes=outcome.bytes,
                sha256=outcome.sha256,
                media_type=outcome.media_type,
            )
            if JobInput.objects.filter(job=job, status=JobInput.PENDING).exists():
                return False
            ATTEMPT.apply("stage", Attempt.objects.filter(job=job))
            append_event(job_id=job.pk, type="staged", now=now)
            return True
        temporary = isinstance(outcome, Unavailable) or getattr(outcome, "retryable", False)
        if temporary and (job_input.tries < MAX_TRIES or isinstance(outcome, Unavailable)):
            JobInput.objects.filter(pk=job_input.pk).update(due_at=now + timedelta(seconds=2**job_input.tries))
            return False
        JobInput.objects.filter(pk=job_input.pk).update(status=JobInput.REFUSED)
        conclude_failure(
            job=job,
            attempt=Attempt.objects.filter(job=job).latest("number"),
            code=outcome.code if isinstance(outcome, InputRefused) else "input_unavailable",
            message=str(outcome) if isinstance(outcome, InputRefused) else f"{job_input.path}: {outcome}",
            retryable=False,
            now=now,
        )
        return False
