"""What a local clip really holds, measured by reading every packet instead of believing its header."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from workers.protocol.containers import HEAD_BYTES, Container, describe_pointer, sniff

_SLOT_TOLERANCE = Fraction(3, 10)
"""How far, in frames, a frame may lie from its place on a constant rate's grid (Matroska rounds to milliseconds)."""


class NotAClip(Exception):
    """The file cannot be used as a clip; the message is the rest of a sentence that begins with its name."""


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A clip's sound track."""

    index: int
    codec: str
    sample_rate: int
    channels: int


@dataclass(frozen=True, kw_only=True)
class Coding:
    """Everything that must be equal for one clip's packets to continue another's."""

    container: Container
    codec: str
    profile: str | None
    extradata: bytes
    width: int
    height: int
    pixel_format: str
    pixel_aspect: Fraction
    time_base: Fraction
    rate: Fraction | None
    reorder_ticks: int
    colour: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A measured clip."""

    path: Path
    coding: Coding
    video_index: int
    frames: int
    starts_at: Fraction
    """Presentation time of the first frame on the file's own clock, in seconds."""
    duration: Fraction
    """How long the picture lasts, in seconds."""
    width: int
    """As displayed: upright, with square pixels."""
    height: int
    rotation: int
    joinable: bool
    """The packets begin with a key frame, none is hidden, and each takes exactly one frame's time."""
    sound: Sound | None

    @property
    def rate(self) -> Fraction | None:
        """Frames a second where it is constant."""
        return self.coding.rate

    def frames_at(self, rate: Fraction) -> int:
        """How many frames the picture has on a grid of `rate`."""
        return self.frames if self.rate == rate else max(1, round(self.duration * rate))

    def facts(self) -> dict[str, Any]:
        """What a client is told about it."""
        return {
            "container": self.coding.container.name,
            "codec": self.coding.codec,
            "width": self.width,
            "height": self.height,
            "frames": self.frames,
            "frameRate": str(self.rate) if self.rate else "variable",
            "seconds": round(float(self.duration), 6),
            "audio": self.sound.codec if self.sound else None,
        }


def measure_clip(path: Path) -> Clip:
    """Read `path` from end to end.

    Raises:
        NotAClip: it is no clip, holds no picture, is cut off, or cannot be decoded.
    """
    container = _recognise(path)
    try:
        with av.open(
            f"file:{path}",
            format=container.demuxer,
            options={"protocol_whitelist": "file"},
            metadata_errors="replace",
        ) as opened:
            return _measure(path, container, opened)
    except (av.error.FFmpegError, ValueError, EOFError) as error:
        reason = getattr(error, "strerror", None) or "unreadable"
        raise NotAClip(f"is damaged or cut off and cannot be read ({reason})") from error


def _recognise(path: Path) -> Container:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    container = sniff(head)
    if container is None:
        pointer = describe_pointer(head)
        raise NotAClip(f"is {pointer}, not a video file" if pointer else "is not a video file of a supported format")
    return container


