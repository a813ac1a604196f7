"""Ears for the music tests, independent of the engine: key by chroma, tempo and metre by onsets, loudness."""

from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
from numpy.typing import NDArray
from scipy import signal

from workers.sound import read_sound

RATE = 48_000
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
"""Krumhansl and Kessler's key profiles."""
_HOP = 480


def heard(path: Path) -> NDArray[np.float64]:
    """The decoded stereo samples."""
    return np.asarray(read_sound(path, rate=RATE, channels=2), np.float64)


def key_of(sound: NDArray[np.float64]) -> str:
    """The key whose profile the spectrum's twelve pitch classes fit best."""
    rate = RATE // 4
    frequencies, _, spectrum = signal.stft(signal.resample_poly(sound.mean(axis=0), 1, 4), rate, nperseg=8192)
    audible = (frequencies > 60) & (frequencies < 2000)
    classes = np.round(69 + 12 * np.log2(frequencies[audible] / 440)).astype(int) % 12
    strength = np.abs(spectrum[audible]).sum(axis=1)
    chroma = np.array([strength[classes == place].sum() for place in range(12)])
    fits = {
        f"{NAMES[tonic]} {mode}": float(np.corrcoef(np.roll(profile, tonic), chroma)[0, 1])
        for tonic in range(12)
        for mode, profile in (("major", MAJOR), ("minor", MINOR))
    }
    return max(fits, key=lambda name: fits[name])


def relatives(key: str) -> set[str]:
    """The key and its relative, which share all their notes."""
    letter, mode = key.split()
    tonic = NAMES.index({"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}.get(letter, letter))
    other = (tonic + (9 if mode == "major" else 3)) % 12
    return {f"{NAMES[tonic]} {mode}", f"{NAMES[other]} {'minor' if mode == 'major' else 'major'}"}


def onsets(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much begins in each hundredth of a second (spectral flux)."""
    _, _, spectrum = signal.stft(sound.mean(axis=0), RATE, nperseg=2048, noverlap=2048 - _HOP)
    flux = np.maximum(0, np.diff(np.log1p(200 * np.abs(spectrum)), axis=1)).sum(axis=0)
    return np.maximum(0, flux - signal.medfilt(flux, 101))


def tempo_of(sound: NDArray[np.float64]) -> float:
    """Beats a minute by the autocorrelation of the onsets at a beat's multiples."""
    strength = onsets(sound)
    strength = strength - strength.mean()
    count = strength.size
    spectrum = np.fft.rfft(strength, 2 * count)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:count] / np.arange(count, 0, -1)
    tempi = np.arange(40, 240, 0.1)
    lags = 60 * RATE / _HOP / tempi
    score = sum(np.interp(lags * multiple, np.arange(count), correlation) for multiple in (1, 2, 3, 4))
    return float(tempi[np.argmax(score * np.exp(-0.5 * (np.log2(tempi / 110) / 0.9) ** 2))])


def accents(sound: NDArray[np.float64], *, bpm: float, beats: int, origin: float, until: float) -> NDArray[np.float64]:
    """Mean onset strength around each beat of the bar."""
    strength = onsets(sound)
    out: list[list[float]] = [[] for _ in range(beats)]
    beat = 0
    while (moment := origin + beat * 60 / bpm) < until:
        place = round(moment * RATE / _HOP)
        out[beat % beats].append(float(strength[max(0, place - 3) : place + 5].max(initial=0)))
        beat += 1
    return np.array([np.mean(row) for row in out])


def loudness(sound: NDArray[np.float64]) -> float:
    """Integrated loudness in LUFS."""
    return float(pyloudnorm.Meter(RATE).integrated_loudness(sound.T))


def true_peak(sound: NDArray[np.float64]) -> float:
    """Highest value of the fourfold oversampled waveform, in dB of full scale."""
    return 20 * np.log10(max(float(np.abs(signal.resample_poly(side, 4, 1)).max()) for side in sound))


def brightness(sound: NDArray[np.float64]) -> float:
    """The centre of the amplitude spectrum in Hz."""
    frequencies, _, spectrum = signal.stft(sound.mean(axis=0), RATE, nperseg=8192)
    mean = np.abs(spectrum).mean(axis=1)
    return float((frequencies * mean).sum() / mean.sum())


def power_db(sound: NDArray[np.float64], span: dict[str, Any]) -> float:
    """Power of a section of the report, in dB."""
    part = sound[:, int(span["start"] * RATE) : int(span["end"] * RATE)]
    return float(10 * np.log10(np.mean(part**2) + 1e-12))
