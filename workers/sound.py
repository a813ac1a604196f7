"""Sounds as samples: reading any file we take, writing Opus and WAV of an exact length.

Samples are float32 arrays of shape (channels, samples) in −1..1.
"""

from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from workers.protocol.containers import HEAD_BYTES, sniff, sniff_sound
from workers.protocol.inputs.media import OpusQuality

Samples = NDArray[np.float32]

OPUS_RATE = 48_000
"""What Opus keeps inside, whatever goes in."""
SILENCE = 10 ** (-60 / 20)
"""A sound whose loudest sample stays below this (−60 dB of full scale) is silent."""
_CHUNK = 960 * 50
_BITEXACT = "bitexact"


class NotASound(Exception):
    """The file cannot be used as a sound; the message is the rest of a sentence that begins with its name."""


def read_sound(path: Path, *, rate: int, channels: int = 1, max_seconds: float | None = None) -> Samples:
    """Every sample of a file's first sound, resampled to `rate` and mixed to `channels` (1 or 2).

    Raises:
        NotASound: it holds none, is damaged, or lasts longer than `max_seconds`.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    container = sniff_sound(head) or sniff(head)
    if container is None:
        raise NotASound("is not a sound of a supported format")
    limit = None if max_seconds is None else round(max_seconds * rate)
    parts: list[Any] = []
    length = 0
    try:
        with av.open(
            f"file:{path}",
            format=container.demuxer,
            options={"protocol_whitelist": "file"},
            metadata_errors="replace",
        ) as opened:
            stream = next(iter(opened.streams.audio), None)
            if stream is None:
                raise NotASound("holds no sound")
            # One channel is given to both ears as it is; the resampler would make it 3 dB fainter.
            mono = channels == 1 or stream.codec_context.channels == 1
            resampler = av.AudioResampler(format="fltp", layout="mono" if mono else "stereo", rate=rate)
            for frame in opened.decode(stream):
                for resampled in resampler.resample(frame):
                    parts.append(resampled.to_ndarray())
                    length += parts[-1].shape[1]
                if limit is not None and length > limit:
                    raise NotASound(f"lasts longer than {max_seconds:g} s")
            parts += [resampled.to_ndarray() for resampled in resampler.resample(None)]
    except (av.error.FFmpegError, EOFError, ValueError) as error:
        raise NotASound("is damaged or cut off and cannot be read") from error
    if not parts:
        raise NotASound("holds no sound")
    samples = np.concatenate(parts, axis=1).astype(np.float32, copy=False)
    return samples if samples.shape[0] == channels else np.repeat(samples, channels, axis=0)


def is_silent(samples: Samples) -> bool:
    """Whether nothing is to be heard in it."""
    return not samples.size or float(np.max(np.abs(samples))) < SILENCE


def write_opus(samples: Samples, *, rate: int, path: Path, quality: OpusQuality) -> float:
    """Encode as Opus in Ogg, of exactly the length of `samples`; returns that length in seconds.

    The same samples give the same bytes. `rate` may be any; Opus itself keeps 48 kHz.
    """
    bits = {"96k": 96_000, "128k": 128_000, "192k": 192_000}[quality]
    _encode(samples, rate=rate, path=path, muxer="ogg", codec="libopus", inner_rate=OPUS_RATE, bits=bits)
    return samples.shape[1] / rate


def write_wav(samples: Samples, *, rate: int, path: Path) -> float:
    """Write 16-bit WAV; returns its length in seconds."""
    _encode(samples, rate=rate, path=path, muxer="wav", codec="pcm_s16le", inner_rate=rate, bits=None)
    return samples.shape[1] / rate


def _encode(
    samples: Samples, *, rate: int, path: Path, muxer: str, codec: str, inner_rate: int, bits: int | None
) -> None:
    layout = "mono" if samples.shape[0] == 1 else "stereo"
    clipped = np.ascontiguousarray(np.clip(samples, -1.0, 1.0), dtype=np.float32)
    container_options = {"fflags": f"+{_BITEXACT}"}
    with av.open(str(path), "w", format=muxer, options=container_options) as container:
        stream: Any = container.add_stream(codec, rate=inner_rate, layout=layout, options={"flags": f"+{_BITEXACT}"})
        if bits is not None:
            stream.bit_rate = bits
        resampler = av.AudioResampler(
            format=stream.codec_context.format,
            layout=layout,
            rate=inner_rate,
            frame_size=stream.codec_context.frame_size,
        )
        for start in range(0, clipped.shape[1], _CHUNK):
            frame = av.AudioFrame.from_ndarray(clipped[:, start : start + _CHUNK], format="fltp", layout=layout)
            frame.sample_rate, frame.pts = rate, start
            for resampled in resampler.resample(frame):
                container.mux(stream.encode(resampled))
        for resampled in resampler.resample(None):
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
