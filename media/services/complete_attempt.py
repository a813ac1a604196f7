"""A run's outputs are accepted, its job completed and billed: the one way, for workers and for the reaper."""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from pydantic import ValidationError

from core.errors import ApiError, InvalidState
from media import buckets, keys
from media.fleet import services as fleet
from media.models import Attempt, Job, Node
from media.selectors import attempt_with_job
from media.services.attempts import LeaseLost
from media.services.fail_attempt import conclude_failure
from media.services.settle import NotMeasurable, end_job, settlement
from media.transitions import ATTEMPT, ATTEMPT_RUNNING, ATTEMPT_SUCCEEDED
from workers.protocol.result import AttemptResult, Output, SignedResult


class Completion(StrEnum):
    """How a completion went."""

    COMPLETED = "completed"
    REPLAYED = "replayed"
    CANCELED = "canceled"
    OUTPUTS_REFUSED = "outputs_refused"


class ForgedResult(ApiError):
    """The result is not signed by the node that holds the attempt, or not for this attempt."""

    code = "forbidden"
    http_status = 403


class ConflictingResult(InvalidState):
    """The attempt was completed with another result."""


def complete_attempt(*, attempt_id: UUID, signed: SignedResult, now: datetime) -> Completion:
    """Check the outputs in the bucket, then, in one transaction, complete the job and capture what it costs.

    Whoever presents the result (the worker, or the reaper that found it in the bucket), the checks are the same:
    the signature of the node that holds the attempt, each output's length, type and hash in the bucket.
    The same result again is REPLAYED. A job whose end was asked for becomes canceled, not billed. Missing or wrong
    outputs fail the attempt (retryable).

    Raises:
        ForgedResult: signature, node, attempt or delivery do not fit; nothing changed.
        ConflictingResult: completed before with another result.
        LeaseLost: the attempt ended otherwise.
        StorageUnavailable: the bucket does not answer; nothing changed.
    """
    attempt = attempt_with_job(attempt_id=attempt_id)
    if attempt is None:
        raise LeaseLost
    result = _open(attempt, signed)
    digest = hashlib.sha256(signed.result.encode()).hexdigest()
    if attempt.status == ATTEMPT_SUCCEEDED:
        return _compare(attempt, digest)
    if attempt.status != ATTEMPT_RUNNING:
        raise LeaseLost
    wrong, charge = _wrong_output(attempt, result), {}
    if not wrong:
        try:
            charge = settlement(job=attempt.job, outputs=result.outputs)
        except NotMeasurable:
            wrong = "the bill cannot be made from the outputs"
    with transaction.atomic(durable=True):
        job = _lock(attempt.job)
        if wrong:
            return _refuse(job, attempt, wrong, now)
        moved = ATTEMPT.apply(
            "cancel" if job.cancel_requested_at else "succeed",
            Attempt.objects.filter(pk=attempt.pk, status=ATTEMPT_RUNNING),
            finished_at=now,
            fraction=1.0,
            result_sha256=digest,
        )
        if not moved:
            attempt.refresh_from_db()
            if attempt.status == ATTEMPT_SUCCEEDED:
                return _compare(attempt, digest)
            raise LeaseLost
        attempt.fraction = 1.0  # as the callback shows it
        if job.cancel_requested_at:
            end_job(job=job, attempt=attempt, transition="cancel", now=now)
            return Completion.CANCELED
        end_job(
            job=job,
            attempt=attempt,
            transition="complete",
            now=now,
            outputs=[_stored(job, attempt, output) for output in result.outputs],
            result=result.info,
            duration_ms=result.run_ms,
            **charge,
        )
        return Completion.COMPLETED


def _lock(job: Job) -> Job:
    """Lock the job's row and read again what may have changed since it was read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, cancel_requested_at FROM media_job WHERE id = %s FOR UPDATE", [job.pk])
        job.status, job.cancel_requested_at = cursor.fetchone()
    return job


def _open(attempt: Attempt, signed: SignedResult) -> AttemptResult:
    node = fleet.find_node(attempt.node_id)
    if node is None or signed.node_id != node.pk or not _is_genuine(signed, node):
        raise ForgedResult
    try:
        result = signed.opened()
    except ValidationError as error:
        raise ForgedResult("The result document is malformed.") from error
    if result.attempt_id != attempt.pk or result.delivery_id != attempt.delivery_id:
        raise ForgedResult
    return result


def _is_genuine(signed: SignedResult, node: Node) -> bool:
    return any(signed.is_genuine(secret) for secret in fleet.accepted_secrets(node))


def _compare(attempt: Attempt, digest: str) -> Completion:
    if attempt.result_sha256 != digest:
        raise ConflictingResult
    return Completion.REPLAYED


def _wrong_output(attempt: Attempt, result: AttemptResult) -> str:
    for output in result.outputs:
        head = buckets.head(bucket=settings.S3_PUBLIC_BUCKET, key=_key(attempt, output))
        if head is None:
            return f"{output.name} is not in the bucket"
        if (head.bytes, head.sha256, head.media_type) != (output.bytes, output.sha256, output.media_type):
            return f"{output.name} in the bucket is not the file that was declared"
    return ""


def _refuse(job: Job, attempt: Attempt, wrong: str, now: datetime) -> Completion:
    conclude_failure(
        job=job, attempt=attempt, code="outputs_missing", message=f"The worker's output was lost: {wrong}.",
        retryable=True, now=now,
    )  # fmt: skip
    return Completion.OUTPUTS_REFUSED


def _stored(job: Job, attempt: Attempt, output: Output) -> dict[str, Any]:
    return {
        "name": output.name,
        "key": _key(attempt, output),
        "mediaType": output.media_type,
        "bytes": output.bytes,
        "sha256": output.sha256,
        "width": output.width,
        "height": output.height,
        "seconds": output.seconds,
    }


def _key(attempt: Attempt, output: Output) -> str:
    return keys.output_key(
        account_id=attempt.account_id, job_id=attempt.job_id, attempt_id=attempt.pk, name=output.name
    )
