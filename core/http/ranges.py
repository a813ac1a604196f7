"""Random access to a foreign file by range requests, for probes that need its head and its tail."""

import re
import tempfile
from collections.abc import Iterator
from typing import IO, Self

import httpcore

from core.http.body import chunks, declared_length, encoding, header
from core.http.connection import Line
from core.http.deadline import Deadline
from core.http.errors import FetchFailed, TooLarge
from core.http.fetch import ASK_PLAIN, get, unexpected_status

READ_AHEAD = 64 * 1024
_SPOOL_BYTES = 4 * 1024 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)
_NO_RANGE = re.compile(r"bytes \*/(\d{1,18})", re.ASCII)


class RangeReader:
    """Reads pieces of one foreign file over a pinned connection; not for several threads at once.

    The first request asks for the head. A server that answers with a range is asked for further ones; one that
    ignores Range is read from the start as far as needed. All bytes fetched count towards `max_bytes`, and the
    seconds of the whole life of the reader towards `timeout_seconds`.
    """

    size: int | None
    """Length of the file; None while it is unknown."""
    etag: str | None
    last_modified: str | None

    def __init__(self, url: str, *, max_bytes: int, timeout_seconds: float) -> None:
        """Open `url`, following redirects as `fetch_to` does.

        Raises:
            ForbiddenUrl: the URL, or one that it redirects to, breaks a rule of this room.
            FetchFailed: the server could not be reached or did not answer with content.
        """
        self._max_bytes = max_bytes
        self._left = max_bytes
        self._spans: dict[int, bytes] = {}
        """What has come, by its offset; spans do not overlap."""
        self._sequential: Iterator[bytes] | None = None
        self._spool: IO[bytes] | None = None
        self._spooled = 0
        head = max(1, min(READ_AHEAD, max_bytes))
        answer = get(url, deadline=Deadline(timeout_seconds), headers=ASK_PLAIN | {"range": f"bytes=0-{head - 1}"})
        self._line: Line = answer.line
        self._response = answer.response
        """The first answer; it stays open while it is read in sequence."""
        try:
            self._open(answer.response, head)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def final_url(self) -> str:
        """Where the redirects led."""
        return self._line.target.url

    @property
    def ranged(self) -> bool:
        """Whether the server answers range requests."""
        return self._spool is None

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, `length` of them or as many as there are before the end of the file.

        Raises:
            TooLarge: more than `max_bytes` would have to be fetched in all.
            FetchFailed: the connection broke, time ran out, or the file changed since it was opened.
        """
        if offset < 0 or length < 0:
            raise ValueError("offset and length must not be negative")
        return self._read_spooled(offset, length) if self._spool is not None else self._read_spans(offset, length)

    def close(self) -> None:
        """Close the connection and forget what was read."""
        self._response.close()
        self._line.close()
        if self._spool is not None:
            self._spool.close()

    def _open(self, response: httpcore.Response, head: int) -> None:
        self.size = None
        self.etag = header(response, "etag")
        self.last_modified = header(response, "last-modified")
        if response.status == 206:
            self._keep(response, start=0, stop=head)
            response.close()
        elif response.status == 200:
            self.size = declared_length(response) if encoding(response) is None else None
            self._spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 — closed by close()
            self._sequential = chunks(response, max_bytes=self._max_bytes, meter=self._line.meter)
        elif response.status == 416 and _NO_RANGE.fullmatch(header(response, "content-range") or "bytes */0"):
            self.size = 0  # an empty file has no first byte to ask for
            response.close()
        else:
            raise unexpected_status(response.status)

    def _read_spans(self, offset: int, length: int) -> bytes:
        pieces = []
        position, end = offset, offset + length
        while position < end and (self.size is None or position < self.size):
            span = self._span_at(position)
            if span is None:
                self._fetch(position, end)
                continue
            start, data = span
            piece = data[position - start : end - start]
            pieces.append(piece)
            position += len(piece)
        return b"".join(pieces)

    def _span_at(self, position: int) -> tuple[int, bytes] | None:
        return next(
            ((start, data) for start, data in self._spans.items() if start <= position < start + len(data)), None
        )

    def _fetch(self, start: int, end: int) -> None:
        """Ask for [start, end) and some more, up to what is known already, the end of the file, or the cap."""
        bounds = [known for known in self._spans if known > start]
        if self.size is not None:
            bounds.append(self.size)
        affordable = start + self._left
        if min([end, *bounds]) > affordable:
            raise TooLarge(self._max_bytes)
        stop = min([max(end, start + READ_AHEAD), affordable, *bounds])
        # A strong ETag makes the server itself notice a change; a weak one may not be used with If-Range.
        condition = {"if-range": self.etag} if self.etag and self.etag.startswith('"') else {}
        headers = ASK_PLAIN | {"range": f"bytes={start}-{stop - 1}"} | condition
        response = self._line.send("GET", headers=headers)
        try:
            if response.status == 416 and self.size is None:
                self.size = start
                return
            if response.status == 200:
                raise _changed()
            if response.status != 206:
                raise unexpected_status(response.status)
            if self.etag != header(response, "etag") or self.last_modified != header(response, "last-modified"):
                raise _changed()
            self._keep(response, start=start, stop=stop)
        finally:
            response.close()

    def _keep(self, response: httpcore.Response, *, start: int, stop: int) -> None:
        """Store the span that a 206 carries: all that was asked for, or as much of it as there is in the file."""
        span = _CONTENT_RANGE.fullmatch(header(response, "content-range") or "")
        if span is None or encoding(response):
            raise _bad_range()
        size = None if span[3] == "*" else int(span[3])
        if int(span[1]) != start or int(span[2]) + 1 != (stop if size is None else min(stop, size)):
            raise _bad_range()  # also what keeps a read from turning into a million one-byte answers
        if self.size is not None and size is not None and size != self.size:
            raise _changed()
        self.size = size if size is not None else self.size
        expected = int(span[2]) - start + 1
        data = b"".join(chunks(response, max_bytes=expected, meter=self._line.meter))
        self._left -= len(data)
        if len(data) != expected:
            raise _bad_range()
        self._spans[start] = data

    def _read_spooled(self, offset: int, length: int) -> bytes:
        if self._spool is None or self._sequential is None:
            raise ValueError("this reader does not read in sequence")
        while self._spooled < offset + length and (self.size is None or self._spooled < self.size):
            piece = next(self._sequential, None)
            if piece is None:
                self.size = self._spooled
                break
            self._spool.seek(self._spooled)
            self._spool.write(piece)
            self._spooled += len(piece)
        self._spool.seek(offset)
        return self._spool.read(length)


def _changed() -> FetchFailed:
    return FetchFailed("The file changed while it was being read.", reason="changed", retryable=True)


def _bad_range() -> FetchFailed:
    return FetchFailed(
        "The server answered with another range than it was asked for.", reason="protocol", retryable=False
    )
