"""An issuer of ID tokens on loopback: a key of its own, and the certificates' address in the form of Google's."""

import base64
import datetime
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

CLIENT_ID = "1234-killatamata.apps.example"
ISSUER = "https://accounts.google.com"


@dataclass
class Key:
    """An RSA key and its certificate."""

    id: str
    private: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def sign(self, content: bytes) -> bytes:
        return self.private.sign(content, padding.PKCS1v15(), hashes.SHA256())

    @property
    def certificate(self) -> str:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer.example")])
        now = datetime.datetime.now(datetime.UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.private.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(self.private, hashes.SHA256())
        )
        return built.public_bytes(serialization.Encoding.PEM).decode()


KEY = Key("key-one")


@dataclass
class Google:
    """What it answers, and how often it was asked."""

    address: str = ""
    asked: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Cache-Control": "public, max-age=3600"})
    keys: list[Key] = field(default_factory=lambda: [KEY])
    content: bytes | None = None
    """Instead of the certificates."""
    gate: threading.Event = field(default_factory=threading.Event)
    """The certificates are answered once this is set."""


def claims(email: Any = "somebody@example.com", **changed: Any) -> dict[str, Any]:
    """What a good token says; a claim changed to None is left out."""
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "sub": "1001",
        "email": email,
        "email_verified": True,
        "iat": now,
        "exp": now + 3600,
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def token(
    email: Any = "somebody@example.com", *, key: Key = KEY, header: dict[str, Any] | None = None, **changed: Any
) -> str:
    """An ID token signed with `key`; a header changed to None is left out."""
    head = {"alg": "RS256", "typ": "JWT", "kid": key.id} | (header or {})
    signed = f"{part({n: v for n, v in head.items() if v is not None})}.{part(claims(email, **changed))}"
    return f"{signed}.{encode(key.sign(signed.encode()))}"


def part(content: Any) -> str:
    """One part of a token."""
    return encode(json.dumps(content).encode())


def encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@contextmanager
def serve() -> Iterator[Google]:
    """Listen on a free loopback port."""
    google = Google()
    google.gate.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(google))
    google.address = f"http://127.0.0.1:{server.server_port}/certs"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield google
    finally:
        google.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(google: Google) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            google.asked += 1
            google.gate.wait(20)
            content = json.dumps({key.id: key.certificate for key in google.keys}).encode()
            self.send_response(google.status)
            for name, value in google.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(google.content if google.content is not None else content)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests look at `asked`."""

    return Handler
