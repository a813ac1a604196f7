"""Reading pieces of a foreign file: which requests are made, and what a server cannot make us do."""

from collections.abc import Iterator
from typing import Any

import pytest

from core import http
from core.http.ranges import READ_AHEAD
from tests.core.origin import Origin, Request, answer

CONTENT = bytes(index * 7 % 251 for index in range(400_000))


class RangeOrigin(Origin):
    """Serves `content` with ranges; tests change `etag`, `content` or `ranges` while it runs."""

    def __init__(self) -> None:
        super().__init__(self.serve)
        self.content = CONTENT
        self.etag = '"one"'
        self.ranges = True

    def serve(self, request: Request) -> bytes:
        if_range = request.headers.get("if-range")
        if not self.ranges or (if_range is not None and if_range != self.etag):
            return answer(self.content, close=False, etag=self.etag)
        start, end = (int(text) for text in request.headers["range"].removeprefix("bytes=").split("-"))
        piece = self.content[start : end + 1]
        if not piece:
            return answer(status="416 X", close=False, content_range=f"bytes */{len(self.content)}")
        shown = f"bytes {start}-{start + len(piece) - 1}/{len(self.content)}"
        return answer(piece, status="206 X", close=False, content_range=shown, etag=self.etag, last_modified="then")

    def asked(self) -> list[str]:
        """The Range headers so far."""
        return [request.headers["range"] for request in self.requests]


@pytest.fixture
def origin(settings: Any) -> Iterator[RangeOrigin]:
    with RangeOrigin() as origin:
        settings.HTTP_ALLOWED_TARGETS = [f"127.0.0.1:{origin.port}"]
        yield origin


def opened(origin: Origin, *, max_bytes: int = 1_000_000, timeout_seconds: float = 10) -> http.RangeReader:
    return http.RangeReader(
        f"http://127.0.0.1:{origin.port}/file", max_bytes=max_bytes, timeout_seconds=timeout_seconds
    )


def test_head_and_tail_take_two_requests_on_one_connection(origin: RangeOrigin) -> None:
    with opened(origin) as reader:
        assert (reader.size, reader.etag, reader.last_modified, reader.ranged) == (400_000, '"one"', "then", True)
        assert reader.read(0, 16) == CONTENT[:16]
        assert reader.read(10, 1000) == CONTENT[10:1010]
        assert reader.read(399_990, 100) == CONTENT[399_990:]
        assert reader.read(399_995, 5) == CONTENT[399_995:]
        assert reader.read(400_000, 5) == b""
        assert reader.read(5, 0) == b""
    assert origin.asked() == [f"bytes=0-{READ_AHEAD - 1}", "bytes=399990-399999"]
    assert origin.connects == 1


def test_a_read_across_known_and_unknown_parts_fetches_only_the_unknown(origin: RangeOrigin) -> None:
    with opened(origin) as reader:
        reader.read(200_000, 10)
        assert reader.read(0, 300_000) == CONTENT[:300_000]
    assert origin.asked()[1:] == ["bytes=200000-265535", "bytes=65536-199999", "bytes=265536-331071"]


def test_the_cap_counts_all_fetched_bytes(origin: RangeOrigin) -> None:
    with opened(origin, max_bytes=100_000) as reader:
        assert reader.read(300_000, 30_000) == CONTENT[300_000:330_000]
        with pytest.raises(http.TooLarge):
            reader.read(200_000, 10_000)
        assert reader.read(0, 100) == CONTENT[:100]
    # the head, then as much read-ahead as the cap left, and nothing for the refused read
    assert origin.asked() == ["bytes=0-65535", "bytes=300000-334463"]


def test_a_file_below_the_first_block_is_one_request(origin: RangeOrigin) -> None:
    origin.content = b"tiny"
    with opened(origin) as reader:
        assert (reader.size, reader.read(0, 100), reader.read(2, 100)) == (4, b"tiny", b"ny")
    assert len(origin.requests) == 1


def test_an_empty_file_has_size_zero(origin: RangeOrigin) -> None:
    origin.content = b""
    with opened(origin) as reader:
        assert (reader.size, reader.read(0, 100)) == (0, b"")


