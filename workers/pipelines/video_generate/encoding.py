"""Frames and samples into one MP4 as they come, so that no clip is ever held in memory."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace

from workers.ffmpeg import threads
from workers.pipelines.video_generate.given_frames import Picture
from workers.sound import Samples

SOUND_RATE = 48_000
_SOUND_BITS = 192_000
_BT709 = 1
_LIMITED = 1
_CHUNK = 1024
_EXACT_BITS = 2.2
"""How many times the bits of an ordinary frame a given one gets: about 6 of H.264's quantiser steps."""


class Mp4Writer:
    """H.264 and, where there is sound, AAC: the settings of `workers.ffmpeg`, with colours named as BT.709."""

    def __init__(
        self,
        container: Any,
        *,
        width: int,
        height: int,
        rate: int,
        sound: Samples | None,
        exact: Collection[int],
        extreme_quality: bool,
    ) -> None:
        self._container, self._rate, self._count = container, Fraction(rate), 0
        quality = {"preset": "medium", "crf": "14"} if extreme_quality else {"preset": "veryfast", "crf": "18"}
        if exact:
            zones = "/".join(f"{frame},{frame},b={_EXACT_BITS}" for frame in sorted(exact))
            quality["x264-params"] = f"zones={zones}"
        self._exact = frozenset(exact)
        self._video: Any = container.add_stream("libx264", rate=rate, options={**quality, "flags": "+bitexact"})
        self._video.width, self._video.height, self._video.pix_fmt = width, height, "yuv420p"
        context = self._video.codec_context
        context.thread_count = threads()
        context.colorspace, context.color_primaries, context.color_trc = _BT709, _BT709, _BT709
        context.color_range = _LIMITED
        self._sound, self._written = sound, 0
        if sound is not None:
            layout = "mono" if sound.shape[0] == 1 else "stereo"
            self._audio: Any = container.add_stream(
                "aac", rate=SOUND_RATE, layout=layout, options={"flags": "+bitexact"}
            )
            self._audio.bit_rate = _SOUND_BITS
            self._layout = layout

    def write(self, picture: Picture) -> None:
        """The next frame, with the sound that belongs to it."""
        frame: Any = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
        frame.pts, frame.time_base = self._count, 1 / self._rate
        frame.pict_type = PictureType.I if self._count in self._exact else PictureType.NONE
        self._count += 1
        self._container.mux(self._video.encode(frame))
        self._write_sound(until=int(Fraction(self._count * SOUND_RATE) / self._rate))

    def finish(self) -> Iterator[None]:
        """The rest of both streams, pausing after each frame: a large clip's last ones take their time."""
        for packet in self._video.codec_context.encode_lazy(None):
            packet.stream = self._video
            self._container.mux(packet)
            yield
        if self._sound is not None:
            self._write_sound(until=None)
            self._container.mux(self._audio.encode(None))

    def _write_sound(self, *, until: int | None) -> None:
        if self._sound is None:
            return
        length = self._sound.shape[1]
        goal = length if until is None else min(until, length)
        while self._written < goal and (until is None or self._written + _CHUNK <= goal):
            part = np.ascontiguousarray(self._sound[:, self._written : self._written + _CHUNK])
            frame: Any = av.AudioFrame.from_ndarray(part, format="fltp", layout=self._layout)
            frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, self._written, Fraction(1, SOUND_RATE)
            self._written += part.shape[1]
            self._container.mux(self._audio.encode(frame))


@contextmanager
def mp4_writer(
    path: Path,
    *,
    width: int,
    height: int,
    rate: int,
    sound: Samples | None,
    exact: Collection[int],
    extreme_quality: bool,
) -> Iterator[Mp4Writer]:
    """A writer whose file is complete after the block, which must end with `finish`; if it raises, none is left.

    The frames numbered in `exact` are coded whole, with more bits than their neighbours.
    """
    finished = False
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    try:
        with av.open(str(path), "w", format="mp4", options=options) as container:
            writer = Mp4Writer(
                container,
                width=width,
                height=height,
                rate=rate,
                sound=sound,
                exact=exact,
                extreme_quality=extreme_quality,
            )
            yield writer
        finished = True
    finally:
        if not finished:
            path.unlink(missing_ok=True)
