"""The log: one JSON line a request with its ids, and never a key, a signed URL or a callback's query string."""

import io
import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.webhooks.delivery import deliver_due
from core.webhooks.secrets import current_secret
from media.reaper import reap
from media.staging import stage_due
from tests.core.origin import Origin, answer
from tests.media.customers import PROMPT, Customer
from tests.media.standin import PICTURE, StandIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Read what the configured handler has written since the last reading."""
    stream = io.StringIO()
    [handler] = [h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler]
    monkeypatch.setattr(handler, "stream", stream)

    def read() -> list[dict[str, Any]]:
        text = stream.getvalue()
        stream.truncate(0)
        stream.seek(0)
        return [json.loads(line) for line in text.splitlines()]

    return read


def test_each_request_is_one_json_line_with_its_ids(customer: Customer, written: Any) -> None:
    written()
    answered = customer.submit()
    [line] = written()
    assert line.pop("ms") >= 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "gateway.access",
        "method": "POST",
        "path": "/api/v1/media/jobs",
        "status": 201,
        "request_id": answered["X-Request-Id"],
        "account_id": customer.public_id,
        "job_id": answered.json()["externalJobId"],
    }
    answered = customer.get("/api/v1/media/jobs", jobId=answered.json()["externalJobId"])
    [line] = written()
    assert (line["account_id"], line["job_id"]) == (customer.public_id, answered.json()["externalJobId"])


def test_one_requests_account_is_not_the_next_ones(customer: Customer, written: Any) -> None:
    customer.submit()
    written()
    customer.http.get("/api/v1/health")
    [line] = written()
    assert line.keys() & {"account_id", "job_id"} == set()


def test_a_defect_is_told_in_the_log_under_the_requests_id(
    customer: Customer, written: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("media.api.views.prepare_order", broken)
    written()
    answered = customer.submit()
    found = [line for line in written() if line["event"] == "unhandled_error"]
    assert len(found) == 1
    assert (found[0]["level"], found[0]["request_id"]) == ("error", answered["X-Request-Id"])
    assert "ZeroDivisionError: a defect" in found[0]["exception"]


def test_probes_are_not_logged(customer: Customer, written: Any) -> None:
    written()
    customer.http.get("/readyz")
    customer.http.get("/metrics")
    assert [line for line in written() if line["event"] == "request"] == []


def test_no_secret_reaches_the_log(customer: Customer, node: StandIn, written: Any, settings: Any) -> None:
    """A whole life of jobs, good and bad, at the most talkative level."""
    root = logging.getLogger()
    level = root.level
    root.setLevel("DEBUG")
    try:
        with Origin(lambda request: answer(b"ok" if request.method == "POST" else b"no picture")) as origin:
            settings.HTTP_ALLOWED_TARGETS = [f"127.0.0.1:{origin.port}"]
            base = f"http://127.0.0.1:{origin.port}"
            job = customer.accepted(
                completionCallbackUrl=f"{base}/hook?token=callback-secret", headers={"Idempotency-Key": "idem-secret"}
            )
            run = node.take(job)
            signed = run.result()
            grant = run.upload(PICTURE, signed)
            run.complete(signed)
            deliver_due(limit=10, now=clock.now())
            customer.accepted(task_input={**PROMPT, "referenceImageUrls": [f"{base}/a.png?sig=input-secret"]})
            stage_due(limit=5, now=clock.now())
            customer.submit(task_input={"prompt": 5}, completionCallbackUrl="https://example.com/?x=bad-secret")
            customer.get("/api/v1/balance?api_key=query-secret")
            customer.http.get("/api/v1/balance", headers={"x-api-key": customer.key[:-1]})
            reap(now=clock.now() + timedelta(hours=30))
            secret = current_secret(account_id=customer.id, now=clock.now()).secret
            assert origin.requests
    finally:
        root.setLevel(level)
    text = json.dumps(written())
    assert ids.encode(ids.ACCOUNT, customer.id) in text
    signature = grant.result.url.partition("X-Amz-Signature=")[2][:64]
    assert len(signature) == 64
    secrets = [
        customer.key,
        customer.key[17:],
        "callback-secret",
        "input-secret",
        "bad-secret",
        "query-secret",
        "X-Amz-Signature",
        signature,
        secret,
        node.credential.secret.hex(),
        settings.S3_SECRET_KEY,
        settings.API_KEY_PEPPER,
        settings.NODE_MASTER_KEY,
        PROMPT["prompt"],
    ]
    assert [value for value in secrets if value in text] == []
