"""Starts the confined child, answers its requests for bytes, and turns what it says into facts."""

import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

from media.probing.facts import ImageFacts, NotMedia, ProbeIncomplete, VideoFacts
from media.probing.sources import BlockReader, BudgetPassed, ByteSource
from workers.protocol.containers import HEAD_BYTES, describe_pointer, sniff

MAX_BYTES = 32 * 1024 * 1024
_CHILD = Path(__file__).with_name("child.py")
_LONGEST_LINE = 65_536


def probe_video(source: ByteSource, *, timeout: float, max_bytes: int = MAX_BYTES) -> VideoFacts:
    """The facts of a video, within `timeout` seconds and `max_bytes` fetched bytes.

    What `source.read` raises passes through, with the child gone.

    Raises:
        NotMedia: no video of an accepted container; playlists and scripts among them.
        ProbeIncomplete: a budget ended first.
    """
    deadline = time.monotonic() + timeout
    reader = BlockReader(source, budget=max_bytes)
    head = _head(reader)
    container = sniff(head)
    if container is None:
        pointer = describe_pointer(head)
        raise NotMedia(f"This is {pointer}, not a video file." if pointer else "This is not a video file we support.")
    order = {"kind": "video", "demuxer": container.demuxer, "size": reader.size}
    facts = _ask_child(order, reader=reader, deadline=deadline)
    return VideoFacts(
        container=container.name,
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


def probe_image(source: ByteSource, *, timeout: float, max_bytes: int = MAX_BYTES) -> ImageFacts:
    """The facts of a PNG, JPEG, WebP or GIF, within the same budgets and with the same errors as `probe_video`."""
    deadline = time.monotonic() + timeout
    reader = BlockReader(source, budget=max_bytes)
    head = _head(reader)
    if pointer := describe_pointer(head):
        raise NotMedia(f"This is {pointer}, not an image file.")
    facts = _ask_child({"kind": "image", "size": reader.size}, reader=reader, deadline=deadline)
    return ImageFacts(format=facts["format"], width=facts["width"], height=facts["height"], frames=facts["frames"])


def _head(reader: BlockReader) -> bytes:
    try:
        return reader.read(0, HEAD_BYTES)
    except BudgetPassed:
        raise ProbeIncomplete("Not even the first bytes fit the probe's budget.") from None


def _ask_child(order: dict[str, Any], *, reader: BlockReader, deadline: float) -> dict[str, Any]:
    """Serve one child from its order to its last word; it is gone when this returns or raises."""
    child = subprocess.Popen(
        [sys.executable, "-I", str(_CHILD)],
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
    child: subprocess.Popen[bytes], order: dict[str, Any], *, reader: BlockReader, deadline: float
) -> dict[str, Any]:
    pending, (to_child, from_child) = b"", (pipe.fileno() for pipe in (child.stdin, child.stdout) if pipe)
    try:
        _write(to_child, json.dumps(order).encode() + b"\n", deadline=deadline)
        while True:
            line, pending = _line(from_child, pending, deadline=deadline)
            if not line:
                raise _cause_of_death(child)
            message = json.loads(line)
            if "facts" in message:
                facts: dict[str, Any] = message["facts"]
                return facts
            if "refused" in message:
                reason = f"The file cannot be read: {message['reason']}."
                raise NotMedia(reason) if message["refused"] == "not_media" else ProbeIncomplete(reason)
            offset, length = message["read"]
            content = reader.read(int(offset), min(int(length), MAX_BYTES))
            _write(to_child, struct.pack(">I", len(content)) + content, deadline=deadline)
    except BudgetPassed:
        raise ProbeIncomplete("The file's facts lie beyond the bytes a probe may fetch.") from None
    except BrokenPipeError:
        raise _cause_of_death(child) from None


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
