"""/api/v1/auth: from a proven email address to an API key or a browser's session."""

from datetime import datetime
from typing import Any

from django.middleware.csrf import get_token
from django.utils.cache import patch_cache_control
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth_messages import (
    BrowserSession,
    EmailCodeMailed,
    EmailCodeShown,
    EmailCodeWanted,
    GoogleToken,
    KeyIssued,
    SessionClosed,
)
from accounts.api.messages import account_of
from accounts.authentication import ForeignOrigin, require_own_origin, signed_in_user
from accounts.google import GoogleNotConfigured, GoogleUnreachable, IdTokenRefused
from accounts.models import User
from accounts.services import email_codes
from accounts.services.browser_sessions import close_session, open_session
from accounts.services.key_requests import AskedKey, key_for_email_code, key_for_google
from accounts.services.keys import NewKey, TooManyKeys
from accounts.services.security_events import origin_of
from accounts.services.sign_in import AccountSuspended, StaffSession, sign_in_with_email_code, sign_in_with_google
from core import clock
from core.messages import read_body
from core.operations import PUBLIC, operation

_ONE_ACCOUNT = "One verified address is one account: an address that is new here is signed up."
_SESSION = "Sets an HttpOnly session cookie. A request from another site's page is refused."


class _AuthView(APIView):
    """Takes no credential but the body's, or the session it is about: any other in the request does nothing."""

    authentication_classes = ()

    def get_authenticate_header(self, request: Request) -> str:
        """What a 401 says in WWW-Authenticate."""
        return 'Bearer realm="api"'

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Secrets are in these answers: nothing on the way may keep one."""
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        patch_cache_control(answer, no_store=True)
        return answer


class _SignInView(_AuthView):
    rate_class = "sign_in"


class GoogleKeyView(_SignInView):
    """POST /api/v1/auth/google"""

    @operation(
        tag="auth",
        summary="Get an API key for a Google ID token",
        description=f"Every call makes another key. {_ONE_ACCOUNT}",
        scope=PUBLIC,
        body=GoogleToken,
        answers={200: KeyIssued},
        errors=[IdTokenRefused, GoogleNotConfigured, GoogleUnreachable, AccountSuspended, TooManyKeys],
    )
    def post(self, request: Request) -> Response:
        """A new key of the account."""
        body = read_body(request, GoogleToken)
        asked = AskedKey(label=body.key_label)
        return _key_issued(
            key_for_google(id_token=body.id_token, asked=asked, origin=origin_of(request), now=clock.now())
        )


class GoogleSessionView(_SignInView):
    """POST /api/v1/auth/browser/google"""

    @operation(
        tag="auth",
        summary="Open a browser session for a Google ID token",
        description=f"{_SESSION} {_ONE_ACCOUNT}",
        scope=PUBLIC,
        body=GoogleToken,
        answers={200: BrowserSession},
        errors=[
            IdTokenRefused,
            GoogleNotConfigured,
            GoogleUnreachable,
            AccountSuspended,
            StaffSession,
            ForeignOrigin,
        ],
    )
    def post(self, request: Request) -> Response:
        """A new session of the account."""
        _refuse_foreign_pages(request)
        body = read_body(request, GoogleToken)
        now = clock.now()
        user = sign_in_with_google(id_token=body.id_token, origin=origin_of(request), now=now, browser=True)
        return _session_opened(request, user, now)


class EmailStartView(_SignInView):
    """POST /api/v1/auth/email/start"""

    @operation(
        tag="auth",
        summary="Have a one-time code mailed",
        description=(
            "Six digits, good for ten minutes, once, and for five guesses; only the newest code of an address counts. "
            "Five codes an hour for each address and for each client. The answer does not tell whether the address "
            "has an account."
        ),
        scope=PUBLIC,
        body=EmailCodeWanted,
        answers={200: EmailCodeMailed},
        errors=[email_codes.MailNotConfigured],
    )
    def post(self, request: Request) -> Response:
        """The code is on its way."""
        body = read_body(request, EmailCodeWanted)
        email_codes.start_email_code(email=body.email, client=origin_of(request).address, now=clock.now())
        seconds = round(email_codes.LIFETIME.total_seconds())
        return Response(EmailCodeMailed(expires_in_seconds=seconds).wire())


class EmailKeyView(_SignInView):
    """POST /api/v1/auth/email/verify"""

    @operation(
        tag="auth",
        summary="Get an API key for a mailed code",
        description=f"Every call makes another key. {_ONE_ACCOUNT} Where the account may have no more keys, the code "
        "stays good.",
        scope=PUBLIC,
        body=EmailCodeShown,
        answers={200: KeyIssued},
        errors=[email_codes.CodeRefused, AccountSuspended, TooManyKeys],
    )
    def post(self, request: Request) -> Response:
        """A new key of the account."""
        body = read_body(request, EmailCodeShown)
        asked, origin = AskedKey(label=body.key_label), origin_of(request)
        return _key_issued(
            key_for_email_code(email=body.email, code=body.code, asked=asked, origin=origin, now=clock.now())
        )


class EmailSessionView(_SignInView):
    """POST /api/v1/auth/browser/email/verify"""

    @operation(
        tag="auth",
        summary="Open a browser session for a mailed code",
        description=f"{_SESSION} {_ONE_ACCOUNT}",
        scope=PUBLIC,
        body=EmailCodeShown,
        answers={200: BrowserSession},
        errors=[email_codes.CodeRefused, AccountSuspended, StaffSession, ForeignOrigin],
    )
    def post(self, request: Request) -> Response:
        """A new session of the account."""
        _refuse_foreign_pages(request)
        body = read_body(request, EmailCodeShown)
        now = clock.now()
        origin = origin_of(request)
        user = sign_in_with_email_code(email=body.email, code=body.code, origin=origin, now=now, browser=True)
        return _session_opened(request, user, now)


class SessionView(_AuthView):
    """GET and DELETE /api/v1/auth/browser/session"""

    @operation(
        tag="auth",
        summary="See who is signed in with this browser",
        description="Also hands out the CSRF token, with its cookie.",
        scope=PUBLIC,
        answers={200: BrowserSession},
    )
    def get(self, request: Request) -> Response:
        """Who, and until when; or nobody."""
        user = signed_in_user(request._request)
        expires_at = request._request.session.get_expiry_date() if user is not None else None
        return Response(_session(request, user, expires_at))

    @operation(
        tag="auth",
        summary="End this browser's session",
        description="Its cookie opens nothing afterwards. Nothing happens without a session.",
        scope=PUBLIC,
        answers={200: SessionClosed},
        errors=[ForeignOrigin],
    )
    def delete(self, request: Request) -> Response:
        """Nobody is signed in any more."""
        user = signed_in_user(request._request)
        if user is not None:
            require_own_origin(request._request)
        close_session(request._request, user=user, now=clock.now())
        return Response(SessionClosed().wire())


def _refuse_foreign_pages(request: Request) -> None:
    """Else another site could sign its visitor in to an account of its own, and see what they do there.

    Raises:
        ForeignOrigin: the request says that somebody else's page sent it.
    """
    if "HTTP_ORIGIN" in request.META:
        require_own_origin(request._request)


def _key_issued(minted: NewKey) -> Response:
    key = minted.key
    issued = KeyIssued(api_key=minted.plain, key_prefix=key.prefix, label=key.label, account=account_of(key.user))
    return Response(issued.wire())


def _session_opened(request: Request, user: User, now: datetime) -> Response:
    return Response(_session(request, user, open_session(request._request, user=user, now=now)))


def _session(request: Request, user: User | None, expires_at: datetime | None) -> dict[str, Any]:
    return BrowserSession(
        authenticated=user is not None,
        account=account_of(user) if user is not None else None,
        expires_at=clock.rfc3339(expires_at) if expires_at is not None else None,
        csrf_token=get_token(request._request),
    ).wire()
