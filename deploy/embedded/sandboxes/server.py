"""All payment sandboxes behind one loopback port; each provider has a prefix of its own."""

import contextlib
import secrets
import select
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from deploy.embedded.sandboxes.coinbase.sandbox import CoinbaseSandbox
from deploy.embedded.sandboxes.desk import Desk
from deploy.embedded.sandboxes.faults import Faults
from deploy.embedded.sandboxes.settings import Keys, settings
from deploy.embedded.sandboxes.store import Store
from deploy.embedded.sandboxes.stripe.sandbox import StripeSandbox
from deploy.embedded.sandboxes.webhooks import RETRY_PAUSES, Target
from deploy.embedded.sandboxes.wire import Answer, Request, json_answer
from deploy.embedded.sandboxes.x402.sandbox import X402Sandbox

LARGEST_BODY = 1_000_000
LOOPBACK_NAMES = {"127.0.0.1", "localhost", "[::1]"}
CLOCK_SECONDS = 1.0
LONGEST_TIME_OUT = 120.0
"""Seconds after which even a client without a time limit is let go."""


class Provider(Protocol):
    """What stands behind one prefix."""

    faults: Faults

    def handle(self, request: Request) -> Answer: ...


class Sandboxes:
    """Stripe, Coinbase Commerce and an x402 facilitator with its chain, on one port; also without a process of its own.

    `webhook_targets` names where each provider's events go ("stripe", "coinbase"): URLs, or functions of body and
    headers. `port` 0 takes a free one. With a `data` folder everything is kept in its `sandboxes.sqlite3`. After
    entering: `.stripe`, `.coinbase`, `.x402` drive the providers directly, `.url` is the root, and `.settings()` what
    the control plane has to be told.
    """

    def __init__(
        self,
        *,
        webhook_targets: Mapping[str, Sequence[Target]] | None = None,
        port: int = 0,
        keys: Keys | None = None,
        data: Path | None = None,
        retry_pauses: Sequence[float] = RETRY_PAUSES,
    ) -> None:
        targets = dict(webhook_targets or {})
        self.keys = keys or Keys.generate()
        self._server = Server(("127.0.0.1", port), Handler)
        self._server.sandboxes = self
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._store = Store(data / "sandboxes.sqlite3" if data else None)
        self.stripe = StripeSandbox(
            store=self._store,
            url=f"{self.url}/stripe",
            key=self.keys.stripe_key,
            webhook_secrets=[self.keys.stripe_webhook_secret],
            targets=targets.get("stripe", ()),
            pauses=retry_pauses,
        )
        self.coinbase = CoinbaseSandbox(
            store=self._store,
            url=f"{self.url}/coinbase",
            key=self.keys.coinbase_key,
            webhook_secret=self.keys.coinbase_webhook_secret,
            targets=targets.get("coinbase", ()),
            pauses=retry_pauses,
        )
        self.x402 = X402Sandbox(store=self._store, pay_to=self.keys.x402_pay_to)
        self.providers: dict[str, Provider] = {
            "stripe": self.stripe,
            "coinbase": self.coinbase,
            "x402": self.x402,
            "rpc": self.x402.rpc,
            "": Desk(stripe=self.stripe, coinbase=self.coinbase, x402=self.x402),
        }
        self.ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=[0.02], name="sandboxes", daemon=True),
            threading.Thread(target=self._keep_time, name="sandboxes-clock", daemon=True),
        ]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Serve and deliver; returns at once, connections are taken already."""
        self.stripe.webhooks.start()
        self.coinbase.webhooks.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all of it; what is pending in a data folder goes on at the next start."""
        self.ending.set()
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        for thread in self._threads:
            thread.join()
        self.stripe.webhooks.stop()
        self.coinbase.webhooks.stop()
        self._store.close()

    def settings(self) -> dict[str, str]:
        """The control plane's settings for all three providers."""
        return settings(url=self.url, keys=self.keys)

    def _keep_time(self) -> None:
        while not self.ending.wait(CLOCK_SECONDS):
            now = time.time()
            self.stripe.expire_due(now=now)
            self.coinbase.expire_due(now=now)


class Server(ThreadingHTTPServer):
    """Knows its open connections, so that stopping ends them too."""

    daemon_threads = True
    block_on_close = True
    request_queue_size = 128
    sandboxes: Sandboxes

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        self._busy = threading.Lock()
        super().__init__(address, handler)

    def process_request_thread(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        with self._busy:
            self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._busy:
                self._open.discard(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error of ours; anything else is told of by the base class."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def close_connections(self) -> None:
        """End every open connection."""
        with self._busy:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """Hands a request to its provider, with the faults ordered for it."""

    protocol_version = "HTTP/1.1"
    server_version = "sandboxes"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120
    server: Server

    def _serve(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > LARGEST_BODY or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            if length.isdigit():  # closing on unread bytes would reset the connection under its answer
                self.rfile.read(min(int(length), 4 * LARGEST_BODY))
            self._write(json_answer(413, {"error": {"message": "The body is too large or has no length."}}))
            return
        body = self.rfile.read(int(length))
        # A web page elsewhere could point a name of its own at this address.
        if (self.headers.get("Host") or "").rsplit(":", 1)[0] not in LOOPBACK_NAMES:
            self._write(json_answer(421, {"error": {"message": "Ask for 127.0.0.1 or localhost."}}))
            return
        path, _, query = self.path.partition("?")
        prefix, _, rest = path.lstrip("/").partition("/")
        providers = self.server.sandboxes.providers
        if prefix not in providers:
            prefix, rest = "", path.lstrip("/")
        provider = providers[prefix]
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, f"/{rest}", query, headers, body)
        fault = provider.faults.take(f"{request.method} {request.path}")
        if fault is None:
            self._write(provider.handle(request))
            return
        if fault.after:
            provider.handle(request)
        if fault.kind == "status":
            self._write(json_answer(fault.status, {"error": {"type": "api_error", "message": "A fault on order."}}))
            return
        self.close_connection = True
        if fault.kind == "time_out":
            self._wait_for_the_client_to_go()

    do_GET = do_POST = do_DELETE = _serve

    def _wait_for_the_client_to_go(self) -> None:
        end = time.monotonic() + LONGEST_TIME_OUT
        while time.monotonic() < end and not self.server.sandboxes.ending.is_set():
            if select.select([self.connection], [], [], 0.05)[0]:
                return

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Request-Id", f"req_{secrets.token_hex(7)}")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: it is asked all day."""
