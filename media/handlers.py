"""What other rooms' events mean for jobs."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core import clock, outbox_topics
from core.outbox.services import emit
from media.services.terminate_job import terminate_open_jobs

BATCH = 100


def end_unwanted_jobs(payload: Mapping[str, Any]) -> None:
    """`accountId` is to have no open job any more: BATCH of them end here, and the rest by further events."""
    actor = payload["actorId"]
    ended = terminate_open_jobs(
        account_id=UUID(payload["accountId"]),
        actor_id=UUID(actor) if actor is not None else None,
        reason=payload["reason"],
        limit=BATCH,
        now=clock.now(),
    )
    if ended == BATCH:
        emit(topic=outbox_topics.OPEN_JOBS_UNWANTED, payload=payload)
