"""Songs made of known beats, bars and sections: drums, bass, chords and plucked notes from plain oscillators."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

RATE = 44_100
_CHORDS = {
    "intro": ((0, 3), (0, 3)),
    "verse": ((0, 3), (5, 3), (7, 3), (0, 3)),
    "chorus": ((8, 4), (10, 4), (0, 3), (3, 4)),
    "break": ((5, 3), (5, 3), (8, 4), (7, 4)),
}
"""Root above the tonic and size of the third, a bar each."""


@dataclass
class Song:
    """Samples (1, n) at `RATE`, and the truth about them in seconds."""

    samples: np.ndarray
    beats: list[float] = field(default_factory=list)
    downbeats: list[float] = field(default_factory=list)
    sections: list[tuple[str, float]] = field(default_factory=list)


def compose(
    *, bpm: float, beats_a_bar: int, form: Sequence[tuple[str, int]], tonic: int = 60, lead: float = 0.3
) -> Song:
    """A song in a minor key; `form` names its sections (`intro`, `verse`, `chorus`, `break`) and their bars."""
    noise = np.random.default_rng(3)
    beat = 60 / bpm
    bars = sum(count for _, count in form)
    song = Song(samples=np.zeros((1, int((lead + bars * beats_a_bar * beat + 0.5) * RATE)), np.float32))

    def add(at: float, sound: np.ndarray, gain: float = 1.0) -> None:
        first = round(at * RATE)
        room = song.samples[0, first : first + len(sound)]
        room += gain * sound[: len(room)]

    moment = lead
    for kind, count in form:
        song.sections.append((kind, moment))
        for bar in range(count):
            root, third = _CHORDS[kind][bar % len(_CHORDS[kind])]
            song.downbeats.append(moment)
            chord = [0, third, 7, 12]
            if kind != "break":
                for interval in chord[:3]:
                    add(moment, _note(tonic + root + interval, beats_a_bar * beat, fall=9.0, overtone=1.3), 0.12)
            for number in range(beats_a_bar):
                at = moment + number * beat
                song.beats.append(at)
                strong = number == 0 or (beats_a_bar in (4, 6) and number == beats_a_bar // 2)
                add(at, _note(tonic - 24 + root, 0.9 * beat, fall=0.4, overtone=1.5), 0.4 if number == 0 else 0.25)
                if kind in ("verse", "chorus"):
                    add(at, _kick() if strong else _snare(noise), 0.9 if strong else 0.4)
                    for half in (0, beat / 2):
                        add(at + half, _hat(noise), 0.15 if kind == "chorus" else 0.08)
                if kind == "chorus":
                    for half in range(2):
                        pitch = tonic + 12 + root + chord[(2 * number + half) % 4]
                        add(at + half * beat / 2, _note(pitch, beat / 2, fall=0.25, overtone=1.0), 0.25)
                elif kind != "intro":
                    add(at, _note(tonic + 12 + root + chord[number % 3], beat, fall=0.25, overtone=1.0), 0.13)
            moment += beats_a_bar * beat
    song.samples *= 0.8 / np.abs(song.samples).max()
    return song


def clicks(*, bpm: float, seconds: float, first: float = 0.25) -> tuple[np.ndarray, list[float]]:
    """A metronome: samples (1, n) at `RATE`, and when its clicks begin."""
    samples = np.zeros((1, round(seconds * RATE)), np.float32)
    times = list(np.arange(first, seconds - 0.1, 60 / bpm))
    click = np.exp(-np.arange(800) / 120) * np.sin(np.arange(800) * 0.25)
    for time in times:
        samples[0, round(time * RATE) :][:800] += 0.8 * click
    return samples, times


def _note(pitch: int, seconds: float, *, fall: float, overtone: float) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    wave = sum(np.sin(2 * np.pi * frequency * part * time) / part**overtone for part in range(1, 8))
    return wave * np.minimum(time / 0.005, 1) * np.minimum((seconds - time) / 0.03, 1) * np.exp(-time / fall)


def _kick() -> np.ndarray:
    time = np.arange(RATE // 4) / RATE
    return np.sin(2 * np.pi * (50 * time + 1.8 * (1 - np.exp(-time / 0.03)))) * np.exp(-time / 0.09)


def _snare(noise: np.random.Generator) -> np.ndarray:
    time = np.arange(RATE // 4) / RATE
    return (noise.standard_normal(len(time)) + np.sin(2 * np.pi * 190 * time)) / 2 * np.exp(-time / 0.06)


def _hat(noise: np.random.Generator) -> np.ndarray:
    time = np.arange(RATE // 10) / RATE
    return np.diff(noise.standard_normal(len(time)), prepend=0.0) * np.exp(-time / 0.02)
