"""One real submit and one real status read through the whole of Django, with their SQL written down."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.test import Client

from core import ids
from deploy.bench.statements import Slot, Statement, generalise, hold_reference, recording
from deploy.bench.traffic import NOOP, SUBMIT_PATH


class UnexpectedStatements(RuntimeError):
    """The platform's SQL is not of the shape that the floors are built for."""


@dataclass(frozen=True, kw_only=True)
class Captured:
    """What the floors do: the same statements, the same size of answers."""

    submit: list[Statement]
    """Between BEGIN and COMMIT, in order."""
    submit_beside: list[str]
    """What a submit sends outside of its transaction."""
    submit_answer: dict[str, Any]
    status: Statement
    status_answer: dict[str, Any]

    def packed(self) -> dict[str, Any]:
        """As JSON."""
        own = {**vars(self), "submit": [one.packed() for one in self.submit], "status": self.status.packed()}
        return own

    @classmethod
    def unpacked(cls, packed: dict[str, Any]) -> "Captured":
        """The inverse of `packed`."""
        submit = [Statement.unpacked(one) for one in packed["submit"]]
        return cls(**{**packed, "submit": submit, "status": Statement.unpacked(packed["status"])})


def capture(*, key: str) -> Captured:
    """Submit diagnostic.noop twice and read a status twice; the second of each, when the caches are warm, counts.

    Raises:
        UnexpectedStatements: a submit or a status read failed, or a status read is more than one statement.
    """
    client = Client(SERVER_NAME="127.0.0.1", headers={"x-api-key": key})
    _submit(client)
    with recording() as seen:
        submitted = _submit(client)
    job_id = ids.decode(ids.JOB, submitted["externalJobId"])
    if job_id is None:
        raise UnexpectedStatements(f"a submit answered {submitted}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, account_id FROM media_attempt WHERE job_id = %s", [job_id])
        ((attempt_id, account_id),) = cursor.fetchall()
    known: dict[Slot, Any] = {Slot.JOB: job_id, Slot.ATTEMPT: attempt_id, Slot.ACCOUNT: account_id}
    known[Slot.HOLD] = hold_reference(job_id)
    _status(client, submitted["externalJobId"])
    with recording() as read:
        status = _status(client, submitted["externalJobId"])
    selects = [one for one in read if one.sql.startswith("SELECT") and "media_job" in one.sql]
    if len(selects) != 1 or any(one.sql.lstrip()[:6].upper() in {"INSERT", "UPDATE", "DELETE"} for one in read):
        raise UnexpectedStatements(f"a status read sends {[one.sql[:80] for one in read]}")
    return Captured(
        submit=generalise([one for one in seen if one.in_transaction], known),
        submit_beside=[one.sql for one in seen if not one.in_transaction],
        submit_answer=submitted,
        status=generalise(selects, known)[0],
        status_answer=status,
    )


def slot_values(*, job: Any, attempt: Any, account: Any, now: datetime) -> dict[Slot, Any]:
    """Every slot of one submit."""
    return {
        Slot.JOB: job,
        Slot.ATTEMPT: attempt,
        Slot.ACCOUNT: account,
        Slot.HOLD: hold_reference(job),
        Slot.NOW: now,
    }


def _submit(client: Client) -> dict[str, Any]:
    return _answer(client.post(SUBMIT_PATH, data=json.dumps(NOOP), content_type="application/json"), 201)


def _status(client: Client, public_id: str) -> dict[str, Any]:
    return _answer(client.get(SUBMIT_PATH, {"jobId": public_id}), 200)


def _answer(response: Any, expected: int) -> dict[str, Any]:
    if response.status_code != expected:
        raise UnexpectedStatements(f"answered {response.status_code}: {response.content[:300]!r}")
    answer: dict[str, Any] = response.json()
    return answer
