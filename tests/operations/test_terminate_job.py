"""The operator ends a job: released, not billed, told to worker and client, whatever else happens at that moment."""

import json
from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from billing.selectors import audit
from core import clock, ids
from core.errors import InvalidState
from core.webhooks.models import WebhookDelivery
from media.models import Attempt, Job, JobEvent
from media.reaper import reap
from media.selectors import JobNotFound
from media.services.terminate_job import terminate_job
from tests.billing.racing import race
from tests.media.conftest import Hosted
from tests.media.customers import IMAGE_MICROS, Customer, new_customer
from tests.media.standin import PICTURE, StandIn
from tests.media.traces import events, kinds, lose_lease

pytestmark = pytest.mark.django_db


def terminate(job: Job, operator: User | None = None) -> bool:
    actor = operator.pk if operator is not None else None
    return terminate_job(job_id=job.pk, actor_id=actor, reason="runaway", now=clock.now())


def test_a_waiting_job(customer: Customer, operator: User, host: Hosted) -> None:
    job = customer.accepted(completionCallbackUrl=host.url("hook"))
    assert terminate(job, operator) is True
    assert terminate(job, operator) is False
    answer = customer.status(job)
    assert (answer["status"], answer["billed"], answer["errorCode"]) == ("terminated", False, "ended_by_operator")
    assert answer["billing"]["usdChargedMicros"] == 0
    assert customer.money() == (10_000_000, 0)
    assert (events(job), kinds(job)) == (["queued", "terminate_asked", "terminated"], ["hold", "release"])
    asked = JobEvent.objects.get(job=job, type="terminate_asked")
    assert asked.data == {"actor": str(operator.pk), "reason": "runaway"}
    delivery = WebhookDelivery.objects.get()
    assert json.loads(delivery.body)["status"] == "terminated"
    for secret in ("runaway", str(operator.pk)):
        assert secret not in delivery.body + json.dumps(customer.status(job, includeDetails="1"))


def test_the_worker_is_told_and_what_it_delivers_is_refused(customer: Customer, node: StandIn) -> None:
    job = customer.accepted()
    run = node.take(job)
    signed = run.result()
    run.upload(PICTURE, signed)
    assert terminate(job) is True
    assert run.progress(0.7).cancel is True
    assert run.complete(signed).status_code == 409
    assert run.fail(kind="canceled").status_code == 200
    assert reap(now=clock.now()) == 0
    answer = customer.status(job)
    assert (answer["status"], answer["downloadableOutputUrls"], answer["outputUrl"]) == ("terminated", [], None)
    assert list(Attempt.objects.filter(job=job).values_list("status", "fraction")) == [("canceled", 0.0)]
    assert (kinds(job), customer.money()) == (["hold", "release"], (10_000_000, 0))
    assert not WebhookDelivery.objects.exists()


def test_another_delivery_is_told_nothing(customer: Customer, node: StandIn, second_node: StandIn) -> None:
    job = customer.accepted()
    run = node.take(job)
    lose_lease(run.claim.attempt_id)
    assert reap(now=clock.now()) == 1
    again = second_node.take(job)
    terminate(job)
    assert again.progress(0.1).cancel is True
    assert run.report(0.9).status_code == 409


def test_what_has_ended_stays_as_it_is(customer: Customer, node: StandIn) -> None:
    job = customer.accepted()
    node.finish(job)
    with pytest.raises(InvalidState, match="already completed"):
        terminate(job)
    with pytest.raises(JobNotFound):
        terminate_job(job_id=ids.new(), actor_id=None, reason="why", now=clock.now())
    with pytest.raises(ValueError, match="say why"):
        terminate_job(job_id=job.pk, actor_id=None, reason="", now=clock.now())
    assert customer.status(job)["billed"] is True
    assert "terminate_asked" not in events(job)


def test_the_command(customer: Customer) -> None:
    job = customer.accepted()
    name = ids.encode(ids.JOB, job.pk)
    out = StringIO()
    call_command("terminate_job", name, "--reason=runaway", stdout=out)
    call_command("terminate_job", name, "--reason=runaway", stdout=out)
    assert out.getvalue().splitlines() == [f"{name} is terminated.", f"{name} was terminated before."]
    with pytest.raises(CommandError, match="is not a job's id"):
        call_command("terminate_job", str(job.pk), "--reason=runaway")
    with pytest.raises(CommandError, match="no such job"):
        call_command("terminate_job", ids.encode(ids.JOB, ids.new()), "--reason=runaway")


@pytest.mark.django_db(transaction=True)
def test_it_races_completion_and_the_money_goes_one_way(node: StandIn) -> None:
    for _ in range(4):
        customer = new_customer(IMAGE_MICROS)
        job = customer.accepted()
        run = node.take(job)
        signed = run.result()
        run.upload(PICTURE, signed)
        outcomes = race([partial(terminate, job), partial(run.complete, signed), partial(terminate, job)])
        job.refresh_from_db()
        if job.status == "completed":
            assert (kinds(job), customer.money()) == (["hold", "capture"], (0, 0))
            assert all(isinstance(outcomes[number][1], InvalidState) for number in (0, 2))
        else:
            assert job.status == "terminated"
            assert (kinds(job), customer.money()) == (["hold", "release"], (IMAGE_MICROS, 0))
            assert sorted(outcomes[number][0] for number in (0, 2)) == [False, True]
            assert outcomes[1][0].status_code == 409
    assert audit() == []
