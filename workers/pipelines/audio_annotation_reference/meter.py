"""Beats grouped into bars: how many beats each has, and which are the first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.pipelines.audio_annotation_reference.beats import FRAME_RATE, Curve, Pulse
from workers.pipelines.audio_annotation_reference.spectra import HARMONY_HOP, RATE, Frames

_USUAL = {2: 0.75, 3: 0.95, 4: 1.0, 5: 0.85, 6: 0.85, 7: 0.85}
"""How readily each number of beats a bar is believed; twos are nearly always fours."""
_LOW_BANDS = 12
"""Up to about 250 Hz: kick drum and bass."""
_BAND_GROUPS = 8
_CLEAR = 0.25
_ACCENT = 0.15
"""The share of their mean by which beats differ where there are accents at all."""
_CHORD_CHANGE = 0.03
_BARS_COUNT = 0.5


@dataclass(frozen=True, kw_only=True)
class Meter:
    """A grouping of beats into bars."""

    beats_a_bar: int
    first_downbeat: int
    """The first beat, by number, that begins a bar."""
    clarity: float
    """How much the first beats of bars stand out, in standard deviations of the beats' accents."""

    @property
    def clear(self) -> bool:
        """Whether it is more than a guess."""
        return self.clarity >= _CLEAR


def find_meter(times: Curve, *, flux: Frames, chroma: Frames) -> tuple[Meter, float]:
    """The most likely grouping of at least eight beats at `times` (seconds), and how good it is.

    A bar is where harmony and bass move and after which the rhythm repeats.
    """
    rhythm, accents = _rhythm(times, flux), _accents(times, flux=flux, chroma=chroma)
    similarity = _similarity(rhythm)
    found: list[tuple[float, Meter]] = []
    for beats_a_bar, usual in _USUAL.items():
        strengths = [accents[phase::beats_a_bar].mean() for phase in range(beats_a_bar)]
        phase = int(np.argmax(strengths))
        # The standing out of one beat in m grows with m by itself: √(m - 1) is its size were only the firsts accented.
        clarity = float(strengths[phase] / np.sqrt(beats_a_bar - 1))
        meter = Meter(beats_a_bar=beats_a_bar, first_downbeat=phase, clarity=clarity)
        found.append((usual * (clarity + similarity[beats_a_bar]), meter))
    score, best = max(found, key=lambda rated: rated[0])
    return best, score


def count_bars(pulses: Sequence[Pulse], *, flux: Frames, chroma: Frames) -> tuple[Pulse, Meter]:
    """The pulse whose beats group best into bars, and that grouping."""
    counted = [(pulse, *find_meter(pulse.times, flux=flux, chroma=chroma)) for pulse in pulses]

    def rated(found: tuple[Pulse, Meter, float]) -> float:
        pulse, meter, score = found
        return pulse.likelihood * (_BARS_COUNT + (max(score, 0.0) if meter.clear else 0.0))

    pulse, meter, _ = max(counted, key=rated)
    return pulse, meter


def between_beats(frames: Frames, times: Curve, *, hop: int) -> Frames:
    """Means of `frames` from each beat to the next, (beats, bands); the last beat's runs to the end."""
    edges = np.round(np.append(times, len(frames) * hop / RATE) * RATE / hop).astype(np.int64)
    edges = np.maximum.accumulate(edges.clip(0, len(frames)))
    sums = np.vstack([np.zeros((1, frames.shape[1])), np.cumsum(frames, axis=0, dtype=np.float64)])
    counts = np.maximum(np.diff(edges), 1)[:, None]
    return ((sums[edges[1:]] - sums[edges[:-1]]) / counts).astype(np.float32)


def _rhythm(times: Curve, flux: Frames) -> Frames:
    """What begins on each beat and half way to the next, by group of bands."""
    groups = np.stack([part.sum(axis=1) for part in np.array_split(flux, _BAND_GROUPS, axis=1)], axis=1)
    halves = times + np.diff(times, append=2 * times[-1] - times[-2]) / 2
    return np.hstack([_strongest(groups, times), _strongest(groups, halves)])


def _accents(times: Curve, *, flux: Frames, chroma: Frames) -> Curve:
    """How much each beat sounds like a first one; mean 0, deviation 1, or all 0 where the beats sound the same."""
    low = _strongest(flux[:, :_LOW_BANDS].sum(axis=1, keepdims=True), times)[:, 0]
    every = _strongest(flux.sum(axis=1, keepdims=True), times)[:, 0]
    chords = between_beats(chroma, times, hop=HARMONY_HOP)
    lengths = np.maximum(np.linalg.norm(chords, axis=1), 1e-6)
    same = (chords[1:] * chords[:-1]).sum(axis=1) / (lengths[1:] * lengths[:-1])
    moved = np.concatenate([[0.0], 1 - same])
    accents = (
        _standard(low, least=_ACCENT * float(low.mean()))
        + 1.5 * _standard(moved, least=_CHORD_CHANGE)
        + 0.5 * _standard(every, least=_ACCENT * float(every.mean()))
    )
    return _standard(accents, least=1.0)


def _strongest(curves: Frames, times: Curve) -> Frames:
    around = np.round(times * FRAME_RATE).astype(np.int64)[:, None] + np.arange(-3, 4)
    found: Frames = curves[around.clip(0, len(curves) - 1)].max(axis=1)
    return found


def _similarity(rhythm: Frames) -> NDArray[np.float64]:
    """How alike beats are that lie a lag of 0..7 beats apart, less the mean over these lags."""
    centred = rhythm - rhythm.mean(axis=0)
    spread = centred.std(axis=0)
    centred = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-6)
    found = np.zeros(max(_USUAL) + 1)
    for lag in range(1, len(found)):
        if lag < len(centred):
            found[lag] = (centred[lag:] * centred[:-lag]).mean()
    return found - found[1:].mean()


def _standard(values: NDArray[np.floating], *, least: float) -> Curve:
    """Values about 0 in units of their deviation, or of `least` where they hardly differ."""
    return np.asarray((values - values.mean()) / max(float(values.std()), least, 1e-9), np.float64)
