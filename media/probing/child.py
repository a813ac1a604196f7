"""The confined process that parses strangers' media. Run by path, it imports nothing of this project.

On its standard input come one JSON line (the order) and then the answers to its requests; on its standard output it
writes JSON lines: `{"read": [offset, length]}`, answered by four bytes of length and that many bytes, and at last
`{"facts": {…}}` or `{"refused": "not_media" | "incomplete", "reason": "…"}`.
"""

import io
import json
import os
import resource
import struct
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any, BinaryIO, cast

import av
import av.subtitles.codeccontext
import av.subtitles.stream
from av.stream import Disposition
from PIL import GifImagePlugin, Image, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

MEMORY_BYTES = 1 << 30
CPU_SECONDS = 10
PRELOADED = (
    av.subtitles.codeccontext,
    av.subtitles.stream,
    GifImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
"""What PyAV and Pillow load when a file calls for it (Exif is TIFF, a camera's JPEG may be MPO): not once confined."""
_TURNED = {5, 6, 7, 8}
_ORIENTATION = 0x0112


class Refused(Exception):
    """Why there are no facts."""

    def __init__(self, kind: str, reason: str) -> None:
        self.kind, self.reason = kind, reason
        super().__init__(reason)


def confine() -> None:
    """Give up, for good, everything that parsing does not need; the open pipes stay."""
    for limit, value in (
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
    ):
        resource.setrlimit(limit, (value, value))


class Pipe:
    """Our side of the conversation with the parent."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self._requests, self._answers = requests, answers

    def order(self) -> dict[str, Any]:
        """The first line."""
        order: dict[str, Any] = json.loads(self._answers.readline())
        return order

    def say(self, message: dict[str, Any]) -> None:
        """Write one line."""
        self._requests.write(json.dumps(message).encode() + b"\n")
        self._requests.flush()

    def fetch(self, offset: int, length: int) -> bytes:
        """Ask for a range; a closed pipe means that nobody waits for us any more."""
        self.say({"read": [offset, length]})
        (count,) = struct.unpack(">I", self._exactly(4))
        return self._exactly(count)

    def _exactly(self, count: int) -> bytes:
        content = self._answers.read(count)
        if len(content) < count:
            os._exit(1)
        return content


class Remote(io.RawIOBase):
    """The parent's bytes as a file; without a known size it can only be read forward."""

    def __init__(self, fetch: Callable[[int, int], bytes], size: int | None) -> None:
        self._fetch, self._size, self._at = fetch, size, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Where the end is known."""
        return self._size is not None

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; the rest of the file for a negative one."""
        if size < 0:
            size = max(0, self._size - self._at) if self._size is not None else MEMORY_BYTES
        content = self._fetch(self._at, size) if size else b""
        self._at += len(content)
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """As for any file."""
        if self._size is None:
            raise io.UnsupportedOperation("the size is not known")
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def tell(self) -> int:
        """The place of the next read."""
        return self._at


class Forward:
    """What PyAV may see of a file without a known size: no `seek` at all."""

    def __init__(self, remote: Remote) -> None:
        self.read = remote.read


def video_facts(remote: Remote, demuxer: str) -> dict[str, Any]:
    """Facts of the first picture and the first sound, by the given reader and no other."""
    options = {"protocol_whitelist": "none"}
    if demuxer == "mov":  # both are off unless asked for; said again, because following them would be the hole
        options |= {"enable_drefs": "0", "use_absolute_path": "0"}
    try:
        with av.open(
            cast(BinaryIO, remote if remote.seekable() else Forward(remote)),
            format=demuxer,
            options=options,
            metadata_errors="replace",
        ) as opened:
            return _facts_of(opened)
    except (av.error.FFmpegError, EOFError, ValueError) as error:
        raise Refused("not_media", "damaged or cut off") from error


def _facts_of(opened: Any) -> dict[str, Any]:
    picture = next((video for video in opened.streams.video if not video.disposition & Disposition.attached_pic), None)
    if picture is None:
        raise Refused("not_media", "no picture in it")
    context = picture.codec_context
    if context is None or not context.width or not context.height:
        raise Refused("not_media", "a picture that cannot be decoded")
    sound = next((audio for audio in opened.streams.audio if audio.codec_context is not None), None)
    length = picture.duration * picture.time_base if picture.duration and picture.time_base else None
    if length is None and opened.duration:
        length = Fraction(opened.duration, av.time_base)
    rate = picture.average_rate or picture.guessed_rate
    width, height = context.width, context.height
    if _turned(opened, picture):
        width, height = height, width
    return {
        "duration": str(length) if length and length > 0 else None,
        "rate": str(rate) if rate else None,
        "width": width,
        "height": height,
        "video_codec": context.name,
        "pixel_format": context.format.name if context.format else None,
        "audio_codec": sound.codec_context.name if sound else None,
        "sample_rate": sound.codec_context.sample_rate if sound else None,
        "channels": sound.codec_context.channels if sound else None,
    }


def _turned(opened: Any, picture: Any) -> bool:
    """Whether the file asks for a quarter turn, which only a decoded frame shows; a frame we cannot have shows none."""
    try:
        for frame in opened.decode(picture):
            return bool(round(frame.rotation) % 180)
    except (av.error.FFmpegError, EOFError):
        return False
    return False


def image_facts(remote: Remote) -> dict[str, Any]:
    """Facts of an image's header; nothing is decoded."""
    Image.MAX_IMAGE_PIXELS = None  # the caller judges the size; no pixel is allocated here
    try:
        with Image.open(cast(BinaryIO, remote), formats=("PNG", "JPEG", "WEBP", "GIF")) as image:
            width, height = image.size
            several = image.format in {"GIF", "WEBP"}  # the further pictures of an MPO are not frames
            # Only these carry the mark in the header; asking a PNG would decode it.
            if image.format in {"JPEG", "MPO", "WEBP"} and image.getexif().get(_ORIENTATION) in _TURNED:
                width, height = height, width
            return {
                "format": "jpeg" if image.format == "MPO" else str(image.format).lower(),
                "width": width,
                "height": height,
                "frames": getattr(image, "n_frames", 1) if several else 1,
            }
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:
        raise Refused("not_media", "damaged, cut off or of another format") from error


def main() -> None:
    """Carry out one order."""
    requests = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not be taken for our words
    pipe = Pipe(requests, sys.stdin.buffer)
    av.logging.set_level(None)
    Image.preinit()
    confine()
    order = pipe.order()
    remote = Remote(pipe.fetch, order["size"])
    try:
        facts = video_facts(remote, order["demuxer"]) if order["kind"] == "video" else image_facts(remote)
        pipe.say({"facts": facts})
    except Refused as refusal:
        pipe.say({"refused": refusal.kind, "reason": refusal.reason})
    except MemoryError:
        pipe.say({"refused": "incomplete", "reason": "it needs more memory than a probe may use"})


if __name__ == "__main__":
    main()
