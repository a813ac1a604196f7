"""The pulse of music: onset envelope, tempo, beat times.

Spectral flux, autocorrelation weighed by a tempo preference, and the dynamic programme of D. Ellis, "Beat tracking by
dynamic programming" (2007).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from workers.pipelines.audio_annotation_reference.spectra import RATE, RHYTHM_HOP, Frames, Step

Curve = NDArray[np.float64]

FRAME_RATE = RATE / RHYTHM_HOP
SLOWEST, FASTEST = 40.0, 240.0
_PREFERRED = 115.0
_PREFERENCE_OCTAVES = 1.1
_TEMPO_STEPS = 64
"""Tempi tried in an octave."""
_COMB = (1.0, 0.7, 0.5, 0.4)
_WINDOW = 12.0
"""Seconds of sound whose autocorrelation is averaged with the others': a beat that drifts would cancel itself out."""
_TIGHTNESS = 120.0
_FLUX_LAG = 2
_SMOOTHED_BEATS = 4
_CLEAR_PULSE = 0.12
_RELATED = 0.5
_STRAIGHT = 0.04
"""Seconds that a beat may lie off the line through all of them for the line's slope to be the tempo."""
_EVEN = 0.04
_FADED = 0.25
_FEWEST = 8


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """A regular beat that was found."""

    times: Curve
    """Seconds, ascending, within the sound."""
    bpm: float
    clarity: float
    """How much of the onsets' energy repeats with the beat, 0..1."""
    steady: bool
    """One tempo throughout: nine beats in ten follow the one before at the usual interval, within 4 %."""
    likelihood: float
    """Against the likeliest pulse of the sound, 1."""


@dataclass(frozen=True, kw_only=True)
class NoPulse:
    """Why there are no beats; the rest of a sentence that begins with "no beats: "."""

    why: str
    clarity: float = 0.0


def onsets_of(flux_of_bands: Frames) -> Curve:
    """How much louder the bands grow in each frame, the slow changes taken out; mean square 1 where anything sounds."""
    flux = flux_of_bands.sum(axis=1, dtype=np.float64)
    flux = gaussian_filter1d(flux, 1.0)
    flux = np.maximum(flux - uniform_filter1d(flux, round(0.8 * FRAME_RATE)), 0.0)
    scale = np.sqrt(np.mean(flux**2))
    return flux / scale if scale > 0 else flux


def band_flux(mel: Frames) -> Frames:
    """Growth of each band's loudness since two frames before, (frames, bands)."""
    reference = np.percentile(mel, 99.5) if mel.size else 0.0
    if reference <= 0:
        return np.zeros_like(mel)
    loudness = np.log1p(np.float32(100 / reference) * mel)
    # The strongest neighbour of the earlier frame: a vibrato that crosses into the next band is no onset.
    before = np.maximum.reduce([np.roll(loudness, shift, axis=1) for shift in (-1, 0, 1)])
    grown = np.zeros_like(loudness)
    grown[_FLUX_LAG:] = np.maximum(loudness[_FLUX_LAG:] - before[:-_FLUX_LAG], 0)
    return grown


def find_pulses(onsets: Curve, *, seconds: float, step: Step) -> list[Pulse] | NoPulse:
    """The beats of a sound of `seconds`, likeliest first, then the same pulse counted twice and half as fast.

    Which of these a listener counts, bars tell better than onsets do: `meter.count_bars` chooses.
    """
    if seconds < 4.0:
        return NoPulse(why="the sound is too short for a tempo")
    if not onsets.any():
        return NoPulse(why="nothing in the sound begins anywhere")
    tempi, comb = _comb(_autocorrelation(onsets))
    rated = comb * np.exp(-0.5 * (np.log2(tempi / _PREFERRED) / _PREFERENCE_OCTAVES) ** 2)
    best = int(np.argmax(rated))
    if comb[best] < _CLEAR_PULSE:
        why = "nothing in the sound repeats regularly enough to be a beat"
        return NoPulse(why=why, clarity=float(max(comb[best], 0)))
    places = [best]
    for octave in (_TEMPO_STEPS, -_TEMPO_STEPS):
        around = np.arange(best + octave - 3, best + octave + 4)
        around = around[(around >= 0) & (around < len(tempi))]
        if len(around) == 7 and comb[around].max() > _RELATED * comb[best]:
            places.append(int(around[comb[around].argmax()]))
    pulses = []
    for number, place in enumerate(places):
        step(number / len(places))
        beats = _track(onsets, period=60 * FRAME_RATE / tempi[place])
        if len(beats) >= _FEWEST:
            weight = float(rated[place] / rated[best])
            pulses.append(_pulse(beats, seconds=seconds, clarity=float(min(comb[place], 1)), likelihood=weight))
    return pulses or NoPulse(why="too few beats were found", clarity=float(comb[best]))


