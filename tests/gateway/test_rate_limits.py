"""So many requests a minute for each key; for those without one, for each address."""

import time
from typing import Any

import pytest
from django.test import Client

from core import valkey
from gateway import throttling
from media.models import Job
from tests.media.customers import JOBS, Customer, error, new_customer, refused_fields

pytestmark = pytest.mark.django_db
HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


@pytest.fixture(autouse=True)
def _a_quiet_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute that does not turn while a test runs, and that no other test counts in."""
    valkey.valkey().flushdb()
    throttling._shares.clear()
    now = time.time() // 60 * 60 + 20
    monkeypatch.setattr(throttling, "time", type("Stopped", (), {"time": staticmethod(lambda: now)}))


def limits(answer: Any) -> tuple[int, int, int]:
    found = tuple(int(answer[name]) for name in HEADERS)
    assert len(found) == 3
    return found


def test_every_api_answer_says_where_the_limit_is(customer: Customer, settings: Any) -> None:
    settings.RATE_LIMITS = {"write": 50, "read": 70}
    reset = int(throttling.time.time()) + 40
    assert limits(customer.submit()) == (50, 49, reset)
    assert limits(customer.submit(task_input={})) == (50, 48, reset)
    assert limits(customer.get(JOBS, jobId="x")) == (70, 69, reset)
    assert limits(customer.get("/api/v1/balance")) == (70, 68, reset)
    for answer in (
        customer.http.get("/api/v1/health"),
        customer.http.get("/api/v1/nope"),
        customer.http.get("/api/v1/balance"),
        customer.http.get("/api/v1/balance", headers={"x-api-key": "kt_live_wrong"}),
        customer.http.put("/api/v1/health"),
    ):
        assert limits(answer)[0] in {50, 70}


def test_one_too_many_is_a_429_that_says_when_to_come_back(customer: Customer, settings: Any) -> None:
    settings.RATE_LIMITS = {"write": 3, "read": 5}
    for remaining in (2, 1, 0):
        answer = customer.submit()
        assert (answer.status_code, limits(answer)[1]) == (201, remaining)
    with customer.untouched():
        answer = customer.submit()
        body = error(answer, 429, "rate_limited")
    assert (body["retryAfter"], answer["Retry-After"], limits(answer)[1]) == (40, "40", 0)
    assert body["billed"] is False
    assert Job.objects.count() == 3
    assert customer.get("/api/v1/balance").status_code == 200  # reading is another class


def test_keys_do_not_share_a_limit(customer: Customer, settings: Any) -> None:
    settings.RATE_LIMITS = {"write": 1, "read": 5}
    other = new_customer()
    assert [customer.submit().status_code, customer.submit().status_code] == [201, 429]
    assert other.submit().status_code == 201


def test_a_new_minute_starts_afresh(customer: Customer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RATE_LIMITS = {"write": 1, "read": 5}
    assert [customer.submit().status_code, customer.submit().status_code] == [201, 429]
    then = throttling.time.time() + 60
    monkeypatch.setattr(throttling, "time", type("Stopped", (), {"time": staticmethod(lambda: then)}))
    assert customer.submit().status_code == 201


def test_guessing_keys_is_limited_by_address(customer: Customer, settings: Any) -> None:
    settings.RATE_LIMITS = {"write": 5, "read": 3}
    wrong = {"x-api-key": "kt_live_wrong"}
    found = [customer.http.get("/api/v1/balance", headers=wrong).status_code for _ in range(5)]
    assert found == [401, 401, 401, 429, 429]
    assert customer.http.get("/api/v1/balance", headers=wrong, REMOTE_ADDR="203.0.113.9").status_code == 401
    assert customer.get("/api/v1/balance").status_code == 200


def test_two_processes_share_the_limit(customer: Customer, settings: Any) -> None:
    settings.RATE_LIMITS = {"write": 4, "read": 4}
    statuses = []
    for _ in range(6):
        throttling._shares.clear()  # the next request meets another process
        statuses.append(customer.submit().status_code)
    assert statuses == [201] * 4 + [429] * 2


def test_without_valkey_requests_pass(customer: Customer, settings: Any) -> None:
    settings.RATE_LIMITS = {"write": 1, "read": 1}
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    valkey.valkey.cache_clear()
    try:
        assert [customer.submit().status_code for _ in range(3)] == [201] * 3
        assert customer.get("/api/v1/balance").status_code == 200
    finally:
        valkey.valkey.cache_clear()


def test_workers_and_probes_are_not_limited(customer: Customer, settings: Any) -> None:
    settings.RATE_LIMITS = {"write": 1, "read": 1}
    assert [customer.http.get("/readyz").status_code for _ in range(3)] == [200] * 3
    assert "X-RateLimit-Limit" not in customer.http.get("/readyz")


class TestBodies:
    @pytest.mark.parametrize("path", ["/api/v1/auth/email/start", "/api/v1/device/link/poll", "/api/v1/keys"])
    def test_a_large_body_is_not_read_where_none_is_expected(self, path: str, db: None) -> None:
        answer = Client().post(path, b"[" + b"[]," * 30_000 + b"[]]", content_type="application/json")
        error(answer, 413, "payload_too_large")

    def test_it_is_where_media_may_come(self, customer: Customer) -> None:
        padded = {"task": "image.generate", "input": {"prompt": "x" * 70_000}}
        assert refused_fields(customer.post("/api/v1/media/estimate", padded)).keys() == {"input.prompt"}


class TestPages:
    def test_what_is_sent_to_pages_counts_as_signing_in(self, settings: Any, db: None) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "sign_in": 2}
        valkey.valkey().flushdb()
        browser = Client(REMOTE_ADDR="198.51.100.77")
        assert [browser.post("/sign-in", {"email": "?"}).status_code for _ in range(4)] == [400, 400, 429, 429]
        refused = browser.post("/sign-in", {"email": "?"})
        assert 1 <= int(refused["Retry-After"]) <= 60
        assert b"slow down" in refused.content
        assert browser.get("/sign-in").status_code == 200

    def test_a_large_form_is_refused(self, db: None) -> None:
        assert Client().post("/sign-in", {"email": "x" * 70_000}).status_code == 413
