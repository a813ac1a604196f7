"""Fetching, redirects, caps and deadlines, against real servers that misbehave."""

import gzip
import hashlib
import io
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from core import http
from core.http import resolver
from core.http.connection import HEADER_BYTES
from tests.core.origin import Origin, Request, Respond, answer

Serve = Callable[[Respond], Origin]


@pytest.fixture
def serve(settings: Any) -> Iterator[Serve]:
    """Starts a server whose host and port are on the allow list."""
    settings.HTTP_ALLOW_PLAIN = False
    settings.HTTP_ALLOWED_TARGETS = []
    started: list[Origin] = []

    def start(respond: Respond) -> Origin:
        origin = Origin(respond)
        origin.__enter__()
        started.append(origin)
        settings.HTTP_ALLOWED_TARGETS.append(f"127.0.0.1:{origin.port}")
        return origin

    yield start
    for origin in started:
        origin.__exit__()


def fetch(origin: Origin, path: str = "/", *, max_bytes: int = 1000, timeout_seconds: float = 10) -> tuple[Any, bytes]:
    sink = io.BytesIO()
    got = http.fetch_to(
        f"http://127.0.0.1:{origin.port}{path}", sink=sink, max_bytes=max_bytes, timeout_seconds=timeout_seconds
    )
    return got, sink.getvalue()


def failure(origin: Origin, *, max_bytes: int = 1000, timeout_seconds: float = 10) -> tuple[http.HttpError, int]:
    """The error of a fetch, and how many bytes had reached the sink."""
    sink = io.BytesIO()
    with pytest.raises(http.HttpError) as raised:
        http.fetch_to(
            f"http://127.0.0.1:{origin.port}/", sink=sink, max_bytes=max_bytes, timeout_seconds=timeout_seconds
        )
    return raised.value, len(sink.getvalue())


def dripping(origin_stop: threading.Event, piece: bytes) -> Iterator[bytes]:
    while not origin_stop.wait(0.02):
        yield piece


def test_fetch_writes_the_content_and_says_what_it_was(serve: Serve) -> None:
    origin = serve(lambda _: answer(b"hello", content_type="Image/PNG; charset=x"))
    got, content = fetch(origin, "/a?b=c")
    assert content == b"hello"
    assert got == http.Fetched(
        status=200,
        media_type="image/png",
        bytes=5,
        sha256=hashlib.sha256(b"hello").hexdigest(),
        final_url=f"http://127.0.0.1:{origin.port}/a?b=c",
    )
    [request] = origin.requests
    assert (request.method, request.target) == ("GET", "/a?b=c")
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["host"] == f"127.0.0.1:{origin.port}"
    assert not {"cookie", "authorization", "referer"} & request.headers.keys()


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        *((status, False) for status in (204, 206, 304, 400, 403, 404, 410)),
        *((status, True) for status in (408, 429, 500, 503)),
    ],
)
def test_any_other_status_is_a_failure(status: int, retryable: bool, serve: Serve) -> None:
    origin = serve(lambda _: answer(b"" if status in (204, 304) else b"secret", status=f"{status} X"))
    error, written = failure(origin)
    assert isinstance(error, http.FetchFailed)
    assert (error.reason, error.retryable, written) == ("status", retryable, 0)
    assert error.sentence == f"The server answered with status {status}."


def test_three_redirects_are_followed_and_a_fourth_is_not(serve: Serve) -> None:
    def respond(request: Request) -> bytes:
        left = int(request.target[1:])
        return answer(status="302 Found", location=f"/{left - 1}") if left else answer(b"here")

    origin = serve(respond)
    got, content = fetch(origin, "/3")
    assert (content, got.final_url, origin.connects) == (b"here", f"http://127.0.0.1:{origin.port}/0", 4)
    sink = io.BytesIO()
    with pytest.raises(http.FetchFailed) as raised:
        http.fetch_to(f"http://127.0.0.1:{origin.port}/4", sink=sink, max_bytes=100, timeout_seconds=5)
    assert (raised.value.reason, raised.value.retryable, sink.getvalue()) == ("redirects", False, b"")
    assert origin.connects == 8


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "http://127.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://localhost:{port}/",
        "http://inward.example:{port}/",
        "file:///etc/passwd",
        "http://user@127.0.0.1:{port}/",
        "http://[::1",
        "/\\127.0.0.1:{port}/",
    ],
)
def test_a_redirect_inward_is_refused(
    status: int, location: str, serve: Serve, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "lookup", lambda _: ["127.0.0.1"])
    with Origin(lambda _: answer(b"secret")) as inside:
        where = location.replace("{port}", str(inside.port))
        outside = serve(lambda _: answer(status=f"{status} X", location=where))
        settings.HTTP_ALLOW_PLAIN = True
        error, written = failure(outside)
        assert isinstance(error, http.ForbiddenUrl)
        assert (inside.connects, outside.connects, written) == (0, 1, 0)


