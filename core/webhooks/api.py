"""The account's webhook secret and its deliveries over HTTP."""

from typing import cast
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clock, ids
from core.errors import InvalidRequest, NotFound
from core.messages import read_body
from core.operations import Scope, operation, query_parameter
from core.webhooks.messages import (
    DeliveryList,
    Nothing,
    OneDelivery,
    ResendDelivery,
    SendTest,
    ShownSecret,
    shown_delivery,
    shown_secret,
)
from core.webhooks.models import STATUSES
from core.webhooks.secrets import current_secret, rotate_secret
from core.webhooks.selectors import list_deliveries
from core.webhooks.services import StillDelivering, enqueue_test, resend

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
        id="getWebhookSecret",
        tag="webhooks",
        summary="The signing secret",
        description="The secret that verifies the account's callbacks (Standard Webhooks). Made on first sight.",
        scope=Scope.MEDIA_WRITE,
        answers={200: ShownSecret},
    )
    def get(self, request: Request) -> Response:
        """The secret that verifies the account's callbacks."""
        return Response(shown_secret(current_secret(account_id=self.account_id(), now=clock.now())).wire())


class RotateWebhookSecretView(AccountView):
    """POST /api/v1/account/webhook-secret/rotate"""

    @operation(
        id="rotateWebhookSecret",
        tag="webhooks",
        summary="A new signing secret",
        description="Callbacks carry the signatures of the old and of the new secret for 24 hours.",
        scope=Scope.KEYS,
        body=Nothing,
        body_required=False,
        answers={200: ShownSecret},
    )
    def post(self, request: Request) -> Response:
        """A new secret; callbacks carry the signature of the old one too for 24 hours."""
        read_body(request, Nothing)
        return Response(shown_secret(rotate_secret(account_id=self.account_id(), now=clock.now())).wire())


class WebhookDeliveriesView(AccountView):
    """GET /api/v1/webhook-deliveries"""

    @operation(
        id="listWebhookDeliveries",
        tag="webhooks",
        summary="List deliveries",
        description="The account's callbacks and test messages with every try, newest first.",
        scope=Scope.MEDIA_READ,
        answers={200: DeliveryList},
        parameters=[
            query_parameter("jobId", "List only those about this job.", schema={"type": "string", "pattern": "^job_"}),
            query_parameter(
                "status", "List only those that stand so.", schema={"type": "string", "enum": list(STATUSES)}
            ),
            query_parameter("cursor", "A page's `nextCursor`.", schema={"type": "string", "pattern": "^whd_"}),
            query_parameter(
                "limit",
                "How many a page has.",
                schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            ),
        ],
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
            DeliveryList(
                webhook_deliveries=[shown_delivery(delivery) for delivery in deliveries],
                next_cursor=ids.encode(ids.WEBHOOK_DELIVERY, following) if following else None,
            ).wire()
        )


class ResendWebhookDeliveryView(AccountView):
    """POST /api/v1/webhook-deliveries/resend"""

    @operation(
        id="resendWebhookDelivery",
        tag="webhooks",
        summary="Send a delivery again",
        description="Starts the schedule of a finished delivery again: the same id and body, a fresh signature.",
        scope=Scope.MEDIA_WRITE,
        body=ResendDelivery,
        answers={200: OneDelivery},
        errors=[NotFound, StillDelivering],
    )
    def post(self, request: Request) -> Response:
        """Send a finished delivery again."""
        asked = read_body(request, ResendDelivery)
        delivery_id = _given_id(ids.WEBHOOK_DELIVERY, "deliveryId", asked.delivery_id)
        delivery = resend(account_id=self.account_id(), delivery_id=delivery_id, now=clock.now())
        return Response(OneDelivery(webhook_delivery=shown_delivery(delivery)).wire())


class TestWebhookDeliveryView(AccountView):
    """POST /api/v1/webhook-deliveries/test"""

    @operation(
        id="sendTestWebhook",
        tag="webhooks",
        summary="Send a test message",
        description="Sends a small signed message to a URL, so that a receiver can be tried out.",
        scope=Scope.MEDIA_WRITE,
        body=SendTest,
        answers={201: OneDelivery},
    )
    def post(self, request: Request) -> Response:
        """Send a signed test message to a URL."""
        url = read_body(request, SendTest).url
        delivery = enqueue_test(account_id=self.account_id(), url=url, now=clock.now())
        return Response(OneDelivery(webhook_delivery=shown_delivery(delivery)).wire(), status=201)


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_LIMIT:
        raise InvalidRequest({"limit": f"must be a whole number from 1 to {MAX_LIMIT}"})
    return int(text)


def _id(prefix: str, field: str, text: str | None) -> UUID | None:
    return None if text is None else _given_id(prefix, field, text)


def _given_id(prefix: str, field: str, text: str) -> UUID:
    value = ids.decode(prefix, text)
    if value is None:
        raise InvalidRequest({field: f"must be an id that starts with {prefix}_"})
    return value
