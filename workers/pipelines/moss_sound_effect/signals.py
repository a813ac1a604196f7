"""The building blocks: noise of any colour, tones of any waveform, filters, envelopes. Mono waves at 48 kHz."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import fft, signal

RATE = 48_000
Wave = np.ndarray[Any, np.dtype[Any]]
"""Samples of one channel, shape (n,), or of two, shape (2, n)."""
_TABLE = 4096
_TOP = 19_000.0
"""Partials above this are left out: they would fold back at 24 kHz."""
_SIXTY_DB = 6.908


def samples(seconds: float) -> int:
    """Seconds as a number of samples, at least one."""
    return max(1, round(seconds * RATE))


def axis(n: int) -> Wave:
    """The time of each of `n` samples in seconds."""
    return np.arange(n, dtype=np.float32) / np.float32(RATE)


def unit(wave: Wave) -> Wave:
    """The wave at RMS 1."""
    return wave / (float(np.sqrt(np.mean(np.square(wave)))) + 1e-9)


def peak(wave: Wave) -> Wave:
    """The wave with its largest sample at 1."""
    return wave / (float(np.max(np.abs(wave))) + 1e-9)


def white(rng: np.random.Generator, n: int) -> Wave:
    """White noise, RMS 1."""
    return rng.standard_normal(n, dtype=np.float32)


def colored(rng: np.random.Generator, n: int, *points: tuple[float, float]) -> Wave:
    """Steady noise, RMS 1, whose spectrum runs straight between `points` of (Hz, dB) over log frequency."""
    size = fft.next_fast_len(n, real=True)
    hz = np.arange(size // 2 + 1, dtype=np.float32) * (RATE / size)
    where, level = zip(*points, strict=True)
    decibels = np.interp(np.log(hz + 1), np.log(np.asarray(where) + 1), level).astype(np.float32)
    spectrum = rng.standard_normal((hz.size, 2), dtype=np.float32).view(np.complex64)[:, 0]
    return unit(fft.irfft(spectrum * np.exp(decibels * np.float32(np.log(10) / 20)), size)[:n])


def painted(rng: np.random.Generator, n: int, gain: Callable[[Wave, Wave], Wave], *, frame: int = 1024) -> Wave:
    """Noise whose spectrum moves: `gain(seconds (frames, 1), hz (1, bins))` is its amplitude. Peak about 1.

    Random spectra a frame, overlapped by half under a sine window, which keeps the power constant.
    """
    hop = frame // 2
    frames = n // hop + 2
    seconds = (np.arange(frames, dtype=np.float32) * (hop / RATE))[:, None]
    hz = (np.arange(hop + 1, dtype=np.float32) * (RATE / frame))[None, :]
    spectrum = rng.standard_normal((frames, hop + 1, 2), dtype=np.float32).view(np.complex64)[..., 0]
    window = np.sin(np.pi * (np.arange(frame, dtype=np.float32) + 0.5) / frame)
    pieces = fft.irfft(spectrum * gain(seconds, hz).astype(np.float32), frame, axis=1) * window
    out = np.zeros((frames + 1) * hop, np.float32)
    out[: frames * hop] += pieces[:, :hop].ravel()
    out[hop:] += pieces[:, hop:].ravel()
    return peak(out[hop : hop + n])


def bump(hz: Wave, center: Any, octaves: float) -> Wave:
    """A bell over log frequency: 1 at `center`, falling to 0.6 at `octaves` from it."""
    return np.exp(-0.5 * np.square(np.log2((hz + 1.0) / center) / octaves))


@lru_cache(maxsize=256)
def _table(partials: tuple[float, ...]) -> Wave:
    turn = np.arange(_TABLE + 1) * (2 * np.pi / _TABLE)
    wave = sum(level * np.sin((k + 1) * turn) for k, level in enumerate(partials))
    return peak(np.asarray(wave)).astype(np.float32)


def tone(hz: Any, n: int, partials: Sequence[float] = (1.0,), *, phase: float = 0.0) -> Wave:
    """A periodic tone, peak 1: `hz` is a number or a curve of `n`, `partials` the amplitudes of 1·hz, 2·hz, …"""
    curve = np.broadcast_to(np.asarray(hz, np.float64), (n,))
    allowed = max(1, int(_TOP / max(float(curve.max()), 1.0)))
    table = _table(tuple(float(level) for level in partials[:allowed]))
    position = (phase + np.cumsum(curve) / RATE) % 1.0 * _TABLE
    index = position.astype(np.int32)
    share = (position - index).astype(np.float32)
    return table[index] * (1 - share) + table[index + 1] * share


def saw(partials: int, tilt: float = 1.0) -> tuple[float, ...]:
    """Amplitudes of a saw-like wave: 1/k to the power of `tilt`."""
    return tuple(1 / (k**tilt) for k in range(1, partials + 1))


def square(partials: int, tilt: float = 1.0) -> tuple[float, ...]:
    """Amplitudes of a square-like wave: odd partials only."""
    return tuple(1 / (k**tilt) if k % 2 else 0.0 for k in range(1, partials + 1))


def line(n: int, *points: tuple[float, float]) -> Wave:
    """A curve straight between `points` of (share of the length 0..1, value)."""
    where, value = zip(*points, strict=True)
    return np.interp(np.linspace(0, 1, n, dtype=np.float32), where, value).astype(np.float32)


def glide(n: int, *points: tuple[float, float]) -> Wave:
    """As `line`, straight over log value: for pitches. Values must be positive."""
    return np.exp(line(n, *((where, float(np.log(value))) for where, value in points)))


def decay(n: int, t60: float, *, attack: float = 0.001) -> Wave:
    """An envelope that rises in `attack` seconds and has fallen by 60 dB `t60` seconds later."""
    rise = samples(attack)
    envelope = np.exp(axis(n) * np.float32(-_SIXTY_DB / t60))
    envelope[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)[: min(rise, n)]
    return envelope


def arch(share: Wave) -> Wave:
    """Half a sine: 0 at 0, 1 at a half, 0 at 1 and beyond either end. Never below 0."""
    return np.maximum(np.sin(np.pi * np.clip(share, 0, 1)), 0)


def swell(n: int, attack: float, release: float) -> Wave:
    """An envelope at 1 with raised-cosine ends of `attack` and `release` seconds, shortened where they do not fit."""
    envelope = np.ones(n, np.float32)
    for seconds, part in ((attack, slice(None)), (release, slice(None, None, -1))):
        m = min(samples(seconds), n // 2 + 1)
        envelope[part][:m] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(m, dtype=np.float32) / m)
    return envelope


def wander(rng: np.random.Generator, n: int, per_second: float) -> Wave:
    """A smooth random curve with about `per_second` turns a second, mean 0, mostly within −1..1."""
    knots = max(4, int(n / RATE * per_second) + 4)
    values = rng.uniform(-1, 1, knots)
    position = np.arange(n) * (per_second / RATE)
    index = np.minimum(position.astype(np.int32), knots - 2)
    share = position - index
    share = share * share * (3 - 2 * share)
    return (values[index] * (1 - share) + values[index + 1] * share).astype(np.float32)


@lru_cache(maxsize=512)
def _design(kind: str, low: float, high: float, order: int) -> Wave:
    edges: Any = {"low": high, "high": low, "band": (low, high)}[kind]
    return signal.butter(
        order, edges, {"low": "lowpass", "high": "highpass", "band": "bandpass"}[kind], fs=RATE, output="sos"
    )


def _edge(hz: float) -> float:
    return float(f"{min(max(hz, 10.0), 22_000.0):.3g}")


def lowpass(wave: Wave, hz: float, order: int = 2) -> Wave:
    """Butterworth low-pass."""
    return signal.sosfilt(_design("low", 0.0, _edge(hz), order), wave)


def highpass(wave: Wave, hz: float, order: int = 2) -> Wave:
    """Butterworth high-pass."""
    return signal.sosfilt(_design("high", _edge(hz), 0.0, order), wave)


def band(wave: Wave, low: float, high: float, order: int = 2) -> Wave:
    """Butterworth band-pass."""
    return signal.sosfilt(_design("band", _edge(low), _edge(max(high, low * 1.05)), order), wave)


def resonate(wave: Wave, *peaks: tuple[float, float, float]) -> Wave:
    """Resonators side by side: each peak is (Hz, bandwidth in Hz, gain)."""
    out = np.zeros(wave.shape, np.float64)
    for hz, width, gain in peaks:
        if hz < 20_000:
            b, a = signal.iirpeak(hz, max(hz / width, 0.3), fs=RATE)
            out += gain * signal.lfilter(b, a, wave)
    return out


def modes(n: int, partials: Sequence[tuple[float, float, float]], *, attack: float = 0.0005) -> Wave:
    """A struck body: the sum of decaying sines, each (Hz, seconds to −60 dB, gain). `attack` softens the strike."""
    out = np.zeros(n, np.float32)
    for hz, t60, gain in partials:
        if hz > _TOP:
            continue
        m = min(n, samples(t60))
        t = axis(m)
        out[:m] += np.float32(gain) * np.sin(np.float32(2 * np.pi * hz) * t) * np.exp(t * np.float32(-_SIXTY_DB / t60))
    rise = min(samples(attack), n)
    out[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    return out


def add(out: Wave, wave: Wave, at: float, gain: float = 1.0) -> None:
    """Mix `wave` into `out` from `at` seconds on; what reaches past the end is left out."""
    start = round(at * RATE)
    if 0 <= start < out.shape[-1]:
        piece = wave[..., : out.shape[-1] - start]
        out[..., start : start + piece.shape[-1]] += gain * piece


def scatter(rng: np.random.Generator, n: int, per_second: Any, grains: Sequence[Wave], *, spread: float = 0.6) -> Wave:
    """Grains strewn at random moments, `per_second` of them (a number, or a curve of `n`), gains log-normal."""
    out = np.zeros(n, np.float32)
    rates = np.broadcast_to(np.asarray(per_second, np.float64), (n,))
    total = np.cumsum(rates) / RATE
    count = int(rng.poisson(total[-1]))
    at = np.searchsorted(total, np.sort(rng.uniform(0, total[-1], count)))
    which = rng.integers(0, len(grains), count)
    gains = rng.lognormal(0, spread, count).astype(np.float32)
    for start, grain, gain in zip(at.tolist(), which.tolist(), gains, strict=True):
        piece = grains[grain][: n - start]
        out[start : start + piece.size] += gain * piece
    return out


def crushed(wave: Wave, drive: float) -> Wave:
    """Saturation: the louder, the flatter; peak stays at most 1."""
    return np.tanh(wave * drive) / np.tanh(drive)
