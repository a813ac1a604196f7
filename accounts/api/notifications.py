"""/api/v1/account/notifications: what an account wants to be told."""

from typing import Annotated, Literal

from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.keys_messages import LARGEST_LIMIT
from accounts.authentication import caller_of
from accounts.balance_notices import BalanceNotice
from accounts.selectors import balance_notice
from accounts.services.balance_notices import LONGEST_URL, Wanted, change_notice
from core import clock
from core.messages import Message, Omissible, Text, read_body
from core.operations import Scope, operation

Threshold = Annotated[int, Field(ge=1, le=LARGEST_LIMIT)]
WebhookUrl = Annotated[Text, Field(min_length=1, max_length=LONGEST_URL)]


class ChangeNotifications(Message):
    """What is to be different; what is left out stays."""

    low_balance_threshold_usd_micros: Threshold | None = None
    """Tell when less than this is available, holds taken off; null: do not."""
    low_balance_email: Omissible[bool] = None
    """Whether to tell by mail."""
    low_balance_webhook_url: WebhookUrl | None = None
    """Where to send the signed message `account.balance_low`; null: nowhere."""


class Notifications(Message):
    """What the account is told, and how."""

    ok: Literal[True] = True
    low_balance_threshold_usd_micros: int | None
    """It is told once when less than this is available, and again only after it was back; null: never."""
    low_balance_email: bool
    low_balance_webhook_url: str | None
    low_balance_since: str | None
    """When it was told of the balance as it is now; null while the balance is not low."""


_FIELDS = {
    "low_balance_threshold_usd_micros": "threshold_micros",
    "low_balance_email": "by_mail",
    "low_balance_webhook_url": "webhook_url",
}


class NotificationsView(APIView):
    """/api/v1/account/notifications"""

    @operation(
        id="getNotifications",
        tag="account",
        summary="See what the account is told",
        description="Whether and how the account hears that its balance is low. Nothing is told until a threshold is "
        "set.",
        scope=Scope.BILLING_READ,
        answers={200: Notifications},
    )
    def get(self, request: Request) -> Response:
        """The account's wish."""
        return Response(shown_notifications(balance_notice(account_id=caller_of(request).id)))

    @operation(
        id="changeNotifications",
        tag="account",
        summary="Change what the account is told",
        description="Once the available balance falls below the threshold, the account is told by mail, by a signed "
        "webhook message, or both: once, until the balance was back. A new threshold counts anew.",
        scope=Scope.BILLING_WRITE,
        body=ChangeNotifications,
        answers={200: Notifications},
    )
    def patch(self, request: Request) -> Response:
        """Change it."""
        asked = read_body(request, ChangeNotifications)
        values = {_FIELDS[name]: getattr(asked, name) for name in asked.model_fields_set}
        wanted = Wanted(fields=frozenset(values), **values)
        notice = change_notice(account_id=caller_of(request).id, wanted=wanted, now=clock.now())
        return Response(shown_notifications(notice))


def shown_notifications(notice: BalanceNotice) -> dict[str, object]:
    """An account's wish as the answers show it."""
    return Notifications(
        low_balance_threshold_usd_micros=notice.threshold_micros,
        low_balance_email=notice.by_mail,
        low_balance_webhook_url=notice.webhook_url or None,
        low_balance_since=clock.rfc3339(notice.warned_at) if notice.warned_at is not None else None,
    ).wire()
