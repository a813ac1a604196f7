"""Starts the confined child, answers its requests for bytes, and turns what it says into facts."""

import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

from media.probing.facts import AudioFacts, ImageFacts, NotMedia, ProbeIncomplete, VideoFacts
from media.probing.sources import BlockReader, BudgetPassed, ByteSource, DirectReader, Reader
from workers.protocol.containers import HEAD_BYTES, describe_pointer, sniff, sniff_sound

MAX_BYTES = 32 * 1024 * 1024
MAX_IMAGE_PIXELS = {"png": 8192 * 8192, "jpeg": 8192 * 8192, "webp": 8192 * 4096}
"""libwebp needs sixteen bytes for a pixel, the others four."""
MAX_IMAGE_SIDE = 16_384
MAX_REPACKED_PIXELS = 2_097_152
"""An image of more is not made into a WebP: it would take longer than a submit should (90 ms a megapixel)."""
DECODED_SECONDS = 660
"""As much of a sound is decoded: what may be 600 s long at most is known to the end."""
_CHILD = Path(__file__).with_name("child.py")
_LONGEST_LINE = 65_536
_IMAGES = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"))
_NO_GUESS = {"mp3": (b"Xing", b"Info", b"VBRI"), "aac": ()}
"""Marks that must stand in the first frame, else the reader's length is a guess from the bit rate."""
_decoding = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))
"""Decoding takes processor and memory, so no more children do it at once than there are cores; the others wait."""


def probe_video(source: ByteSource, *, timeout: float, max_bytes: int = MAX_BYTES) -> VideoFacts:
    """The facts of a video, within `timeout` seconds and `max_bytes` fetched bytes.

    What `source.read` raises passes through, with the child gone.

    Raises:
        NotMedia: no video of an accepted container; playlists and scripts among them.
        ProbeIncomplete: a budget ended first.
    """
    deadline = time.monotonic() + timeout
    reader = BlockReader(source, budget=max_bytes)
    head = _head(reader, "a video file")
    container = sniff(head)
    if container is None:
        raise NotMedia("This is not a video file we support.")
    order = {"demuxer": container.demuxer, "size": reader.size}
    facts, _ = _ask_child("video", order, reader=reader, deadline=deadline)
    return VideoFacts(
        container=container.name,
        media_type=container.media_type,
        duration_seconds=_fraction(facts["duration"]),
        frame_rate=_fraction(facts["rate"]),
        width=facts["width"],
        height=facts["height"],
        video_codec=facts["video_codec"],
        pixel_format=facts["pixel_format"],
        has_audio=facts["audio_codec"] is not None,
        audio_codec=facts["audio_codec"],
        sample_rate=facts["sample_rate"],
        channels=facts["channels"],
        bytes_read=reader.bytes_read,
    )


def probe_audio(
    source: ByteSource, *, timeout: float, max_bytes: int = MAX_BYTES, decode_seconds: int | None = None
) -> AudioFacts:
    """The facts of a sound, from its header; with `decode_seconds` from as many of its first seconds, decoded.

    A sound is decoded as it is read, a frame in memory at a time. One that goes on after `decode_seconds` is as long as
    its header says, and at least as long as what was decoded. `max_bytes` holds for headers alone: whoever has a sound
    decoded has its bytes at hand.

    Raises:
        NotMedia: no sound of an accepted container; decoded, also one that is silent, damaged or cut off.
        ProbeIncomplete: a budget ended first.
    """
    with _decoding if decode_seconds is not None else nullcontext():
        deadline = time.monotonic() + timeout
        reader: Reader = BlockReader(source, budget=max_bytes) if decode_seconds is None else DirectReader(source)
        head = _head(reader, "a sound file")
        container = sniff_sound(head)
        if container is None:
            raise NotMedia("This is not a sound file we support.")
        order = {"demuxer": container.demuxer, "size": reader.size, "decode_seconds": decode_seconds}
        if decode_seconds is not None and _is_cut_off_wave(head, reader.size):
            raise NotMedia("The file cannot be read: damaged or cut off.")
        facts, _ = _ask_child("audio", order, reader=reader, deadline=deadline)
        duration = _fraction(facts["duration"])
        if decode_seconds is None and not _tells_its_length(container.name, reader):
            duration = None
    return AudioFacts(
        container=container.name,
        media_type=container.media_type,
        duration_seconds=duration,
        codec=facts["codec"],
        sample_rate=facts["sample_rate"],
        channels=facts["channels"],
    )


