"""GET /api/v1/account/events: what happened to the account's credentials."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.events_messages import DEFAULT_LIMIT, MOST, EventList, EventsQuery, event_of
from accounts.authentication import caller_of
from accounts.models import SecurityEvent
from accounts.selectors import list_events
from core import ids
from core.errors import InvalidRequest
from core.messages import read_query
from core.operations import Scope, operation, query_parameter


class EventsView(APIView):
    """The account's audit log."""

    @operation(
        tag="account",
        summary="List security events",
        description="Keys made, revoked and used from a new address, sign-ins and sign-outs, device links approved and "
        "denied: newest first, of this account alone. Events are never changed or deleted.",
        scope=Scope.KEYS,
        answers={200: EventList},
        parameters=[
            query_parameter("kind", "Only this kind.", schema={"type": "string", "enum": list(SecurityEvent.KINDS)}),
            query_parameter("cursor", "`nextCursor` of the page before."),
            query_parameter(
                "limit",
                "How many at most.",
                schema={"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT},
            ),
        ],
    )
    def get(self, request: Request) -> Response:
        """One page."""
        asked = read_query(request, EventsQuery)
        found = list_events(
            account_id=caller_of(request).id, kind=asked.kind, before=_before(asked.cursor), limit=asked.limit + 1
        )
        page, more = found[: asked.limit], len(found) > asked.limit
        following = ids.encode(ids.EVENT, page[-1].pk) if more else None
        return Response(EventList(events=[event_of(event) for event in page], next_cursor=following).wire())


def _before(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    event_id = ids.decode(ids.EVENT, cursor)
    if event_id is None:
        raise InvalidRequest({"cursor": "is not one that this list gave"})
    return event_id