def _pulse(beats: NDArray[np.int64], *, seconds: float, clarity: float, likelihood: float) -> Pulse:
    times = _smooth(beats / FRAME_RATE)
    times = times[(times >= 0) & (times < seconds)]
    places = np.arange(len(times))
    slope, start = np.polyfit(places, times, 1)
    intervals = np.diff(times)
    usual = float(np.median(intervals))
    straight = np.abs(times - (start + slope * places)).max() < _STRAIGHT
    return Pulse(
        times=times,
        bpm=60 / (float(slope) if straight else usual),
        clarity=clarity,
        steady=bool(np.mean(np.abs(intervals / usual - 1) < _EVEN) > 0.9),
        likelihood=likelihood,
    )


def _autocorrelation(onsets: Curve) -> Curve:
    """Mean of the windows' autocorrelations, 1 at lag 0, up to four times the slowest beat."""
    lags = int(4 * 60 / SLOWEST * FRAME_RATE) + 2
    length = max(round(_WINDOW * FRAME_RATE), 1)
    total = np.zeros(lags)
    weight = 0.0
    for first in range(0, max(len(onsets) - length // 2, 1), length // 2):
        window = onsets[first : first + length]
        window = window - window.mean()
        energy = float(window @ window)
        if energy <= 0:
            continue
        spectrum = np.fft.rfft(window, 2 * length)
        raw = np.fft.irfft(np.abs(spectrum) ** 2)[:lags]
        # A lag of half the window compares only half of it: made comparable, up to a limit.
        overlap = np.maximum(len(window) - np.arange(lags), len(window) / 4) / len(window)
        total += raw / overlap
        weight += energy
    return total / weight if weight else total


def _comb(correlation: Curve) -> tuple[Curve, Curve]:
    """Tempi from the slowest to the fastest, and how strongly the onsets repeat after one to four beats of each."""
    count = round(np.log2(FASTEST / SLOWEST) * _TEMPO_STEPS)
    tempi = SLOWEST * 2 ** (np.arange(count + 1) / _TEMPO_STEPS)
    periods = 60 * FRAME_RATE / tempi
    lags = np.arange(len(correlation))
    # A beat that is not whole frames spreads its repetition over two lags.
    smooth = gaussian_filter1d(correlation, 1.0)
    teeth = [weight * np.interp(periods * (place + 1), lags, smooth) for place, weight in enumerate(_COMB)]
    return tempi, np.sum(teeth, axis=0) / sum(_COMB)


def _track(onsets: Curve, *, period: float) -> NDArray[np.int64]:
    """Frames of the best chain of beats about one `period` apart."""
    local = gaussian_filter1d(onsets, max(period / 32, 0.5))
    local = local / local.std() if local.std() > 0 else local
    gaps = np.arange(round(period / 2), round(2 * period) + 1)
    cost = -_TIGHTNESS * np.log(gaps / period) ** 2
    total = local.copy()
    previous = np.full(len(local), -1, np.int64)
    reach = gaps[-1]
    padded = np.concatenate([np.full(reach, -np.inf), total])
    for frame in range(gaps[0], len(local)):
        candidates = padded[frame + reach - gaps] + cost
        best = int(candidates.argmax())
        if candidates[best] > 0:
            padded[frame + reach] += candidates[best]
            previous[frame] = frame - gaps[best]
    total = padded[reach:]
    last = len(total) - round(period) + int(total[-round(period) :].argmax())
    chain = [last]
    while previous[chain[-1]] >= 0:
        chain.append(int(previous[chain[-1]]))
    beats = np.array(chain[::-1])
    strength = _near(onsets, beats)
    if not (strength > 0).any():
        return beats[:0]
    # The chain runs on into the silence before and after.
    heard = np.flatnonzero(strength > _FADED * np.median(strength[strength > 0]))
    return beats[heard[0] : heard[-1] + 1]


def _near(onsets: Curve, frames: NDArray[np.int64]) -> Curve:
    """The strongest onset within two frames of each frame."""
    around = frames[:, None] + np.arange(-2, 3)
    return onsets[around.clip(0, len(onsets) - 1)].max(axis=1)


def _smooth(times: Curve) -> Curve:
    """Each beat moved onto the line through its neighbours: a player's tempo drifts, the frames' raster is noise."""
    smoothed = np.empty_like(times)
    for place in range(len(times)):
        first, end = max(0, place - _SMOOTHED_BEATS), min(len(times), place + _SMOOTHED_BEATS + 1)
        smoothed[place] = np.polyfit(np.arange(first, end) - place, times[first:end], 1)[1]
    return smoothed
