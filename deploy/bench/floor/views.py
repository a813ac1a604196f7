"""Two plain functions: the transaction of a submit, the SELECT of a status read. No parsing, no checks, no caller."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import uuid_utils.compat as uuid_utils
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

from deploy.bench.capture import Captured, slot_values
from deploy.bench.statements import Slot, Values
from deploy.bench.traffic import account_uuid

_captured = Captured.unpacked(json.loads(Path(os.environ["BENCH_STATEMENTS"]).read_text()))


def submit(request: HttpRequest, account: int) -> HttpResponse:
    """What a submit writes, for the account of this number."""
    write_submit(_captured, account_id=account_uuid(account))
    return _json(_captured.submit_answer, status=201)


def status(request: HttpRequest, account: int, job_id: UUID) -> HttpResponse:
    """What a status read reads."""
    read_status(_captured, {Slot.JOB: job_id, Slot.ACCOUNT: account_uuid(account)})
    return _json(_captured.status_answer)


def write_submit(captured: Captured, *, account_id: UUID) -> UUID:
    """The statements of one submit with a new job's values; the job's id."""
    job_id = uuid_utils.uuid7()
    values = slot_values(job=job_id, attempt=uuid_utils.uuid7(), account=account_id, now=datetime.now(UTC))
    with transaction.atomic(durable=True):
        for statement in captured.submit:
            with connection.cursor() as cursor:
                cursor.execute(statement.sql, statement.bind(values))
                if cursor.description:
                    cursor.fetchall()
    return job_id


def read_status(captured: Captured, values: Values) -> None:
    """The one SELECT of a status read.

    Raises:
        LookupError: there is no such job: the run would measure nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(captured.status.sql, captured.status.bind(values))
        if not cursor.fetchall():
            raise LookupError(f"no job for {values}")


def _json(answer: object, *, status: int = 200) -> HttpResponse:
    body = json.dumps(answer, separators=(",", ":"))  # as small as the platform writes it
    return HttpResponse(
        body, status=status, content_type="application/json", headers={"Content-Length": str(len(body))}
    )


urlpatterns = [
    path("submit/<int:account>", submit),
    path("status/<int:account>/<uuid:job_id>", status),
]
