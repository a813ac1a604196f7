"""A customer with money and a key, who calls the API through every middleware; and what the books say of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

from django.test import Client

from accounts.services.keys import mint_key
from accounts.services.users import create_account
from billing.ledger.models import Transfer
from billing.selectors import balance
from billing.services.credit_deposit import credit_deposit
from billing.services.open_account import open_account
from core import clock, ids
from core.idempotency.models import IdempotencyRecord
from core.webhooks.models import WebhookDelivery
from media.models import Attempt, Job, JobEvent, JobInput

JOBS = "/api/v1/media/jobs"
ESTIMATE = "/api/v1/media/estimate"
IMAGE = "image.generate"
PROMPT = {"prompt": "a red barn under a pale moon"}
IMAGE_MICROS = 40_000
_numbers = count(1)


@dataclass(frozen=True)
class Books:
    """Everything a submit could leave behind for one account."""

    available: int
    held: int
    transfers: int
    jobs: int
    attempts: int
    inputs: int
    events: int
    answers: int
    deliveries: int


@dataclass(frozen=True)
class Customer:
    """One account and its API key."""

    id: UUID
    key_id: UUID
    key: str = field(repr=False)
    http: Client = field(default_factory=lambda: Client(raise_request_exception=False), repr=False)

    @property
    def public_id(self) -> str:
        return ids.encode(ids.ACCOUNT, self.id)

    def post(self, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> Any:
        return self.http.post(
            path,
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.key}"} | (headers or {}),
        )

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self.http.get(path, query, headers={"Authorization": f"Bearer {self.key}"} | (headers or {}))

    def submit(
        self, task: str = IMAGE, task_input: Any = PROMPT, *, headers: dict[str, str] | None = None, **envelope: Any
    ) -> Any:
        return self.post(JOBS, {"task": task, "input": task_input, **envelope}, headers=headers)

    def accepted(self, task: str = IMAGE, task_input: Any = PROMPT, **more: Any) -> Job:
        """Submit what must be accepted; its row."""
        answer = self.submit(task, task_input, **more)
        assert answer.status_code == 201, answer.content
        return self.job(answer.json()["externalJobId"])

    def job(self, public_id: str) -> Job:
        job_id = ids.decode(ids.JOB, public_id)
        assert job_id is not None
        return Job.objects.get(pk=job_id, account_id=self.id)

    def status(self, job: Job, **query: Any) -> dict[str, Any]:
        answer = self.get(JOBS, jobId=ids.encode(ids.JOB, job.pk), **query)
        assert answer.status_code == 200, answer.content
        body: dict[str, Any] = answer.json()
        return body

    def cancel(self, job: Job) -> Any:
        return self.post(f"{JOBS}/cancel", {"jobId": ids.encode(ids.JOB, job.pk)})

    def money(self) -> tuple[int, int]:
        """(available, held)"""
        view = balance(account_id=self.id)
        return view.available, view.held

    def books(self) -> Books:
        available, held = self.money()
        return Books(
            available=available,
            held=held,
            transfers=Transfer.objects.count(),
            jobs=Job.objects.count(),
            attempts=Attempt.objects.count(),
            inputs=JobInput.objects.count(),
            events=JobEvent.objects.count(),
            answers=IdempotencyRecord.objects.count(),
            deliveries=WebhookDelivery.objects.count(),
        )

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Whatever happens inside: no money moves and no row of anybody's is written."""
        before = self.books()
        yield
        assert self.books() == before


def new_customer(deposit: int = 10_000_000) -> Customer:
    """An account with `deposit` micros and one key."""
    user = create_account(email=f"customer-{next(_numbers)}-{ids.new().hex[-8:]}@example.com")
    open_account(account_id=user.pk)
    if deposit:
        credit_deposit(account_id=user.pk, amount=deposit, provider="stripe", reference=f"deposit:{user.pk}:paid")
    minted = mint_key(user=user, label="tests", now=clock.now())
    return Customer(id=user.pk, key_id=minted.key.pk, key=minted.plain)


def error(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The answer's error body, checked for the one documented shape."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Request-Id"].startswith("req_")
    body: dict[str, Any] = answer.json()
    assert body.keys() - {"retryAfter", "billed"} == {"error", "code", "details"}
    assert body["code"] == code
    assert isinstance(body["error"], str)
    assert body["error"]
    assert isinstance(body["details"], dict)
    return body


def refused_fields(answer: Any, *, status: int = 400, code: str = "invalid_request") -> dict[str, str]:
    """The paths an answer refuses, each with its reason; a media answer says that nothing was billed."""
    body = error(answer, status, code)
    assert body["billed"] is False
    fields: dict[str, str] = body["details"]["fields"]
    assert fields
    assert all(isinstance(reason, str) and reason for reason in fields.values())
    return fields
