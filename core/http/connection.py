"""A connection pinned to checked addresses, with every byte and every second of it counted."""

import select
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Self

import httpcore

from core.http.addresses import Address
from core.http.deadline import Deadline
from core.http.errors import FetchFailed, TooLarge, timed_out
from core.http.resolver import resolve
from core.http.urls import Target

HEADER_BYTES = 32 * 1024
"""Status line and headers of one answer, interim (1xx) answers included."""
_FRAMING_BYTES = 64 * 1024
"""What chunk sizes, trailers and the last read may add to a body on the wire, besides an eighth of it."""
_WRITE_BYTES = 64 * 1024
USER_AGENT = "KillaTamata/1.0"


@cache
def tls_context() -> ssl.SSLContext:
    """The trust store that certificates are checked against. The hook that tests replace."""
    return httpcore.default_ssl_context()


class Meter:
    """What one connection may still read in its present phase, and until when."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self._left = 0
        self._overflow: Exception = _headers_too_long()

    def expect_headers(self) -> None:
        """Allow one answer's headers."""
        self._left, self._overflow = HEADER_BYTES, _headers_too_long()

    def expect_body(self, max_bytes: int) -> None:
        """Allow a body of `max_bytes` and its framing."""
        self._left, self._overflow = max_bytes + max_bytes // 8 + _FRAMING_BYTES, TooLarge(max_bytes)

    def allowance(self, wanted: int) -> int:
        """How much of `wanted` may be read now.

        Raises:
            FetchFailed: the headers are too long.
            TooLarge: the body is.
        """
        if self._left <= 0:
            raise self._overflow
        return min(wanted, self._left)

    def count(self, received: int) -> None:
        """Note what came."""
        self._left -= received


class _Stream(httpcore.NetworkStream):
    """A socket whose every wait ends at the meter's deadline, whatever time-outs httpcore has in mind."""

    def __init__(self, sock: socket.socket, meter: Meter) -> None:
        self._socket = sock
        self._meter = meter

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        allowance = self._meter.allowance(max_bytes)
        self._socket.settimeout(self._meter.deadline.left())
        try:
            data = self._socket.recv(allowance)
        except TimeoutError:
            raise timed_out() from None
        except OSError as error:
            raise httpcore.ReadError from error
        self._meter.count(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        while view:
            self._socket.settimeout(self._meter.deadline.left())
            try:
                sent = self._socket.send(view[:_WRITE_BYTES])
            except TimeoutError:
                raise timed_out() from None
            except OSError as error:
                # httpcore goes on to read: a server may answer and close before it has read everything.
                raise httpcore.WriteError from error
            view = view[sent:]

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self._socket.settimeout(self._meter.deadline.left())
        try:
            return _Stream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname), self._meter)
        except TimeoutError:
            self.close()
            raise timed_out() from None
        except ssl.SSLCertVerificationError:
            self.close()
            raise FetchFailed(
                "The server's certificate is not valid for this host.", reason="tls", retryable=False
            ) from None
        except OSError:
            self.close()
            raise FetchFailed("No secure connection could be made.", reason="tls", retryable=True) from None

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # an idle connection that is readable has been closed by the server
            if self._socket.fileno() < 0:
                return True
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0))
        return None


class _PinnedBackend(httpcore.NetworkBackend):
    """Connects to the checked addresses and to nothing else; the host that httpcore passes is not looked at."""

    def __init__(self, addresses: Sequence[Address], meter: Meter) -> None:
        self._addresses = addresses
        self._meter = meter

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        for tried, address in enumerate(self._addresses):
            # A dead first address must leave time for the others.
            wait = self._meter.deadline.left() / (len(self._addresses) - tried)
            sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
            try:
                sock.settimeout(wait)
                sock.connect((str(address), port))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                sock.close()
                continue
            return _Stream(sock, self._meter)
        self._meter.deadline.left()
        raise FetchFailed("The server could not be reached.", reason="connect", retryable=True)


class Line:
    """Requests to one target, all of them over connections to the addresses that were checked at the start."""

    def __init__(self, target: Target, *, deadline: Deadline) -> None:
        """Resolve and check the target's host; nothing is connected yet.

        Raises:
            ForbiddenUrl, FetchFailed: see `core.http.resolver.resolve`.
        """
        self.target = target
        self.meter = Meter(deadline)
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls_context() if target.scheme == "https" else None,
            max_connections=1,
            network_backend=_PinnedBackend(resolve(target, deadline=deadline), self.meter),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, method: str, *, headers: Mapping[str, str], body: bytes = b"") -> httpcore.Response:
        """Send one request; the answer's headers have come, its body has not. The caller closes the answer.

        Raises:
            FetchFailed: no proper answer came in time.
        """
        self.meter.expect_headers()
        target = self.target
        lines = {"host": target.authority, "user-agent": USER_AGENT, **headers}
        if method == "POST":
            lines["content-length"] = str(len(body))
        request = httpcore.Request(
            method,
            httpcore.URL(
                scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
            ),
            headers=[(name.encode(), value.encode()) for name, value in lines.items()],
            content=body,
        )
        with answering():
            return self._pool.handle_request(request)

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()


@contextmanager
def answering() -> Iterator[None]:
    """Turns what httpcore raises about the peer into FetchFailed; the stream's own errors pass as they are."""
    try:
        yield
    except (httpcore.ProtocolError, httpcore.NetworkError) as error:
        raise FetchFailed(
            "The connection broke, or the answer was not proper HTTP.", reason="protocol", retryable=True
        ) from error


def _headers_too_long() -> FetchFailed:
    return FetchFailed("The server's headers are too long.", reason="protocol", retryable=False)
