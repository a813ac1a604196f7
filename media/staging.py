"""Fetch each URL input once, guarded, into our bucket, and check that it is what was priced."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, cast

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from core import http
from core.errors import Unavailable
from core.wake import wake_steward
from media import buckets, keys
from media.catalog.task import MediaKind
from media.events import append_event
from media.models import Attempt, Job, JobInput
from media.probing import FileSource, NotMedia
from media.services.fail_attempt import conclude_failure
from media.sources import MAX_INLINE_BYTES, examine
from media.transitions import ATTEMPT, QUEUED

MAX_VIDEO_BYTES = 2_000_000_000
MAX_AUDIO_BYTES = 250_000_000
FETCH_SECONDS = 300
EXAMINE_SECONDS = 30
LEASE = timedelta(seconds=30)
LOOK_SECONDS = 1.0
CLAIM_SECONDS = 20.0
PER_ACCOUNT = 4
BUCKET_PAUSE = timedelta(seconds=5)
MAX_TRIES = 4
DURATION_TOLERANCE = Fraction(1, 10)
"""How much longer than priced or allowed media may be: durations are sent and rounded in tenths of a second."""
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
    """Fetch inputs that are due, up to `limit` at once and PER_ACCOUNT of one account; how many were taken up.

    A place that falls free is given to the next input for CLAIM_SECONDS, so that one slow server holds up its own
    account alone. Each input is leased by its `due_at`, renewed while its fetch goes on: a steward that dies in the
    middle leaves it to the next one within LEASE.
    """
    began = time.monotonic()
    renewed, taken = began, 0
    fetches: dict[Future[_Staged | Exception], JobInput] = {}
    with ThreadPoolExecutor(max_workers=limit) as threads:
        while True:
            spent = time.monotonic() - began
            moment = now + timedelta(seconds=spent)
            while spent < CLAIM_SECONDS and (due := _take(limit, fetches.values(), moment)):
                fetches |= {threads.submit(_fetch, job_input): job_input for job_input in due}
                taken += len(due)
            if not fetches:
                return taken
            done, _ = wait(fetches, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
            moment = now + timedelta(seconds=time.monotonic() - began)
            ready = [_conclude_safely(fetches.pop(fetch), fetch.result(), moment) for fetch in done]
            if any(ready):
                wake_steward("dispatcher")
            if time.monotonic() - renewed > LEASE.total_seconds() / 3:
                renewed = time.monotonic()
                _renew(fetches.values(), moment)


def _take(limit: int, running: Iterable[JobInput], now: datetime) -> list[JobInput]:
    """Lease the next inputs for the places that are free."""
    places = Counter(job_input.job.account_id for job_input in running)
    free = limit - places.total()
    waiting = JobInput.objects.filter(status=JobInput.PENDING, due_at__lte=now).exclude(
        job__account_id__in=[account_id for account_id, count in places.items() if count >= PER_ACCOUNT]
    )
    if free <= 0 or not waiting.exists():
        return []
    chosen: list[JobInput] = []
    with transaction.atomic(durable=True):
        for job_input in (
            waiting.select_for_update(skip_locked=True, of=("self",))
            .select_related("job")
            .filter(job__status=QUEUED)
            .order_by("due_at")[:free]
        ):
            if places[job_input.job.account_id] < PER_ACCOUNT:
                places[job_input.job.account_id] += 1
                job_input.tries += 1
                job_input.due_at = now + LEASE
                chosen.append(job_input)
        JobInput.objects.bulk_update(chosen, ["tries", "due_at"])
    return chosen


def _conclude_safely(job_input: JobInput, outcome: _Staged | Exception, now: datetime) -> bool:
    """`_conclude`, so that a defect with one input does not take the others' fetches with it: its lease runs out."""
    try:
        return _conclude(job_input, outcome, now)
    except (OperationalError, InterfaceError):
        raise  # the database is away, and the loop's lock with it
    except Exception:
        _log.exception("staging_conclusion_broke", job_id=str(job_input.job_id), path=job_input.path)
        return False


