"""Emit events in the transaction of their cause; hand due ones to their handlers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from core import clock
from core.errors import Unavailable
from core.outbox.models import DeadEvent, OutboxEvent

Handler = Callable[[Mapping[str, Any]], None]

MAX_TRIES = 10
_log = structlog.get_logger(__name__)


@cache
def _table() -> Mapping[str, Sequence[str]]:
    table: Mapping[str, Sequence[str]] = import_string(settings.OUTBOX_HANDLERS)
    return table


def emit(*, topic: str, payload: Mapping[str, Any], due_at: datetime | None = None) -> None:
    """Write one event per subscriber of `topic`, in the caller's transaction.

    Raises:
        KeyError: the topic is not in the table of `gateway.handlers`; a typo must not lose events.
    """
    due = due_at or clock.now()
    OutboxEvent.objects.bulk_create(
        [OutboxEvent(topic=topic, handler=handler, payload=dict(payload), due_at=due) for handler in _table()[topic]]
    )


def handle_due(*, limit: int, now: datetime, only: Collection[str] | None = None, without: Collection[str] = ()) -> int:
    """Run up to `limit` due events, each in a transaction of its own; how many were handled.

    `only` and `without` name handlers: so that slow ones can be run beside the others, not before them.

    A handler's effect and the event's deletion commit together, so an event takes effect exactly once.
    `Unavailable` postpones without counting; anything else counts, and after MAX_TRIES the event is dead.
    """
    handled = 0
    events = OutboxEvent.objects.exclude(handler__in=without)
    if only is not None:
        events = events.filter(handler__in=only)
    if not events.filter(due_at__lte=now).exists():
        return 0
    while handled < limit and _handle_one(events, now):
        handled += 1
    return handled


def replay(*, event_id: UUID, now: datetime) -> bool:
    """Put a dead event back into the queue; False when there is none of this id."""
    with transaction.atomic():
        dead = DeadEvent.objects.select_for_update().filter(pk=event_id).first()
        if dead is None:
            return False
        OutboxEvent.objects.create(
            id=dead.id,
            topic=dead.topic,
            handler=dead.handler,
            payload=dead.payload,
            due_at=now,
            created_at=dead.created_at,
        )
        dead.delete()
        return True


def backlog() -> tuple[int, int]:
    """How many events wait for their handlers, and how many are dead."""
    return OutboxEvent.objects.count(), DeadEvent.objects.count()


def _handle_one(events: "QuerySet[OutboxEvent]", now: datetime) -> bool:
    with transaction.atomic(durable=True):
        event = events.select_for_update(skip_locked=True).filter(due_at__lte=now).order_by("due_at").first()
        if event is None:
            return False
        try:
            with transaction.atomic():
                handler: Handler = import_string(event.handler)
                handler(event.payload)
                connection.check_constraints()  # deferred ones would fail at our commit, past every except here
                event.delete()
        except Unavailable as error:
            _postpone(event, seconds=error.retry_after or 5, error=error, now=now)
        except Exception as error:
            _log.exception("outbox_handler_failed", topic=event.topic, handler=event.handler, event_id=str(event.pk))
            event.tries += 1
            if event.tries >= MAX_TRIES:
                _bury(event, error)
            else:
                _postpone(event, seconds=min(2**event.tries, 600), error=error, now=now)
        return True


def _postpone(event: OutboxEvent, *, seconds: int, error: Exception, now: datetime) -> None:
    event.due_at = now + timedelta(seconds=seconds)
    event.last_error = repr(error)[:2000]
    event.save(update_fields=["due_at", "tries", "last_error"])


def _bury(event: OutboxEvent, error: Exception) -> None:
    DeadEvent.objects.create(
        id=event.pk,
        topic=event.topic,
        handler=event.handler,
        payload=event.payload,
        tries=event.tries,
        last_error=repr(error)[:2000],
        created_at=event.created_at,
    )
    event.delete()
