"""Bodies of the webhook routes: what is sent, and what is answered."""

from typing import Annotated

from pydantic import Field

from core import clock, ids
from core.messages import Message, Text
from core.webhooks.models import STATUSES, WebhookDelivery, WebhookTry
from core.webhooks.secrets import Secret
from core.webhooks.services import TEST_TOPIC

_NOT_ABOUT_JOBS = (TEST_TOPIC, "account.")
"""How the topics of all other messages begin."""
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class Nothing(Message):
    """An empty object; the body may be left out."""


class ResendDelivery(Message):
    """Which delivery to send again."""

    delivery_id: Text
    """`whd_…`; it must be delivered or failed."""


class SendTest(Message):
    """Where to send a test message."""

    url: Annotated[Text, Field(min_length=1, json_schema_extra={"format": "uri"})]
    """https, and a public address."""


class ShownSecret(Message):
    """What verifies the account's callbacks."""

    secret: str
    """`whsec_…`; keep it secret."""
    created_at: Time
    """Since when it signs."""
    previous_secret_valid_until: Time | None
    """How long the one before it signs too; null when it no longer does."""


class DeliveryTry(Message):
    """What came of one try."""

    at: Time
    """When."""
    http_status: int | None
    """What the receiver answered; null when it did not."""
    error: str | None
    """One word when there was no answer: `timeout`, `dns`, `connect`, `tls`, …"""
    elapsed_ms: int
    """How long it took."""


class Delivery(Message):
    """One message to one URL."""

    id: str
    """`whd_…`, also its `webhook-id`."""
    topic: str
    """What kind of message it is."""
    job_id: str | None
    """The job that it is about; null for a test message."""
    url: str
    """Where it goes."""
    status: Annotated[str, Field(json_schema_extra={"enum": list(STATUSES)})]
    """Whether it is still tried, arrived, or was given up."""
    next_try_at: Time | None
    """When it is tried next; null once it is over."""
    created_at: Time
    """When it was queued."""
    finished_at: Time | None
    """When it was over; null before."""
    tries: list[DeliveryTry]
    """Every try, oldest first."""


class DeliveryList(Message):
    """A page of deliveries, newest first."""

    webhook_deliveries: list[Delivery]
    next_cursor: str | None
    """Send it as `cursor` for the next page; null at the end."""


class OneDelivery(Message):
    """A delivery that was queued."""

    webhook_delivery: Delivery


def shown_secret(secret: Secret) -> ShownSecret:
    """A secret as its account sees it."""
    until = secret.previous_valid_until
    return ShownSecret(
        secret=secret.secret,
        created_at=clock.rfc3339(secret.created_at),
        previous_secret_valid_until=clock.rfc3339(until) if until else None,
    )


def shown_delivery(delivery: WebhookDelivery) -> Delivery:
    """A delivery with its tries as its account sees it."""
    about_a_job = not delivery.topic.startswith(_NOT_ABOUT_JOBS)
    return Delivery(
        id=ids.encode(ids.WEBHOOK_DELIVERY, delivery.pk),
        topic=delivery.topic,
        job_id=ids.encode(ids.JOB, delivery.subject_id) if about_a_job else None,
        url=delivery.url,
        status=delivery.status,
        next_try_at=clock.rfc3339(delivery.next_try_at) if delivery.next_try_at else None,
        created_at=clock.rfc3339(delivery.created_at),
        finished_at=clock.rfc3339(delivery.finished_at) if delivery.finished_at else None,
        tries=[_shown_try(row) for row in sorted(delivery.recorded_tries.all(), key=lambda row: (row.at, row.pk))],
    )


def _shown_try(row: WebhookTry) -> DeliveryTry:
    return DeliveryTry(
        at=clock.rfc3339(row.at), http_status=row.http_status, error=row.error or None, elapsed_ms=row.elapsed_ms
    )
