"""Takedown: the files are gone at once, the record stays for good, the bill stays as it was."""

from datetime import timedelta
from io import StringIO
from typing import Any

import httpx
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from core import clock, ids
from media import buckets
from media.buckets import StorageUnavailable
from media.models import Job, TakeDown
from media.retention import sweep
from media.selectors import JobNotFound
from media.services.take_down import StillOpen, take_down
from tests.media.customers import IMAGE_MICROS, Customer, error
from tests.media.standin import PICTURE, StandIn
from tests.media.test_contract import SCHEMAS, check
from tests.media.test_retention import objects
from tests.media.traces import events

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(customer: Customer, node: StandIn) -> Job:
    """A picture that was made."""
    job = customer.accepted()
    node.finish(job)
    return job


def test_the_files_are_gone_and_the_answers_say_so(
    done: Job, customer: Customer, node: StandIn, operator: User
) -> None:
    kept = customer.accepted()
    node.finish(kept)
    before = customer.status(done, includeDetails="1")
    [url] = before["downloadableOutputUrls"]
    assert httpx.get(url).content == PICTURE["output_0001.webp"][1]
    money = customer.money()

    assert take_down(job_id=done.pk, actor_id=operator.pk, reason="a notice", now=clock.now()) == 2
    assert httpx.get(url).status_code in {403, 404}
    assert objects(done) == []
    after = customer.status(done, includeDetails="1")
    check(after, SCHEMAS["MediaJobStatusResponse"], "status")
    changed = {"outputUrl": None, "expectedOutputUrls": [], "downloadableOutputUrls": []}
    changed |= {"outputsExpired": True, "takenDown": True, "updatedAt": after["updatedAt"]}
    assert after == before | changed
    assert customer.money() == money == (10_000_000 - 2 * IMAGE_MICROS, 0)
    record = TakeDown.objects.get()
    assert (record.job_id, record.actor_id, record.reason) == (done.pk, operator.pk, "a notice")
    assert "a notice" not in str(customer.status(done, includeDetails="1"))
    assert events(done)[-1] == "taken_down"
    assert len(objects(kept)) == 2
    assert "takenDown" not in customer.status(kept)


def test_it_is_no_input_any_more(done: Job, customer: Customer) -> None:
    url = customer.status(done)["outputUrl"]
    take_down(job_id=done.pk, actor_id=None, reason="a notice", now=clock.now())
    answer = customer.submit("image.edit", {"prompt": "again", "sourceImageUrl": url})
    assert "input.sourceImageUrl" in error(answer, 400, "invalid_request")["details"]["fields"]


def test_a_bucket_that_is_away_gets_it_later(
    done: Job, customer: Customer, monkeypatch: pytest.MonkeyPatch, later: Any
) -> None:
    with monkeypatch.context() as patch:

        def away(**where: str) -> int:
            raise StorageUnavailable

        patch.setattr(buckets, "delete_prefix", away)
        with pytest.raises(StorageUnavailable):
            take_down(job_id=done.pk, actor_id=None, reason="a notice", now=clock.now())
        with pytest.raises(CommandError, match="It is recorded"):
            call_command("take_down", ids.encode(ids.JOB, done.pk), "--reason=a notice")
    assert len(objects(done)) == 2
    assert customer.status(done)["downloadableOutputUrls"] == []
    assert sweep(now=clock.now()) == 1
    assert (objects(done), sweep(now=clock.now())) == ([], 0)
    assert TakeDown.objects.count() == 1


def test_what_has_not_ended_is_ended_first(customer: Customer) -> None:
    job = customer.accepted()
    with pytest.raises(StillOpen):
        take_down(job_id=job.pk, actor_id=None, reason="a notice", now=clock.now())
    with pytest.raises(JobNotFound):
        take_down(job_id=ids.new(), actor_id=None, reason="a notice", now=clock.now())
    with pytest.raises(ValueError, match="say why"):
        take_down(job_id=job.pk, actor_id=None, reason="", now=clock.now())
    assert not TakeDown.objects.exists()
    assert Job.objects.get(pk=job.pk).taken_down_at is None


def test_by_command_with_a_url(done: Job, customer: Customer) -> None:
    url = customer.status(done)["outputUrl"]
    out = StringIO()
    call_command("take_down", url, "--reason=a notice", stdout=out)
    call_command("take_down", url, "--reason=another", stdout=out)
    assert out.getvalue().splitlines() == ["2 files are deleted.", "0 files are deleted."]
    assert TakeDown.objects.get().reason == "a notice"
    for wrong in ("https://example.com/a.png", f"{url}?x=1", f"{django_settings.CDN_BASE_URL}/", "job_short"):
        with pytest.raises(CommandError, match="neither a job's id nor the URL"):
            call_command("take_down", wrong, "--reason=a notice")


def test_an_expired_job_can_be_taken_down_too(done: Job, customer: Customer) -> None:
    sweep(now=clock.now() + timedelta(hours=73))
    assert take_down(job_id=done.pk, actor_id=None, reason="a notice", now=clock.now()) == 0
    assert customer.status(done)["takenDown"] is True


@pytest.mark.parametrize("statement", ["UPDATE media_takedown SET reason = ''", "DELETE FROM media_takedown"])
def test_the_record_is_never_changed(statement: str, done: Job) -> None:
    take_down(job_id=done.pk, actor_id=None, reason="a notice", now=clock.now())
    with pytest.raises(IntegrityError, match="media_takedown"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert TakeDown.objects.get().reason == "a notice"
