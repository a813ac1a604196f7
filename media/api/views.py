"""Submit, look, list, cancel, estimate, and the catalogue."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.utils.dateparse import parse_datetime
from pydantic.alias_generators import to_camel
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller_of
from billing.micros import usd
from billing.price_versions import current_price_version
from billing.selectors import balance
from billing.services.place_hold import AccountInDebt, InsufficientBalance, SpendLimitExceeded
from core import clock, ids
from core.errors import InvalidRequest, InvalidState
from core.idempotency import services as idempotency
from core.operations import Scope, header_parameter, operation, query_parameter
from core.wake import wake_steward
from media import answers, quotes
from media.api.messages import (
    CancelJob,
    Catalogue,
    Estimate,
    JobList,
    JobStatus,
    SubmittedJob,
    job_request_schema,
)
from media.api.requests import JobRequest, read_job_request
from media.buckets import StorageUnavailable
from media.catalog import registry
from media.catalog.task import Task
from media.content_policy import ContentRefused, PolicyUnavailable
from media.fleet.selectors import PoolState, PoolUnavailable, recent_pool_states, require_pool
from media.gemini import GeminiNotConfigured, GeminiUnavailable
from media.models import Attempt
from media.orders import Order, prepare_order
from media.quotes import QuoteMismatch
from media.selectors import JobNotFound, latest_attempt, list_jobs, queue_position
from media.services.cancel_job import cancel_job
from media.services.submit_job import CREATED, IDEMPOTENCY_ROUTE, Submitted, TooManyJobs, replay, submit_job
from media.transitions import JOB_STATUSES
from workers.protocol.pools import pool_of, pools

LARGE_BODY_BYTES = 64_000
"""From here on a request's balance is looked at before its media are decoded."""
DEFAULT_LIMIT = 20
MAX_LIMIT = 100
_KEY_HEADER = "An idempotency key: printable characters, the same as the body's if that has one."
_KEY_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 200}
_ORDER_ERRORS = (ContentRefused, PolicyUnavailable, StorageUnavailable, GeminiNotConfigured, GeminiUnavailable)
_DETAILS = query_parameter(
    "includeDetails",
    "`1` or `true`: with the effective input, the adjustments and the engine's own report.",
    schema={"type": "string", "enum": ["1", "true", "0", "false"]},
)
_LIST_PARAMETERS = (
    query_parameter("jobId", "Read this job instead of listing.", schema={"type": "string", "minLength": 1}),
    _DETAILS,
    query_parameter("task", "List only jobs of this task.", schema={"type": "string", "minLength": 1}),
    query_parameter("status", "List only jobs that stand so.", schema={"type": "string", "enum": list(JOB_STATUSES)}),
    query_parameter("before", "List only jobs accepted before.", schema={"type": "string", "format": "date-time"}),
    query_parameter("after", "List only jobs accepted after.", schema={"type": "string", "format": "date-time"}),
    query_parameter("cursor", "A page's `nextCursor`.", schema={"type": "string", "pattern": "^job_"}),
    query_parameter(
        "limit",
        "How many jobs a page has.",
        schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    ),
)


class JobsView(APIView):
    """/api/v1/media/jobs"""

    @operation(
        id="submitMediaJob",
        tag="media",
        summary="Submit a job",
        description=(
            "Validates the input, prices it, holds the price and queues the job. With an idempotency key (in the body "
            "or in a header; the same in both) a repetition answers 200 with the first answer and runs nothing again."
        ),
        scope=Scope.MEDIA_WRITE,
        body=job_request_schema,
        answers={201: SubmittedJob, 200: SubmittedJob},
        headers={200: ["Idempotent-Replay"]},
        parameters=[
            *(header_parameter(name, _KEY_HEADER, schema=_KEY_SCHEMA) for name in idempotency.HEADERS),
            header_parameter("X-Quote-Id", "An estimate's `quoteId`: that price is held, or the answer is 409."),
        ],
        errors=[
            *_ORDER_ERRORS,
            InsufficientBalance,
            AccountInDebt,
            SpendLimitExceeded,
            idempotency.IdempotencyConflict,
            QuoteMismatch,
            PoolUnavailable,
            TooManyJobs,
        ],
    )
    def post(self, request: Request) -> Response:
        """Submit: 201 with the answer, or 200 with the same answer when the idempotency key was seen before."""
        asked = read_job_request(request)
        caller = caller_of(request)
        account_id = caller.id
        now = clock.now()
        key = _idempotency_key(account_id, asked)
        earlier = replay(key=key) if key is not None else None
        if earlier is not None:
            return _submitted(earlier)
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGE_BODY_BYTES:
            _require_floor(account_id, asked.task)
        order = _order(account_id, asked, now)
        require_pool(pools()[order.pool])
        done = submit_job(
            order=order,
            key_id=caller.key_id,
            limits=caller.spend_limits,
            callback_url=asked.callback_url,
            idempotency_key=key,
            now=now,
        )
        if not done.replayed:
            wake_steward("staging" if order.fetches_inputs else "dispatcher")
        return _submitted(done)

    @operation(
        id="getMediaJobs",
        tag="media",
        summary="Read one job, or list jobs",
        description="With `jobId` that job; without it a page of the account's jobs, newest first.",
        scope=Scope.MEDIA_READ,
        answers={200: (JobStatus, JobList)},
        parameters=_LIST_PARAMETERS,
        errors=[JobNotFound],
    )
    def get(self, request: Request) -> Response:
        """One job with `jobId`, else the list."""
        if "jobId" in request.query_params:
            return Response(_status(request, request.query_params["jobId"]))
        return Response(_list(request))


