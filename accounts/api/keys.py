"""/api/v1/keys: list, create, revoke."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.keys_messages import (
    CreatedKey,
    CreateKeyRequest,
    KeyList,
    RevokeAllKeysRequest,
    RevokedKey,
    RevokedKeys,
    RevokeKeyRequest,
    listed,
)
from accounts.api.messages import NO_STORE, account_of
from accounts.authentication import Caller, ForeignOrigin, Unauthenticated, caller_of
from accounts.google import GoogleNotConfigured, GoogleUnreachable, IdTokenRefused
from accounts.selectors import list_keys
from accounts.services.key_requests import (
    AlreadyShown,
    AskedKey,
    KeyNotFound,
    create_key,
    end_key,
    key_for_google,
)
from accounts.services.keys import MissingScope, NewKey, TooManyKeys, revoke_all_keys
from accounts.services.security_events import origin_of
from accounts.services.sign_in import AccountSuspended
from core import clock, ids
from core.errors import InvalidRequest
from core.idempotency import services as idempotency
from core.messages import read_body
from core.operations import BOOTSTRAP, Scope, header_parameter, operation

_KEY_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 200}


class KeysView(APIView):
    """/api/v1/keys"""

    @property
    def rate_class(self) -> str | None:
        """Without a credential, making a key is a sign-in and counted as one."""
        return None if self.request.method != "POST" or isinstance(self.request.user, Caller) else "sign_in"

    @operation(
        tag="keys",
        summary="List API keys",
        description="The account's API keys, newest first: every usable one and the 100 newest of those revoked. "
        "A key itself is never shown again.",
        scope=Scope.KEYS,
        answers={200: KeyList},
    )
    def get(self, request: Request) -> Response:
        """The account's keys."""
        caller = caller_of(request)
        keys = list_keys(account_id=caller.id)
        return Response(KeyList(keys=[listed(key, current=key.pk == caller.key_id) for key in keys]).wire())

    @operation(
        tag="keys",
        summary="Create an API key",
        description="With an API key or a session that has scope `keys`: a key that may do and spend no more than the "
        "asking one. Without either: send a Google ID token as `idToken`; an address that is new here is signed up. "
        "The answer is the only one that shows the key. With an idempotency key at most one API key is made; a "
        "repetition is a 409 whose `details.keyPrefix` names it, since the secret is kept nowhere.",
        scope=BOOTSTRAP,
        body=CreateKeyRequest,
        body_required=False,
        answers={201: CreatedKey},
        errors=[
            Unauthenticated,
            IdTokenRefused,
            MissingScope,
            ForeignOrigin,
            AccountSuspended,
            TooManyKeys,
            AlreadyShown,
            GoogleNotConfigured,
            GoogleUnreachable,
        ],
        parameters=[
            header_parameter(name, "Makes a repetition of this request harmless.", schema=_KEY_SCHEMA)
            for name in idempotency.HEADERS
        ],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        body = read_body(request, CreateKeyRequest)
        asked = AskedKey(
            label=body.label,
            scopes=body.scopes,
            monthly_spend_limit=body.monthly_spend_limit_usd_micros,
            idempotency_key=idempotency.one_key(header=idempotency.header_of(request.headers)),
        )
        caller = request.user if isinstance(request.user, Caller) else None
        now, origin = clock.now(), origin_of(request)
        if caller is not None:
            if body.id_token is not None:
                raise InvalidRequest({"idToken": "must not come with an API key or a session"})
            if not caller.may(Scope.KEYS):
                raise MissingScope(Scope.KEYS)
            return _created(
                create_key(account_id=caller.id, asking_key_id=caller.key_id, asked=asked, origin=origin, now=now)
            )
        if body.id_token is None:
            raise Unauthenticated
        return _created(key_for_google(id_token=body.id_token, asked=asked, origin=origin, now=now))


class RevokeKeyView(APIView):
    """/api/v1/keys/revoke"""

    @operation(
        tag="keys",
        summary="Revoke an API key",
        description="Ends a key of the account for good, within a second everywhere; a key may end itself. The keys "
        "that it made stay usable. Revoking again changes nothing and answers the same.",
        scope=Scope.KEYS,
        body=RevokeKeyRequest,
        answers={200: RevokedKey},
        errors=[KeyNotFound],
    )
    def post(self, request: Request) -> Response:
        """End one."""
        asked = read_body(request, RevokeKeyRequest)
        revoked_at = end_key(
            account_id=caller_of(request).id, prefix=asked.key_prefix, origin=origin_of(request), now=clock.now()
        )
        return Response(RevokedKey(key_prefix=asked.key_prefix, revoked_at=clock.rfc3339(revoked_at)).wire())


class RevokeAllKeysView(APIView):
    """/api/v1/keys/revoke-all"""

    @operation(
        tag="keys",
        summary="Revoke every API key",
        description="Ends every usable key of the account for good, within a second everywhere, also the one that "
        "asks. Browser sessions and jobs go on. Repeating it with a session changes nothing.",
        scope=Scope.KEYS,
        body=RevokeAllKeysRequest,
        body_required=False,
        answers={200: RevokedKeys},
    )
    def post(self, request: Request) -> Response:
        """End all."""
        read_body(request, RevokeAllKeysRequest)
        now = clock.now()
        prefixes = revoke_all_keys(account_id=caller_of(request).id, origin=origin_of(request), now=now)
        return Response(RevokedKeys(key_prefixes=prefixes, revoked_at=clock.rfc3339(now)).wire())


def _created(minted: NewKey) -> Response:
    key = minted.key
    answer = CreatedKey(
        api_key=minted.plain,
        key_prefix=key.prefix,
        id=ids.encode(ids.API_KEY, key.pk),
        label=key.label,
        scopes=key.scopes,
        monthly_spend_limit_usd_micros=key.monthly_spend_limit,
        account=account_of(key.user),
    )
    return Response(answer.wire(), status=201, headers=NO_STORE)