def _renew(inputs: Iterable[JobInput], now: datetime) -> None:
    keys = [job_input.pk for job_input in inputs]
    if keys:
        JobInput.objects.filter(pk__in=keys, status=JobInput.PENDING).update(due_at=now + LEASE)


def _fetch(job_input: JobInput) -> _Staged | Exception:
    """Network only, no database: this runs in a thread of its own."""
    try:
        with tempfile.NamedTemporaryFile(prefix="staging-") as named:
            file = cast("BinaryIO", named)
            fetched = http.fetch_to(
                job_input.source_url,
                sink=file,
                max_bytes=_max_bytes(job_input),
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


def _max_bytes(job_input: JobInput) -> int:
    match job_input.kind:
        case "video":
            return MAX_VIDEO_BYTES
        case "audio":
            return MAX_AUDIO_BYTES
    return MAX_INLINE_BYTES


def _check(job_input: JobInput, source: FileSource) -> str:
    """The media type of what was fetched, once it is known to be what was asked and paid for."""
    try:
        found = examine(source, cast("MediaKind", job_input.kind), seconds=EXAMINE_SECONDS)
    except NotMedia as error:
        raise InputRefused("invalid_input", f"{job_input.path}: {error}") from None
    duration, pinned = found.facts.duration, job_input.pinned
    if duration is None:
        return found.media_type
    noun = "clip" if job_input.kind == "video" else "sound"
    if "duration" in pinned and duration > Fraction(pinned["duration"]) + DURATION_TOLERANCE:
        raise InputRefused(
            "input_changed",
            f"{job_input.path}: the {noun} lasts {float(duration):.2f} s, "
            f"{float(Fraction(pinned['duration'])):.2f} s were priced",
        )
    if "maxDuration" in pinned and duration > Fraction(pinned["maxDuration"]) + DURATION_TOLERANCE:
        raise InputRefused(
            "audio_too_long",
            f"{job_input.path}: the {noun} lasts {float(duration):.1f} s; "
            f"at most {float(Fraction(pinned['maxDuration'])):g} s are taken",
        )
    return found.media_type


def _conclude(job_input: JobInput, outcome: _Staged | Exception, now: datetime) -> bool:
    """Write down how a fetch went; whether its job can be dispatched now.

    Only while the input is still this fetch's: after a lost lease another one may have concluded it.
    """
    with transaction.atomic(durable=True):
        job = Job.objects.select_for_update().get(pk=job_input.job_id)
        ours = JobInput.objects.filter(pk=job_input.pk, status=JobInput.PENDING, tries=job_input.tries)
        if job.status != QUEUED:
            return False
        if isinstance(outcome, _Staged):
            moved = ours.update(
                status=JobInput.STORED,
                bucket=settings.S3_PRIVATE_BUCKET,
                key=outcome.key,
                bytes=outcome.bytes,
                sha256=outcome.sha256,
                media_type=outcome.media_type,
            )
            if not moved or JobInput.objects.filter(job=job, status=JobInput.PENDING).exists():
                return False
            if ATTEMPT.apply("stage", Attempt.objects.filter(job=job)):
                append_event(job_id=job.pk, type="staged", now=now)
            return True
        if isinstance(outcome, Unavailable):
            # Our own bucket is away: the client's tries are not spent on it.
            ours.update(due_at=now + BUCKET_PAUSE, tries=job_input.tries - 1)
            return False
        if getattr(outcome, "retryable", False) and job_input.tries < MAX_TRIES:
            ours.update(due_at=now + timedelta(seconds=2**job_input.tries))
            return False
        if not ours.update(status=JobInput.REFUSED):
            return False
        conclude_failure(
            job=job,
            attempt=Attempt.objects.filter(job=job).latest("number"),
            code=outcome.code if isinstance(outcome, InputRefused) else "input_unavailable",
            message=str(outcome) if isinstance(outcome, InputRefused) else f"{job_input.path}: {outcome}",
            retryable=False,
            now=now,
        )
        return False
