"""Reading an answer: its headers, and its body under a cap that compressed data cannot get round."""

import zlib
from collections.abc import Iterator

import httpcore

from core.http.connection import Meter, answering
from core.http.errors import FetchFailed, TooLarge

_INFLATE_BYTES = 256 * 1024
_ENCODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""Content codings read although we ask for none, with zlib's window bits for each."""


def header(response: httpcore.Response, name: str) -> str | None:
    """The first header of this name, or None."""
    wanted = name.encode()
    for key, value in response.headers:
        if key.lower() == wanted:
            return value.decode("latin-1").strip()
    return None


def declared_length(response: httpcore.Response) -> int | None:
    """Content-Length (h11 has made sure that it is a number); None without it, and where chunks overrule it."""
    text = header(response, "content-length")
    return int(text) if text is not None and header(response, "transfer-encoding") is None else None


def encoding(response: httpcore.Response) -> str | None:
    """The content coding in lower case, None for plain bytes."""
    coding = (header(response, "content-encoding") or "identity").lower()
    return None if coding == "identity" else coding


def chunks(response: httpcore.Response, *, max_bytes: int, meter: Meter) -> Iterator[bytes]:
    """The decoded body, piece by piece, never more than `max_bytes`.

    Raises:
        TooLarge: the body is longer than `max_bytes`, on the wire or decoded.
        FetchFailed: the connection broke, the deadline passed, or the coding is unknown or damaged.
    """
    meter.expect_body(max_bytes)
    total = 0
    coding = encoding(response)
    if coding is not None and coding not in _ENCODINGS:
        raise FetchFailed("The answer is compressed in an unsupported way.", reason="protocol", retryable=False)
    wire = _raw(response, max_bytes)
    for piece in wire if coding is None else _inflated(wire, _ENCODINGS[coding]):
        total += len(piece)
        if total > max_bytes:
            raise TooLarge(max_bytes)
        yield piece


def _raw(response: httpcore.Response, max_bytes: int) -> Iterator[bytes]:
    total = 0
    with answering():
        for piece in response.iter_stream():
            total += len(piece)
            if total > max_bytes:
                raise TooLarge(max_bytes)
            yield piece


def _inflated(pieces: Iterator[bytes], window_bits: int) -> Iterator[bytes]:
    inflate = zlib.decompressobj(window_bits)
    try:
        for piece in pieces:
            pending = piece
            while pending and not inflate.eof:
                # Bounded output: a bomb is cut off after one step past the cap, not after it has exploded.
                yield inflate.decompress(pending, _INFLATE_BYTES)
                pending = inflate.unconsumed_tail
    except zlib.error:
        raise _damaged() from None
    if not inflate.eof:
        raise _damaged()


def _damaged() -> FetchFailed:
    return FetchFailed("The compressed answer is damaged.", reason="protocol", retryable=False)
