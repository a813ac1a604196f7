"""Even loudness: the gain to a target after ITU-R BS.1770, and a limiter that keeps peaks below the ceiling."""

import numpy as np
import pyloudnorm
from scipy.ndimage import minimum_filter1d

from workers.pipelines.audio_speak.kokoro import RATE, Mono

TARGET = -17.0
"""LUFS; where speech on phones and in podcasts lies."""
CEILING = 10 ** (-2.0 / 20)
"""Of full scale; Opus may add a little to it."""
_REACH = 0.004


def measure(samples: Mono) -> float:
    """Integrated loudness in LUFS; −inf for silence. What is shorter than a measuring block counts as repeated."""
    if not samples.size:
        return -np.inf
    block = round(0.4 * RATE) + 1
    whole = np.resize(samples, block) if samples.size < block else samples
    # Speech has pauses; the meter's own blocks of silence have no logarithm, and gating leaves them out anyway.
    with np.errstate(divide="ignore"):
        return float(pyloudnorm.Meter(RATE).integrated_loudness(whole.astype(np.float64)))


def even_out(samples: Mono, *, target: float = TARGET) -> Mono:
    """The samples at `target` LUFS with no peak over `CEILING`."""
    made = samples
    # The limiter takes a little loudness away, so the gain is found again after it.
    for _ in range(2):
        loudness = measure(made)
        if not np.isfinite(loudness):
            return made
        made = _limited(made * np.float32(10 ** ((target - loudness) / 20)))
    return made


def _limited(samples: Mono) -> Mono:
    reach = round(_REACH * RATE)
    needed = np.minimum(1.0, CEILING / np.maximum(np.abs(samples), 1e-9))
    if needed.min(initial=1.0) == 1.0:
        return samples
    # The lowest gain within reach, then a mean over the same reach: smooth, and never above what a peak needs.
    lowest = minimum_filter1d(needed, 2 * reach + 1, mode="nearest")
    window = np.hanning(2 * reach + 3)[1:-1]
    smooth = np.convolve(np.pad(lowest, reach, mode="edge"), window / window.sum(), "valid")
    return (samples * smooth).astype(np.float32)
