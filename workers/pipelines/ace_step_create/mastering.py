"""Mastering: tone, glue, old tape, loudness to −14 LUFS, a limiter that looks ahead, and the fade of the last chord."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from workers.pipelines.ace_step_create.drum_synth import vinyl
from workers.pipelines.ace_step_create.mixing import without_lows
from workers.pipelines.ace_step_create.soundfont import RATE, Stereo
from workers.pipelines.base import EngineFailed

TARGET_LUFS = -14.0
CEILING = 10 ** (-2.4 / 20)
"""Highest sample: under −1 dB true peak also after Opus, which rebuilds waveforms a little higher."""
_BLOCK = 48
_LOOK_BLOCKS = 5
_ROUNDS = 3
_CLOSE_LU = 0.15


def master(
    mix: Stereo, *, tilt: float, drive: float, tape: bool, fade_seconds: float, tick: Callable[[], None]
) -> Stereo:
    """The finished samples, of the mix's length."""
    mix = _tilted(mix, tilt)
    tick()
    if tape:
        mix = _taped(mix)
        tick()
    mix = _glued(mix, drive)
    tick()
    fade = round(fade_seconds * RATE)
    if fade:
        mix[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32) ** 1.5
    return _loud(mix, tick)


def loudness(samples: Stereo) -> float:
    """Integrated loudness in LUFS by ITU-R BS.1770."""
    try:
        import pyloudnorm
    except ImportError as error:
        raise EngineFailed("The package pyloudnorm is not installed.", code="engine_missing") from error
    return float(pyloudnorm.Meter(RATE).integrated_loudness(samples.T))


def _tilted(mix: Stereo, tilt: float) -> Stereo:
    """`tilt` dB between lows and highs, about 700 Hz; nothing below 28 Hz."""
    mix = without_lows(mix, 28)
    if not tilt:
        return mix
    b, a = signal.butter(1, 700, fs=RATE)
    lows = np.asarray(signal.lfilter(b.astype(np.float32), a.astype(np.float32), mix, axis=-1), np.float32)
    high, low = np.float32(10 ** (tilt / 40)), np.float32(10 ** (-tilt / 40))
    return mix * high + lows * (low - high)


def _taped(mix: Stereo) -> Stereo:
    """Lows and highs worn off, a slow waver of pitch, crackle."""
    mix = np.asarray(signal.sosfilt(signal.butter(2, 6500, fs=RATE, output="sos"), mix, axis=-1), np.float32)
    count = mix.shape[1]
    grid = np.arange(count, dtype=np.float64)
    waver = 30 * np.sin(2 * np.pi * 0.55 * grid / RATE) + 8 * np.sin(2 * np.pi * 2.3 * grid / RATE)
    place = np.clip(grid + waver, 0, count - 1)
    mix = np.stack([np.interp(place, grid, side) for side in mix]).astype(np.float32)
    crackle = vinyl(12)
    power = float(np.mean(mix**2)) ** 0.5
    noise = np.resize(crackle, count) * np.float32(power * 10 ** (-27 / 20) / float(np.std(crackle)))
    mix[0] += noise
    mix[1] += np.roll(noise, 911)
    return mix


def _glued(mix: Stereo, drive: float) -> Stereo:
    """A gentle 2:1 compressor above the programme's mean level, then saturation by `drive`."""
    level = _block_power(mix)
    smooth = np.asarray(ndimage.uniform_filter1d(level, 60, mode="nearest"))
    loud = 10 * np.log10(np.maximum(smooth, 1e-10))
    threshold = 10 * np.log10(max(float(np.mean(level)), 1e-10)) + 1.0
    gain = 10 ** (-np.maximum(0.0, loud - threshold) * 0.35 / 20)
    mix *= _stretched(ndimage.uniform_filter1d(gain, 25, mode="nearest"), mix.shape[1])
    peak = np.float32(np.sqrt(np.mean(mix**2)) * 4.5 + 1e-9)
    amount = np.float32(1.0 + 2.0 * drive)
    return np.tanh(mix * (amount / peak) * np.float32(0.7)) * (peak / amount / np.float32(0.7))


def _block_power(mix: Stereo) -> NDArray[np.float64]:
    whole = mix.shape[1] // _BLOCK * _BLOCK
    return np.mean(mix[:, :whole].reshape(2, -1, _BLOCK) ** 2, axis=(0, 2), dtype=np.float64)


def _stretched(gain: NDArray[np.float64], count: int) -> NDArray[np.float32]:
    """A gain per block as a gain per sample."""
    centers = (np.arange(gain.size) + 0.5) * _BLOCK
    return np.interp(np.arange(count), centers, gain).astype(np.float32)


def _loud(mix: Stereo, tick: Callable[[], None]) -> Stereo:
    """Gain and limiter until the loudness is met."""
    measured = loudness(mix)
    if not np.isfinite(measured):
        raise EngineFailed("The song came out silent.", code="silent_result")
    gain_db = TARGET_LUFS - measured
    out = mix
    for _ in range(_ROUNDS):
        tick()
        out = limited(mix, 10 ** (gain_db / 20))
        missing = TARGET_LUFS - loudness(out)
        if abs(missing) < _CLOSE_LU:
            break
        gain_db += missing * 1.25
    return out


def limited(mix: Stereo, gain: float) -> Stereo:
    """`mix` times `gain`, turned down smoothly around every peak above the ceiling.

    The gain each block of 1 ms needs is spread by a minimum over the look-ahead and then averaged over the same span,
    so that it is never above what is needed and never jumps.
    """
    count = mix.shape[1]
    whole = -(-count // _BLOCK)
    peaks = np.zeros(whole * _BLOCK, np.float32)
    peaks[:count] = np.max(np.abs(mix), axis=0)
    heights = peaks.reshape(-1, _BLOCK).max(axis=1).astype(np.float64) * gain
    needed = np.minimum(1.0, CEILING / np.maximum(heights, 1e-9))
    floor = ndimage.minimum_filter1d(needed, 2 * _LOOK_BLOCKS + 3, mode="nearest")
    slow = ndimage.uniform_filter1d(ndimage.minimum_filter1d(floor, 41, mode="nearest"), 41, mode="nearest")
    smooth = np.minimum(ndimage.uniform_filter1d(floor, 2 * _LOOK_BLOCKS + 1, mode="nearest"), slow)
    out = mix * (_stretched(smooth, count) * np.float32(gain))
    return np.clip(out, -CEILING, CEILING, out=out)
