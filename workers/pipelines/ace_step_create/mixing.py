"""The mix: every track to its level and place, ducking under the kick, echo, one room, and the sections' dynamics."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from workers.pipelines.ace_step_create.form import Section
from workers.pipelines.ace_step_create.score import Event
from workers.pipelines.ace_step_create.soundfont import RATE, Stereo
from workers.pipelines.ace_step_create.style import Sound

Mono = NDArray[np.float32]
_REFERENCE = -21.0
"""Power in dB of full scale that the melody is brought to before mastering."""
_ROOM_SHARE = {
    "drums": 0.45,
    "bass": 0.0,
    "pad": 1.2,
    "arp": 1.1,
    "comp": 0.8,
    "lead": 1.2,
    "voice": 1.1,
    "harmony": 1.5,
    "effects": 1.0,
}
_LOW_CUT = {
    "drums": 30,
    "bass": 28,
    "pad": 150,
    "arp": 180,
    "comp": 110,
    "lead": 150,
    "voice": 110,
    "harmony": 200,
    "effects": 40,
}
_DUCKED = {"bass": 0.8, "pad": 1.0, "comp": 0.75, "arp": 0.6, "harmony": 0.5}
_ECHOED = frozenset({"lead", "voice", "arp"})
_SECTION_RANGE_DB = 9.0
"""How much quieter a section of no intensity would be than the loudest."""
_MOST_GAIN_DB = 8.0
_BLOCK = RATE // 10


class Mixer:
    """Takes tracks one by one; `finish` gives the sum."""

    def __init__(
        self, *, samples: int, sound: Sound, wet: float, seconds_per_beat: float, kicks: Sequence[Event]
    ) -> None:
        self.samples, self.sound = samples, sound
        self.wet = min(0.6, sound.wet + wet)
        self._beat = seconds_per_beat
        self._dry = np.zeros((2, samples), np.float32)
        self._send = np.zeros((2, samples), np.float32)
        self._duck = _ducking(kicks, samples, sound.ducking, seconds_per_beat) if sound.ducking else None

    def add(self, track: Stereo, *, role: str, level: float, pan: float) -> None:
        """Clean its lows, bring it to its level by its power where it sounds, place it, send it into the room."""
        track = without_lows(track, _LOW_CUT[role])
        power = active_power(track)
        if power <= 0:
            return
        gain = 10 ** ((_REFERENCE + level) / 20) / power**0.5
        angle = (max(-1.0, min(1.0, pan)) + 1) * np.pi / 4
        track[0] *= gain * np.cos(angle) * 2**0.5
        track[1] *= gain * np.sin(angle) * 2**0.5
        if self._duck is not None and role in _DUCKED:
            track *= 1 - (1 - self._duck) * np.float32(_DUCKED[role])
        self._dry += track
        share = _ROOM_SHARE[role]
        if self.sound.echo and role in _ECHOED:
            self._echo(track)
        if share:
            track *= np.float32(share)
            self._send += track

    def _echo(self, track: Stereo) -> None:
        """Echoes every three quarters of a beat, from side to side."""
        delay = round(0.75 * self._beat * RATE)
        level = self.sound.echo
        for turn in range(1, 4):
            shift = delay * turn
            if shift >= self.samples:
                return
            side = turn % 2
            mono = track[:, : self.samples - shift].mean(axis=0) * np.float32(level)
            self._dry[side, shift:] += mono
            self._send[:, shift:] += mono * np.float32(0.5)
            level *= 0.5

    def finish(self, sections: Sequence[tuple[Section, float, float]], tick: Callable[[], None]) -> Stereo:
        """Room, old tape where the style has it, and the gain that follows the sections' intensity."""
        response = room(self.sound.reverb)
        for side in (0, 1):
            tick()
            wet = signal.oaconvolve(self._send[side], response[side])[: self.samples]
            self._dry[side] += wet.astype(np.float32) * np.float32(self.wet * 2.2)
        tick()
        out = self._dry
        out *= dynamics(out, sections)
        return out


