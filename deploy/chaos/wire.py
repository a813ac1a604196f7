"""The wire between a worker and the control plane: it sends calls twice, loses answers, and hides ambushes.

An HTTP proxy rather than a change in either side: what runs is exactly what runs in production.
"""

import http.client
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from typing import Literal
from urllib.parse import urlsplit

from deploy.chaos.ambush import Ambushes

SHARE_TWICE = 0.15
SHARE_LOST = 0.15
FORWARD_SECONDS = 20.0

When = Literal["before", "beside", "after"]
"""An ambush strikes before a call is passed on (it is never heard), beside it while it is being served, or after it
(its answer is never heard)."""
READY_SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """What the control plane said; no status when it said nothing."""

    status: int | None
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def heard(self) -> bool:
        """The call took effect, as far as anybody can tell: neither turned away nor unanswered."""
        return self.status is not None and self.status < 500 and self.status != HTTPStatus.UNAUTHORIZED


NOTHING = Answer(None, [], b"")


@dataclass(frozen=True)
class Twice:
    """The same bytes were sent twice at once."""

    verb: str
    began_at: datetime
    ended_at: datetime
    answers: tuple[Answer, Answer]


class Wire:
    """A proxy on a free loopback port; `upstream` tells the control plane's address once it is known."""

    def __init__(self, *, seed: int, upstream: Callable[[], str]) -> None:
        self.ambushes = Ambushes()
        """Places are (verb, When), verb being the last word of the call's path."""
        self.calls: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.twice: list[Twice] = []
        self._chance = random.Random(seed)
        self._upstream = upstream
        self._lock = threading.Lock()
        self._doubles = ThreadPoolExecutor(max_workers=16, thread_name_prefix="wire-twice")
        handler = type("Handler", (_Handler,), {"wire": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="wire", daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def open(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._doubles.shutdown()

    def draw(self, verb: str) -> str:
        """What becomes of this call: "", "twice" or "lost"."""
        with self._lock:
            lot = self._chance.random()
            fault = "twice" if lot < SHARE_TWICE else "lost" if lot < SHARE_TWICE + SHARE_LOST else ""
            self.calls[verb] += 1
            self.faults[fault] += 1
            return fault

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Pass a call on once."""
        upstream = urlsplit(self._upstream())
        connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port, timeout=FORWARD_SECONDS)
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        except (OSError, http.client.HTTPException):
            return NOTHING
        finally:
            connection.close()

    def forward_twice(self, verb: str, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Pass the same bytes on twice at once; the worker hears either of the two answers."""
        began_at = datetime.now(UTC)
        both = [self._doubles.submit(self.forward, method, path, headers, body) for _ in range(2)]
        first, second = (future.result() for future in both)
        with self._lock:
            self.twice.append(Twice(verb, began_at, datetime.now(UTC), (first, second)))
            return self._chance.choice((first, second))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A worker killed in the middle of a call is what happens here, not an error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wire: Wire

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""

    def _pass_on(self) -> None:
        wire, path = self.wire, self.path
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        verb = path.rpartition("/")[2]
        before = wire.ambushes.take((verb, "before"))
        if before is not None:
            before.spring(path)
            return self._drop()
        beside = wire.ambushes.take((verb, "beside"))
        if beside is not None and beside.ready is not None:
            threading.Thread(target=beside.spring, args=[path], name="beside", daemon=True).start()
            beside.ready.wait(READY_SECONDS)
        after = wire.ambushes.take((verb, "after"))
        fault = "" if after is not None or beside is not None else wire.draw(verb)
        if fault == "twice":
            answer = wire.forward_twice(verb, self.command, path, headers, body)
        else:
            answer = wire.forward(self.command, path, headers, body)
        if after is not None:
            after.spring(path)
        if after is not None or fault == "lost" or answer.status is None:
            return self._drop()
        return self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        self.send_response_only(answer.status or 0)
        for name, value in answer.headers:
            if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _drop(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(SHUT_RDWR)