class CancelView(APIView):
    """/api/v1/media/jobs/cancel"""

    @operation(
        id="cancelMediaJob",
        tag="media",
        summary="Stop a job",
        description=(
            "A waiting job is canceled at once; a running one as soon as its worker hears of it, a few seconds later. "
            "Neither is charged. Asking again changes nothing."
        ),
        scope=Scope.MEDIA_WRITE,
        body=CancelJob,
        answers={200: JobStatus},
        parameters=[_DETAILS],
        errors=[JobNotFound, InvalidState],
    )
    def post(self, request: Request) -> Response:
        """Stop the job named by `jobId`; answers its status."""
        body = request.data
        if not isinstance(body, dict) or set(body) != {"jobId"} or not isinstance(body["jobId"], str):
            raise InvalidRequest({"jobId": 'send {"jobId": "job_…"}'})
        cancel_job(account_id=caller_of(request).id, public_id=body["jobId"], now=clock.now())
        wake_steward("webhooks")
        return Response(_status(request, body["jobId"]))


class EstimateView(APIView):
    """/api/v1/media/estimate"""

    @operation(
        id="estimateMediaJob",
        tag="media",
        summary="Price an input",
        description=(
            "The same body, validation and price as a submit; nothing is held or stored. `quoteId` binds the price."
        ),
        scope=Scope.MEDIA_READ,
        body=job_request_schema,
        answers={200: Estimate},
        errors=_ORDER_ERRORS,
    )
    def post(self, request: Request) -> Response:
        """The same validation and price as a submit; nothing is held or stored. `quoteId` binds the price."""
        asked = read_job_request(request)
        order = prepare_order(
            account_id=caller_of(request).id, task=asked.task, raw_input=asked.raw_input, now=clock.now()
        )
        return Response(
            {
                **answers.order_answer(order),
                "quoteId": quotes.issue(order=order),
                "quoteExpiresInSeconds": quotes.LIFETIME_SECONDS,
                "billed": False,
            }
        )


class TasksView(APIView):
    """/api/v1/media/tasks"""

    @operation(
        id="listMediaTasks",
        tag="media",
        summary="The catalogue",
        description="Every task on offer: the schema of its input, an example, its price today, and who runs it.",
        scope=Scope.MEDIA_READ,
        answers={200: Catalogue},
    )
    def get(self, request: Request) -> Response:
        """The catalogue as data."""
        now = clock.now()
        states = recent_pool_states()
        return Response({"tasks": [_catalogue_entry(task, states, now) for task in registry.offered()]})


def _idempotency_key(account_id: UUID, asked: JobRequest) -> idempotency.Key | None:
    if asked.idempotency_key is None:
        return None
    return idempotency.Key(
        account_id=account_id,
        route=IDEMPOTENCY_ROUTE,
        key=asked.idempotency_key,
        fingerprint=idempotency.fingerprint({"task": asked.task.name, "input": asked.raw_input}),
    )


