"""How a request says who it is: `Authorization: Bearer <key>` or `x-api-key: <key>`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.services import keys
from core import ids
from core.errors import ApiError

if TYPE_CHECKING:
    from rest_framework.views import APIView  # DRF imports this module while it builds that one


class Unauthenticated(ApiError):
    """Send a valid API key as `Authorization: Bearer <key>` or `x-api-key: <key>`."""

    code = "unauthenticated"
    http_status = 401


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The authenticated party of a request, as `request.user`."""

    id: UUID
    """The account's id."""
    key_id: UUID
    is_authenticated: bool = True


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
        """The caller, or None when the request carries no credential.

        Raises:
            Unauthenticated: there is a credential and it is not a valid key, or two that differ.
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
        identity = keys.recognise(plain or "")
        if identity is None:
            raise Unauthenticated("The API key is not valid: it is unknown, revoked or mistyped.")
        structlog.contextvars.bind_contextvars(account_id=ids.encode(ids.ACCOUNT, identity.account_id))
        return Caller(id=identity.account_id, key_id=identity.key_id), None

    def authenticate_header(self, request: Request) -> str:
        """What a 401 says in WWW-Authenticate."""
        return 'Bearer realm="api"'


class Authenticated(BasePermission):
    """The request carries a valid key."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """True, or the 401 that tells how to authenticate."""
        if not getattr(request.user, "is_authenticated", False):
            raise Unauthenticated
        return True
