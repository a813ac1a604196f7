"""Time-frequency pictures of a sound: mel bands for rhythm and timbre, pitch classes for harmony.

Frame k of a picture is centred on sample k × hop, so its time is k × hop / rate.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from workers.sound import Samples

Frames = NDArray[np.float32]
"""(frames, bands)"""
Step = Callable[[float], None]

RATE = 22_050
"""The rate that beats, harmony and structure are heard at."""
RHYTHM_HOP = 256
"""11.6 ms: fine enough for 240 beats a minute."""
_RHYTHM_WINDOW = 1024
HARMONY_HOP = 2048
_HARMONY_WINDOW = 8192
"""2.7 Hz a bin tells semitones apart from about 65 Hz."""
_MEL_BANDS = 80
_LOWEST_NOTE, _HIGHEST_NOTE = 36, 96
_BLOCK = 512


def mel_frames(samples: Samples, *, step: Step) -> Frames:
    """Mel band magnitudes, (frames, 80), every `RHYTHM_HOP` samples of a mono sound at `RATE`."""
    return _picture(samples, window=_RHYTHM_WINDOW, hop=RHYTHM_HOP, bands=_mel_bands(), step=step)


def note_frames(samples: Samples, *, step: Step) -> Frames:
    """Magnitudes by semitone from C2 (65 Hz) up, (frames, 60), every `HARMONY_HOP` samples."""
    return _picture(samples, window=_HARMONY_WINDOW, hop=HARMONY_HOP, bands=_note_bands(), step=step)


def pitch_classes(notes: Frames) -> Frames:
    """Notes folded into one octave: (frames, 12) from C, each frame's length 1, or 0 where nothing sounds."""
    folded = np.sqrt(notes).reshape(len(notes), -1, 12).sum(axis=1)
    length = np.linalg.norm(folded, axis=1, keepdims=True)
    return np.divide(folded, length, out=np.zeros_like(folded), where=length > 1e-6)


def _picture(samples: Samples, *, window: int, hop: int, bands: Frames, step: Step) -> Frames:
    """|STFT| projected on `bands`, block by block: ten minutes of the whole spectrum would not fit in the memory."""
    mono = np.pad(samples[0], (window // 2, window // 2))
    count = samples.shape[1] // hop + 1
    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    view = np.lib.stride_tricks.sliding_window_view(mono, window)[::hop][:count]
    picture = np.empty((count, bands.shape[1]), np.float32)
    for first in range(0, count, _BLOCK):
        step(first / count)
        block = view[first : first + _BLOCK] * shape
        picture[first : first + len(block)] = np.abs(np.fft.rfft(block, axis=1)).astype(np.float32) @ bands
    picture /= window / 4
    return picture


@cache
def _mel_bands() -> Frames:
    """Triangles evenly spaced on the mel scale (HTK's formula) from 30 Hz to 10 kHz."""
    edges = np.linspace(_mel(30.0), _mel(10_000.0), _MEL_BANDS + 2)
    corners = 700 * (10 ** (edges / 2595) - 1)
    bins = np.fft.rfftfreq(_RHYTHM_WINDOW, 1 / RATE)
    low, middle, high = (corners[shift : shift + _MEL_BANDS, None] for shift in range(3))
    triangles = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)).clip(0)
    # The lowest bands are narrower than a bin: each takes at least the bin nearest to its middle.
    for band in np.flatnonzero(triangles.sum(axis=1) == 0):
        triangles[band, np.abs(bins - middle[band]).argmin()] = 1.0
    return triangles.T.astype(np.float32)


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


@cache
def _note_bands() -> Frames:
    """A narrow bell a semitone, a quarter tone to each side of equal temperament at A4 = 440 Hz."""
    bins = np.fft.rfftfreq(_HARMONY_WINDOW, 1 / RATE)
    with np.errstate(divide="ignore"):
        pitch = 69 + 12 * np.log2(bins / 440)
    notes = np.arange(_LOWEST_NOTE, _HIGHEST_NOTE)
    return np.exp(-0.5 * ((pitch[:, None] - notes) / 0.3) ** 2).astype(np.float32)