def probe_image(
    source: ByteSource, *, timeout: float, max_bytes: int = MAX_BYTES, decode: bool = False, repack: bool = False
) -> ImageFacts:
    """The facts of a PNG, JPEG or WebP, within the same budgets and with the same errors as `probe_video`.

    An image beyond MAX_IMAGE_PIXELS or MAX_IMAGE_SIDE is refused before a pixel of it is allocated. With `decode` its
    first picture must really decode; with `repack` too, a PNG comes back as WebP where nothing is lost by that.
    """
    with _decoding if decode else nullcontext():
        deadline = time.monotonic() + timeout
        reader = BlockReader(source, budget=max_bytes)
        head = _head(reader, "an image file")
        form = _image_format(head)
        if form == "webp":
            width, height, plain = _webp_canvas(head)
            if width * height > MAX_IMAGE_PIXELS[form]:
                raise _too_large(f"{width}×{height}", MAX_IMAGE_PIXELS[form])
            if plain and not decode:
                return ImageFacts(format=form, media_type="image/webp", width=width, height=height, frames=1)
        order = {
            "format": form.upper(),
            "size": reader.size,
            "max_pixels": MAX_IMAGE_PIXELS[form],
            "max_side": MAX_IMAGE_SIDE,
            "decode": decode,
            "max_repacked_pixels": MAX_REPACKED_PIXELS if repack else 0,
        }
        facts, webp = _ask_child("image", order, reader=reader, deadline=deadline)
    return ImageFacts(
        format=form,
        media_type=f"image/{form}",
        width=facts["width"],
        height=facts["height"],
        frames=facts["frames"],
        webp=webp or None,
    )


def _image_format(head: bytes) -> str:
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    for start, name in _IMAGES:
        if head.startswith(start):
            return name
    if head.startswith(b"GIF8"):
        raise NotMedia("This is a GIF; PNG, JPEG and WebP are taken.")
    raise NotMedia("This is not an image file we support; PNG, JPEG and WebP are taken.")


def _webp_canvas(head: bytes) -> tuple[int, int, bool]:
    """Width, height and whether that is all there is to know: no animation, no Exif that might turn it.

    libwebp would take memory for the whole canvas, and Pillow read the whole file, to tell as much.
    """
    match head[12:16]:
        case b"VP8X" if len(head) >= 30:
            width, height = (1 + int.from_bytes(head[start : start + 3], "little") for start in (24, 27))
            return width, height, not head[20] & 0x0A
        case b"VP8L" if len(head) >= 25:
            sides = int.from_bytes(head[21:25], "little")
            return 1 + (sides & 0x3FFF), 1 + (sides >> 14 & 0x3FFF), True
        case b"VP8 " if len(head) >= 30:
            width, height = (int.from_bytes(head[start : start + 2], "little") & 0x3FFF for start in (26, 28))
            if width and height:
                return width, height, True
    raise NotMedia("The file cannot be read: damaged or cut off.")


def _is_cut_off_wave(head: bytes, size: int | None) -> bool:
    """Whether a WAV is much shorter than its header says: its reader takes what there is for the whole.

    Who writes one without knowing its end says 0, or the most that fits.
    """
    told = int.from_bytes(head[4:8], "little")
    return head.startswith(b"RIFF") and size is not None and told < 0x7FFF_0000 and told * 19 > size * 20


def _tells_its_length(container: str, reader: Reader) -> bool:
    """Whether what its reader says of its length is more than a guess."""
    marks = _NO_GUESS.get(container)
    if marks is None:
        return True
    try:
        tag = reader.read(0, 10)
        start = 0
        if tag.startswith(b"ID3") and len(tag) == 10:  # its length has seven bits a byte
            start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True))
        first = reader.read(start, 400)
    except BudgetPassed:
        return False
    return any(mark in first for mark in marks)


def _head(reader: Reader, wanted: str) -> bytes:
    try:
        head = reader.read(0, HEAD_BYTES)
    except BudgetPassed:
        raise ProbeIncomplete("Not even the first bytes fit the probe's budget.") from None
    if not head:
        raise NotMedia("The file is empty.")
    if pointer := describe_pointer(head):
        raise NotMedia(f"This is {pointer}, not {wanted}.")
    return head


