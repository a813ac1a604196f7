"""The confined process that parses strangers' media. Run by path, it imports nothing of this project.

Its one argument is the kind of media: image, video or audio. On its standard input come one JSON line (the order) and
then the answers to its requests; on its standard output it writes JSON lines: `{"read": [offset, length]}`, answered
by four bytes of length and that many bytes, and at last `{"facts": {…}, "webp": n}`, followed by n bytes of the image
repacked, or `{"refused": "not_media" | "unwanted" | "too_large" | "incomplete", "reason": "…"}`.
"""

import io
import json
import os
import resource
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, BinaryIO, cast

# Starting up is most of a probe's time, and importing most of that: each kind loads its own library alone, and all of
# it that a file may call for (Exif is TIFF, a camera's JPEG may be MPO), because nothing can be loaded once confined.
if sys.argv[1:] == ["image"]:
    from PIL import (
        Image,
        ImagePalette,
        JpegImagePlugin,
        MpoImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    PRELOADED: tuple[Any, ...] = (
        ImagePalette,
        JpegImagePlugin,
        MpoImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )
else:
    import av
    import av.subtitles.codeccontext
    import av.subtitles.stream
    from av.stream import Disposition

    PRELOADED = (av.subtitles.codeccontext, av.subtitles.stream)

MEMORY_BYTES = 1 << 30
CPU_SECONDS = 10
_TURNED = {5, 6, 7, 8}
_ORIENTATION = 0x0112
_HIGH = bytes([0, *[2] * 254, 1])
_LOW = bytes([*[0] * 33, *[3] * 191, *[1] * 32])
"""High and low byte of a 16-bit sample: they translate to the same where it stays below 33 (−60 dB of full scale)."""
_TELLS_ITS_LENGTH = {"wav", "flac", "mov", "matroska"}
"""Readers of formats that say how long they are; the others' lengths are guessed or read off the last bytes."""


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

    def say(self, message: dict[str, Any], more: bytes = b"") -> None:
        """Write one line, and bytes after it."""
        self._requests.write(json.dumps(message).encode() + b"\n" + more)
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


# -- clips and sounds -------------------------------------------------------------------------------------------------


@contextmanager
def _opened(remote: Remote, demuxer: str, *, buffer: int = 1 << 15) -> Iterator[Any]:
    """The file under the given reader and no other."""
    options = {"protocol_whitelist": "none"}
    if demuxer == "mov":  # both are off unless asked for; said again, because following them would be the hole
        options |= {"enable_drefs": "0", "use_absolute_path": "0"}
    try:
        with av.open(
            cast(BinaryIO, remote if remote.seekable() else Forward(remote)),
            format=demuxer,
            options=options,
            metadata_errors="replace",
            buffer_size=buffer,
        ) as opened:
            yield opened
    except (av.error.FFmpegError, EOFError, ValueError) as error:
        raise Refused("not_media", "damaged or cut off") from error


def video_facts(remote: Remote, order: dict[str, Any]) -> dict[str, Any]:
    """Facts of the first picture and the first sound."""
    with _opened(remote, order["demuxer"]) as opened:
        picture = _picture(opened)
        if picture is None:
            raise Refused("not_media", "no picture in it")
        context = picture.codec_context
        if context is None or not context.width or not context.height:
            raise Refused("not_media", "a picture that cannot be decoded")
        sound = _sound(opened)
        length = _length(opened, picture)
        rate = picture.average_rate or picture.guessed_rate
        width, height = context.width, context.height
        if _turned(opened, picture):
            width, height = height, width
        return {
            "duration": str(length) if length else None,
            "rate": str(rate) if rate else None,
            "width": width,
            "height": height,
            "video_codec": context.name,
            "pixel_format": context.format.name if context.format else None,
            "audio_codec": sound.codec_context.name if sound else None,
            "sample_rate": sound.codec_context.sample_rate if sound else None,
            "channels": sound.codec_context.channels if sound else None,
        }


def audio_facts(remote: Remote, order: dict[str, Any]) -> dict[str, Any]:
    """Facts of the first sound: of its header, or of its first `decode_seconds` decoded where the order names some."""
    decoded: int | None = order["decode_seconds"]
    with _opened(remote, order["demuxer"], buffer=1 << (15 if decoded is None else 18)) as opened:
        sound = _sound(opened)
        if sound is None or not sound.codec_context.sample_rate:
            raise Refused("unwanted", "There is no sound in it.")
        declared = _length(opened, sound)
        length = declared if decoded is None else _listen(opened, sound, declared, order["demuxer"], decoded)
        return {
            "duration": str(length) if length else None,
            "codec": sound.codec_context.name,
            "sample_rate": sound.codec_context.sample_rate,
            "channels": sound.codec_context.channels,
        }


def _picture(opened: Any) -> Any:
    return next((video for video in opened.streams.video if not video.disposition & Disposition.attached_pic), None)


def _sound(opened: Any) -> Any:
    return next((audio for audio in opened.streams.audio if audio.codec_context is not None), None)


def _length(opened: Any, stream: Any) -> Fraction | None:
    """Seconds of the stream where its header tells them apart, else of the whole; None for neither."""
    length = stream.duration * stream.time_base if stream.duration and stream.time_base else None
    if length is None and opened.duration:
        length = Fraction(opened.duration, av.time_base)
    return length if length is not None and length > 0 else None


def _turned(opened: Any, picture: Any) -> bool:
    """Whether the file asks for a quarter turn, which only a decoded frame shows; a frame we cannot have shows none."""
    try:
        for frame in opened.decode(picture):
            return bool(round(frame.rotation) % 180)
    except (av.error.FFmpegError, EOFError):
        return False
    return False


def _listen(opened: Any, sound: Any, declared: Fraction | None, demuxer: str, limit: int) -> Fraction:
    """Decode a sound, one frame in memory at a time; its exact length, or at least the `limit` it was left at."""
    length, audible, seen, ear = Fraction(0), False, 0, _Ear()
    rate = sound.codec_context.sample_rate
    for frame in opened.decode(sound):
        if frame.sample_rate != rate:
            length, seen, rate = length + Fraction(seen, rate), 0, frame.sample_rate
        seen += frame.samples
        audible = audible or ear.hears(frame)
        if seen > (limit - length) * rate:
            break
    length += Fraction(seen, rate)
    if not length:
        raise Refused("unwanted", "There is no sound in it.")
    if length > limit:
        length = max(length, declared or length)
    elif declared and demuxer in _TELLS_ITS_LENGTH and _picture(opened) is None and length < declared - _gap(declared):
        raise Refused("not_media", f"cut off after {float(length):.1f} of {float(declared):.1f} seconds")
    if not audible:
        raise Refused("unwanted", "The sound is silent: nothing in it reaches −60 dB of full scale.")
    return length


def _gap(declared: Fraction) -> Fraction:
    """How much a whole sound may lack of the length its header gives: encoders count their padding differently."""
    return max(Fraction(1, 5), declared / 20)


class _Ear:
    """Listens for a sample of any channel that reaches −60 dB of full scale."""

    def __init__(self) -> None:
        self._resamplers: dict[tuple[str, str, int], Any] = {}

    def hears(self, frame: Any) -> bool:
        """Whether one is in this frame."""
        form = frame.format.name, frame.layout.name, frame.sample_rate
        if form not in self._resamplers:
            self._resamplers[form] = av.AudioResampler(format="s16", layout=frame.layout, rate=frame.sample_rate)
        for plain in self._resamplers[form].resample(frame):
            samples = bytes(plain.planes[0])[: plain.samples * len(plain.layout.channels) * 2]
            # Quiet ones are 0…32 (high byte 0) and −32…−1 (high byte 255); whole frames are compared at C's speed.
            if samples[1::2].translate(_HIGH) != samples[::2].translate(_LOW):
                return True
        return False


# -- images -----------------------------------------------------------------------------------------------------------


def image_facts(remote: Remote, order: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Facts of an image's header and, where the order has it decoded, the first picture of it repacked or nothing."""
    Image.MAX_IMAGE_PIXELS = None  # the order's limits count
    file = cast(BinaryIO, remote if remote.seekable() else io.BytesIO(remote.read()))
    try:
        with Image.open(file, formats=(order["format"],)) as image:
            width, height = image.size
            if width * height > order["max_pixels"] or max(width, height) > order["max_side"]:
                raise Refused("too_large", f"{width}×{height}")
            # The further pictures of an MPO are not frames.
            frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            if order["decode"]:
                image.load()
            if _orientation(image) in _TURNED:
                width, height = height, width
            facts = {"width": width, "height": height, "frames": frames}
            repackable = order["decode"] and frames == 1 and image.width * image.height <= order["max_repacked_pixels"]
            return facts, _as_webp(image, file) if repackable else b""
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:
        raise Refused("not_media", "damaged or cut off") from error


def _orientation(image: Any) -> int | None:
    """The mark that a camera leaves, as far as it can be had without decoding."""
    if image.format != "PNG":
        exif = image.getexif()
    else:
        exif = Image.Exif()
        exif.load(image.info.get("exif") or b"")
    mark: int | None = exif.get(_ORIENTATION)
    return mark


def _as_webp(image: Any, file: BinaryIO) -> bytes:
    """A PNG as lossless WebP, colour profile and marks kept; nothing where anything would be lost or it saves nothing.

    The slower methods save up to a fifth more and take ten times as long, while a client waits.
    """
    info = image.info
    file.seek(24)
    if image.format != "PNG" or ord(file.read(1)) > 8 or max(image.size) > 16_383:
        return b""  # deeper than WebP's 8 bits, or beyond its sides
    if image.mode in {"L", "LA", "1"} and "icc_profile" in info:
        return b""  # a profile for grey does not fit the RGB that WebP keeps
    if ("gamma" in info or "chromaticity" in info) and not ("srgb" in info or "icc_profile" in info):
        return b""  # WebP has no place for them
    if image.mode not in {"RGB", "RGBA", "P", "PA", "L", "LA", "1"}:
        return b""
    clear = "transparency" in info or image.mode in {"RGBA", "PA", "LA"}
    out = io.BytesIO()
    image.convert("RGBA" if clear else "RGB").save(
        out,
        "WEBP",
        lossless=True,
        exact=True,
        method=0,
        quality=20,
        icc_profile=info.get("icc_profile") or b"",
        exif=info.get("exif") or b"",
        xmp=info.get("xmp") or b"",
    )
    return out.getvalue() if out.tell() < file.seek(0, io.SEEK_END) else b""


def main() -> None:
    """Carry out one order."""
    requests = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not be taken for our words
    pipe = Pipe(requests, sys.stdin.buffer)
    [kind] = sys.argv[1:]
    if kind == "image":
        Image.preinit()
    else:
        av.logging.set_level(None)
    confine()
    order = pipe.order()
    remote = Remote(pipe.fetch, order["size"])
    webp = b""
    try:
        if kind == "image":
            facts, webp = image_facts(remote, order)
        else:
            facts = video_facts(remote, order) if kind == "video" else audio_facts(remote, order)
        pipe.say({"facts": facts, "webp": len(webp)}, webp)
    except Refused as refusal:
        pipe.say({"refused": refusal.kind, "reason": refusal.reason})
    except MemoryError:
        pipe.say({"refused": "incomplete", "reason": "it needs more memory than a probe may use"})


if __name__ == "__main__":
    main()
