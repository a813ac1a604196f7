"""What goes to the broker: as much as the living pools can take, fairly, and nothing that a stranger could use."""

import base64
import json
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from celery import Celery
from django.conf import settings as django_settings
from redis import Redis

from core import clock, ids
from gateway import celery
from media.catalog.task import Facts
from media.dispatcher import dispatch
from media.fleet import selectors as fleet
from media.fleet.services import register_node
from media.models import Attempt, Job, Node
from tests.media.customers import Customer, new_customer
from tests.media.standin import StandIn, publish_all
from workers.protocol.envelope import AttemptMessage

pytestmark = pytest.mark.django_db


def go(seconds: float = 0) -> list[AttemptMessage]:
    sent: list[AttemptMessage] = []
    fleet._recent = (0.0, {})
    assert dispatch(publish=sent.append, now=clock.now() + timedelta(seconds=seconds)) == len(sent)
    return sent


def owners(messages: list[AttemptMessage]) -> list[Any]:
    return [Attempt.objects.get(pk=message.attempt_id).account_id for message in messages]


def statuses() -> list[str]:
    return list(Attempt.objects.order_by("id").values_list("status", flat=True))


def keep_alive(seconds: float) -> None:
    """The nodes go on beating for a dispatcher of the future."""
    Node.objects.update(last_seen_at=clock.now() + timedelta(seconds=seconds))


def test_a_pool_gets_its_slots_and_what_it_may_hold_ready(customer: Customer, node: StandIn) -> None:
    for _ in range(6):
        customer.accepted()
    assert len(go()) == 4  # two slots, and two more for the pool of images
    assert statuses() == ["published"] * 4 + ["ready"] * 2
    assert go() == []
    first = node.claim(Attempt.objects.order_by("id")[0].pk)
    assert go() == []
    assert first.deliver().status_code == 200
    assert len(go()) == 1
    assert statuses() == ["succeeded"] + ["published"] * 4 + ["ready"]


def test_more_nodes_take_more(customer: Customer, node: StandIn) -> None:
    for _ in range(9):
        customer.accepted()
    second = StandIn(credential=register_node(node_id="node-2", pools=["image"]))
    second.heartbeat(slots=3)
    assert len(go()) == 7