def test_a_redirect_without_location_is_a_failure(serve: Serve) -> None:
    error, _ = failure(serve(lambda _: answer(status="302 Found")))
    assert (error.reason, error.retryable) == ("status", False)


def test_exactly_the_cap_passes_and_one_byte_more_does_not(serve: Serve) -> None:
    assert fetch(serve(lambda _: answer(b"x" * 1000)), max_bytes=1000)[1] == b"x" * 1000
    error, written = failure(serve(lambda _: answer(b"x" * 1001)), max_bytes=1000)
    assert isinstance(error, http.TooLarge)
    assert written == 0  # the declared length was enough to know


def test_chunked_body_without_a_length_is_cut_at_the_cap(serve: Serve) -> None:
    def respond(_: Request) -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        while not origin.stopping.is_set():
            yield b"400\r\n" + b"x" * 1024 + b"\r\n"

    origin = serve(respond)
    error, written = failure(origin, max_bytes=10_000)
    assert isinstance(error, http.TooLarge)
    assert written <= 10_000


def test_chunked_body_with_a_lying_length_is_read_by_its_chunks(serve: Serve) -> None:
    def respond(_: Request) -> bytes:
        head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n"
        return head + b"5\r\nhello\r\n0\r\n\r\n"

    assert fetch(serve(respond))[1] == b"hello"


def test_chunk_framing_cannot_outgrow_the_cap(serve: Serve) -> None:
    def respond(_: Request) -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        while not origin.stopping.is_set():
            yield b"1;" + b"p" * 4000 + b"\r\nx\r\n"

    origin = serve(respond)
    error, written = failure(origin, max_bytes=10_000)
    assert isinstance(error, http.TooLarge)
    assert written < 50


