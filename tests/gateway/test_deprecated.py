"""Routes of former times name their successors, whoever asks and whatever they send."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import ApiKey
from core.idempotency.models import IdempotencyRecord
from tests.media.customers import Customer, error, new_customer

pytestmark = pytest.mark.django_db
ROUTES = {
    ("get", "/api/v1/credits/balance"): "GET /api/v1/balance",
    ("post", "/api/v1/credits/consume"): "POST /api/v1/media/jobs",
}


@pytest.fixture
def somebody() -> Customer:
    return new_customer()


@pytest.mark.parametrize(("route", "replacement"), ROUTES.items(), ids=str)
def test_gone_with_a_key_without_and_with_nonsense(
    somebody: Customer, route: tuple[str, str], replacement: str
) -> None:
    method, path = route
    client = Client(raise_request_exception=False)
    credentials: list[dict[str, str]] = [
        {},
        {"Authorization": f"Bearer {somebody.key}"},
        {"x-api-key": somebody.key},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic xyz", "x-api-key": "é"},
    ]
    for headers in credentials:
        with somebody.untouched():
            answer = getattr(client, method)(path, headers=headers | {"Idempotency-Key": "once"})
            body = error(answer, 410, "gone")
        assert body == {
            "error": f"This route is gone: use {replacement}.",
            "code": "gone",
            "details": {"replacement": replacement},
            "billed": False,
        }
        assert answer["Deprecation"] == "true"
        assert "WWW-Authenticate" not in answer
    assert ApiKey.objects.count() == 1
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"{", "application/json"), (b"a=1", "application/x-www-form-urlencoded"), (b"[]", "application/json")],
)
def test_no_body_is_looked_at(body: bytes, content_type: str) -> None:
    answer: Any = Client().generic("POST", "/api/v1/credits/consume", body, content_type=content_type)
    error(answer, 410, "gone")


def test_other_methods_are_not_taken() -> None:
    for method, path in (("post", "/api/v1/credits/balance"), ("get", "/api/v1/credits/consume")):
        answer = getattr(Client(), method)(path)
        error(answer, 405, "method_not_allowed")
        assert answer["Deprecation"] == "true"
