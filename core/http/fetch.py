"""Fetch a foreign file into a sink, following a few redirects, each checked as if it were the first URL."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Self
from urllib.parse import urljoin

import httpcore

from core.http.body import chunks, declared_length, header
from core.http.connection import Line
from core.http.deadline import Deadline
from core.http.errors import FetchFailed, ForbiddenUrl, TooLarge
from core.http.urls import parse

MAX_REDIRECTS = 3
ASK_PLAIN = {"accept": "*/*", "accept-encoding": "identity"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429})


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What was fetched."""

    status: int
    media_type: str | None
    """Content-Type without its parameters, lower case; the server's claim, not a fact."""
    bytes: int
    sha256: str
    final_url: str


class Answer:
    """The answer after all redirects, and the line it came over."""

    def __init__(self, line: Line, response: httpcore.Response) -> None:
        self.line = line
        self.response = response

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop the rest of the answer and the connection."""
        self.response.close()
        self.line.close()


def fetch_to(url: str, *, sink: BinaryIO, max_bytes: int, timeout_seconds: float) -> Fetched:
    """GET `url` into `sink`. After an error the sink may hold a part of the content.

    Raises:
        ForbiddenUrl: the URL, or one that it redirects to, breaks a rule of this room.
        TooLarge: the content has more than `max_bytes`; no more than that was written.
        FetchFailed: the server could not be reached, did not answer 200, or was slower than `timeout_seconds` in all.
    """
    with get(url, deadline=Deadline(timeout_seconds), headers=ASK_PLAIN) as answer:
        response = answer.response
        if response.status != 200:
            raise unexpected_status(response.status)
        if (declared_length(response) or 0) > max_bytes:
            raise TooLarge(max_bytes)
        digest = hashlib.sha256()
        size = 0
        for piece in chunks(response, max_bytes=max_bytes, meter=answer.line.meter):
            sink.write(piece)
            digest.update(piece)
            size += len(piece)
        media_type = (header(response, "content-type") or "").partition(";")[0].strip().lower()
        return Fetched(
            status=response.status,
            media_type=media_type or None,
            bytes=size,
            sha256=digest.hexdigest(),
            final_url=answer.line.target.url,
        )


def get(url: str, *, deadline: Deadline, headers: Mapping[str, str]) -> Answer:
    """Send a GET, following at most MAX_REDIRECTS redirects. The caller closes the answer.

    Raises:
        ForbiddenUrl: the URL, or one that it redirects to, breaks a rule, or a redirect leaves https for http.
        FetchFailed: no answer, or too many redirects.
    """
    target = parse(url)
    for _ in range(MAX_REDIRECTS + 1):
        line = Line(target, deadline=deadline)
        try:
            response = line.send("GET", headers=headers)
        except BaseException:
            line.close()
            raise
        location = header(response, "location") if response.status in _REDIRECTS else None
        answer = Answer(line, response)
        if location is None:
            return answer
        answer.close()
        following = parse(_joined(target.url, location))
        if target.scheme == "https" and following.scheme == "http":
            raise ForbiddenUrl("The URL redirects from https to http.")
        target = following
    raise FetchFailed("The URL redirects too often.", reason="redirects", retryable=False)


def unexpected_status(status: int) -> FetchFailed:
    """The error for an answer that is not the content."""
    return FetchFailed(
        f"The server answered with status {status}.",
        reason="status",
        retryable=status in _WORTH_ANOTHER_TRY or status >= 500,
    )


def _joined(base: str, location: str) -> str:
    # urljoin drops tabs and line ends; parse() must get to see them, so they are refused here first.
    if any(not character.isprintable() for character in location):
        raise ForbiddenUrl("The URL redirects to one with control characters.")
    try:
        return urljoin(base, location)
    except ValueError:
        raise ForbiddenUrl("The URL redirects to one that is not valid.") from None
