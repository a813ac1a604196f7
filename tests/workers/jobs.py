"""Real jobs for real workers: an account with money, an order, and a node that lives."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from billing.price_versions import forget_cached_versions
from core import clock, ids
from media import buckets, dispatcher, keys
from media.catalog import registry
from media.fleet import selectors
from media.fleet import services as fleet
from media.models import Attempt, Job, JobEvent
from media.orders import prepare_order
from media.services.publish_prices import publish_missing_prices
from media.services.submit_job import submit_job
from tests.billing.conftest import new_account
from workers.protocol.envelope import AttemptMessage
from workers.protocol.pools import pools
from workers.protocol.signing import NodeCredential

NODE = "tests-node.example"
DEPOSIT = 1_000_000


def a_node(*, slots: int = 0) -> NodeCredential:
    """A registered node; with `slots`, one that has just said that it lives."""
    credential = fleet.register_node(node_id=NODE, pools=sorted(pools()))
    if slots:
        fleet.note_heartbeat(node_id=NODE, slots=slots, memory_bytes=1, version="", now=clock.now())
    return credential


def submit(task: str, task_input: Mapping[str, Any], *, account_id: UUID | None = None) -> Job:
    """A queued job of an account with a dollar."""
    forget_cached_versions()
    publish_missing_prices()
    order = prepare_order(
        account_id=account_id or new_account(DEPOSIT),
        task=registry.all_tasks()[task],
        raw_input=dict(task_input),
        now=clock.now(),
    )
    answer = submit_job(order=order, key_id=None, callback_url="", idempotency_key=None, now=clock.now())
    job_id = ids.decode(ids.JOB, answer.body["externalJobId"])
    assert job_id is not None
    return Job.objects.get(pk=job_id)


def dispatch(publish: dispatcher.Publish) -> int:
    """One round of the dispatcher, with the nodes as they are now and not as a second ago."""
    selectors._recent = (0.0, {})
    return dispatcher.dispatch(publish=publish, now=clock.now())


def dispatched() -> list[AttemptMessage]:
    """What the dispatcher would have sent."""
    messages: list[AttemptMessage] = []
    dispatch(messages.append)
    return messages


def stored_clip(path: Path, *, account_id: UUID) -> str:
    """The clip as an output of an earlier job of this account; its URL."""
    key = keys.output_key(account_id=account_id, job_id=ids.new(), attempt_id=ids.new(), name="output_0001.mp4")
    body = path.read_bytes()
    buckets.put(
        bucket=settings.S3_PUBLIC_BUCKET,
        key=key,
        body=body,
        media_type="video/mp4",
        sha256=hashlib.sha256(body).hexdigest(),
    )
    return buckets.public_url(key)


def history(job: Job) -> list[str]:
    """The job's events in order."""
    return list(JobEvent.objects.filter(job=job).order_by("seq").values_list("type", flat=True))


def attempts(job: Job) -> list[tuple[int, str, str]]:
    """Number, status and error of each attempt."""
    return list(Attempt.objects.filter(job=job).order_by("number").values_list("number", "status", "error_code"))
