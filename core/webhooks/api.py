"""The account's webhook secret and its deliveries over HTTP."""

from typing import Any, cast
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clock, ids
from core.errors import InvalidRequest
from core.operations import Scope, operation
from core.webhooks.models import STATUSES, WebhookDelivery, WebhookTry
from core.webhooks.secrets import Secret, current_secret, rotate_secret
from core.webhooks.selectors import list_deliveries
from core.webhooks.services import TEST_TOPIC, enqueue_test, resend

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


class AccountView(APIView):
    """A view of the asking account's own objects; the default permission keeps everybody else out."""

    def account_id(self) -> UUID:
        """The account that asks."""
        return cast(UUID, self.request.user.id)


class WebhookSecretView(AccountView):
    """GET /api/v1/account/webhook-secret"""

    @operation(
        tag="webhooks",
        summary="The signing secret",
        scope=Scope.MEDIA_WRITE,
        answers={200: {"type": "object"}},
    )
    def get(self, request: Request) -> Response:
        """The secret that verifies the account's callbacks."""
        return Response(_secret_json(current_secret(account_id=self.account_id(), now=clock.now())))


class RotateWebhookSecretView(AccountView):
    """POST /api/v1/account/webhook-secret/rotate"""

    @operation(
        tag="webhooks",
        summary="A new signing secret",
        scope=Scope.KEYS,
        answers={200: {"type": "object"}},
    )
    def post(self, request: Request) -> Response:
        """A new secret; callbacks carry the signature of the old one too for 24 hours."""
        _body(request, set())
        return Response(_secret_json(rotate_secret(account_id=self.account_id(), now=clock.now())))


class WebhookDeliveriesView(AccountView):
    """GET /api/v1/webhook-deliveries"""

    @operation(
        tag="webhooks",
        summary="List deliveries",
        scope=Scope.MEDIA_READ,
        answers={200: {"type": "object"}},
    )
    def get(self, request: Request) -> Response:
        """The account's deliveries, newest first; filters `jobId` and `status`, pages by `cursor` and `limit`."""
        query = request.query_params
        status = query.get("status")
        if status is not None and status not in STATUSES:
            raise InvalidRequest({"status": f"must be one of {', '.join(STATUSES)}"})
        deliveries, following = list_deliveries(
            account_id=self.account_id(),
            limit=_limit(query.get("limit")),
            before=_id(ids.WEBHOOK_DELIVERY, "cursor", query.get("cursor")),
            subject_id=_id(ids.JOB, "jobId", query.get("jobId")),
            status=status,
        )
        return Response(
            {
                "webhookDeliveries": [_delivery_json(delivery) for delivery in deliveries],
                "nextCursor": ids.encode(ids.WEBHOOK_DELIVERY, following) if following else None,
            }
        )


class ResendWebhookDeliveryView(AccountView):
    """POST /api/v1/webhook-deliveries/resend"""

    @operation(
        tag="webhooks", summary="Send a delivery again", scope=Scope.MEDIA_WRITE, answers={200: {"type": "object"}}
    )
    def post(self, request: Request) -> Response:
        """Send a finished delivery again."""
        text = _body(request, {"deliveryId"}).get("deliveryId")
        delivery_id = _id(ids.WEBHOOK_DELIVERY, "deliveryId", text)
        if delivery_id is None:
            raise InvalidRequest({"deliveryId": "is required"})
        delivery = resend(account_id=self.account_id(), delivery_id=delivery_id, now=clock.now())
        return Response({"webhookDelivery": _delivery_json(delivery)})


class TestWebhookDeliveryView(AccountView):
    """POST /api/v1/webhook-deliveries/test"""

    @operation(
        tag="webhooks", summary="Send a test message", scope=Scope.MEDIA_WRITE, answers={201: {"type": "object"}}
    )
    def post(self, request: Request) -> Response:
        """Send a signed test message to a URL."""
        url = _body(request, {"url"}).get("url")
        if not isinstance(url, str) or not url:
            raise InvalidRequest({"url": "must be a URL"})
        delivery = enqueue_test(account_id=self.account_id(), url=url, now=clock.now())
        return Response({"webhookDelivery": _delivery_json(delivery)}, status=201)


def _body(request: Request, allowed: set[str]) -> dict[str, Any]:
    data = request.data
    if not isinstance(data, dict):
        raise InvalidRequest({"": "the body must be a JSON object"})
    unknown = {name: "is not a known field" for name in data if name not in allowed}
    if unknown:
        raise InvalidRequest(unknown)
    return dict(data)


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_LIMIT:
        raise InvalidRequest({"limit": f"must be a whole number from 1 to {MAX_LIMIT}"})
    return int(text)


def _id(prefix: str, field: str, text: object) -> UUID | None:
    if text is None:
        return None
    value = ids.decode(prefix, text) if isinstance(text, str) else None
    if value is None:
        raise InvalidRequest({field: f"must be an id that starts with {prefix}_"})
    return value


def _secret_json(secret: Secret) -> dict[str, Any]:
    until = secret.previous_valid_until
    return {
        "secret": secret.secret,
        "createdAt": clock.rfc3339(secret.created_at),
        "previousSecretValidUntil": clock.rfc3339(until) if until else None,
    }


def _delivery_json(delivery: WebhookDelivery) -> dict[str, Any]:
    about_a_job = delivery.topic != TEST_TOPIC
    return {
        "id": ids.encode(ids.WEBHOOK_DELIVERY, delivery.pk),
        "topic": delivery.topic,
        "jobId": ids.encode(ids.JOB, delivery.subject_id) if about_a_job else None,
        "url": delivery.url,
        "status": delivery.status,
        "nextTryAt": clock.rfc3339(delivery.next_try_at) if delivery.next_try_at else None,
        "createdAt": clock.rfc3339(delivery.created_at),
        "finishedAt": clock.rfc3339(delivery.finished_at) if delivery.finished_at else None,
        "tries": [_try_json(row) for row in sorted(delivery.recorded_tries.all(), key=lambda row: (row.at, row.pk))],
    }


def _try_json(row: WebhookTry) -> dict[str, Any]:
    return {
        "at": clock.rfc3339(row.at),
        "httpStatus": row.http_status,
        "error": row.error or None,
        "elapsedMs": row.elapsed_ms,
    }
