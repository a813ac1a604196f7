"""Only a registered node that signs freshly is heard."""

import time
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from redis import RedisError
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from core.errors import ApiError, InvalidRequest, Unavailable
from core.valkey import valkey
from media.fleet import services as fleet
from media.models import Node
from workers.protocol import signing

_Message = TypeVar("_Message", bound=BaseModel)


class NodeRefused(ApiError):
    """The request is not signed by a node this platform knows."""

    code = "unauthenticated"
    http_status = 401


class NonceReplayed(NodeRefused):
    """This signed request was seen before."""

    code = "nonce_replayed"


@dataclass(frozen=True, kw_only=True)
class NodeCaller:
    """The node behind a request, as `request.user`."""

    node: Node
    is_authenticated: bool = True


class NodeAuthentication(BaseAuthentication):
    """HMAC over method, path, time, nonce and body; each nonce is good once."""

    def authenticate(self, request: Request) -> tuple[NodeCaller, None]:
        """The node.

        Raises:
            NodeRefused: unknown, disabled, of another secret version, wrongly signed, or older than a minute.
            NonceReplayed: sent before.
            Unavailable: nonces cannot be checked right now; the worker tries again.
        """
        head = request.META
        node = fleet.find_node(head.get(_meta(signing.NODE_HEADER), ""))
        nonce = head.get(_meta(signing.NONCE_HEADER), "")
        if node is None or head.get(_meta(signing.VERSION_HEADER)) != str(node.secret_version):
            raise NodeRefused
        genuine = any(
            signing.verify_request(
                secret,
                method=request.method or "",
                path=request.get_full_path(),
                timestamp=head.get(_meta(signing.TIME_HEADER), ""),
                nonce=nonce,
                body=request._request.body,
                signature=head.get(_meta(signing.SIGNATURE_HEADER), ""),
                now=time.time(),
            )
            for secret in fleet.accepted_secrets(node)
        )
        if not genuine:
            raise NodeRefused
        _spend_nonce(node.pk, nonce)
        return NodeCaller(node=node), None

    def authenticate_header(self, request: Request) -> str:
        """What a 401 says in WWW-Authenticate."""
        return 'Node realm="workers"'


def read_message(request: Request, model: type[_Message]) -> _Message:
    """The request's body as a protocol model.

    Raises:
        InvalidRequest: it is not one.
    """
    try:
        return model.model_validate_json(request._request.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InvalidRequest({".".join(str(step) for step in first["loc"]): first["msg"]}) from None


def _meta(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


def _spend_nonce(node_id: str, nonce: str) -> None:
    try:
        fresh = valkey().set(f"node-nonce:{node_id}:{nonce}", 1, nx=True, ex=2 * signing.MAX_SKEW_SECONDS)
    except RedisError as error:
        raise Unavailable from error
    if not fresh:
        raise NonceReplayed
