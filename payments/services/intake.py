"""Take in what providers' webhooks say: check the signature, keep it word for word, judge nothing."""

import json
from datetime import datetime

from django.db import connection

from core import ids
from payments.providers.registry import provider_of

_INSERT = """
INSERT INTO payments_providerevent
    (id, provider, event_id, type, object_id, payload, status, note, tries, received_at, due_at)
VALUES (%(id)s, %(provider)s, %(event)s, %(type)s, %(object)s, %(payload)s, 'received', '', 0, %(now)s, %(now)s)
ON CONFLICT (provider, event_id) DO NOTHING
"""


def receive_event(*, provider: str, body: bytes, signature: str, now: datetime) -> bool:
    """Store a signed event, once however often it is sent; whether it is new.

    One statement and no call to anybody: providers send in bursts, and judging is `process_events`' work.

    Raises:
        ProviderNotConfigured: there is no secret to check signatures with; nothing was stored.
        InvalidSignature, InvalidRequest: it is not the provider's, too old, or no event; nothing was stored.
    """
    event = provider_of(provider).verify(body=body, signature=signature)
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "id": ids.new(),
                "provider": provider,
                "event": event.event_id,
                "type": event.type,
                "object": event.object_id,
                "payload": json.dumps(event.payload),
                "now": now,
            },
        )
        return bool(cursor.rowcount == 1)
