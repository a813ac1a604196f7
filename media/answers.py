"""A job as clients see it: the submit answer, the status answer and the terminal callback share one shape."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from billing.micros import usd
from core import clock, ids
from media import buckets, keys
from media.catalog import registry
from media.models import Attempt, Job
from media.orders import Order
from media.transitions import CANCELED, COMPLETED, FAILED, PROCESSING, QUEUED, TERMINATED

_BILLED_REASON = {
    QUEUED: "held, not billed: the job waits",
    PROCESSING: "held, not billed: the job runs",
    COMPLETED: "billed: the job completed",
    FAILED: "not billed: the job failed",
    CANCELED: "not billed: the job was canceled",
    TERMINATED: "not billed: the job was ended by a deadline or the operator",
}


def order_answer(order: Order) -> dict[str, Any]:
    """What an estimate and a submit both say of an order."""
    return {
        "ok": True,
        "task": order.task.name,
        "usdChargedMicros": order.price_micros,
        "usdCharged": usd(order.price_micros),
        "pricingMeta": order.pricing_meta,
        "estimatedDurationSeconds": order.estimate.seconds,
        "durationEstimateMeta": order.estimate.meta,
        "effectiveInput": order.normalised.effective_input,
        "inputAdjustments": [adjustment.wire() for adjustment in order.normalised.adjustments],
    }


def submit_answer(order: Order, job: Job) -> dict[str, Any]:
    """The 201 of a submit, but for the balance after it (`with_balance`)."""
    public_id = ids.encode(ids.JOB, job.pk)
    return {
        **order_answer(order),
        "externalJobId": public_id,
        "stagedInputCount": job.staged_input_count,
        "billing": _billing(job),
        "result": {"jobId": public_id, "status": job.status},
        "billed": False,
        "billedReason": _BILLED_REASON[QUEUED],
    }


def with_balance(answer: Mapping[str, Any], *, available_after: int) -> dict[str, Any]:
    """The submit answer with what was available right after the hold."""
    return {**answer, "usdBalanceMicros": available_after, "usdBalance": usd(available_after)}


def job_answer(
    *, job: Job, attempt: Attempt, details: bool, queue_position: int | None = None, now: datetime
) -> dict[str, Any]:
    """The status of a job.

    `attempt` is the job's latest; `details` adds the engine's own result, the effective input and the adjustments.
    """
    public_id = ids.encode(ids.JOB, job.pk)
    done = job.status == COMPLETED
    taken_down = job.taken_down_at is not None
    swept = job.swept_at is not None or taken_down
    urls = [buckets.public_url(output["key"]) for output in job.outputs] if done and not swept else []
    result: dict[str, Any] = {
        "jobId": public_id,
        "status": job.status,
        "startedAt": clock.rfc3339(job.started_at) if job.started_at else None,
        "finishedAt": clock.rfc3339(job.finished_at) if job.finished_at else None,
    }
    answer: dict[str, Any] = {
        "ok": True,
        "task": job.task,
        "externalJobId": public_id,
        "status": job.status,
        "result": result,
        "estimatedDurationSeconds": job.estimated_seconds,
        "durationEstimateMeta": job.duration_meta,
        "billing": _billing(job),
        "createdAt": clock.rfc3339(job.created_at),
        "updatedAt": clock.rfc3339(job.updated_at),
        "durationMs": job.duration_ms,
        "outputFiles": [_output_file(output) for output in job.outputs] if done else None,
        "outputUrl": urls[0] if urls else None,
        "generatedImageIds": None,
        "expectedOutputUrls": urls or ([] if swept else _expected(job, attempt)),
        "downloadableOutputUrls": urls,
        "billed": done,
        "billedReason": _BILLED_REASON[job.status],
        "progress": 1.0 if done else round(attempt.fraction, 3),
        "queuePosition": queue_position,
        "etaSeconds": _eta(job, attempt, now),
        "attempts": attempt.number,
        "cancelRequested": job.cancel_requested_at is not None,
    }
    if done and job.task.startswith("image."):
        answer["generatedImageIds"] = {output["name"]: output["sha256"] for output in job.outputs}
    if swept and done:
        answer["outputsExpired"] = True
    if taken_down:
        answer["takenDown"] = True
    if job.error_code:
        answer["error"] = job.error_message
        answer["errorCode"] = job.error_code
    if details:
        answer["detailsIncluded"] = True
        answer["effectiveInput"] = job.effective_input
        answer["inputAdjustments"] = job.adjustments
        result["upstream"] = job.result
    return answer


def callback_body(*, job: Job, attempt: Attempt, now: datetime) -> dict[str, Any]:
    """What the terminal callback carries."""
    return {**job_answer(job=job, attempt=attempt, details=True, now=now), "callbackType": "media_job_terminal"}


def _billing(job: Job) -> dict[str, Any]:
    price = job.price_micros if job.charged_micros is None else job.charged_micros
    charged = 0 if job.status in {FAILED, CANCELED, TERMINATED} else price
    return {
        "usdChargedMicros": charged,
        "usdCharged": usd(charged),
        "pricingMeta": job.pricing_meta,
        "stagedInputCount": job.staged_input_count,
    }


def _output_file(output: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": output["name"],
        "type": output["mediaType"],
        "bytes": output["bytes"],
        "width": output["width"],
        "height": output["height"],
        "seconds": output["seconds"],
    }


def _expected(job: Job, attempt: Attempt) -> list[str]:
    task = registry.all_tasks()[job.task]
    names = task.output_names(task.params_model.model_validate(job.params))
    return [
        buckets.public_url(keys.output_key(account_id=job.account_id, job_id=job.pk, attempt_id=attempt.pk, name=name))
        for name in names
    ]


def _eta(job: Job, attempt: Attempt, now: datetime) -> float | None:
    if job.status == QUEUED:
        return job.estimated_seconds
    if job.status != PROCESSING or attempt.claimed_at is None:
        return None
    spent = (now - attempt.claimed_at).total_seconds()
    whole = spent / attempt.fraction if attempt.fraction >= 0.05 else max(job.estimated_seconds, spent)
    return round(max(whole - spent, 0.0), 1)
