"""Any page may call the API with a key; none with its visitor's session; and pages for people are nobody else's."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from tests.media.customers import JOBS, Customer, error

pytestmark = pytest.mark.django_db

PAGE = "https://elsewhere.example"
FOREIGN = {"Origin": PAGE}
HEADERS = {
    "authorization",
    "content-type",
    "idempotency-key",
    "payment-signature",
    "x-api-key",
    "x-idempotency-key",
    "x-quote-id",
}
SHOWN = {
    "Deprecation",
    "Idempotent-Replay",
    "PAYMENT-REQUIRED",
    "PAYMENT-RESPONSE",
    "Retry-After",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-Id",
}


def words(answer: Any, header: str) -> set[str]:
    return {word.strip() for word in answer[header].split(",")}


def too_large(customer: Customer) -> Any:
    length = str(django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    return customer.http.post(JOBS, {}, content_type="application/json", headers=FOREIGN, CONTENT_LENGTH=length)


def open_to_all(answer: Any) -> None:
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.parametrize(
    ("path", "method"),
    [(JOBS, "POST"), ("/api/v1/balance", "GET"), ("/api/v1/auth/browser/session", "DELETE"), ("/api/v1/nope", "POST")],
)
def test_a_browser_may_ask_before_it_calls(path: str, method: str) -> None:
    answer = Client().options(
        path,
        headers=FOREIGN
        | {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization, x-quote-id"},
    )
    assert answer.status_code == 200
    open_to_all(answer)
    assert words(answer, "Access-Control-Allow-Headers") == HEADERS
    assert words(answer, "Access-Control-Allow-Methods") >= {"GET", "POST", "DELETE", "PATCH"}
    assert int(answer["Access-Control-Max-Age"]) > 0
    assert not answer.content
    assert not answer.cookies


def test_a_call_with_a_key_is_open_to_all_and_shows_its_headers(customer: Customer) -> None:
    for answer in (
        customer.get("/api/v1/balance", headers=FOREIGN),
        customer.submit(headers=FOREIGN),
        customer.http.get("/api/v1/health", headers=FOREIGN),
    ):
        assert answer.status_code in {200, 201}
        open_to_all(answer)
        assert words(answer, "Access-Control-Expose-Headers") == SHOWN


def test_asking_before_a_call_is_not_counted(customer: Customer) -> None:
    asked = Client().options(JOBS, headers=FOREIGN | {"Access-Control-Request-Method": "POST"})
    assert "X-RateLimit-Limit" not in asked
    assert asked["X-Request-Id"].startswith("req_")


def test_errors_can_be_read_there_too(customer: Customer, settings: Any) -> None:
    refused = [
        (customer.http.get("/api/v1/balance", headers=FOREIGN), 401, "unauthenticated"),
        (
            customer.http.get("/api/v1/balance", headers=FOREIGN | {"x-api-key": "kt_live_wrong"}),
            401,
            "unauthenticated",
        ),
        (customer.get("/api/v1/nope", headers=FOREIGN), 404, "route_not_found"),
        (customer.get(JOBS, headers=FOREIGN, jobId="job_x"), 404, "not_found"),
        (customer.submit(task_input={}, headers=FOREIGN), 400, "invalid_request"),
        (too_large(customer), 413, "payload_too_large"),
        (customer.http.put("/api/v1/health", headers=FOREIGN), 405, "method_not_allowed"),
    ]
    settings.RATE_LIMITS = {"write": 0, "read": 0, "sign_in": 0}
    refused += [
        (customer.get("/api/v1/balance", headers=FOREIGN), 429, "rate_limited"),
        (customer.http.get("/api/v1/nope", headers=FOREIGN), 429, "rate_limited"),
    ]
    for answer, status, code in refused:
        error(answer, status, code)
        open_to_all(answer)
        assert words(answer, "Access-Control-Expose-Headers") == SHOWN


def test_no_page_for_people_and_no_workers_route_is_open(customer: Customer) -> None:
    for path in ("/admin/login/", "/sign-in", "/account", "/link", "/api-docs", "/legal", "/workers/v1/x", "/readyz"):
        for method in ("get", "options"):
            answer = getattr(customer.http, method)(path, headers=FOREIGN | {"Access-Control-Request-Method": "POST"})
            assert "Access-Control-Allow-Origin" not in answer, (path, method)


def test_an_answer_to_our_own_pages_lets_no_session_be_read_elsewhere(customer: Customer) -> None:
    answer = customer.http.get("/api/v1/auth/browser/session", headers=FOREIGN)
    open_to_all(answer)  # `*` without credentials: a browser sends no cookie along
