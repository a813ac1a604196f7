"""How a node proves who it is.

A node's secret is never stored: it is HMAC-SHA-256(master key, "node" ‖ node id ‖ version). The node holds
`<node id>.<version>.<base64url secret>`. Each request signs method, path, time, nonce and body hash.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

MAX_SKEW_SECONDS = 60

NODE_HEADER = "X-Node-Id"
VERSION_HEADER = "X-Node-Version"
TIME_HEADER = "X-Node-Timestamp"
NONCE_HEADER = "X-Node-Nonce"
SIGNATURE_HEADER = "X-Node-Signature"

_TOKEN = re.compile(r"([!-~]{1,60})\.([1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})")
"""A node id may hold dots, as host names do; the secret is 32 bytes, and nothing else decodes to it by chance."""
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class MalformedToken(ValueError):
    """The node secret is not of the form <node id>.<version>.<secret>."""


@dataclass(frozen=True, kw_only=True)
class NodeCredential:
    """What a node is given by its operator."""

    node_id: str
    version: int
    secret: bytes

    def token(self) -> str:
        """One text to hand over: `NODE_SECRET`."""
        return f"{self.node_id}.{self.version}.{base64.urlsafe_b64encode(self.secret).decode().rstrip('=')}"

    @classmethod
    def parse(cls, token: str) -> "NodeCredential":
        """The credential behind a token.

        Raises:
            MalformedToken: it is not one.
        """
        match = _TOKEN.fullmatch(token.strip())
        if match is None:
            raise MalformedToken("NODE_SECRET must look like <node id>.<version>.<secret>")
        node_id, version, secret = match.groups()
        return cls(node_id=node_id, version=int(version), secret=base64.urlsafe_b64decode(f"{secret}="))


def derive(master: bytes, *, node_id: str, version: int) -> NodeCredential:
    """The credential of a node under the master key."""
    secret = hmac.digest(master, f"node\n{node_id}\n{version}".encode(), hashlib.sha256)
    return NodeCredential(node_id=node_id, version=version, secret=secret)


def sign_request(credential: NodeCredential, *, method: str, path: str, body: bytes, timestamp: int) -> dict[str, str]:
    """The headers that authenticate one request; a fresh nonce each time."""
    nonce = secrets.token_urlsafe(16)
    return {
        NODE_HEADER: credential.node_id,
        VERSION_HEADER: str(credential.version),
        TIME_HEADER: str(timestamp),
        NONCE_HEADER: nonce,
        SIGNATURE_HEADER: _request_signature(credential.secret, method, path, str(timestamp), nonce, body),
    }


def verify_request(
    secret: bytes, *, method: str, path: str, timestamp: str, nonce: str, body: bytes, signature: str, now: float
) -> bool:
    """Whether signature and time (within MAX_SKEW_SECONDS) are right. Whether the nonce is fresh, the caller knows."""
    if not _TIMESTAMP.fullmatch(timestamp) or abs(now - int(timestamp)) > MAX_SKEW_SECONDS or not 8 <= len(nonce) <= 64:
        return False
    return _equal(_request_signature(secret, method, path, timestamp, nonce, body), signature)


def sign_text(secret: bytes, purpose: str, text: str) -> str:
    """A signature over a document, bound to its purpose."""
    return hmac.new(secret, f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()


def verify_text(secret: bytes, purpose: str, text: str, signature: str) -> bool:
    """Whether `sign_text` made this signature."""
    return _equal(sign_text(secret, purpose, text), signature)


def _request_signature(secret: bytes, method: str, path: str, timestamp: str, nonce: str, body: bytes) -> str:
    message = "\n".join((method.upper(), path, timestamp, nonce, hashlib.sha256(body).hexdigest()))
    return hmac.new(secret, message.encode(), hashlib.sha256).hexdigest()


def _equal(ours: str, theirs: str) -> bool:
    """In constant time; as bytes, since compare_digest raises on texts that are not ASCII."""
    return hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "surrogatepass"))
