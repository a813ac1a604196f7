"""A device link over the real routes, as a program and as its person walk it."""

from typing import Any

from django.test import Client

from accounts.models import SecurityEvent
from tests.accounts.credentials import KEY_FORM
from tests.media.customers import Customer

START, REQUEST, APPROVE, DENY, POLL = (
    f"/api/v1/device/link/{step}" for step in ("start", "request", "approve", "deny", "poll")
)
NO_SUCH = "BBBB-BBBB"


def post(path: str, body: Any = None, **headers: str) -> Any:
    client = Client(raise_request_exception=False)
    return client.post(path, {} if body is None else body, content_type="application/json", headers=headers)


def look(code: str, *, address: str = "127.0.0.1", **headers: str) -> Any:
    client = Client(raise_request_exception=False)
    return client.get(REQUEST, {"userCode": code}, headers=headers, REMOTE_ADDR=address)


def start(**body: Any) -> dict[str, Any]:
    answer = post(START, body)
    assert answer.status_code == 200, answer.content
    started: dict[str, Any] = answer.json()
    return started


def approve(customer: Customer, started: dict[str, Any], **body: Any) -> Any:
    return customer.post(APPROVE, {"userCode": started["userCode"], **body})


def poll(started: dict[str, Any]) -> Any:
    return post(POLL, {"deviceCode": started["deviceCode"]})


def granted(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.content
    assert answer["Cache-Control"] == "no-store"
    body: dict[str, Any] = answer.json()
    assert KEY_FORM.fullmatch(body["apiKey"])
    return body


def status(started: dict[str, Any]) -> str:
    return str(look(started["userCode"]).json()["status"])


def kinds(*wanted: str) -> list[str]:
    return list(SecurityEvent.objects.filter(kind__in=wanted).order_by("id").values_list("kind", flat=True))


def decisions() -> list[str]:
    return kinds(SecurityEvent.DEVICE_APPROVED, SecurityEvent.DEVICE_DENIED)
