"""How a job ends: one place moves it to a terminal state, settles its hold and queues its callback."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from billing.services.capture_hold import HeldAmount, capture_hold
from billing.services.release_hold import release_hold
from core.webhooks.services import enqueue_delivery
from media import answers
from media.catalog import registry
from media.events import append_event
from media.models import Attempt, Job, JobInput
from media.services.submit_job import hold_reference
from media.transitions import COMPLETED, JOB
from workers.protocol.result import Output

TOPIC_TERMINAL = "media.job_terminal"


def end_job(*, job: Job, attempt: Attempt, transition: str, now: datetime, **changes: Any) -> bool:
    """Move `job` along a terminal transition with its money and its callback, in the caller's transaction.

    A completed job's hold is captured: whole, or, where the changes name `charged_micros`, so much of it, and the
    rest released. Any other ending releases it. False when somebody else ended the job first: then nothing was touched.
    """
    changes |= {"updated_at": now, "finished_at": now}
    if not JOB.apply(transition, Job.objects.filter(pk=job.pk), **changes):
        return False
    for name, value in {**changes, "status": JOB.target(transition)}.items():
        setattr(job, name, value)
    if job.has_inputs:
        JobInput.objects.filter(job=job, status=JobInput.PENDING).update(status=JobInput.REFUSED)
    append_event(job_id=job.pk, type=job.status, now=now, data={"attempt": attempt.number, "code": job.error_code})
    if job.callback_url:
        enqueue_delivery(
            account_id=job.account_id,
            topic=TOPIC_TERMINAL,
            subject_id=job.pk,
            url=job.callback_url,
            body=json.dumps(
                answers.callback_body(job=job, attempt=attempt, now=now), separators=(",", ":"), ensure_ascii=False
            ),
            now=now,
        )
    hold = HeldAmount(account_id=job.account_id, reference=hold_reference(job.pk), amount=job.price_micros)
    if job.status == COMPLETED:
        capture_hold(hold=hold, amount=job.price_micros if job.charged_micros is None else job.charged_micros)
    else:
        release_hold(hold=hold)
    return True


class NotMeasurable(Exception):
    """The outputs do not show what the job's bill is made from."""


def settlement(*, job: Job, outputs: Sequence[Output]) -> dict[str, Any]:
    """What a completed job is charged, as changes of its row; nothing where its hold is its price.

    Should the outputs come to more than was held, the hold is charged; both figures are kept.

    Raises:
        NotMeasurable: the outputs cannot be measured.
    """
    task = registry.all_tasks()[job.task]
    meta = job.pricing_meta
    try:
        units = task.settle(meta["units"], outputs) if task.settle is not None else None
    except (ValueError, IndexError) as error:
        raise NotMeasurable from error
    if units is None:
        return {}
    computed = task.prices[meta["formula"]](units, meta["coefficients"])
    charged = min(computed, job.price_micros)
    settled = {
        "units": dict(units),
        "heldMicros": job.price_micros,
        "computedMicros": computed,
        "chargedMicros": charged,
    }
    return {"charged_micros": charged, "pricing_meta": {**meta, "settlement": settled}}
