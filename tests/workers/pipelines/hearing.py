"""What tests hear in a sound: onsets, spectra, pitch, decay. Samples are of shape (channels, n) at 48 kHz."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import signal

RATE = 48_000
HOP = 240
"""5 ms: the step of envelopes."""
Sound = NDArray[np.float32]


def mono(sound: Sound) -> Sound:
    return sound.mean(axis=0) if sound.ndim == 2 else sound


def decibels(value: float) -> float:
    return float(20 * np.log10(value + 1e-9))


def level(sound: Sound) -> float:
    """RMS in dB of full scale."""
    return decibels(float(np.sqrt(np.mean(np.square(sound)))))


def envelope(sound: Sound, hop: int = HOP) -> NDArray[np.float64]:
    """RMS of each `hop` samples."""
    wave = mono(sound)
    wave = wave[: wave.size // hop * hop].reshape(-1, hop)
    return np.sqrt(np.mean(np.square(wave, dtype=np.float64), axis=1))


def onsets(sound: Sound, *, gap: float = 0.08, rise: float = 9.0, floor: float = -32.0) -> NDArray[np.float64]:
    """Moments (s) at which the level climbs by `rise` dB within 20 ms, from no more than `floor` dB under the peak."""
    loud = envelope(sound)
    curve = 20 * np.log10(loud + 1e-6 + 10 ** (-60 / 20) * loud.max())
    before = np.array([curve[max(0, k - 5) : max(1, k - 1)].min() for k in range(curve.size)])
    climb = curve - before
    climb[curve < curve.max() + floor] = 0
    peaks, _ = signal.find_peaks(
        np.concatenate([[0], climb, [0]]), height=rise, distance=max(1, round(gap * RATE / HOP))
    )
    return (peaks - 1) * HOP / RATE


def power_spectrum(sound: Sound, size: int = 8192) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(Hz, mean power)."""
    wave = mono(sound).astype(np.float64)
    return signal.welch(wave, RATE, nperseg=min(size, wave.size))


def centroid(sound: Sound) -> float:
    """Hz at which the spectrum's weight lies."""
    hz, power = power_spectrum(sound)
    return float(np.sum(hz * power) / np.sum(power))


def share(sound: Sound, low: float, high: float) -> float:
    """Which part of the power lies between two frequencies."""
    hz, power = power_spectrum(sound)
    return float(power[(hz >= low) & (hz < high)].sum() / power.sum())


def flatness(sound: Sound, low: float = 200, high: float = 10_000) -> float:
    """Geometric over arithmetic mean of the power in a band: 1 is white noise, 0 a tone."""
    hz, power = power_spectrum(sound, 2048)
    band = power[(hz >= low) & (hz < high)] + 1e-16
    return float(np.exp(np.mean(np.log(band))) / np.mean(band))


def steadiness(sound: Sound) -> float:
    """Deviation of the level from 100 ms to 100 ms, in dB: small is steady."""
    return float(np.std(20 * np.log10(envelope(sound, 4800) + 1e-6)))


def fall(sound: Sound, decibel: float) -> float:
    """Seconds from the loudest 20 ms to where the level stays `decibel` dB below it."""
    loud = envelope(sound, 960)
    top = int(np.argmax(loud))
    above = np.flatnonzero(loud >= loud[top] * 10 ** (-decibel / 20))
    return float((above[-1] - top) * 960 / RATE)


def pitches(sound: Sound, low: float, high: float, *, size: int = 4096) -> NDArray[np.float64]:
    """The strongest frequency between two bounds, each 2 048 samples, where there is sound."""
    hz, _, spectrum = signal.stft(mono(sound), RATE, nperseg=size, noverlap=size - 2048)
    power = np.abs(spectrum)
    inside = (hz >= low) & (hz <= high)
    strongest = hz[inside][np.argmax(power[inside], axis=0)]
    loud = power[inside].max(axis=0)
    return strongest[loud > 0.1 * loud.max()]


def rhythm(sound: Sound, low: float, high: float) -> float:
    """The rate (Hz) between two bounds at which the level comes back most strongly."""
    loud = envelope(sound)
    loud = loud - loud.mean()
    spectrum = np.abs(np.fft.rfft(loud * np.hanning(loud.size), loud.size * 8))
    hz = np.fft.rfftfreq(loud.size * 8, HOP / RATE)
    inside = (hz >= low) & (hz <= high)
    return float(hz[inside][np.argmax(spectrum[inside])])


def portrait(sound: Sound) -> NDArray[np.float64]:
    """What tells sounds apart: spectrum by third-octaves, how it moves, how the level goes, its modulation."""
    wave = mono(sound).astype(np.float64)
    hz, _, spectrum = signal.stft(wave, RATE, nperseg=2048, noverlap=1024)
    power = np.abs(spectrum) ** 2 + 1e-14
    edges = np.geomspace(45, 18_000, 29)
    bands = np.array([power[(hz >= low) & (hz < max(high, low + 24))].sum(axis=0) for low, high in pairwise(edges)])
    total = bands.sum(axis=0)
    mean = bands.mean(axis=1) / bands.mean()
    centre = (bands * np.log2(edges[:-1])[:, None]).sum(axis=0) / total
    weight = total / total.sum()
    middle = float((centre * weight).sum())
    movement = float(np.sqrt(((centre - middle) ** 2 * weight).sum()))
    loud = envelope(sound, 480) + 1e-6
    loud /= loud.max()
    busy = np.array([np.mean(loud > 10 ** (-x / 20)) for x in (3, 10, 20, 35)])
    modulation = np.abs(np.fft.rfft((loud - loud.mean()) * np.hanning(loud.size)))
    rates = np.fft.rfftfreq(loud.size, 480 / RATE)
    beats = np.array(
        [
            np.sqrt(np.mean(modulation[(rates >= a) & (rates < b)] ** 2))
            for a, b in pairwise((0.3, 1.2, 2.5, 5, 10, 20, 48))
        ]
    )
    peaky = np.log(power.max(axis=0) / power.mean(axis=0))
    return np.concatenate(
        [
            np.maximum(10 * np.log10(mean), -60) / 8,
            [middle * 2, movement * 4, float((peaky * weight).sum()) * 2],
            busy * 6,
            10 * np.log10(beats / loud.size + 1e-5) / 5,
        ]
    )
