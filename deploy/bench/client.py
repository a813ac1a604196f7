"""A load generator small enough not to measure itself: HTTP/1.1 keep-alive over epoll, one thread.

On two cores the generator shares its processors with what it measures. A general HTTP client costs about a
millisecond of CPU a request, more than the platform's own status read; this one sends bytes made beforehand, looks at
nothing of an answer but its status and length, and costs some tens of microseconds. It speaks to our own servers only:
no TLS, no redirects, no chunked answers (it refuses them).
"""

import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle

from deploy.bench.series import RunInvalid

PATIENCE_SECONDS = 30.0
_HEAD_END = b"\r\n\r\n"


def request(method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    if method == "POST":
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + _HEAD_END + body


@dataclass
class Outcome:
    """What the generator saw inside the measured time."""

    latencies: list[float] = field(default_factory=list)
    """Milliseconds from the first byte out to the last byte in."""
    requests: int = 0
    """Every answer, also those outside the measured time."""
    first_answer: bytes = b""


class Connection:
    """One client: it sends its next request when the last one is answered."""

    def __init__(self, port: int, stream: Iterator[bytes]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self._stream = stream
        self._received = b""
        self._missing: int | None = None

    def send(self) -> bool:
        """Send the next request; False when there is none left."""
        message = next(self._stream, None)
        if message is None:
            return False
        self._received, self._missing = b"", None
        self.sent_at = time.perf_counter()
        self.socket.sendall(message)  # requests are small: they fit the kernel's buffer
        return True

    def receive(self) -> bytes | None:
        """Take what has come; the body once the answer is whole.

        Raises:
            RunInvalid: the server hung up, answered with something else than 2xx, or without a length.
        """
        chunk = self.socket.recv(65_536)
        if not chunk:
            raise RunInvalid("the server closed a connection in the middle of a run")
        self._received += chunk
        end = self._received.find(_HEAD_END)
        if end < 0:
            return None
        if self._missing is None:
            self._missing = end + len(_HEAD_END) + _length(self._received[:end])
        if len(self._received) < self._missing:
            return None
        body = self._received[end + len(_HEAD_END) :]
        if self._received[9:10] != b"2":
            raise RunInvalid(f"answered {self._received[9:12].decode()}: {body[:300].decode(errors='replace')}")
        return body


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise RunInvalid("an answer came without Content-Length")


def drive(port: int, streams: Sequence[Sequence[bytes]], *, seconds: float, warmup: float) -> Outcome:
    """Keep one connection a stream busy, going round in each stream, for `warmup` + `seconds`; the latter count.

    Raises:
        RunInvalid: any answer was not a 2xx: a benchmark of errors is none.
    """
    outcome = Outcome()
    begin = time.perf_counter() + warmup
    end = begin + seconds
    connections = [Connection(port, cycle(stream)) for stream in streams]
    _loop(connections, outcome, begin=begin, end=end)
    return outcome


def send_all(port: int, streams: Sequence[Sequence[bytes]]) -> Outcome:
    """Send every request of every stream once, one connection a stream.

    Raises:
        RunInvalid: any answer was not a 2xx.
    """
    outcome = Outcome()
    connections = [Connection(port, iter(stream)) for stream in streams if stream]
    _loop(connections, outcome, begin=0.0, end=float("inf"))
    return outcome


def _loop(connections: Sequence[Connection], outcome: Outcome, *, begin: float, end: float) -> None:
    with selectors.DefaultSelector() as selector:
        try:
            busy = 0
            for connection in connections:
                selector.register(connection.socket, selectors.EVENT_READ, connection)
                busy += connection.send()
            while busy:
                ready = selector.select(PATIENCE_SECONDS)
                if not ready:
                    raise RunInvalid(f"no answer for {PATIENCE_SECONDS:.0f} s")
                for key, _ in ready:
                    connection = key.data
                    body = connection.receive()
                    if body is None:
                        continue
                    now = time.perf_counter()
                    outcome.requests += 1
                    if begin <= connection.sent_at and now <= end:
                        outcome.latencies.append((now - connection.sent_at) * 1000)
                    outcome.first_answer = outcome.first_answer or body
                    if now >= end or not connection.send():
                        busy -= 1
        finally:
            for connection in connections:
                connection.socket.close()
