"""/api/v1/device/link: a program gets a key by somebody's approval (RFC 8628)."""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.device_messages import (
    DeviceLinkApproveRequest,
    DeviceLinkDenyRequest,
    DeviceLinkGranted,
    DeviceLinkPollRequest,
    DeviceLinkQuery,
    DeviceLinkStarted,
    DeviceLinkStartRequest,
    DeviceLinkState,
    state_of,
)
from accounts.api.messages import NO_STORE, account_of
from accounts.authentication import Caller, caller_of
from accounts.services.device_links import (
    LIFETIME,
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    LinkDecided,
    LinkExpired,
    LinkNotFound,
    SlowDown,
    approve_link,
    deny_link,
    find_link,
    poll_link,
    start_link,
)
from accounts.services.keys import TooManyKeys
from accounts.services.security_events import origin_of
from core import clock
from core.errors import RateLimited
from core.messages import read_body, read_query
from core.operations import PUBLIC, Scope, operation, query_parameter

PAGE = "/link"


class _ProgramView(APIView):
    """Serves a program that has no key yet: a credential in the request does nothing."""

    authentication_classes: Any = ()


class StartLinkView(_ProgramView):
    """POST /api/v1/device/link/start"""

    rate_class = "sign_in"

    @operation(
        tag="device",
        summary="Start a device link",
        description="Show `userCode` and `verificationUri` to the person at the program, open the link if there is a "
        "browser, and poll with `deviceCode`.",
        scope=PUBLIC,
        body=DeviceLinkStartRequest,
        body_required=False,
        answers={200: DeviceLinkStarted},
    )
    def post(self, request: Request) -> Response:
        """A new link."""
        asked = read_body(request, DeviceLinkStartRequest)
        started = start_link(label=asked.key_label or "", origin=origin_of(request), now=clock.now())
        code = started.link.user_code
        answer = DeviceLinkStarted(
            device_code=started.device_code,
            user_code=code,
            verification_uri=settings.SITE_URL + PAGE,
            verification_uri_complete=f"{settings.SITE_URL}{PAGE}?code={code}",
            expires_in=int(LIFETIME.total_seconds()),
            interval=started.link.interval_seconds,
        )
        return Response(answer.wire(), headers=NO_STORE)


class LinkRequestView(APIView):
    """GET /api/v1/device/link/request"""

    @operation(
        tag="device",
        summary="Look at a device link",
        description="What became of the link of a user code, in any case and with the dash or without. Codes that do "
        "not exist are counted: 20 in ten minutes from one address are answered.",
        scope=PUBLIC,
        answers={200: DeviceLinkState},
        errors=[LinkNotFound, RateLimited],
        parameters=[
            query_parameter(
                "userCode",
                "The code that the program shows.",
                required=True,
                schema={"type": "string", "minLength": 4, "maxLength": 32},
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Its state."""
        asked = read_query(request, DeviceLinkQuery)
        now = clock.now()
        link = find_link(user_code=asked.user_code, origin=origin_of(request), now=now)
        return Response(state_of(link, now=now, show_origin=isinstance(request.user, Caller)).wire(), headers=NO_STORE)


class ApproveLinkView(APIView):
    """POST /api/v1/device/link/approve"""

    @operation(
        tag="device",
        summary="Approve a device link",
        description="Lets the program fetch an API key of this account, once. Approved with a key, the new one may do "
        "and spend no more than that; and neither is made if that key is revoked first. Approving again what this "
        "account approved changes nothing. Of codes that do not exist, ten in ten minutes from one account are "
        "answered.",
        scope=Scope.KEYS,
        body=DeviceLinkApproveRequest,
        answers={200: DeviceLinkState},
        errors=[LinkNotFound, LinkDecided, LinkExpired, RateLimited],
    )
    def post(self, request: Request) -> Response:
        """Approve it."""
        asked = read_body(request, DeviceLinkApproveRequest)
        caller, now = caller_of(request), clock.now()
        link = approve_link(
            account_id=caller.id,
            key_id=caller.key_id,
            user_code=asked.user_code,
            label=asked.key_label,
            origin=origin_of(request),
            now=now,
        )
        return Response(state_of(link, now=now, show_origin=True).wire())


class DenyLinkView(APIView):
    """POST /api/v1/device/link/deny"""

    @operation(
        tag="device",
        summary="Deny a device link",
        description="Refuses the program for good. Takes what approving takes; `keyLabel` names nothing here. Codes "
        "that do not exist are counted together with those of approving.",
        scope=Scope.KEYS,
        body=DeviceLinkDenyRequest,
        answers={200: DeviceLinkState},
        errors=[LinkNotFound, LinkDecided, LinkExpired, RateLimited],
    )
    def post(self, request: Request) -> Response:
        """Deny it."""
        asked = read_body(request, DeviceLinkDenyRequest)
        caller, now = caller_of(request), clock.now()
        link = deny_link(
            account_id=caller.id,
            key_id=caller.key_id,
            user_code=asked.user_code,
            origin=origin_of(request),
            now=now,
        )
        return Response(state_of(link, now=now, show_origin=True).wire())


class PollLinkView(_ProgramView):
    """POST /api/v1/device/link/poll"""

    @operation(
        tag="device",
        summary="Poll a device link",
        description="Until somebody decides: 400 `authorization_pending`, or `slow_down` when the poll comes sooner "
        "than `details.interval` seconds after the one before; keep to the new interval then. Afterwards: the key, to "
        "the first poll alone, or `access_denied`. `expired_token` says that the code is unknown, expired or used up.",
        scope=PUBLIC,
        body=DeviceLinkPollRequest,
        answers={200: DeviceLinkGranted},
        errors=[AuthorizationPending, SlowDown, AccessDenied, ExpiredToken, TooManyKeys],
    )
    def post(self, request: Request) -> Response:
        """The key, or why not."""
        asked = read_body(request, DeviceLinkPollRequest)
        minted = poll_link(device_code=asked.device_code, origin=origin_of(request), now=clock.now())
        key = minted.key
        answer = DeviceLinkGranted(
            api_key=minted.plain, key_prefix=key.prefix, label=key.label, account=account_of(key.user)
        )
        return Response(answer.wire(), headers=NO_STORE)
