"""The other half of signing in with Google by redirect, on loopback: the page of consent and the exchange of codes."""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.google import CLIENT_ID, token

CLIENT_SECRET = "a-secret-of-the-client"
ACCESS_TOKEN = "ya29.an-access-token"


@dataclass
class GoogleSite:
    """How it behaves, and what it was asked."""

    address: str = ""
    email: str = "somebody@example.com"
    id_token: str | None = None
    """Instead of a good one for `email`."""
    consents: bool = True
    answer: tuple[int, bytes] | None = None
    """Instead of tokens."""
    asked: list[dict[str, str]] = field(default_factory=list)
    """What came to the page of consent."""
    exchanged: list[dict[str, str]] = field(default_factory=list)
    """What came to the exchange."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def authorize_url(self) -> str:
        return f"{self.address}/authorize"

    @property
    def token_url(self) -> str:
        return f"{self.address}/token"

    def consent(self, asked: dict[str, str]) -> str:
        """Where the browser is sent."""
        self.asked.append(asked)
        back = {"state": asked["state"], "error": "access_denied"}
        if self.consents:
            code = secrets.token_urlsafe(16)
            self.codes[code] = asked
            back = {"state": asked["state"], "code": code}
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def exchange(self, form: dict[str, str]) -> tuple[int, bytes]:
        """Tokens for a code, once, for whoever holds its verifier and the client's secret."""
        self.exchanged.append(form)
        if self.answer is not None:
            return self.answer
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or form.get("client_id") != CLIENT_ID
            or form.get("client_secret") != CLIENT_SECRET
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != asked["redirect_uri"]
            or asked["code_challenge_method"] != "S256"
            or asked["code_challenge"] != challenge.rstrip(b"=").decode()
        ):
            return 400, b'{"error": "invalid_grant"}'
        tokens = {"access_token": ACCESS_TOKEN, "expires_in": 3599, "token_type": "Bearer"}
        return 200, json.dumps(tokens | {"id_token": self.id_token or token(self.email)}).encode()


@contextmanager
def serve() -> Iterator[GoogleSite]:
    """Listen on a free loopback port."""
    site = GoogleSite()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(site: GoogleSite) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", site.consent(dict(parse_qsl(urlsplit(self.path).query))))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            status, content = site.exchange(form)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests look at what it was asked."""

    return Handler
