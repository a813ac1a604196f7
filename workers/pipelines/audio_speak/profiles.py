"""What a voice sounds like, in a few numbers: pitch, liveliness, spectrum, breath, pace; and the stock's numbers."""

import functools
import itertools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyworld
from scipy.signal import find_peaks

from workers.pipelines.audio_speak import kokoro
from workers.pipelines.audio_speak.kokoro import RATE, Mono, Style
from workers.pipelines.audio_speak.vocoder import (
    BAND_CENTRES,
    FRAME,
    Frames,
    envelope,
    quick_pitch_contour,
)

LEAST_VOICED = 0.35
"""Seconds of voiced sound below which a voice cannot be measured."""
_TABLE = Path(__file__).parent / "voice_profiles.json"
_MEASURED_ON = (
    "The old harbor was quiet that morning, and the boats moved gently on the water.",
    "Could you please tell me where the nearest station is? We will meet again next week.",
)


class NoVoice(Exception):
    """Too little of the sound is voiced to say anything about a voice; the message says how much is."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A voice, measured."""

    pitch: float
    """Median fundamental frequency, Hz."""
    spread: float
    """Standard deviation of the pitch, in octaves."""
    bands: tuple[float, ...]
    """Mean voiced spectrum on `BAND_CENTRES`, in decibels around its own mean."""
    breath: float
    """Mean share of noise in the voiced sound between 2 and 6 kHz, 0..1."""
    rate: float
    """Syllables (peaks of loudness) in a second of speech."""


def profile_of(samples: Mono, contour: Frames | None = None) -> Profile:
    """Measure a voice in mono samples at `RATE`.

    Raises:
        NoVoice: less than `LEAST_VOICED` seconds are voiced.
    """
    contour = quick_pitch_contour(samples) if contour is None else contour
    voiced = contour > 0
    if voiced.sum() * FRAME < LEAST_VOICED:
        raise NoVoice(f"only {voiced.sum() * FRAME:.1f} s of it is voiced")
    spectrum = envelope(samples, contour)
    power = spectrum.sum(axis=1)
    # The loud voiced frames are vowels; what is 20 dB below them is room and breath.
    vowels = voiced & (power > np.quantile(power[voiced], 0.9) / 100)
    frequencies = np.linspace(0, RATE / 2, spectrum.shape[1])
    mean = 10 * np.log10(spectrum[vowels]).mean(axis=0)
    bands = np.interp(BAND_CENTRES, frequencies, mean)
    noise = pyworld.d4c(samples.astype(np.float64), contour, np.arange(contour.size) * FRAME, RATE)
    octaves = np.log2(contour[vowels])
    return Profile(
        pitch=float(np.median(contour[vowels])),
        spread=float(np.std(octaves[np.abs(octaves - np.median(octaves)) < 0.8])),
        bands=tuple(float(band) for band in bands - bands.mean()),
        breath=float(noise[vowels][:, (frequencies > 2000) & (frequencies < 6000)].mean()),
        rate=_syllable_rate(samples),
    )


def stock() -> Mapping[str, Profile]:
    """The profiles of the model's voices and of even blends of two (named `a+b`), as measured once."""
    return _stock()


def style_of(name: str) -> Style:
    """The style of a voice of `stock()`, blends included."""
    voices = kokoro.voices()
    parts = name.split("+")
    return np.asarray(np.mean([voices[part] for part in parts], axis=0), np.float32)


def measure_stock() -> str:
    """Measure every stock voice anew, as the text of `voice_profiles.json`; takes about a minute."""
    from workers.pipelines.audio_speak.phonemes import breaths

    names = [*kokoro.voices(), *("+".join(pair) for pair in itertools.combinations(kokoro.voices(), 2))]
    phonemes = [breath.phonemes for text in _MEASURED_ON for breath in breaths(text)]
    table = {}
    for name in names:
        spoken = np.concatenate([kokoro.trim(kokoro.synthesize(part, style_of(name))) for part in phonemes])
        table[name] = {
            key: [round(band, 2) for band in value] if key == "bands" else round(value, 4)
            for key, value in asdict(profile_of(spoken)).items()
        }
    return json.dumps(table, indent=None).replace('}, "', '},\n"') + "\n"


@functools.cache
def _stock() -> dict[str, Profile]:
    table = json.loads(_TABLE.read_text())
    return {name: Profile(**{**numbers, "bands": tuple(numbers["bands"])}) for name, numbers in table.items()}


def _syllable_rate(samples: Mono) -> float:
    step = RATE // 100
    frames = samples[: samples.size // step * step].reshape(-1, step)
    level = np.sqrt((frames.astype(np.float64) ** 2).mean(axis=1))
    smooth = np.convolve(level, np.hanning(13) / np.hanning(13).sum(), "same")
    loud = smooth > 0.05 * np.quantile(smooth, 0.95)
    peaks, _ = find_peaks(smooth, prominence=0.08 * np.quantile(smooth, 0.95), distance=8)
    return float(len(peaks) / max(0.2, loud.sum() / 100))
