"""Bodies of the routes under /api/v1/device/link."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from accounts.api.messages import Account, KeyLabel
from accounts.device_transitions import status_at
from accounts.models import DeviceLink
from core import clock
from core.messages import Message, Omissible, Text

UserCode = Annotated[Text, Field(min_length=4, max_length=32)]


class DeviceLinkStartRequest(Message):
    """Optional wishes of the program."""

    key_label: Omissible[KeyLabel] = None
    """The name of the key to come."""


class DeviceLinkStarted(Message):
    """What the program keeps, and what it shows to its person."""

    ok: Literal[True] = True
    device_code: str
    """The program's secret, to poll with."""
    user_code: str
    """To be shown: `ABCD-EFGH`."""
    verification_uri: str
    """The page where a person types the user code."""
    verification_uri_complete: str
    """The same page with the code filled in."""
    expires_in: int
    """Seconds until the link is void."""
    interval: int
    """Seconds to leave between two polls."""


class DeviceLinkQuery(Message):
    """Which link."""

    user_code: UserCode


class DeviceLinkState(Message):
    """What became of a link."""

    ok: Literal[True] = True
    user_code: str
    status: Literal["pending", "approved", "denied", "expired", "consumed"]
    """`consumed`: the program has its key."""
    key_label: str | None
    """The name of the key to come; null where nobody chose one."""
    requested_from: str | None
    """The address that started it: shown with a credential alone, else null."""
    created_at: str
    expires_at: str


class DeviceLinkApproveRequest(Message):
    """The code that the program shows."""

    user_code: UserCode
    key_label: Omissible[KeyLabel] = None
    """Another name for the key than the program chose."""


class DeviceLinkDenyRequest(Message):
    """The code that the program shows."""

    user_code: UserCode
    key_label: Omissible[KeyLabel] = None
    """Taken so that one form may serve both answers; no key is made, so it names nothing."""


class DeviceLinkPollRequest(Message):
    """The program's secret."""

    device_code: Annotated[Text, Field(min_length=20, max_length=256)]


class DeviceLinkGranted(Message):
    """The one answer that shows the key."""

    ok: Literal[True] = True
    status: Literal["approved"] = "approved"
    api_key: str
    """The key itself. It is stored nowhere and never shown again."""
    key_prefix: str
    label: str
    account: Account


def state_of(link: DeviceLink, *, now: datetime, show_origin: bool) -> DeviceLinkState:
    """A link as answers show it."""
    return DeviceLinkState.model_validate(
        {
            "user_code": link.user_code,
            "status": status_at(link, now),
            "key_label": link.label or None,
            "requested_from": link.requested_from if show_origin else None,
            "created_at": clock.rfc3339(link.created_at),
            "expires_at": clock.rfc3339(link.expires_at),
        }
    )
