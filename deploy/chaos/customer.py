"""The customer's own server: takes callbacks and checks their signatures, serves a clip to resize."""

import base64
import binascii
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any

from deploy.chaos.ambush import Ambushes

TOLERANCE_SECONDS = 300

Secret = Callable[[str], str]
"""The signing secret of an account, by its name in the callback URL."""


@dataclass(frozen=True)
class Received:
    """One callback as it came."""

    message_id: str
    job_id: str
    status: str
    fault: str
    """Why it would have to be refused; empty when it is genuine."""


class Customer:
    """An HTTP server on a free loopback port.

    Ambush places: "callback" (struck after a callback was read, before it is answered) and "clip" (struck when half
    of the clip was sent to somebody who fetches all of it).
    """

    def __init__(self, clip: Path) -> None:
        self.ambushes = Ambushes()
        self.secrets: dict[str, str] = {}
        """Account name → its signing secret, once known."""
        self._clip = clip.read_bytes()
        self._received: list[Received] = []
        self._finished: set[str] = set()
        self._news = threading.Condition()
        handler = type("Handler", (_Handler,), {"customer": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="customer", daemon=True)

    @property
    def target(self) -> str:
        """`host:port`, for HTTP_ALLOWED_TARGETS."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def clip_url(self) -> str:
        return f"http://{self.target}/clip.mp4"

    def callback_url(self, account: str) -> str:
        return f"http://{self.target}/callbacks/{account}"

    def open(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def received(self) -> list[Received]:
        with self._news:
            return list(self._received)

    @property
    def finished(self) -> int:
        """How many jobs the customer knows to be over."""
        return len(self._finished)

    def wait_finished(self, job_id: str, seconds: float) -> bool:
        """Whether the callback of this job came within the time."""
        with self._news:
            return self._news.wait_for(lambda: job_id in self._finished, seconds)

    def note(self, received: Received) -> None:
        with self._news:
            self._received.append(received)
            self._finished.add(received.job_id)
            self._news.notify_all()

    @property
    def clip(self) -> bytes:
        return self._clip


def fault_of(secret: str, headers: dict[str, str], body: bytes, now: float) -> str:
    """Why a message is not a genuine Standard Webhooks message under `secret`; empty when it is.

    Written from the published specification alone, so that a mistake in our signer does not confirm itself.
    """
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        if abs(now - int(headers["webhook-timestamp"])) > TOLERANCE_SECONDS:
            return "too old or from the future"
        offered = [part.partition(",") for part in headers["webhook-signature"].split()]
        given = [base64.b64decode(text, validate=True) for version, _, text in offered if version == "v1"]
    except (KeyError, ValueError, binascii.Error) as error:
        return f"malformed: {error!r}"
    expected = hmac.digest(key, signed, hashlib.sha256)
    return "" if any(hmac.compare_digest(expected, signature) for signature in given) else "wrong signature"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A steward killed in the middle of a call is what happens here, not an error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    customer: Customer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        message: dict[str, Any] = json.loads(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        account = self.path.rpartition("/")[2]
        job_id = str(message.get("externalJobId"))
        self.customer.note(
            Received(
                message_id=headers.get("webhook-id", ""),
                job_id=job_id,
                status=str(message.get("status")),
                fault=fault_of(self.customer.secrets[account], headers, body, time.time()),
            )
        )
        ambush = self.customer.ambushes.take("callback")
        if ambush is not None:
            ambush.spring(job_id)
            return self._drop()
        self._head(204, 0)
        return None

    def do_HEAD(self) -> None:
        self._head(200, len(self.customer.clip))

    def do_GET(self) -> None:
        clip = self.customer.clip
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes="):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            part = clip[int(first) : int(last) + 1 if last else None]
            self._head(206, len(part), f"bytes {first}-{int(first) + len(part) - 1}/{len(clip)}")
            self.wfile.write(part)
            return None
        ambush = self.customer.ambushes.take("clip")
        self._head(200, len(clip))
        if ambush is not None:
            self.wfile.write(clip[: len(clip) // 2])
            ambush.spring(self.path)
            return self._drop()
        self.wfile.write(clip)
        return None

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""

    def _head(self, status: int, length: int, content_range: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        if status != 204:
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Accept-Ranges", "bytes")
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()

    def _drop(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(SHUT_RDWR)
