"""Stands between a client and a server on real sockets, and loses, delays or replaces answers as its script says."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import httpx
from django.db import connections


class Lose:
    """Let the request through and break the connection instead of answering."""


class Hang:
    """Never answer, and let nothing through."""


@dataclass(frozen=True)
class Say:
    """Answer this, and let nothing through."""

    status: int
    body: bytes | Mapping[str, object] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    announce: int | None = None
    """What Content-Length claims, where it lies; the connection ends with the body."""


Step = Lose | Hang | Say


@dataclass(frozen=True)
class Seen:
    """One request that arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.body)
        return found


class Middleman:
    """An HTTP server of its own. Requests take the steps of `script` in order; without one they go through."""

    def __init__(self, upstream: str = "") -> None:
        self.script: list[Step] = []
        self.seen: list[Seen] = []
        self.before: Callable[[Seen], None] = lambda seen: None
        """Called in the server's thread before a request is handled."""
        self._upstream = upstream
        self._released = threading.Event()
        self._http = httpx.Client(base_url=upstream, trust_env=False) if upstream else None
        middleman = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are sent apart; 40 ms would lie between them

            def do_GET(self) -> None:
                middleman._handle(self)

            do_POST = do_GET

            def log_message(self, *arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # a client that hung up is part of some scripts

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        if self._http is not None:
            self._http.close()

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        seen = Seen(handler.command, handler.path, dict(handler.headers), body)
        self.seen.append(seen)
        try:
            self.before(seen)
        finally:
            connections.close_all()  # of this thread
        step = self.script.pop(0) if self.script else None
        if isinstance(step, Say):
            self._say(handler, step)
        elif isinstance(step, Hang):
            self._released.wait(30)
            handler.close_connection = True
        else:
            answer = self._pass_on(seen)
            if isinstance(step, Lose):
                handler.close_connection = True
                return
            headers = {
                name: value
                for name, value in answer.headers.items()
                if name.lower() not in {"content-length", "transfer-encoding", "connection", "content-encoding"}
            }
            self._say(handler, Say(answer.status_code, answer.content, headers))

    def _pass_on(self, seen: Seen) -> httpx.Response:
        assert self._http is not None
        headers = {name: value for name, value in seen.headers.items() if name.lower() not in {"host", "connection"}}
        return self._http.request(seen.method, seen.path, content=seen.body, headers=headers, timeout=30)

    def _say(self, handler: BaseHTTPRequestHandler, said: Say) -> None:
        body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
        handler.send_response(said.status)
        for name, value in said.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body) if said.announce is None else said.announce))
        handler.end_headers()
        handler.wfile.write(body)
        if said.announce is not None:
            handler.close_connection = True
