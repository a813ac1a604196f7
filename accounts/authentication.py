"""How a request says who it is: an API key in a header, or the browser's session."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import User
from accounts.recognition import SpendLimit, recognise
from accounts.services.keys import MissingScope
from accounts.services.second_factor import is_verified
from accounts.services.security_events import origin_of
from core import ids
from core.errors import ApiError, Forbidden
from core.operations import Declaration, Scope

if TYPE_CHECKING:
    from rest_framework.views import APIView  # DRF imports this module while it builds that one

SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


class Unauthenticated(ApiError):
    """Send a valid API key as `Authorization: Bearer <key>` or `x-api-key: <key>`."""

    code = "unauthenticated"
    http_status = 401


class ForeignOrigin(Forbidden):
    """A request with a browser's session must come from our own pages or carry their CSRF token."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The authenticated party of a request, as `request.user`."""

    id: UUID
    """The account's id."""
    key_id: UUID | None
    """None with a browser's session."""
    scopes: frozenset[str] | None = None
    """What it may do; None is everything."""
    spend_limits: tuple[SpendLimit, ...] = ()
    is_authenticated: bool = True

    def may(self, scope: str) -> bool:
        """Whether it has this scope."""
        return self.scopes is None or scope in self.scopes


def caller_of(request: Request) -> Caller:
    """The authenticated party of a request that passed `Authenticated`.

    Raises:
        Unauthenticated: the view let somebody else in.
    """
    if not isinstance(request.user, Caller):
        raise Unauthenticated
    return request.user


class ApiKeyAuthentication(BaseAuthentication):
    """Both header forms of an API key."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        """The caller, or None when the request carries no key.

        Raises:
            Unauthenticated: there is a key and it is not valid, or two that differ.
        """
        bearer = request.META.get("HTTP_AUTHORIZATION")
        header = request.META.get("HTTP_X_API_KEY")
        if bearer is None and header is None:
            return None
        plain = header
        if bearer is not None:
            scheme, _, token = bearer.partition(" ")
            plain = token.strip()
            if scheme.lower() != "bearer" or (header is not None and header != plain):
                raise Unauthenticated
        origin = origin_of(request)
        identity = recognise(plain or "", address=origin.address, user_agent=origin.user_agent)
        if identity is None:
            raise Unauthenticated("The API key is not valid: it is unknown, revoked or mistyped.")
        _log_account(identity.account_id)
        return (
            Caller(
                id=identity.account_id,
                key_id=identity.key_id,
                scopes=identity.scopes,
                spend_limits=identity.spend_limits,
            ),
            None,
        )

    def authenticate_header(self, request: Request) -> str:
        """What a 401 says in WWW-Authenticate."""
        return 'Bearer realm="api"'


class BrowserSessionAuthentication(BaseAuthentication):
    """The session of somebody who signed in with a browser. A key in the same request goes first."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        """The caller, or None when no session of an active account came.

        Raises:
            ForeignOrigin: the request would change something and nothing shows that our own page sent it.
        """
        user = signed_in_user(request._request)
        if user is None:
            return None
        if request.method not in SAFE_METHODS:
            require_own_origin(request._request)
        _log_account(user.pk)
        return Caller(id=user.pk, key_id=None), None


def signed_in_user(request: HttpRequest) -> User | None:
    """The active account of the request's session; no query is made without a session cookie.

    Staff whose session has not been through their second factor are nobody.
    """
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not hasattr(request, "session"):
        return None
    user = get_user(request)
    if not isinstance(user, User) or not user.is_active:
        return None
    return user if not (user.is_staff or user.is_superuser) or is_verified(request, user) else None


def require_own_origin(request: HttpRequest) -> None:
    """Let a request with a session pass if it comes from our own pages, or carries the CSRF token of one.

    Raises:
        ForeignOrigin: neither; or its Origin is somebody else's, token or not.
    """
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None:
        if origin not in _own_origins(request):
            raise ForeignOrigin
        return
    check = CSRFCheck(lambda _: None)  # type: ignore[arg-type]  # it never gets to answer
    check.process_request(request)
    if check.process_view(request, None, (), {}):  # type: ignore[arg-type]  # it looks at the request alone
        raise ForeignOrigin


def _own_origins(request: HttpRequest) -> Iterable[str]:
    yield f"{request.scheme}://{request.get_host()}"
    for url in (settings.SITE_URL, settings.API_BASE_URL):
        parts = urlsplit(url)
        yield f"{parts.scheme}://{parts.netloc}"


class Authenticated(BasePermission):
    """The request carries a valid credential that has the scope the view's method declares (`core.operations`)."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """True, or the error that tells what is missing.

        Raises:
            Unauthenticated: there is no credential.
            MissingScope: the key is limited to other scopes.
            ImproperlyConfigured: the view declares no scope: nobody gets in by oversight.
        """
        handler = getattr(view, (request.method or "").lower(), None)
        if handler is None or request.method == "OPTIONS":
            return True  # DRF answers 405, or tells the methods
        declaration = getattr(handler, "declaration", None)
        if not isinstance(declaration, Declaration):
            raise ImproperlyConfigured(f"{type(view).__name__}.{handler.__name__} declares no scope")
        scope = declaration.scope
        if not isinstance(scope, Scope):  # PUBLIC, or the view decides
            return True
        if not isinstance(request.user, Caller):
            raise Unauthenticated
        if not request.user.may(scope):
            raise MissingScope(scope)
        return True


def _log_account(account_id: UUID) -> None:
    structlog.contextvars.bind_contextvars(account_id=ids.encode(ids.ACCOUNT, account_id))