def _ask_child(kind: str, order: dict[str, Any], *, reader: Reader, deadline: float) -> tuple[dict[str, Any], bytes]:
    """Serve one child from its order to its last word: facts and bytes; it is gone when this returns or raises."""
    child = subprocess.Popen(
        [sys.executable, "-I", str(_CHILD), kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"LC_ALL": "C.UTF-8"},
        bufsize=0,
    )
    try:
        return _converse(child, order, reader=reader, deadline=deadline)
    finally:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                pipe.close()


def _converse(
    child: subprocess.Popen[bytes], order: dict[str, Any], *, reader: Reader, deadline: float
) -> tuple[dict[str, Any], bytes]:
    pending, (to_child, from_child) = b"", (pipe.fileno() for pipe in (child.stdin, child.stdout) if pipe)
    try:
        _write(to_child, json.dumps(order).encode() + b"\n", deadline=deadline)
        while True:
            line, pending = _line(from_child, pending, deadline=deadline)
            if not line:
                raise _cause_of_death(child)
            message = json.loads(line)
            if "facts" in message:
                return message["facts"], _bytes(from_child, pending, message["webp"], deadline=deadline)
            if "refused" in message:
                raise _refusal(message["refused"], message["reason"], order)
            offset, length = message["read"]
            content = reader.read(int(offset), min(int(length), MAX_BYTES))
            _write(to_child, struct.pack(">I", len(content)) + content, deadline=deadline)
    except BudgetPassed:
        raise ProbeIncomplete("The file's facts lie beyond the bytes a probe may fetch.") from None
    except BrokenPipeError:
        raise _cause_of_death(child) from None


def _refusal(kind: str, reason: str, order: dict[str, Any]) -> NotMedia | ProbeIncomplete:
    if kind == "unwanted":
        return NotMedia(reason)
    if kind == "too_large":
        return _too_large(reason, order["max_pixels"])
    sentence = f"The file cannot be read: {reason}."
    return NotMedia(sentence) if kind == "not_media" else ProbeIncomplete(sentence)


def _too_large(size: str, most: int) -> NotMedia:
    return NotMedia(
        f"The image is {size} pixels; at most {most / 1e6:.0f} megapixels and {MAX_IMAGE_SIDE} a side are taken."
    )


def _bytes(pipe: int, pending: bytes, count: int, *, deadline: float) -> bytes:
    """As many bytes as the child announced after its last line."""
    if not 0 <= count <= MAX_BYTES:
        raise NotMedia("The file cannot be read.")
    parts, missing = [pending], count - len(pending)
    while missing > 0:
        _wait(pipe, selectors.EVENT_READ, deadline=deadline)
        parts.append(os.read(pipe, min(missing, 1 << 20)))
        if not parts[-1]:
            raise BrokenPipeError
        missing -= len(parts[-1])
    return b"".join(parts)


def _line(pipe: int, pending: bytes, *, deadline: float) -> tuple[bytes, bytes]:
    """The child's next line and what came after it; an empty line once the child has ended."""
    while b"\n" not in pending:
        _wait(pipe, selectors.EVENT_READ, deadline=deadline)
        chunk = os.read(pipe, _LONGEST_LINE)
        if not chunk:
            return b"", b""
        pending += chunk
        if len(pending) > _LONGEST_LINE:
            raise NotMedia("The file cannot be read.")
    line, _, rest = pending.partition(b"\n")
    return line, rest


def _write(pipe: int, content: bytes, *, deadline: float) -> None:
    os.set_blocking(pipe, False)
    view = memoryview(content)
    while view:
        _wait(pipe, selectors.EVENT_WRITE, deadline=deadline)
        view = view[os.write(pipe, view) :]


def _wait(pipe: int, event: int, *, deadline: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, event)
        if not selector.select(max(0.0, deadline - time.monotonic())):
            raise ProbeIncomplete("The file's facts could not be had in time.")


def _cause_of_death(child: subprocess.Popen[bytes]) -> NotMedia | ProbeIncomplete:
    """A child that ended without a last word: its limits ended it, or the file broke it."""
    status = child.wait()
    if -status in {signal.SIGXCPU, signal.SIGKILL}:
        return ProbeIncomplete("The file takes more work to read than a probe may do.")
    return NotMedia("The file cannot be read.")


def _fraction(text: str | None) -> Fraction | None:
    return Fraction(text) if text else None
