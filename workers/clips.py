"""What a local clip really holds, measured by reading every packet instead of believing its header."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from workers.protocol.containers import HEAD_BYTES, MP4, Container, describe_pointer, sniff

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


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What an MP4 made here holds."""

    frames: int
    duration: Fraction
    """How long the picture lasts, in seconds."""
    width: int
    height: int
    has_sound: bool


def measure_clip(path: Path) -> Clip:
    """Read `path` from end to end.

    Raises:
        NotAClip: it is no clip, holds no picture, is cut off, or cannot be decoded.
    """
    container = _recognise(path)
    with _opened(path, container) as opened:
        return _measure(path, container, opened)


def measure_finished(path: Path) -> Finished:
    """Read the index of an MP4 that a muxer here has just closed, and decode its first frame.

    Such an index has an entry for each packet written, so reading the packets could count no other number; that they
    are all there is seen from the file's size. A file from elsewhere may say anything: `measure_clip` reads it all.

    Raises:
        NotAClip: it holds no picture, is cut off, or cannot be decoded.
    """
    with _opened(path, MP4) as opened:
        if not opened.streams.video:
            raise NotAClip("holds no picture")
        stream = opened.streams.video[0]
        entries = list(stream.index_entries)
        frames = sum(not entry.is_discard for entry in entries)
        if not frames or not stream.duration:
            raise NotAClip("holds no picture")
        if max(entry.pos + entry.size for entry in entries) > path.stat().st_size:
            raise NotAClip("is cut off: its data end before its index does")
        width, height, _, _ = _first_frame(opened, stream)
        return Finished(
            frames=frames,
            duration=stream.duration * _fraction(stream.time_base),
            width=width,
            height=height,
            has_sound=bool(opened.streams.audio),
        )


@contextmanager
def _opened(path: Path, container: Container) -> Iterator[InputContainer]:
    try:
        with av.open(
            f"file:{path}",
            format=container.demuxer,
            options={"protocol_whitelist": "file"},
            metadata_errors="replace",
        ) as opened:
            yield opened
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
    # Ticks, not seconds: a few thousand fractions cost more than reading the packets did.
    order = sorted(range(len(times)), key=times.__getitem__)
    starts_at = times[order[0]]
    ticks = [times[place] - starts_at for place in order]
    rate = _constant_rate(ticks, tick, stream)
    last = lengths[order[-1]] * tick or (1 / rate if rate else _mean_step(ticks, tick, stream))
    duration = len(ticks) / rate if rate else ticks[-1] * tick + last
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
        frames=len(ticks),
        starts_at=starts_at * tick,
        duration=duration,
        width=upright_width,
        height=upright_height,
        rotation=rotation,
        joinable=first_key and not hidden and _evenly_spaced(ticks, tick, rate),
        sound=_sound(opened),
    )


def _is_cover(stream: VideoStream) -> bool:
    """A music file's cover art is a video stream by form only."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _first_frame(opened: InputContainer, stream: VideoStream) -> tuple[int, int, int, str]:
    """Decode one frame: size, clockwise quarter turns in degrees, pixel format; proves that it can be decoded."""
    opened.seek(0, stream=stream, any_frame=False, backward=True)
    frame = _frame_of_one_packet(opened, stream)
    if frame is None:
        opened.seek(0, stream=stream, any_frame=False, backward=True)
        frame = next(opened.decode(stream), None)
    if frame is None:
        raise NotAClip("cannot be decoded")
    return frame.width, frame.height, round(frame.rotation) % 360, frame.format.name


def _frame_of_one_packet(opened: InputContainer, stream: VideoStream) -> VideoFrame | None:
    """Told that nothing follows, a decoder gives its first frame without decoding those that it would reorder."""
    context = stream.codec_context
    packet = next(opened.demux(stream), None)
    if packet is None or not packet.size:
        return None
    return next(iter(context.decode(packet) or context.decode(None)), None)


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


def _constant_rate(ticks: Sequence[int], tick: Fraction, stream: VideoStream) -> Fraction | None:
    """The rate on whose grid every frame lies; None when there is none.

    The candidates are what the file says and, for files that say it badly, the common rates near the mean.
    """
    if len(ticks) == 1:
        return Fraction(stream.average_rate) if stream.average_rate else None
    said = [Fraction(rate) for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate) if rate]
    nominal = round((len(ticks) - 1) / (ticks[-1] * tick)) if ticks[-1] else 0
    guesses = [Fraction(nominal), Fraction(nominal * 1000, 1001)] if nominal else []
    for rate in dict.fromkeys((*said, *guesses)):
        if 0 < rate <= 1000 and _farthest_from_grid(ticks, tick * rate) <= _SLOT_TOLERANCE:
            return rate
    return None


def _farthest_from_grid(ticks: Sequence[int], tick_in_frames: Fraction) -> Fraction:
    """How far, in frames, the frame that lies farthest from its place on the grid lies from it."""
    over, under = tick_in_frames.as_integer_ratio()
    return Fraction(max(abs(at * over - place * under) for place, at in enumerate(ticks)), under)


def _evenly_spaced(ticks: Sequence[int], tick: Fraction, rate: Fraction | None) -> bool:
    """To the tick, as a copy without re-timing needs it."""
    return rate is not None and not _farthest_from_grid(ticks, tick * rate)


def _mean_step(ticks: Sequence[int], tick: Fraction, stream: VideoStream) -> Fraction:
    if len(ticks) > 1:
        return ticks[-1] * tick / (len(ticks) - 1)
    return 1 / Fraction(stream.average_rate or 25)
