"""Synthesised drums and effects: kicks, snares, claps, hats and risers made from sines and noise, once a process."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from workers.pipelines.ace_step_create.soundfont import RATE

Mono = NDArray[np.float32]


@cache
def drum_sound(kit: str, pitch: int) -> Mono | None:
    """One stroke of a General MIDI drum pitch as that kit has it; None where the kit has no such drum."""
    rng = np.random.default_rng(pitch * 101 + len(kit))
    makers = {
        36: lambda: _kick(kit),
        38: lambda: _snare(kit, rng),
        37: lambda: _tone(rng, 1700, 0.035, 0.012, noise=0.3),
        39: lambda: _clap(rng, 0.16),
        42: lambda: _hat(kit, rng, 0.05 if kit != "dusty" else 0.035),
        46: lambda: _hat(kit, rng, 0.28),
        51: lambda: _hat(kit, rng, 0.45) * 0.6,
        49: lambda: _crash(rng),
        70: lambda: _shaker(rng),
        45: lambda: _tom(95, rng),
        48: lambda: _tom(140, rng),
        41: lambda: _tom(70, rng),
        64: lambda: _tone(rng, 220, 0.16, 0.05),
        63: lambda: _tone(rng, 330, 0.13, 0.04),
        56: lambda: _tone(rng, 840, 0.12, 0.05, partner=1.49),
    }
    if pitch not in makers:
        return None
    sound = makers[pitch]()
    return np.asarray(sound / max(1e-9, np.max(np.abs(sound))) * _LEVELS.get(pitch, 0.5), np.float32)


_LEVELS = {
    36: 1.0,
    38: 0.75,
    39: 0.6,
    42: 0.28,
    46: 0.3,
    49: 0.42,
    51: 0.22,
    70: 0.16,
    45: 0.6,
    48: 0.55,
    41: 0.65,
    37: 0.4,
}


def _time(seconds: float) -> NDArray[np.float64]:
    return np.arange(round(seconds * RATE)) / RATE


def _sweep(start: float, end: float, fall: float, seconds: float) -> NDArray[np.float64]:
    """A sine whose frequency falls exponentially."""
    time = _time(seconds)
    frequency = end + (start - end) * np.exp(-time / fall)
    return np.sin(2 * np.pi * np.cumsum(frequency) / RATE)


def _kick(kit: str) -> NDArray[np.float64]:
    start, end, fall, ring, click = {
        "909": (260, 50, 0.028, 0.16, 0.35),
        "808": (150, 46, 0.045, 0.34, 0.12),
        "electronic": (320, 54, 0.022, 0.14, 0.4),
        "gated": (210, 58, 0.025, 0.15, 0.3),
        "hip-hop": (190, 55, 0.03, 0.17, 0.3),
        "dusty": (160, 60, 0.03, 0.12, 0.18),
    }.get(kit, (250, 50, 0.03, 0.16, 0.3))
    time = _time(ring * 4)
    body = _sweep(start, end, fall, ring * 4) * np.exp(-time / ring)
    snap = np.random.default_rng(5).standard_normal(time.size) * np.exp(-time / 0.003)
    return np.tanh((body * (1 - np.exp(-time / 0.0006)) + click * _band(snap, 1500, 7000)) * 1.6)


def _snare(kit: str, rng: np.random.Generator) -> NDArray[np.float64]:
    ring = {"gated": 0.22, "808": 0.11, "dusty": 0.09, "hip-hop": 0.13}.get(kit, 0.13)
    time = _time(0.5)
    tone = _sweep(260, 185, 0.02, 0.5) * np.exp(-time / 0.06)
    noise = _band(rng.standard_normal(time.size), 900, 5000 if kit == "dusty" else 10_000)
    envelope = np.exp(-time / ring)
    if kit == "gated":
        envelope = np.where(time < 0.24, 0.35 + 0.65 * np.exp(-time / 0.07), 0.35 * np.exp(-(time - 0.24) / 0.012))
    return 0.7 * tone + noise * envelope * 0.9


def _clap(rng: np.random.Generator, ring: float) -> NDArray[np.float64]:
    time = _time(0.5)
    envelope = np.zeros(time.size)
    for delay in (0.0, 0.011, 0.022):
        late = time - delay
        envelope = np.maximum(envelope, np.where(late >= 0, np.exp(-np.maximum(late, 0) / 0.008), 0))
    late = time - 0.03
    envelope = np.maximum(envelope, np.where(late >= 0, 0.8 * np.exp(-np.maximum(late, 0) / (ring * 0.5)), 0))
    return _band(rng.standard_normal(time.size), 900, 4500) * envelope


def _hat(kit: str, rng: np.random.Generator, ring: float) -> NDArray[np.float64]:
    time = _time(min(1.5, ring * 5))
    metal = sum(signal.square(2 * np.pi * f * time) for f in (263, 400, 421, 474, 587, 845)) / 6
    mixed = 0.5 * metal + 0.7 * rng.standard_normal(time.size)
    return (
        _band(mixed, 4500 if kit == "dusty" else 7000, 9000 if kit == "dusty" else 16_000)
        * np.exp(-time / ring)
        * (1 - np.exp(-time / 0.0004))
    )


def _shaker(rng: np.random.Generator) -> NDArray[np.float64]:
    time = _time(0.12)
    return _band(rng.standard_normal(time.size), 5000, 14_000) * np.minimum(1, time / 0.018) * np.exp(-time / 0.025)


def _crash(rng: np.random.Generator) -> NDArray[np.float64]:
    time = _time(2.6)
    noise = _band(rng.standard_normal(time.size), 3000, 15_000)
    metal = sum(np.sin(2 * np.pi * f * time + rng.random() * 6) for f in rng.uniform(2500, 9000, 24)) / 10
    return (noise + metal) * (0.35 * np.exp(-time / 0.9) + 0.65 * np.exp(-time / 0.22))


def _tom(frequency: float, rng: np.random.Generator) -> NDArray[np.float64]:
    time = _time(0.6)
    body = _sweep(frequency * 1.7, frequency, 0.05, 0.6) * np.exp(-time / 0.17)
    return body + 0.15 * _band(rng.standard_normal(time.size), 500, 4000) * np.exp(-time / 0.02)


def _tone(
    rng: np.random.Generator,
    frequency: float,
    seconds: float,
    ring: float,
    *,
    partner: float = 0.0,
    noise: float = 0.08,
) -> NDArray[np.float64]:
    time = _time(seconds * 3)
    body = np.sin(2 * np.pi * frequency * time)
    if partner:
        body = body + np.sin(2 * np.pi * frequency * partner * time)
    return (body + noise * rng.standard_normal(time.size)) * np.exp(-time / ring) * (1 - np.exp(-time / 0.0005))


def riser(seconds: float) -> Mono:
    """Noise whose band climbs, growing louder."""
    rng = np.random.default_rng(11)
    time = _time(seconds)
    share = time / max(seconds, 1e-6)
    noise = rng.standard_normal(time.size)
    out = np.zeros(time.size)
    bands = ((300, 1200), (800, 3000), (2000, 7000), (5000, 14_000))
    for place, (low, high) in enumerate(bands):
        center = (place + 0.5) / len(bands)
        out += _band(noise, low, high) * np.exp(-(((share - center) / 0.22) ** 2))
    return np.asarray(out * share**1.6 * 0.5, np.float32)


@cache
def impact() -> Mono:
    """A low boom under a wash of noise."""
    rng = np.random.default_rng(12)
    time = _time(2.2)
    boom = _sweep(110, 34, 0.12, 2.2) * np.exp(-time / 0.5)
    wash = _band(rng.standard_normal(time.size), 200, 6000) * np.exp(-time / 0.35)
    return np.asarray(0.8 * boom + 0.3 * wash, np.float32)


@cache
def vinyl(seconds: int) -> Mono:
    """Crackle and hiss of an old record."""
    rng = np.random.default_rng(13)
    count = seconds * RATE
    crackle = np.zeros(count)
    ticks = rng.integers(0, count, seconds * 14)
    crackle[ticks] = rng.standard_normal(ticks.size) * rng.random(ticks.size) ** 3 * 6
    return np.asarray(_band(crackle, 1000, 6000) + 0.02 * _band(rng.standard_normal(count), 500, 7000), np.float32)


def _band(samples: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    sections = signal.butter(2, [low, min(high, RATE * 0.48)], "bandpass", fs=RATE, output="sos")
    return np.asarray(signal.sosfilt(sections, samples))
