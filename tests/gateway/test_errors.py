"""One shape of error on every machine path, whatever went wrong; nothing of our inside in it."""

from typing import Any

import pytest
from django.db import OperationalError

from core import ids
from core.errors import Unavailable
from media.models import Job
from tests.media.customers import JOBS, Customer, error

pytestmark = pytest.mark.django_db


def break_with(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    def broken(**_: Any) -> None:
        raise problem

    monkeypatch.setattr("media.api.views.prepare_order", broken)


def test_a_defect_is_a_500_without_its_story(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    break_with(monkeypatch, ZeroDivisionError("the secret inside"))
    with customer.untouched():
        answer = customer.submit()
    body = error(answer, 500, "internal_error")
    assert body == {
        "error": "Something went wrong on our side; the request id tells us what.",
        "code": "internal_error",
        "details": {},
        "billed": False,
    }
    assert "secret inside" not in answer.content.decode() + str(answer.headers)
    assert not Job.objects.exists()


def test_a_database_that_is_away_is_a_503(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.api_errors.connection", type("Closed", (), {"close": staticmethod(lambda: None)}))
    break_with(monkeypatch, OperationalError("could not connect to 10.1.2.3 as killatamata"))
    answer = customer.submit()
    assert error(answer, 503, "unavailable")["billed"] is False
    assert answer["Retry-After"] == "5"
    assert "10.1.2.3" not in answer.content.decode()


def test_what_says_when_to_come_back_is_heard(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    break_with(monkeypatch, Unavailable("Come back.", retry_after=17))
    answer = customer.submit()
    assert error(answer, 503, "unavailable")["error"] == "Come back."
    assert answer["Retry-After"] == "17"


@pytest.mark.parametrize(
    "path", ["/api/v1/nope", "/api", "/api/v2/media/jobs", "/workers/v1/nope", "/api/v1/media/jobs/x"]
)
def test_unknown_machine_routes_are_json_for_whoever_asks(customer: Customer, path: str) -> None:
    if path == "/api":
        assert customer.get(path).status_code == 404  # no machine path: it may be a page
        return
    answer = customer.get(path, headers={"Accept": "text/html"})
    error(answer, 404, "route_not_found")


def test_an_unknown_page_is_not_json(customer: Customer) -> None:
    answer = customer.http.get("/nope")
    assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (404, "text/html")


def test_only_jobs_and_payments_speak_of_billing(customer: Customer) -> None:
    assert customer.get(JOBS, jobId="x").json()["billed"] is False
    assert "billed" not in customer.get("/api/v1/nope").json()


def test_a_foreign_host_reaches_no_answer(customer: Customer) -> None:
    headers = {"Host": "evil.example"}
    for path in ("/api/v1/health", "/api/v1/balance", "/api/v1/nope"):
        answer = customer.get(path, headers=headers)
        assert "evil.example" not in answer.content.decode() + str(answer.headers)
    assert customer.http.get("/readyz", headers=headers).status_code == 400
    assert customer.http.get("/metrics", headers=headers).status_code == 400


def test_every_answer_has_an_id_of_its_own(customer: Customer) -> None:
    answers = [
        customer.get("/api/v1/health"),
        customer.get("/api/v1/nope"),
        customer.get(JOBS, jobId="x"),
        customer.submit(task_input={}),
        customer.submit(),
        customer.http.get(JOBS),
        customer.http.get("/readyz"),
        customer.http.get("/metrics"),
        customer.http.get("/nope"),
    ]
    found = [answer["X-Request-Id"] for answer in answers]
    assert all(ids.decode(ids.REQUEST, request_id) for request_id in found)
    assert len(set(found)) == len(found)


def test_a_clients_own_request_id_is_not_taken(customer: Customer) -> None:
    answer = customer.get("/api/v1/health", headers={"X-Request-Id": "req_mine\r\nX-Evil: 1"})
    assert "mine" not in answer["X-Request-Id"]
