"""Makes `voice.npz`: has Kokoro say every vowel, and every consonant between vowels, and keeps the envelopes.

Run by hand, some minutes: `python -m workers.pipelines.ace_step_create.record_voice_bank`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyworld
from numpy.typing import NDArray

from workers.pipelines.ace_step_create.voice_bank import (
    CONSONANTS,
    DIPHTHONGS,
    ENVELOPE,
    FFT,
    FRAME_SECONDS,
    LEAD,
    NEIGHBOURS,
    RATE,
    VOWELS,
    Frames,
)
from workers.pipelines.audio_speak import kokoro

SPEAKER = "jm_kumo"
_LOW, _HIGH = 70.0, 300.0
"""The range of its pitch in Hz."""
_PACE = 0.8
_CLOSURE = slice(80, 130)
_STEADY, _GLIDE_FROM, _GLIDE_TO = slice(40, 18), slice(50, 40), slice(16, 8)
"""Frames before the closure of the d."""
_LONGEST_CORE = 26
_FIRST_VOWEL, _SECOND_VOWEL, _BETWEEN = slice(26, 46), slice(100, 118), slice(48, 104)
"""Where, in frames, the parts of `vowel consonant vowel` lie at this pace."""


def main() -> None:
    """Record everything."""
    said: dict[str, Frames] = {}
    for vowel in VOWELS + DIPHTHONGS:
        words = "hˈɜɹd." if vowel == "ɜ" else f"hˈ{vowel}d."
        said[f"v{vowel}"] = _held(_spoken(words), glides=vowel in DIPHTHONGS)
    for consonant in CONSONANTS:
        for vowel in NEIGHBOURS:
            words = f"{vowel}ːŋ {vowel}ː." if consonant == "ŋ" else f"{vowel}ː{consonant}ˈ{vowel}ː."
            said[f"c{consonant}{vowel}"] = _between(_spoken(words))
    stored: dict[str, Any] = {key: frames.astype(np.float16) for key, frames in said.items()}
    np.savez_compressed(Path(__file__).parent / "voice.npz", **stored)


def _spoken(phonemes: str) -> Frames:
    return analysed(kokoro.trim(kokoro.synthesize(phonemes, SPEAKER, _PACE)))


def analysed(samples: NDArray[np.float32]) -> Frames:
    """A recording as frames of the bank."""
    sound = samples.astype(np.float64)
    pitch, times = pyworld.harvest(sound, RATE, f0_floor=_LOW, f0_ceil=_HIGH, frame_period=FRAME_SECONDS * 1000)
    envelope = pyworld.cheaptrick(sound, pitch, times, RATE, fft_size=FFT)
    breath = pyworld.d4c(sound, pitch, times, RATE, fft_size=FFT)
    coded = pyworld.code_spectral_envelope(envelope, RATE, ENVELOPE)
    return np.concatenate([coded, pyworld.code_aperiodicity(breath, RATE), (pitch > 0)[:, None]], axis=1)


def _held(frames: Frames, *, glides: bool) -> Frames:
    """The vowel of `h vowel d`, found by the silence of the d: one frame, or where a diphthong begins and goes."""
    closure = _CLOSURE.start + int(frames[_CLOSURE, 0].argmin())
    parts = (_GLIDE_FROM, _GLIDE_TO) if glides else (_STEADY,)
    return np.stack([frames[closure - part.start : closure - part.stop].mean(axis=0) for part in parts])


def _between(frames: Frames) -> Frames:
    """The consonant: the frames least like the vowels on both sides, and LEAD frames before and after."""
    shape = frames[:, :ENVELOPE].copy()
    shape[:, 0] *= 0.5  # loudness counts for less than colour
    vowel = (shape[_FIRST_VOWEL].mean(axis=0) + shape[_SECOND_VOWEL].mean(axis=0)) / 2
    distance = np.convolve(np.sqrt(((shape - vowel) ** 2).sum(axis=1)), np.ones(3) / 3, "same")
    middle = _BETWEEN.start + int(distance[_BETWEEN].argmax())
    edge = distance[middle] * 0.55
    first = last = middle
    while last - first + 1 < _LONGEST_CORE:
        grow_left = first > _BETWEEN.start and distance[first - 1] > edge
        grow_right = last < _BETWEEN.stop and distance[last + 1] > edge
        if not grow_left and not grow_right:
            break
        if grow_left and (not grow_right or distance[first - 1] >= distance[last + 1]):
            first -= 1
        else:
            last += 1
    return frames[first - LEAD : last + LEAD + 1]


if __name__ == "__main__":
    main()