def test_pools_do_not_take_from_each_other(customer: Customer, node: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media.sources._probe_one", lambda resolved: Facts(duration=Fraction(2)))
    for _ in range(5):
        customer.accepted()
        job = customer.accepted("video.combine", {"videoUrls": ["https://example.com/a", "https://example.com/b"]})
        Attempt.objects.filter(job=job).update(status="ready")
    sent = go()
    assert [message.pool for message in sent].count("image") == 4
    assert [message.pool for message in sent].count("video-tools") == 3
    assert {(message.pool, message.task) for message in sent} == {
        ("image", "image.generate"),
        ("video-tools", "video.combine"),
    }


def test_accounts_take_turns(customer: Customer, other: Customer, node: StandIn) -> None:
    third = new_customer()
    for _ in range(10):
        customer.accepted()
    for _ in range(3):
        other.accepted()
    third.accepted()
    assert sorted(owners(go()), key=str) == sorted([customer.id, customer.id, other.id, third.id], key=str)


def test_what_an_account_has_in_flight_counts_against_its_turn(
    customer: Customer, other: Customer, node: StandIn
) -> None:
    for _ in range(8):
        customer.accepted()
    assert len(go()) == 4
    for _ in range(2):
        other.accepted()
    runs = [
        node.claim(pk)
        for pk in Attempt.objects.filter(status="published").order_by("id").values_list("pk", flat=True)[:2]
    ]
    for run in runs:
        run.deliver()
    assert owners(go()) == [other.id, other.id]


def test_the_oldest_goes_first_within_an_account_and_priority_before_all(customer: Customer, other: Customer) -> None:
    jobs = [customer.accepted() for _ in range(5)] + [other.accepted()]
    Attempt.objects.filter(job=jobs[4]).update(priority=5)
    chosen = {Attempt.objects.get(pk=message.attempt_id).job_id for message in go()}
    assert chosen == {jobs[4].pk, jobs[0].pk, jobs[1].pk, jobs[5].pk}


def test_nothing_goes_to_a_dead_pool(customer: Customer, node: StandIn) -> None:
    customer.accepted()
    for gone in (
        {"last_seen_at": clock.now() - timedelta(seconds=21)},
        {"last_seen_at": None},
        {"last_seen_at": clock.now(), "disabled_at": clock.now()},
        {"last_seen_at": clock.now(), "disabled_at": None, "drain_requested_at": clock.now()},
        {"last_seen_at": clock.now(), "drain_requested_at": None, "slots": 0},
        {"last_seen_at": clock.now(), "slots": 2, "pools": ["video-tools"]},
    ):
        Node.objects.update(**gone)
        assert go() == []
        assert statuses() == ["ready"]
    Node.objects.update(pools=["image"])
    assert len(go()) == 1


def test_an_unclaimed_message_is_sent_again_after_half_a_minute(customer: Customer, node: StandIn) -> None:
    customer.accepted()
    [first] = go()
    keep_alive(60)
    assert go(29) == []
    assert go(31) == [first]
    assert statuses() == ["published"]
    assert go(59) == []
    assert go(62) == [first]


def test_a_claimed_attempt_is_not_sent_again(customer: Customer, node: StandIn) -> None:
    node.take(customer.accepted())
    keep_alive(60)
    assert go(60) == []


def test_what_the_broker_refuses_goes_back_and_is_sent_later(customer: Customer, node: StandIn) -> None:
    for _ in range(4):
        customer.accepted()
    sent: list[AttemptMessage] = []

    def flaky(message: AttemptMessage) -> None:
        if len(sent) == 1:
            raise ConnectionError("the broker is away")
        sent.append(message)

    assert dispatch(publish=flaky, now=clock.now()) == 1
    assert sorted(statuses()) == ["published", "ready", "ready", "ready"]
    assert {message.attempt_id for message in go()} == set(
        Attempt.objects.exclude(pk=sent[0].attempt_id).values_list("pk", flat=True)
    )


def test_a_republished_message_that_the_broker_refuses_is_not_lost(customer: Customer) -> None:
    customer.accepted()
    [first] = go()
    keep_alive(60)

    def away(message: AttemptMessage) -> None:
        raise ConnectionError

    assert dispatch(publish=away, now=clock.now() + timedelta(seconds=31)) == 0
    assert statuses() == ["ready"]
    assert go(32) == [first]


def test_a_canceled_job_is_not_sent(customer: Customer) -> None:
    job = customer.accepted()
    customer.cancel(job)
    assert publish_all() == []


def test_the_message_in_the_broker_holds_no_input_no_url_and_no_secret(customer: Customer, node: StandIn) -> None:
    job: Job = customer.accepted(
        task_input={"prompt": "a very private prompt"}, completionCallbackUrl="https://example.com/hook?token=hidden"
    )
    attempt = Attempt.objects.get(job=job)
    broker = Redis.from_url(django_settings.CELERY_BROKER_URL)
    broker.delete("pool.image")
    assert dispatch(publish=celery.publish, now=clock.now()) == 1
    raw = broker.rpop("pool.image")
    assert isinstance(raw, bytes)
    assert broker.llen("pool.image") == 0
    message = json.loads(raw)
    arguments, keywords, _ = json.loads(base64.b64decode(message["body"]))
    assert arguments == []
    assert keywords == {"v": 1, "attempt_id": str(attempt.pk), "task": "image.generate", "pool": "image"}
    assert message["headers"]["task"] == "workers.run_attempt"
    text = raw.decode() + base64.b64decode(message["body"]).decode()
    secrets = [
        customer.key,
        "private prompt",
        "example.com",
        "hidden",
        node.credential.secret.hex(),
        "http://",
        "https://",
    ]
    secrets += [customer.public_id, str(customer.id), ids.encode(ids.JOB, job.pk), django_settings.S3_SECRET_KEY]
    assert not [secret for secret in secrets if secret in text]


def test_a_broker_that_is_away_leaves_everything_ready(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    customer.accepted()
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)  # Celery would take it before its own setting
    lost = Celery("lost", broker="redis://127.0.0.1:9/0", set_as_current=False)
    lost.conf.update(task_publish_retry=False, broker_connection_timeout=1)
    monkeypatch.setattr(celery, "app", lost)
    assert dispatch(publish=celery.publish, now=clock.now()) == 0
    assert statuses() == ["ready"]
