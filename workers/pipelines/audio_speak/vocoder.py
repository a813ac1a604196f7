"""A voice taken apart and put together again (WORLD): pitch contour, spectral envelope, breath; each may be changed.

Morise, Yokomori, Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system", 2016. pyworld keeps Python's
lock inside each call, so WORLD's own state is never shared between two threads.
"""

from dataclasses import dataclass

import numpy as np
import pyworld
from numpy.typing import NDArray

from workers.pipelines.audio_speak.kokoro import RATE, Mono

Frames = NDArray[np.float64]

FRAME = 0.005
"""Seconds from one analysed frame to the next."""
_LOWEST, _HIGHEST = 50.0, 700.0


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is done to a voice; the defaults change nothing."""

    pitch: float = 1.0
    """Factor on the fundamental frequency."""
    pitch_range: float = 1.0
    """Factor on the distance, in octaves, of each moment's pitch from `centre`."""
    centre: float = 150.0
    """Hz; where `pitch_range` leaves the pitch as it is."""
    formants: float = 1.0
    """Factor on the frequencies of the spectral envelope: above 1 is a shorter vocal tract."""
    breath: float = 0.0
    """How much of the voiced sound becomes noise, 0..1, most in the high frequencies."""
    tremor: float = 0.0
    """Depth of a slow unsteadiness of the pitch, as a fraction of it."""
    whisper: bool = False
    """No voicing at all: the envelope excited by noise."""
    equalizer: tuple[float, ...] = ()
    """Decibels on the bands of `BAND_CENTRES`; empty is flat."""

    @property
    def needed(self) -> bool:
        """Whether anything changes: taking a voice apart costs time and a little of its clearness."""
        return self != Change(centre=self.centre)


BAND_CENTRES: Frames = np.asarray(700 * (10 ** (np.linspace(150, 3000, 36) / 2595) - 1), np.float64)
"""Hz; 36 bands evenly spaced on the mel scale, about 100 Hz to 9.3 kHz."""


def pitch_contour(samples: Mono, *, around: float | None = None) -> Frames:
    """The fundamental frequency in Hz at each frame, 0 where unvoiced.

    `around`, the voice's usual pitch, narrows the search: faster and with fewer octave errors.
    """
    lowest = max(_LOWEST, around * 0.5) if around else _LOWEST
    highest = min(_HIGHEST, around * 2.1) if around else _HIGHEST
    contour, _ = pyworld.harvest(
        samples.astype(np.float64), RATE, f0_floor=lowest, f0_ceil=highest, frame_period=FRAME * 1000
    )
    return np.asarray(contour)


def quick_pitch_contour(samples: Mono) -> Frames:
    """Like `pitch_contour` at a thirtieth of its cost; unsure frames count as unvoiced. For statistics."""
    wide = samples.astype(np.float64)
    contour, times = pyworld.dio(wide, RATE, f0_floor=_LOWEST, f0_ceil=_HIGHEST, frame_period=FRAME * 1000)
    return np.asarray(pyworld.stonemask(wide, contour, times, RATE))


def envelope(samples: Mono, contour: Frames) -> Frames:
    """The power spectrum of each frame without its harmonics: (frames, bins), bins even from 0 Hz to half of `RATE`."""
    return np.asarray(pyworld.cheaptrick(samples.astype(np.float64), contour, _times(contour), RATE))


def reshape(samples: Mono, contour: Frames, change: Change, random: np.random.Generator) -> Mono:
    """The same words with `change` applied; as long as `samples`."""
    wide = samples.astype(np.float64)
    spectrum = envelope(samples, contour)
    if change.formants != 1:
        spectrum = _warp(spectrum, change.formants)
    if change.equalizer:
        spectrum = spectrum * 10 ** (_on_bins(np.array(change.equalizer), spectrum.shape[1]) / 10)
    if change.whisper:
        contour, noise = np.zeros_like(contour), np.ones_like(spectrum)
        spectrum = spectrum * _whispered(spectrum.shape[1])
    else:
        noise = np.asarray(pyworld.d4c(wide, contour, _times(contour), RATE))
        noise = noise + (1 - noise) * change.breath * np.linspace(0.35, 1, noise.shape[1])
        contour = _moved(contour, change, random)
    made = pyworld.synthesize(
        contour, np.ascontiguousarray(spectrum), np.ascontiguousarray(noise), RATE, FRAME * 1000
    ).astype(np.float32)
    return np.pad(made[: samples.size], (0, max(0, samples.size - made.size)))


def _times(contour: Frames) -> Frames:
    return np.arange(contour.size, dtype=np.float64) * FRAME


def _moved(contour: Frames, change: Change, random: np.random.Generator) -> Frames:
    voiced = contour > 0
    moved = np.zeros_like(contour)
    moved[voiced] = change.centre * (contour[voiced] / change.centre) ** change.pitch_range * change.pitch
    if change.tremor:
        # An old voice wavers about five times a second, and unevenly.
        times = _times(contour)
        drift = np.convolve(random.standard_normal(contour.size + 40), np.hanning(41) / 4.5, "valid")
        moved *= 1 + change.tremor * (np.sin(2 * np.pi * 5.2 * times + random.uniform(0, 6)) + 0.7 * drift)
    return np.asarray(np.where(voiced, np.clip(moved, 45, 1000), 0), np.float64)


def _warp(spectrum: Frames, factor: float) -> Frames:
    """Each frame's envelope stretched along the frequency axis, in the logarithmic domain."""
    bins = spectrum.shape[1]
    source = np.minimum(np.arange(bins) / factor, bins - 1)
    low = np.minimum(source.astype(int), bins - 2)
    share = source - low
    logarithm = np.log(spectrum)
    return np.asarray(np.exp(logarithm[:, low] * (1 - share) + logarithm[:, low + 1] * share))


def _on_bins(bands: Frames, bins: int) -> Frames:
    return np.asarray(np.interp(np.linspace(0, RATE / 2, bins), BAND_CENTRES, bands))


def _whispered(bins: int) -> Frames:
    """A whisper's spectrum beside a voice's: without the glottis' strong low end, brighter (power, per bin)."""
    frequencies = np.linspace(1, RATE / 2, bins)
    decibels = np.interp(np.log2(frequencies), np.log2([80, 300, 700, 2000, 6000, 12000]), [-26, -15, -7, 0, 4, 3])
    return np.asarray(10 ** (decibels / 10))