def _measure(path: Path, container: Container, opened: InputContainer) -> Clip:
    stream = next((video for video in opened.streams.video if not _is_cover(video)), None)
    if stream is None:
        raise NotAClip("holds no picture")
    times: list[int] = []
    lengths: list[int] = []
    first_key, hidden, reorder, announced = False, 0, 0, stream.frames
    for packet in opened.demux(stream):
        if packet.pts is None:
            if packet.size:
                hidden += 1
            continue
        if packet.is_corrupt:
            raise NotAClip("is cut off: its data end before its index does")
        if packet.is_discard:
            hidden += 1
            continue
        if not times:
            first_key = packet.is_keyframe
            reorder = packet.pts - (packet.pts if packet.dts is None else packet.dts)
        times.append(packet.pts)
        lengths.append(packet.duration or 0)
    if not times:
        raise NotAClip("holds no picture")
    if container.demuxer == "mov" and len(times) + hidden < announced:
        raise NotAClip("is cut off: its data end before its index does")
    tick = _fraction(stream.time_base)
    order = sorted(range(len(times)), key=times.__getitem__)
    moments = [times[place] * tick for place in order]
    rate = _constant_rate(moments, stream)
    last = lengths[order[-1]] * tick or (1 / rate if rate else _mean_step(moments, stream))
    duration = len(moments) / rate if rate else moments[-1] - moments[0] + last
    width, height, rotation, pixel_format = _first_frame(opened, stream)
    context = stream.codec_context
    pixel_aspect = Fraction(stream.sample_aspect_ratio or 1) or Fraction(1)
    upright_width, upright_height = round(width * pixel_aspect), height
    if rotation % 180:
        upright_width, upright_height = upright_height, upright_width
    return Clip(
        path=path,
        coding=Coding(
            container=container,
            codec=context.name,
            profile=context.profile,
            extradata=context.extradata or b"",
            width=width,
            height=height,
            pixel_format=pixel_format,
            pixel_aspect=pixel_aspect,
            time_base=tick,
            rate=rate,
            reorder_ticks=reorder,
            colour=(
                int(context.color_range),
                int(context.colorspace),
                int(context.color_primaries),
                int(context.color_trc),
            ),
        ),
        video_index=stream.index,
        frames=len(moments),
        starts_at=moments[0],
        duration=duration,
        width=upright_width,
        height=upright_height,
        rotation=rotation,
        joinable=first_key and not hidden and _evenly_spaced(moments, rate),
        sound=_sound(opened),
    )


def _is_cover(stream: VideoStream) -> bool:
    """A music file's cover art is a video stream by form only."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _first_frame(opened: InputContainer, stream: VideoStream) -> tuple[int, int, int, str]:
    """Decode one frame: size, clockwise quarter turns in degrees, pixel format; proves that it can be decoded."""
    opened.seek(0, stream=stream, any_frame=False, backward=True)
    for frame in opened.decode(stream):
        return frame.width, frame.height, round(frame.rotation) % 360, frame.format.name
    raise NotAClip("cannot be decoded")


def _sound(opened: InputContainer) -> Sound | None:
    for stream in opened.streams.audio:
        context = stream.codec_context
        if context is not None and context.sample_rate and context.channels:
            return Sound(
                index=stream.index, codec=context.name, sample_rate=context.sample_rate, channels=context.channels
            )
    return None


def _fraction(value: Fraction | None) -> Fraction:
    if not value:
        raise NotAClip("has no clock")
    return Fraction(value)


def _constant_rate(moments: Sequence[Fraction], stream: VideoStream) -> Fraction | None:
    """The rate on whose grid every frame lies; None when there is none.

    The candidates are what the file says and, for files that say it badly, the common rates near the mean.
    """
    if len(moments) == 1:
        return Fraction(stream.average_rate) if stream.average_rate else None
    said = [Fraction(rate) for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate) if rate]
    mean = (len(moments) - 1) / (moments[-1] - moments[0]) if moments[-1] > moments[0] else Fraction(0)
    nominal = round(mean)
    guesses = [Fraction(nominal), Fraction(nominal * 1000, 1001)] if nominal else []
    for rate in dict.fromkeys((*said, *guesses)):
        if 0 < rate <= 1000 and all(
            abs((moment - moments[0]) * rate - place) <= _SLOT_TOLERANCE for place, moment in enumerate(moments)
        ):
            return rate
    return None


def _evenly_spaced(moments: Sequence[Fraction], rate: Fraction | None) -> bool:
    """To the tick, as a copy without re-timing needs it."""
    return rate is not None and all(moment - moments[0] == place / rate for place, moment in enumerate(moments))


def _mean_step(moments: Sequence[Fraction], stream: VideoStream) -> Fraction:
    if len(moments) > 1:
        return (moments[-1] - moments[0]) / (len(moments) - 1)
    return 1 / Fraction(stream.average_rate or 25)
