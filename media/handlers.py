"""What other rooms' events mean for jobs."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core import clock, outbox_topics
from core.outbox.services import emit
from media.services.erase_jobs import erase_jobs as erase
from media.services.terminate_job import terminate_open_jobs

BATCH = 100
ERASED_AT_ONCE = 500


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


def erase_jobs(payload: Mapping[str, Any]) -> None:
    """`accountId` was deleted: what its jobs were asked and where they reported is erased, its files are to go.

    ERASED_AT_ONCE jobs here, from the one after `after`, and the rest by further events.
    """
    account_id, after = UUID(payload["accountId"]), payload.get("after")
    last = erase(
        account_id=account_id,
        after=UUID(after) if after is not None else None,
        limit=ERASED_AT_ONCE,
        now=clock.now(),
    )
    if last is not None:
        emit(topic=outbox_topics.ERASURE_CONTINUES, payload={"accountId": str(account_id), "after": str(last)})
