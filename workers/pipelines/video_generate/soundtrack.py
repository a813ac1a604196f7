"""The reference audio: held to the sample from time zero, and its loudness over time for the picture to follow."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from workers.pipelines.base import EngineFailed
from workers.sound import NotASound, Samples, is_silent, read_sound

RATE = 48_000
_WINDOW = 0.02
_ATTACK, _RELEASE = 0.03, 0.18
"""Seconds in which the pulse rises and falls."""


@dataclass(frozen=True, kw_only=True)
class Soundtrack:
    """Sound of exactly the clip's length."""

    samples: Samples
    given_seconds: float
    """How long the reference itself lasts."""

    def describe(self, seconds: Fraction) -> str:
        """What became of it, as a sentence."""
        length = float(seconds)
        if self.given_seconds > length + 0.01:
            fate = f"cut at {length:.3f} s"
        elif self.given_seconds < length - 0.01:
            fate = f"followed by silence from {self.given_seconds:.3f} s"
        else:
            fate = "held whole"
        return (
            f"The reference audio from time zero, {fate}. The picture pulses gently with its loudness; "
            "lips are not moved to speech, which this engine cannot do."
        )


def read_soundtrack(path: Path, *, seconds: Fraction) -> Soundtrack:
    """Read the reference audio and bring it to the clip's length.

    Raises:
        EngineFailed: it cannot be read, or nothing is to be heard in it.
    """
    try:
        samples = read_sound(path, rate=RATE, channels=2)
        if np.array_equal(samples[0], samples[1]):
            samples = samples[:1]  # a single channel stays one
    except NotASound as error:
        raise EngineFailed(f"The reference audio {error}.", code="invalid_reference_audio") from error
    if is_silent(samples):
        raise EngineFailed("The reference audio is silent.", code="silent_audio")
    wanted = round(seconds * RATE)
    held = np.zeros((len(samples), wanted), np.float32)
    kept = min(wanted, samples.shape[1])
    held[:, :kept] = np.clip(samples[:, :kept], -1, 1)
    return Soundtrack(samples=held, given_seconds=samples.shape[1] / RATE)


def pulse_of(samples: Samples) -> Callable[[float], float]:
    """Loudness as a function of seconds, 0..1 of the sound's own loud passages, rising fast and falling slowly."""
    hop = round(_WINDOW * RATE)
    mono = samples.mean(0)
    mono = np.pad(mono, (0, -len(mono) % hop))
    level = np.sqrt((mono.reshape(-1, hop) ** 2).mean(1))
    level = level / max(float(np.quantile(level, 0.95)), 1e-6)
    followed = np.zeros(len(level) + 1)
    for number, value in enumerate(np.clip(level, 0, 1)):
        before = followed[number]
        time = _ATTACK if value > before else _RELEASE
        followed[number + 1] = before + (value - before) * (1 - np.exp(-_WINDOW / time))
    times = np.arange(len(followed)) * _WINDOW
    return lambda seconds: float(np.interp(seconds, times, followed))