def without_lows(samples: Stereo, cutoff: float) -> Stereo:
    """A high pass of 6 dB an octave; of the first order it is exact enough, and twice as fast, in single precision."""
    b, a = signal.butter(1, cutoff, "highpass", fs=RATE)
    return np.asarray(signal.lfilter(b.astype(np.float32), a.astype(np.float32), samples, axis=-1), np.float32)


def active_power(track: Stereo) -> float:
    """Mean power of the tenths of a second in which the track sounds at all."""
    whole = track.shape[1] // _BLOCK * _BLOCK
    if not whole:
        return float(np.mean(track**2))
    blocks: NDArray[np.float64] = np.mean(track[:, :whole].reshape(2, -1, _BLOCK) ** 2, axis=(0, 2), dtype=np.float64)
    loudest = float(np.max(blocks))
    return float(np.mean(blocks[blocks >= loudest * 1e-3])) if loudest > 1e-12 else 0.0


def _ducking(kicks: Sequence[Event], samples: int, depth: float, beat: float) -> Mono:
    """A gain that dips at every kick and recovers within most of a beat."""
    length = round(min(0.42, beat * 0.8) * RATE)
    share = np.linspace(0, 1, length, dtype=np.float32)
    dip: NDArray[np.float64] = np.asarray(1 - depth * (1 - share**1.4), np.float64)
    attack = round(0.004 * RATE)
    dip[:attack] = np.linspace(1, dip[attack], attack)
    gain = np.ones(samples, np.float32)
    for kick in kicks:
        start = round(kick.start * RATE)
        end = min(samples, start + length)
        gain[start:end] = np.minimum(gain[start:end], dip[: end - start])
    return gain


@cache
def room(seconds: float) -> Stereo:
    """An impulse response: early reflections, then noise whose highs die sooner, different left and right."""
    rng = np.random.default_rng(20)
    count = round(min(6.0, seconds * 1.15 + 0.1) * RATE)
    time = np.arange(count) / RATE
    out = np.zeros((2, count))
    for side in (0, 1):
        noise = rng.standard_normal(count)
        for low, high, factor in ((180, 900, 1.0), (900, 3500, 0.85), (3500, 9000, 0.45)):
            band = signal.sosfilt(signal.butter(2, [low, high], "bandpass", fs=RATE, output="sos"), noise)
            out[side] += band * np.exp(-6.9 * time / (seconds * factor))
        out[side] *= np.clip((time - 0.012) / 0.02, 0, 1)
        for delay in rng.uniform(0.011, 0.06, 7):
            out[side, round(delay * RATE)] += rng.choice((-1, 1)) * 0.5 * np.exp(-delay * 25) * 8
    out /= np.sqrt(np.sum(out**2) / 2)
    return np.asarray(out, np.float32)


def dynamics(mix: Stereo, sections: Sequence[tuple[Section, float, float]]) -> Mono:
    """A gain over the song that brings each section to the loudness of its intensity.

    It glides during the tenth of a second before each border, and never by more than `_MOST_GAIN_DB` from what the
    band plays of its own accord.
    """
    powers = [
        10
        * np.log10(max(float(np.mean(mix[:, round(start * RATE) : round(end * RATE)] ** 2, dtype=np.float64)), 1e-10))
        for _, start, end in sections
    ]
    loudest = max(powers)
    gains = []
    for (section, _, _), power in zip(sections, powers, strict=True):
        wanted = loudest - (1 - section.intensity) * _SECTION_RANGE_DB
        gains.append(10 ** (max(-_MOST_GAIN_DB, min(_MOST_GAIN_DB, wanted - power)) / 20))
    points, values = [0.0], [gains[0]]
    for place, (_, start, _) in enumerate(sections[1:], start=1):
        points += [start - 0.12, start - 0.01]
        values += [gains[place - 1], gains[place]]
    samples = mix.shape[1]
    grid = np.arange(0, samples, 480)
    coarse = np.interp(grid / RATE, points, values)
    return np.asarray(np.interp(np.arange(samples), grid, coarse), np.float32)
