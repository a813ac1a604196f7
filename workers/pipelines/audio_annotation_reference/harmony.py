"""The key of a piece, by Krumhansl and Kessler's tone profiles (1982)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workers.pipelines.audio_annotation_reference.spectra import Frames

_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_PITCHED = 0.1


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key, and how well its profile fits against the best that is not its relative."""

    tonic: str
    mode: Literal["major", "minor"]
    fit: float
    """Correlation of the piece's pitch classes with the key's profile, up to 1."""


def find_key(chroma: Frames) -> Key | None:
    """The key that fits best, or None where no pitch classes stand out."""
    mean = chroma.mean(axis=0)
    if not mean.any() or mean.std() / mean.mean() < _PITCHED:
        return None
    fits = {
        (tonic, mode): float(np.corrcoef(mean, np.roll(profile, tonic))[0, 1])
        for mode, profile in (("major", _MAJOR), ("minor", _MINOR))
        for tonic in range(12)
    }
    (tonic, mode), fit = max(fits.items(), key=lambda item: item[1])
    return Key(tonic=_NAMES[tonic], mode="major" if mode == "major" else "minor", fit=fit)
