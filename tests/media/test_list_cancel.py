"""The list of an account's jobs, and ending one that has not run."""

from datetime import timedelta
from typing import Any

import pytest

from billing.ledger.models import Transfer
from core import clock, ids
from media.models import Attempt, Job, JobEvent
from tests.media.conftest import Hosted
from tests.media.customers import JOBS, Customer, error
from tests.media.standin import StandIn, publish_all

pytestmark = pytest.mark.django_db


def listed(customer: Customer, **query: Any) -> list[str]:
    answer = customer.get(JOBS, **query)
    assert answer.status_code == 200, answer.content
    assert answer.json().keys() == {"ok", "jobs", "nextCursor"}
    return [entry["externalJobId"] for entry in answer.json()["jobs"]]


def public(*jobs: Job) -> list[str]:
    return [ids.encode(ids.JOB, job.pk) for job in jobs]


def test_an_empty_list(customer: Customer) -> None:
    assert customer.get(JOBS).json() == {"ok": True, "jobs": [], "nextCursor": None}


def test_the_newest_comes_first_and_nobody_elses_is_there(customer: Customer, other: Customer) -> None:
    jobs = [customer.accepted() for _ in range(3)]
    other.accepted()
    assert listed(customer) == public(*reversed(jobs))
    entry = customer.get(JOBS).json()["jobs"][0]
    assert entry == customer.status(jobs[2])
    assert "effectiveInput" not in entry
    detailed = customer.get(JOBS, includeDetails="1").json()["jobs"][0]
    assert detailed == customer.status(jobs[2], includeDetails="1")


def test_pages_follow_each_other_without_gap_or_repetition(customer: Customer) -> None:
    jobs = [customer.accepted() for _ in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    sizes = []
    while True:
        body = customer.get(JOBS, limit="2", **cursor).json()
        sizes.append(len(body["jobs"]))
        seen += [entry["externalJobId"] for entry in body["jobs"]]
        customer.accepted()  # what comes meanwhile is on no later page
        if body["nextCursor"] is None:
            break
        cursor = {"cursor": body["nextCursor"]}
    assert (seen, sizes) == (public(*reversed(jobs)), [2, 2, 1])


def test_a_page_that_holds_exactly_all_has_no_next(customer: Customer) -> None:
    for _ in range(2):
        customer.accepted()
    assert customer.get(JOBS, limit="2").json()["nextCursor"] is None
    assert customer.get(JOBS, limit="1").json()["nextCursor"] is not None


def test_lists_are_filtered(customer: Customer, node: StandIn, host: Hosted, clips: dict[str, bytes]) -> None:
    host.files = {"a.mp4": clips["one"]}
    first, second, third = (customer.accepted() for _ in range(3))
    clip = customer.accepted("video.resize", {"sourceVideoUrl": host.url("a.mp4"), "width": 64, "height": 64})
    customer.cancel(third)
    node.finish(first)
    assert listed(customer, task="video.resize") == public(clip)
    assert listed(customer, task="diagnostic.noop") == []
    assert listed(customer, status="completed") == public(first)
    assert listed(customer, status="canceled") == public(third)
    assert listed(customer, status="queued") == public(clip, second)
    assert listed(customer, status="queued", task="image.generate") == public(second)
    assert listed(customer, status="terminated") == []
    assert listed(customer, after=second.created_at.isoformat()) == public(clip, third)
    assert listed(customer, before=second.created_at.isoformat().replace("+00:00", "Z")) == public(first)
    assert listed(
        customer, before=(second.created_at + timedelta(hours=2)).isoformat(), after=first.created_at.isoformat()
    ) == public(clip, third, second)
    assert listed(customer, task="", status="", before="", after="", cursor="", limit="") == public(
        clip, third, second, first
    )


def test_a_retried_job_is_listed_once_with_its_latest_attempt(customer: Customer, node: StandIn) -> None:
    job = customer.accepted()
    node.take(job).fail()
    [entry] = customer.get(JOBS).json()["jobs"]
    assert (entry["externalJobId"], entry["attempts"]) == (public(job)[0], 2)


# -- cancel -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("published", [False, True])
def test_a_waiting_job_ends_at_once_and_costs_nothing(customer: Customer, published: bool, wakes: list[str]) -> None:
    job = customer.accepted()
    if published:
        publish_all()
    wakes.clear()
    answer = customer.cancel(job)
    assert answer.status_code == 200
    body = answer.json()
    assert body == customer.status(job)
    assert (body["status"], body["billed"], body["cancelRequested"]) == ("canceled", False, True)
    assert body["billedReason"] == "not billed: the job was canceled"
    assert (body["billing"]["usdChargedMicros"], body["queuePosition"], body["etaSeconds"]) == (0, None, None)
    assert customer.money() == (10_000_000, 0)
    assert Attempt.objects.get().status == "canceled"
    assert list(JobEvent.objects.order_by("seq").values_list("seq", "type")) == [(1, "queued"), (2, "canceled")]
    assert list(
        Transfer.objects.filter(reference__startswith="job:").order_by("id").values_list("kind", flat=True)
    ) == [
        "hold",
        "release",
    ]
    assert wakes == ["webhooks"]
    with customer.untouched():
        assert customer.cancel(job).json() == body


def test_a_running_job_is_asked_to_stop_once(customer: Customer, node: StandIn) -> None:
    run = node.take(customer.accepted())
    for _ in range(2):
        body = customer.cancel(run.job).json()
        assert (body["status"], body["cancelRequested"], body["billed"]) == ("processing", True, False)
    asked = run.job.cancel_requested_at
    assert asked is not None
    assert clock.now() - asked < timedelta(minutes=1)
    assert list(JobEvent.objects.order_by("seq").values_list("type", flat=True)) == [
        "queued",
        "started",
        "cancel_requested",
    ]
    assert customer.money() == (10_000_000 - 40_000, 40_000)


def test_a_finished_job_cannot_be_canceled(customer: Customer, node: StandIn) -> None:
    done, failed = customer.accepted(), customer.accepted()
    node.finish(done)
    node.take(failed).fail(retryable=False)
    for job, status in ((done, "completed"), (failed, "failed")):
        with customer.untouched():
            body = error(customer.cancel(job), 409, "invalid_state")
        assert (body["details"], body["error"]) == ({"status": status}, f"The job is already {status}.")
        assert customer.status(job)["cancelRequested"] is False


def test_a_job_between_two_attempts_ends_at_once(customer: Customer, node: StandIn) -> None:
    run = node.take(customer.accepted())
    run.fail()
    assert customer.cancel(run.job).json()["status"] == "canceled"
    assert list(Attempt.objects.order_by("number").values_list("status", flat=True)) == ["failed", "canceled"]
    assert customer.money() == (10_000_000, 0)
    assert publish_all() == []
