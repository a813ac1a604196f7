"""The envelope of a submit or an estimate, parsed by hand because its shape is closed and its errors are documented."""

from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request

from core import http
from core.errors import InvalidRequest
from core.idempotency import services as idempotency
from core.messages import shown
from media.api.messages import CALLBACK_LENGTH
from media.catalog import registry
from media.catalog.task import Task

_FIELDS = {"task", "input", "idempotencyKey", "completionCallbackUrl"}


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """A well-formed envelope; its input is not validated yet."""

    task: Task
    raw_input: Any
    idempotency_key: str | None
    callback_url: str
    quote: str | None


def read_job_request(request: Request) -> JobRequest:
    """Parse the envelope of a request.

    Raises:
        InvalidRequest: naming each wrong field.
    """
    body = request.data
    if not isinstance(body, dict):
        raise InvalidRequest({"": "the body must be a JSON object"})
    wrong = dict.fromkeys(map(shown, body.keys() - _FIELDS), "is not a field of this request")
    wrong |= {name: "is required" for name in ("task", "input") if name not in body}
    for name in ("idempotencyKey", "completionCallbackUrl"):
        if name in body and not isinstance(body[name], str):
            wrong[name] = "must be a text"
    callback_url = body.get("completionCallbackUrl")
    if callback_url is not None and "completionCallbackUrl" not in wrong:
        wrong |= _callback_faults(callback_url)
    if wrong:
        raise InvalidRequest(dict(sorted(wrong.items())))
    header = idempotency.header_of(request.headers)
    return JobRequest(
        task=registry.get(body["task"]),
        raw_input=body["input"],
        idempotency_key=idempotency.one_key(header=header, body=body.get("idempotencyKey")),
        callback_url=callback_url or "",
        quote=request.headers.get("X-Quote-Id"),
    )


def _callback_faults(url: str) -> dict[str, str]:
    if not 1 <= len(url) <= CALLBACK_LENGTH:
        return {"completionCallbackUrl": f"must have 1 to {CALLBACK_LENGTH} characters"}
    try:
        http.check_url(url)
    except http.HttpError as error:
        return {"completionCallbackUrl": str(error)}
    return {}
