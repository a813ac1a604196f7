"""Bodies of /api/v1/account/events."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from accounts.models import SecurityEvent
from core import clock, ids
from core.messages import Message, Text

DEFAULT_LIMIT, MOST = 50, 100


def _kind(kind: str) -> str:
    if kind not in SecurityEvent.KINDS:
        raise ValueError(f"must be one of {', '.join(SecurityEvent.KINDS)}")
    return kind


Kind = Annotated[Text, AfterValidator(_kind), Field(json_schema_extra={"enum": list(SecurityEvent.KINDS)})]


class EventsQuery(Message):
    """Which events."""

    kind: Kind | None = None
    cursor: Text | None = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = DEFAULT_LIMIT


class Event(Message):
    """Something that happened to the account's credentials."""

    id: str
    """`evt_…`"""
    kind: Kind
    at: str
    address: str | None
    """The address the request came from; null for the operator's own commands."""
    user_agent: str
    """What the program called itself; may be empty."""
    key_prefix: str | None
    """The API key that it is about, or that was used."""
    details: dict[str, Any]
    """What belongs to the kind; never a secret."""


class EventList(Message):
    """One page of events, newest first."""

    ok: Literal[True] = True
    events: list[Event]
    next_cursor: str | None
    """For the page after this one; null on the last."""


def event_of(event: SecurityEvent) -> Event:
    """An event as the list shows it."""
    return Event(
        id=ids.encode(ids.EVENT, event.pk),
        kind=event.kind,
        at=clock.rfc3339(event.at),
        address=event.address,
        user_agent=event.user_agent,
        key_prefix=event.key_prefix or None,
        details=event.details,
    )