def test_length_that_promises_more_than_comes_is_a_retryable_failure(serve: Serve) -> None:
    origin = serve(lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\nconnection: close\r\n\r\nhello")
    error, _ = failure(origin)
    assert isinstance(error, http.FetchFailed)
    assert (error.reason, error.retryable) == ("protocol", True)


def test_bytes_after_the_declared_length_are_not_content(serve: Serve) -> None:
    origin = serve(
        lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhelloHTTP/1.1 200 OK\r\n"
    )
    assert fetch(origin)[1] == b"hello"


def test_body_that_ends_with_the_connection_is_cut_at_the_cap(serve: Serve) -> None:
    def respond(_: Request) -> Iterable[bytes]:
        yield b"HTTP/1.0 200 OK\r\n\r\n"
        while not origin.stopping.is_set():
            yield b"x" * 4096

    origin = serve(respond)
    error, written = failure(origin, max_bytes=9000)
    assert isinstance(error, http.TooLarge)
    assert written <= 9000


@pytest.mark.parametrize(
    "flood",
    [b"x-padding: " + b"a" * 1000 + b"\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 40],
    ids=["endless headers", "endless interim answers"],
)
def test_headers_have_a_cap(flood: bytes, serve: Serve) -> None:
    sent = 0

    def respond(_: Request) -> Iterable[bytes]:
        nonlocal sent
        if flood.startswith(b"x-"):
            yield b"HTTP/1.1 200 OK\r\n"
        while not origin.stopping.is_set():
            sent += len(flood)
            yield flood

    origin = serve(respond)
    error, written = failure(origin)
    assert (error.reason, error.sentence, written) == ("protocol", "The server's headers are too long.", 0)
    assert sent >= HEADER_BYTES


@pytest.mark.parametrize(
    "start",
    [b"", b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n"],
    ids=["nothing", "headers", "body"],
)
def test_a_server_that_drips_is_left_at_the_deadline(start: bytes, serve: Serve) -> None:
    def respond(_: Request) -> Iterable[bytes]:
        if start:
            yield start
            yield from dripping(origin.stopping, b"a")
        origin.stopping.wait()

    origin = serve(respond)
    began = time.monotonic()
    error, _ = failure(origin, timeout_seconds=0.4)
    assert (error.reason, error.retryable) == ("timeout", True)
    assert 0.35 < time.monotonic() - began < 1.5


def test_a_slow_resolver_is_left_at_the_deadline(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(resolver, "lookup", lambda _: release.wait(30) and [])
    began = time.monotonic()
    with pytest.raises(http.FetchFailed) as raised:
        http.fetch_to("https://slow.example/", sink=io.BytesIO(), max_bytes=10, timeout_seconds=0.3)
    release.set()
    assert raised.value.reason == "timeout"
    assert time.monotonic() - began < 1.5


def test_a_name_without_an_address_is_a_retryable_failure(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: str) -> list[str]:
        raise OSError("Name or service not known")

    monkeypatch.setattr(resolver, "lookup", unknown)
    with pytest.raises(http.FetchFailed) as raised:
        http.fetch_to("https://unknown.example/", sink=io.BytesIO(), max_bytes=10, timeout_seconds=5)
    assert (raised.value.reason, raised.value.retryable) == ("dns", True)


def test_a_closed_port_is_a_retryable_failure(serve: Serve) -> None:
    origin = serve(lambda _: answer())
    origin.__exit__()
    error, _ = failure(origin)
    assert (error.reason, error.retryable, error.sentence) == ("connect", True, "The server could not be reached.")


def test_the_second_address_is_tried_when_the_first_is_dead(
    serve: Serve, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = serve(lambda _: answer(b"hello"))
    settings.HTTP_ALLOWED_TARGETS = [f"two.example:{origin.port}"]
    monkeypatch.setattr(resolver, "lookup", lambda _: ["::1", "127.0.0.1"])
    sink = io.BytesIO()
    http.fetch_to(f"http://two.example:{origin.port}/", sink=sink, max_bytes=10, timeout_seconds=5)
    assert sink.getvalue() == b"hello"


@pytest.mark.parametrize("junk", [b"SSH-2.0-OpenSSH_9\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"+OK\r\n\r\n", b"\x00" * 100])
def test_what_is_not_http_is_a_failure(junk: bytes, serve: Serve) -> None:
    def respond(_: Request) -> Iterable[bytes]:
        yield junk
        yield b"connection: close"

    error, written = failure(serve(respond))
    assert (error.reason, written) == ("protocol", 0)


def test_compressed_content_is_read_although_it_was_not_asked_for(serve: Serve) -> None:
    origin = serve(lambda _: answer(gzip.compress(b"hello" * 100), content_encoding="gzip"))
    got, content = fetch(origin)
    assert (content, got.bytes) == (b"hello" * 100, 500)


def test_a_gzip_bomb_is_cut_at_the_cap(serve: Serve) -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=9)
    assert len(bomb) < 200_000
    error, written = failure(serve(lambda _: answer(bomb, content_encoding="gzip")), max_bytes=1_000_000)
    assert isinstance(error, http.TooLarge)
    assert written <= 1_000_000


@pytest.mark.parametrize(
    ("coding", "body"),
    [("br", b"x"), ("gzip, gzip", b"x"), ("gzip", b"not gzip"), ("gzip", gzip.compress(b"hello")[:-9]), ("gzip", b"")],
)
def test_unknown_or_damaged_compression_is_a_failure(coding: str, body: bytes, serve: Serve) -> None:
    error, _ = failure(serve(lambda _: answer(body, content_encoding=coding)))
    assert (error.reason, error.retryable) == ("protocol", False)


def test_post_sends_the_exact_bytes_and_follows_no_redirect(serve: Serve) -> None:
    elsewhere = serve(lambda _: answer(b"x"))
    origin = serve(lambda _: answer(status="307 X", location=f"http://127.0.0.1:{elsewhere.port}/"))
    outcome = http.post(
        f"http://127.0.0.1:{origin.port}/hook?token=1",
        body=b'{"a": "\xc3\xbc"}',
        headers={"content-type": "application/json"},
        timeout_seconds=5,
    )
    assert (outcome.status, outcome.error) == (307, None)
    [request] = origin.requests
    assert (request.method, request.target, request.body) == ("POST", "/hook?token=1", b'{"a": "\xc3\xbc"}')
    assert request.headers["content-type"] == "application/json"
    assert elsewhere.connects == 0


def test_post_has_its_status_before_a_dripping_body_ends(serve: Serve) -> None:
    def respond(_: Request) -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        yield from dripping(origin.stopping, b"1\r\nx\r\n")

    origin = serve(respond)
    began = time.monotonic()
    outcome = http.post(f"http://127.0.0.1:{origin.port}/", body=b"", headers={}, timeout_seconds=10)
    assert (outcome.status, outcome.error) == (200, None)
    assert time.monotonic() - began < 3


def test_post_to_a_receiver_that_does_not_read_ends_at_the_deadline(serve: Serve) -> None:
    release = threading.Event()

    def respond(_: Request) -> bytes:
        release.wait(10)
        return answer()

    origin = serve(respond)
    began = time.monotonic()
    outcome = http.post(f"http://127.0.0.1:{origin.port}/", body=b"{}", headers={}, timeout_seconds=0.3)
    release.set()
    assert (outcome.status, outcome.error) == (None, "timeout")
    assert 250 <= outcome.elapsed_ms < 1500
    assert time.monotonic() - began < 1.5
