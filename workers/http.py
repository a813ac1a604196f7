"""HTTP as a node needs it: two parties it was told of, no redirects, no proxies, no cookies.

On httpcore, because a fuller client takes several times its processor time a call, and a small job is five calls.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpcore

OK = 200


class NoAnswer(Exception):
    """The other side could not be reached, or went away before it had answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return OK <= self.status < 300


class Http:
    """A pool of connections; safe to use from several threads."""

    def __init__(self, *, read_seconds: float, connect_seconds: float = 3.0) -> None:
        self._pool = httpcore.ConnectionPool(max_connections=64, max_keepalive_connections=32)
        self._extensions = {
            "timeout": {
                "connect": connect_seconds,
                "read": read_seconds,
                "write": read_seconds,
                "pool": read_seconds,
            }
        }

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | Iterator[bytes] = b""
    ) -> Answer:
        """One exchange. An iterator's total length must be in the Content-Length of `headers`.

        Raises:
            NoAnswer: there was none.
        """
        sent: list[tuple[bytes | str, bytes | str]] = [*headers.items()]
        if isinstance(content, bytes) and (content or method != "GET"):
            sent.append(("Content-Length", str(len(content))))
        with _told():
            answer = self._pool.request(method, url, headers=sent, content=content, extensions=self._extensions)
        return Answer(answer.status, answer.content)

    @contextmanager
    def stream(self, url: str) -> Iterator[tuple[int, Iterator[bytes]]]:
        """GET without holding the body in memory: the status, and the body in pieces.

        Raises:
            NoAnswer: there was none, or it broke off.
        """
        with _told(), self._pool.stream("GET", url, extensions=self._extensions) as answer:
            yield answer.status, answer.iter_stream()

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.TimeoutException,
        httpcore.UnsupportedProtocol,
    ) as error:
        raise NoAnswer(type(error).__name__) from error
