"""The webhook routes: shapes, filters, pages, and everybody's own objects only."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from rest_framework.response import Response
from rest_framework.test import APIClient

from accounts.authentication import Caller
from core import ids
from core.errors import ApiError
from core.webhooks.models import DELIVERY, WebhookDelivery, WebhookTry
from core.webhooks.secrets import current_secret
from core.webhooks.services import enqueue_delivery

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

pytestmark = [pytest.mark.django_db, pytest.mark.urls("core.webhooks.urls")]


def render(error: Exception, _: dict[str, Any]) -> Response:
    """The least a dialect does with an error; what it does not know is a defect and propagates."""
    if not isinstance(error, ApiError):
        raise error
    return Response({"code": error.code, "details": error.details}, status=error.http_status)


@pytest.fixture(autouse=True)
def _own_dialect(settings: Any) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "EXCEPTION_HANDLER": "tests.core.test_webhooks_api.render"}
    settings.MIDDLEWARE = []
    settings.HTTP_ALLOWED_TARGETS = []


@pytest.fixture
def account() -> Caller:
    return Caller(id=ids.new(), key_id=None)


@pytest.fixture
def client(account: Caller) -> APIClient:
    client = APIClient()
    client.force_authenticate(account)  # type: ignore[arg-type]
    return client


def queued(account: Caller, *, subject_id: UUID | None = None) -> WebhookDelivery:
    return enqueue_delivery(
        account_id=account.id,
        topic="media_job_terminal",
        subject_id=subject_id or ids.new(),
        url="https://example.com/hook",
        body="{}",
        now=NOW,
    )


def failed(delivery: WebhookDelivery) -> None:
    mine = WebhookDelivery.objects.filter(pk=delivery.pk)
    assert DELIVERY.apply("fail", mine, tries=1, next_try_at=None, finished_at=NOW + timedelta(seconds=1))
    WebhookTry.objects.create(delivery=delivery, at=NOW, http_status=404, elapsed_ms=12)


def listed(client: APIClient, **query: str) -> list[str]:
    answer = client.get("/api/v1/webhook-deliveries", query)
    assert answer.status_code == 200
    return [delivery["id"] for delivery in answer.json()["webhookDeliveries"]]


def public(delivery: WebhookDelivery) -> str:
    return ids.encode("whd", delivery.pk)


def test_the_secret_is_shown_and_rotated(client: APIClient, account: Caller) -> None:
    first = client.get("/api/v1/account/webhook-secret").json()
    assert set(first) == {"secret", "createdAt", "previousSecretValidUntil"}
    assert first["secret"].startswith("whsec_")
    assert first["previousSecretValidUntil"] is None
    assert client.get("/api/v1/account/webhook-secret").json() == first

    second = client.post("/api/v1/account/webhook-secret/rotate", {}, format="json").json()
    assert second["secret"] != first["secret"]
    assert second["previousSecretValidUntil"] is not None
    assert client.get("/api/v1/account/webhook-secret").json() == second
    moment = datetime.now(UTC)
    assert current_secret(account_id=account.id, now=moment).secret == second["secret"]


def test_a_delivery_shows_all_its_tries(client: APIClient, account: Caller) -> None:
    job = ids.new()
    delivery = queued(account, subject_id=job)
    failed(delivery)
    answer = client.get("/api/v1/webhook-deliveries").json()
    assert answer == {
        "webhookDeliveries": [
            {
                "id": public(delivery),
                "topic": "media_job_terminal",
                "jobId": ids.encode("job", job),
                "url": "https://example.com/hook",
                "status": "failed",
                "nextTryAt": None,
                "createdAt": "2026-03-01T12:00:00.000Z",
                "finishedAt": "2026-03-01T12:00:01.000Z",
                "tries": [{"at": "2026-03-01T12:00:00.000Z", "httpStatus": 404, "error": None, "elapsedMs": 12}],
            }
        ],
        "nextCursor": None,
    }


def test_lists_are_filtered_paged_and_the_account_s_own(client: APIClient, account: Caller) -> None:
    job = ids.new()
    one, two, three = queued(account), queued(account, subject_id=job), queued(account)
    failed(three)
    queued(Caller(id=ids.new(), key_id=None), subject_id=job)
    assert listed(client) == [public(three), public(two), public(one)]
    assert listed(client, jobId=ids.encode("job", job)) == [public(two)]
    assert listed(client, status="failed") == [public(three)]
    assert listed(client, status="delivered") == []

    first = client.get("/api/v1/webhook-deliveries", {"limit": "2"}).json()
    assert [each["id"] for each in first["webhookDeliveries"]] == [public(three), public(two)]
    second = client.get("/api/v1/webhook-deliveries", {"limit": "2", "cursor": first["nextCursor"]}).json()
    assert [each["id"] for each in second["webhookDeliveries"]] == [public(one)]
    assert second["nextCursor"] is None


def test_a_page_of_many_takes_two_queries(client: APIClient, account: Caller, django_assert_num_queries: Any) -> None:
    for _ in range(10):
        failed(queued(account))
    with django_assert_num_queries(2):
        assert len(listed(client)) == 10


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "lost"}, "status"),
        ({"jobId": "job_1"}, "jobId"),
        ({"jobId": ids.encode("whd", ids.new())}, "jobId"),
        ({"cursor": "x"}, "cursor"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "²"}, "limit"),
    ],
)
def test_a_wrong_query_names_its_field(query: dict[str, str], field: str, client: APIClient) -> None:
    answer = client.get("/api/v1/webhook-deliveries", query)
    assert answer.status_code == 400
    assert list(answer.json()["details"]["fields"]) == [field]


def test_resend_queues_a_finished_delivery_again(client: APIClient, account: Caller) -> None:
    delivery = queued(account)
    failed(delivery)
    answer = client.post("/api/v1/webhook-deliveries/resend", {"deliveryId": public(delivery)}, format="json")
    assert answer.status_code == 200
    shown = answer.json()["webhookDelivery"]
    assert (shown["id"], shown["status"], len(shown["tries"])) == (public(delivery), "pending", 1)
    again = client.post("/api/v1/webhook-deliveries/resend", {"deliveryId": public(delivery)}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "invalid_state")


def test_resend_of_a_foreign_delivery_is_not_found(client: APIClient) -> None:
    foreign = queued(Caller(id=ids.new(), key_id=None))
    failed(foreign)
    answer = client.post("/api/v1/webhook-deliveries/resend", {"deliveryId": public(foreign)}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    foreign.refresh_from_db()
    assert foreign.status == "failed"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("webhook-deliveries/resend", {}, "deliveryId"),
        ("webhook-deliveries/resend", {"deliveryId": None}, "deliveryId"),
        ("webhook-deliveries/resend", {"deliveryId": 7}, "deliveryId"),
        ("webhook-deliveries/resend", {"deliveryId": "whd_x"}, "deliveryId"),
        ("webhook-deliveries/resend", {"deliveryId": ids.encode("whd", ids.new()), "now": True}, "now"),
        ("webhook-deliveries/resend", [], ""),
        ("webhook-deliveries/test", {}, "url"),
        ("webhook-deliveries/test", {"url": 7}, "url"),
        ("webhook-deliveries/test", {"url": "https://169.254.169.254/"}, "url"),
        ("webhook-deliveries/test", {"url": "https://example.com/", "body": "x"}, "body"),
        ("account/webhook-secret/rotate", {"secret": "whsec_mine"}, "secret"),
    ],
)
def test_a_wrong_body_names_its_field(path: str, body: Any, field: str, client: APIClient) -> None:
    answer = client.post(f"/api/v1/{path}", body, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["details"]["fields"]) == [field]
    assert WebhookDelivery.objects.count() == 0


def test_a_test_message_is_queued_for_the_steward(client: APIClient, account: Caller) -> None:
    answer = client.post("/api/v1/webhook-deliveries/test", {"url": "https://example.com/hook"}, format="json")
    assert answer.status_code == 201
    shown = answer.json()["webhookDelivery"]
    assert (shown["topic"], shown["jobId"], shown["status"]) == ("webhook_test", None, "pending")
    assert WebhookDelivery.objects.get().account_id == account.id


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "account/webhook-secret"),
        ("post", "account/webhook-secret/rotate"),
        ("get", "webhook-deliveries"),
        ("post", "webhook-deliveries/resend"),
        ("post", "webhook-deliveries/test"),
    ],
)
def test_nobody_gets_in_without_a_key(method: str, path: str) -> None:
    assert getattr(APIClient(), method)(f"/api/v1/{path}").status_code == 401