def test_a_server_without_ranges_is_read_in_sequence_as_far_as_needed(origin: RangeOrigin) -> None:
    origin.ranges = False
    with opened(origin, max_bytes=300_000) as reader:
        assert (reader.size, reader.ranged) == (400_000, False)
        assert reader.read(1000, 16) == CONTENT[1000:1016]
        assert reader.read(0, 16) == CONTENT[:16]
        assert reader.read(200_000, 50_000) == CONTENT[200_000:250_000]
        with pytest.raises(http.TooLarge):
            reader.read(300_000, 1)
    assert len(origin.requests) == 1


def test_a_chunked_answer_has_no_size_until_its_end(origin: RangeOrigin) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n"
    origin.respond = lambda _: head + b"5\r\nhello\r\n0\r\n\r\n"
    with opened(origin) as reader:
        assert reader.size is None
        assert reader.read(3, 100) == b"lo"
        assert reader.size == 5


@pytest.mark.parametrize(("etag", "grown"), [('"two"', b""), ('W/"two"', b""), ('"one"', b"more")])
def test_a_file_that_changes_while_it_is_read_is_a_failure(etag: str, grown: bytes, origin: RangeOrigin) -> None:
    with opened(origin) as reader:
        origin.etag, origin.content = etag, CONTENT + grown
        for _ in range(2):  # and the connection is not stuck afterwards
            with pytest.raises(http.FetchFailed) as raised:
                reader.read(300_000, 10)
            assert (raised.value.reason, raised.value.retryable) == ("changed", True)


@pytest.mark.parametrize(
    "content_range",
    [
        "bytes 0-3/400",
        "bytes 1-100/400",
        "bytes 0-0/400",
        "bytes 0-99999999/*",
        "bytes 5-4/5",
        "items 0-4/5",
        "",
        "bytes */5",
    ],
)
def test_another_range_than_asked_for_is_a_failure(content_range: str, origin: RangeOrigin) -> None:
    origin.respond = lambda _: answer(b"aaaa", status="206 X", content_range=content_range)
    with pytest.raises(http.FetchFailed) as raised:
        opened(origin)
    assert (raised.value.reason, raised.value.retryable) == ("protocol", False)
    assert len(origin.requests) == 1


def test_more_bytes_than_the_range_are_too_many(origin: RangeOrigin) -> None:
    origin.respond = lambda _: answer(b"a" * 50, status="206 X", content_range="bytes 0-9/10")
    with pytest.raises(http.TooLarge):
        opened(origin)


def test_redirects_are_followed_once_and_checked(origin: RangeOrigin, settings: Any) -> None:
    with Origin(lambda _: answer(status="302 X", location=f"http://127.0.0.1:{origin.port}/file")) as first:
        settings.HTTP_ALLOWED_TARGETS.append(f"127.0.0.1:{first.port}")
        with opened(first) as reader:
            reader.read(399_000, 10)
            assert reader.final_url == f"http://127.0.0.1:{origin.port}/file"
        assert (first.connects, origin.connects) == (1, 1)
        settings.HTTP_ALLOWED_TARGETS = [f"127.0.0.1:{first.port}"]
        with pytest.raises(http.ForbiddenUrl):
            opened(first)
        assert (first.connects, origin.connects) == (2, 1)


def test_a_status_is_reported_and_closes_the_connection(origin: RangeOrigin) -> None:
    origin.respond = lambda _: answer(b"gone", status="410 Gone")
    with pytest.raises(http.FetchFailed) as raised:
        opened(origin)
    assert raised.value.sentence == "The server answered with status 410."


def test_the_deadline_covers_the_reader_s_whole_life(origin: RangeOrigin) -> None:
    def dripping(_: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 206 X\r\nx: "
        while not origin.stopping.wait(0.02):
            yield b"a"

    with opened(origin, timeout_seconds=0.3) as reader:
        origin.respond = dripping
        with pytest.raises(http.FetchFailed) as raised:
            reader.read(300_000, 10)
        assert raised.value.reason == "timeout"
        assert reader.read(0, 4) == CONTENT[:4]  # what is there stays readable
        with pytest.raises(http.FetchFailed):
            reader.read(300_000, 10)
    assert len(origin.requests) == 2


def test_negative_positions_are_a_programming_error(origin: RangeOrigin) -> None:
    with opened(origin) as reader, pytest.raises(ValueError, match="negative"):
        reader.read(-1, 5)
