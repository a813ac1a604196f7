"""The tables of this room, gathered where Django looks for them."""

from core.idempotency.models import IdempotencyRecord
from core.outbox.models import DeadEvent, OutboxEvent
from core.webhooks.models import WebhookDelivery, WebhookSecret, WebhookTry

__all__ = ["DeadEvent", "IdempotencyRecord", "OutboxEvent", "WebhookDelivery", "WebhookSecret", "WebhookTry"]
