"""Our own synthesiser: band-limited saws and squares, sub basses, plucks, pads and bells for the electronic styles."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from workers.pipelines.ace_step_create.score import Event
from workers.pipelines.ace_step_create.soundfont import RATE, Stereo

_TABLE = 2048
_LENGTH_STEP = 0.02
"""Notes are made in lengths rounded to this many seconds, so that equal notes are made once."""


@lru_cache(maxsize=64)
def _wave(kind: str, harmonics: int) -> NDArray[np.float32]:
    """One period of a wave with that many harmonics, so that nothing folds back from above half the rate."""
    phase = np.arange(_TABLE + 1) * 2 * np.pi / _TABLE
    out = np.zeros(_TABLE + 1)
    for number in range(1, harmonics + 1):
        if kind == "square" and number % 2 == 0:
            continue
        smooth = np.cos(np.pi * number / (2 * (harmonics + 1)))  # softens the ripple at the edge
        out += np.sin(number * phase) / number * smooth
    return np.asarray(out / np.max(np.abs(out)), np.float32)


def _oscillate(kind: str, frequency: float, count: int, start: float, most: int = 400) -> NDArray[np.float32]:
    """`count` samples of a wave from a phase of 0..1."""
    harmonics = max(1, min(most, int(RATE * 0.42 / frequency)))
    table = _wave(kind, harmonics if harmonics < 24 else harmonics // 8 * 8)
    position = (start + np.arange(count) * (frequency / RATE)) % 1.0 * _TABLE
    return table[position.astype(np.int32)]


def _envelope(
    count: int, attack: float, decay: float, sustain: float, hold: int, release: float
) -> NDArray[np.float32]:
    """Attack, decay to the sustained level, release after `hold` samples; times in seconds."""
    time = np.arange(count, dtype=np.float32) / RATE
    body = np.minimum(1.0, time / max(attack, 1e-4)) * (
        sustain + (1 - sustain) * np.exp(-np.maximum(0, time - attack) / max(decay, 1e-4))
    )
    after = np.maximum(0.0, time - hold / RATE)
    return np.asarray(body * np.exp(-after / max(release, 1e-4) * 3), np.float32)


def _stack(kind: str, frequency: float, count: int, spread: float, voices: int, most: int = 400) -> Stereo:
    """Several detuned voices across the stereo field; `spread` in cents."""
    out = np.zeros((2, count), np.float32)
    for place in range(voices):
        share = place / (voices - 1) * 2 - 1 if voices > 1 else 0.0
        wave = _oscillate(kind, frequency * 2 ** (share * spread / 1200), count, (place * 0.382 + 0.1) % 1.0, most)
        angle = (share * 0.8 + 1) * np.pi / 4
        out[0] += wave * np.cos(angle)
        out[1] += wave * np.sin(angle)
    return out / voices**0.5


def _low(samples: Stereo, cutoff: float, resonance: float = 0.8) -> Stereo:
    """A resonant low pass of 12 dB an octave."""
    angle = 2 * np.pi * min(cutoff, RATE * 0.45) / RATE
    alpha = np.sin(angle) / (2 * resonance)
    b = np.array([(1 - np.cos(angle)) / 2, 1 - np.cos(angle), (1 - np.cos(angle)) / 2])
    a = np.array([1 + alpha, -2 * np.cos(angle), 1 - alpha])
    return np.asarray(signal.lfilter(b / a[0], a / a[0], samples, axis=-1), np.float32)


def _closing(bright: Stereo, dark: Stereo, seconds: float) -> Stereo:
    """From one sound into another: a filter that closes."""
    share = np.exp(-np.arange(bright.shape[-1], dtype=np.float32) / (seconds * RATE))
    return bright * share + dark * (1 - share)


def _supersaw(frequency: float, hold: int) -> Stereo:
    count = hold + round(0.3 * RATE)
    return _low(_stack("saw", frequency, count, 22, 7), 7500, 0.7) * _envelope(count, 0.008, 0.4, 0.75, hold, 0.22)


def _stab(frequency: float, hold: int) -> Stereo:
    count = hold + round(0.25 * RATE)
    raw = _stack("saw", frequency, count, 12, 3)
    return _closing(_low(raw, 5000, 1.2), _low(raw, 700), 0.07) * _envelope(count, 0.003, 0.25, 0.3, hold, 0.15)


def _warm_pad(frequency: float, hold: int) -> Stereo:
    count = hold + round(0.9 * RATE)
    return _low(_stack("saw", frequency, count, 14, 4), 1500, 0.7) * _envelope(count, 0.35, 1.0, 0.9, hold, 0.9)


def _glass_pad(frequency: float, hold: int) -> Stereo:
    count = hold + round(1.4 * RATE)
    time = np.arange(count, dtype=np.float32) / RATE
    out = np.zeros((2, count), np.float32)
    for number, level in ((1, 1.0), (2, 0.45), (3, 0.2), (4, 0.16), (6, 0.05)):
        for side, detune in ((0, 0.9985), (1, 1.0015)):
            wobble = 1 + 0.25 * np.sin(2 * np.pi * (0.13 + 0.05 * number + 0.03 * side) * time)
            out[side] += level * wobble * np.sin(2 * np.pi * frequency * number * detune * time)
    return out * _envelope(count, 0.8, 1.0, 1.0, hold, 1.3)


def _pluck(frequency: float, hold: int) -> Stereo:
    count = min(hold, round(0.5 * RATE)) + round(0.35 * RATE)
    raw = _stack("saw", frequency, count, 8, 2)
    return _closing(_low(raw, 6500, 1.0), _low(raw, 900), 0.06) * _envelope(count, 0.002, 0.18, 0.06, hold, 0.2)


def _bell(frequency: float, hold: int) -> Stereo:
    count = round(1.6 * RATE)
    time = np.arange(count, dtype=np.float32) / RATE
    index = 2.2 * np.exp(-time / 0.22)
    tone = np.sin(2 * np.pi * frequency * time + index * np.sin(2 * np.pi * frequency * 3.5 * time))
    shimmer = 0.25 * np.sin(2 * np.pi * frequency * 2.003 * time) * np.exp(-time / 0.5)
    mono = (tone * np.exp(-time / 0.45) + shimmer) * np.minimum(1, time / 0.001)
    return np.asarray(np.stack([mono, np.roll(mono, 23)]), np.float32)


def _saw_lead(frequency: float, hold: int) -> Stereo:
    count = hold + round(0.2 * RATE)
    time = np.arange(count) / RATE
    vibrato = 1 + 0.0045 * np.sin(2 * np.pi * 5.4 * time) * np.clip((time - 0.22) / 0.25, 0, 1)
    phase = np.cumsum(frequency * vibrato) / RATE
    table = _wave("saw", max(1, min(160, int(RATE * 0.42 / frequency))))
    out = np.stack([table[((phase * ratio) % 1.0 * _TABLE).astype(np.int32)] for ratio in (0.9985, 1.0015)])
    out += 0.6 * table[(phase % 1.0 * _TABLE).astype(np.int32)]
    return _low(out, 4800, 0.9) * _envelope(count, 0.012, 0.3, 0.8, hold, 0.14)


def _square_lead(frequency: float, hold: int) -> Stereo:
    count = hold + round(0.16 * RATE)
    return _low(_stack("square", frequency, count, 6, 2), 5200, 0.8) * _envelope(count, 0.006, 0.25, 0.75, hold, 0.1)


def _synth_brass(frequency: float, hold: int) -> Stereo:
    count = hold + round(0.3 * RATE)
    raw = _stack("saw", frequency, count, 12, 4)
    swell = np.clip(np.arange(count, dtype=np.float32) / (0.09 * RATE), 0, 1)
    return (_low(raw, 900) * (1 - swell) + _low(raw, 3600, 0.9) * swell) * _envelope(count, 0.03, 0.5, 0.8, hold, 0.22)


def _bass(kind: str, cutoff: float, resonance: float, closing: float) -> Callable[[float, int], Stereo]:
    def make(frequency: float, hold: int) -> Stereo:
        count = hold + round(0.08 * RATE)
        time = np.arange(count) / RATE
        raw = (
            _oscillate(kind, frequency, count, 0.0, 120)[None]
            + 0.4 * _oscillate(kind, frequency * 1.004, count, 0.3, 120)[None]
        )
        voiced = _closing(_low(raw, cutoff, resonance), _low(raw, cutoff * 0.3, resonance), closing)
        sub = 0.7 * np.sin(2 * np.pi * frequency * time).astype(np.float32)
        mono = (voiced[0] + sub) * _envelope(count, 0.003, 0.3, 0.7, hold, 0.06)
        return np.stack([mono, mono])

    return make


def _sub_bass(frequency: float, hold: int) -> Stereo:
    count = hold + round(0.1 * RATE)
    time = np.arange(count) / RATE
    mono = np.tanh(1.5 * np.sin(2 * np.pi * frequency * time)) + 0.12 * np.sin(4 * np.pi * frequency * time)
    mono = (mono * _envelope(count, 0.006, 0.5, 0.85, hold, 0.08)).astype(np.float32)
    return np.stack([mono, mono])


def _808(frequency: float, hold: int) -> Stereo:
    count = hold + round(0.12 * RATE)
    time = np.arange(count) / RATE
    glide = frequency * (1 + 1.2 * np.exp(-time / 0.018))
    mono = np.tanh(2.4 * np.sin(2 * np.pi * np.cumsum(glide) / RATE) * np.exp(-time / 0.9))
    mono = (mono * _envelope(count, 0.001, 1.0, 1.0, hold, 0.08)).astype(np.float32)
    return np.stack([mono, mono])


_VOICES: dict[str, Callable[[float, int], Stereo]] = {
    "supersaw": _supersaw, "stab": _stab, "warm pad": _warm_pad, "glass pad": _glass_pad, "pluck": _pluck,
    "bell": _bell,
    "saw lead": _saw_lead, "square lead": _square_lead, "synth brass": _synth_brass, "sub bass": _sub_bass, "808": _808,
    "saw bass": _bass("saw", 1800, 1.1, 0.12), "square bass": _bass("square", 1400, 0.9, 0.1),
    "acid bass": _bass("saw", 2600, 3.5, 0.09),
}  # fmt: skip


def play_synth(voice: str, events: Sequence[Event], *, samples: int, tick: Callable[[], None]) -> Stereo:
    """The sound of a track: every distinct note made once, added wherever it comes."""
    make = _VOICES[voice]
    out = np.zeros((2, samples), np.float32)
    places: dict[tuple[int, int], list[Event]] = {}
    for event in events:
        places.setdefault((event.pitch, max(1, round((event.end - event.start) / _LENGTH_STEP))), []).append(event)
    for (pitch, steps), group in sorted(places.items()):
        tick()
        note = make(440 * 2 ** ((pitch - 69) / 12), round(steps * _LENGTH_STEP * RATE))
        fade = min(note.shape[1], 240)
        note[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        for event in group:
            start = round(event.start * RATE)
            length = min(note.shape[1], samples - start)
            if length > 0:
                out[:, start : start + length] += note[:, :length] * np.float32((event.velocity / 127) ** 1.6)
    return out