def _order(account_id: UUID, asked: JobRequest, now: datetime) -> Order:
    if asked.quote is None:
        return prepare_order(account_id=account_id, task=asked.task, raw_input=asked.raw_input, now=now)
    binding = quotes.open_quote(
        token=asked.quote, account_id=account_id, task=asked.task.name, raw_input=asked.raw_input
    )
    order = prepare_order(account_id=account_id, task=asked.task, raw_input=asked.raw_input, now=now, binding=binding)
    quotes.confirm(order=order, binding=binding)
    return order


def _require_floor(account_id: UUID, task: Task) -> None:
    available = balance(account_id=account_id).available
    if available < task.floor_micros:
        raise InsufficientBalance(required=task.floor_micros, available=available)


def _submitted(done: Submitted) -> Response:
    _log_job(done.body["externalJobId"])
    if done.replayed:
        return Response(done.body, status=status.HTTP_200_OK, headers={"Idempotent-Replay": "true"})
    return Response(done.body, status=CREATED)


def _log_job(public_id: str) -> None:
    """Put the job's id on the request's log lines: only one that is known to be the caller's."""
    structlog.contextvars.bind_contextvars(job_id=public_id)


def _status(request: Request, public_id: str) -> dict[str, Any]:
    attempt = latest_attempt(account_id=caller_of(request).id, public_id=public_id)
    _log_job(ids.encode(ids.JOB, attempt.job_id))
    return _job(attempt, details=_flag(request.query_params.get("includeDetails", "")))


def _job(attempt: Attempt, *, details: bool) -> dict[str, Any]:
    return answers.job_answer(
        job=attempt.job,
        attempt=attempt,
        details=details,
        queue_position=queue_position(attempt=attempt),
        now=clock.now(),
    )


def _list(request: Request) -> dict[str, Any]:
    query = request.query_params
    wrong: dict[str, str] = {
        name: "is not a parameter of this list"
        for name in query
        if name not in {"task", "status", "before", "after", "cursor", "limit", "includeDetails"}
    }
    if query.get("task") and query["task"] not in registry.all_tasks():
        wrong["task"] = "is not a task of this platform"
    if query.get("status") and query["status"] not in JOB_STATUSES:
        wrong["status"] = f"must be one of {', '.join(JOB_STATUSES)}"
    times: dict[str, datetime | None] = {}
    for name in ("before", "after"):
        times[name] = _time(query[name]) if query.get(name) else None
        if query.get(name) and times[name] is None:
            wrong[name] = "must be an RFC 3339 time"
    limit = int(query["limit"]) if re.fullmatch("[0-9]{1,3}", query.get("limit", "")) else None
    if query.get("limit") and (limit is None or not 1 <= limit <= MAX_LIMIT):
        wrong["limit"] = f"must be 1 to {MAX_LIMIT}"
    cursor = ids.decode(ids.JOB, query["cursor"]) if query.get("cursor") else None
    if query.get("cursor") and cursor is None:
        wrong["cursor"] = "is not one that this list gave"
    if wrong:
        raise InvalidRequest(wrong)
    limit = limit or DEFAULT_LIMIT
    page = list_jobs(
        account_id=caller_of(request).id,
        task=query.get("task"),
        status=query.get("status"),
        before=times["before"],
        after=times["after"],
        cursor=cursor,
        limit=limit + 1,
    )
    more = len(page) > limit
    page = page[:limit]
    details = _flag(query.get("includeDetails", ""))
    return {
        "ok": True,
        "jobs": [_job(attempt, details=details) for attempt in page],
        "nextCursor": ids.encode(ids.JOB, page[-1].job_id) if more else None,
    }


def _time(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _flag(text: str) -> bool:
    return text.lower() in {"1", "true"}


def _catalogue_entry(task: Task, states: dict[str, PoolState], now: datetime) -> dict[str, Any]:
    version = current_price_version(task=task.name, now=now)
    state = states[pool_of(task.name).name]
    return {
        "task": task.name,
        "title": task.title,
        "inputSchema": task.input_model.published_schema(),
        "exampleInput": dict(task.example_input),
        "presets": {name: {to_camel(key): value for key, value in p.items()} for name, p in task.presets.items()},
        "price": {
            "formula": version.formula,
            "coefficients": dict(version.coefficients),
            "explanation": task.explanation,
            "minimumUsdMicros": task.floor_micros,
            "minimumUsd": usd(task.floor_micros),
        },
        "pool": {"name": state.pool.name, "liveNodes": state.live_nodes, "slots": state.slots},
        "etaSeconds": {"minimum": task.eta_range[0], "maximum": task.eta_range[1]},
    }
