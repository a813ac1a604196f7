"""A voice taken from a reference recording, as near as a stock voice can be bent to it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workers.pipelines.audio_speak.kokoro import RATE, Mono
from workers.pipelines.audio_speak.profiles import NoVoice, Profile, profile_of, stock
from workers.pipelines.audio_speak.vocoder import BAND_CENTRES, Frames
from workers.pipelines.base import EngineFailed
from workers.sound import NotASound, is_silent, read_sound

LONGEST = 600.0
"""Seconds of the longest reference that is read at all."""
HEARD = 30.0
"""Seconds of it that are measured: those with the most sound."""
_WARPS = np.arange(0.82, 1.2301, 0.01)
_HEARD_BANDS = (BAND_CENTRES > 180) & (BAND_CENTRES < 7000)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The recording's voice and how long the recording is."""

    profile: Profile
    seconds: float
    measured_seconds: float


@dataclass(frozen=True, kw_only=True)
class Match:
    """The stock voice nearest to a reference, and what brings it nearer."""

    voice: str
    """A name of `profiles.stock()`."""
    profile: Profile
    """Of that voice, unbent."""
    formants: float
    equalizer: tuple[float, ...]
    breath: float
    pitch_range: float
    pace: float
    distance_before: float
    """Root mean square difference of the two mean spectra in decibels, 180 Hz to 7 kHz."""


def hear(path: Path) -> Reference:
    """Read and measure a reference.

    Raises:
        EngineFailed: `invalid_reference_audio`: unreadable, silent, or without a voice that can be measured.
    """
    try:
        samples = read_sound(path, rate=RATE, channels=1, max_seconds=LONGEST)[0]
    except NotASound as error:
        raise _refused(f"{error}") from error
    if is_silent(samples[None]):
        raise _refused("is silent")
    heard = _fullest(samples)
    try:
        profile = profile_of(heard / np.float32(np.max(np.abs(heard))))
    except NoVoice as error:
        raise _refused(f"holds no voice that can be measured: {error}; 3 to 6 seconds of speech are best") from error
    return Reference(profile=profile, seconds=samples.size / RATE, measured_seconds=heard.size / RATE)


def match(reference: Profile) -> Match:
    """The stock voice, or even blend of two, with the least left to change; and the change."""
    candidates = [_bent(name, profile, reference) for name, profile in stock().items()]
    return min(candidates, key=lambda candidate: _effort(candidate, reference))


def spectral_distance(one: Profile, other: Profile) -> float:
    """Root mean square difference of two voices' mean spectra, in decibels."""
    left = np.array(one.bands) - np.array(other.bands)
    return float(np.sqrt(np.mean((left - left[_HEARD_BANDS].mean())[_HEARD_BANDS] ** 2)))


def formant_ratio(bands: Frames, towards: Frames) -> float:
    """The factor on frequency that best lays the peaks of one mean spectrum over those of another.

    Tilt and level are taken out first: they are the microphone's and the glottis' more than the vocal tract's.
    """
    target = _level(towards)
    costs = [np.mean((_level(_stretched(bands, warp)) - target) ** 2) * (1 + 2 * np.log(warp) ** 2) for warp in _WARPS]
    return float(_WARPS[int(np.argmin(costs))])


def _bent(name: str, voice: Profile, reference: Profile) -> Match:
    bands, wanted = np.array(voice.bands), np.array(reference.bands)
    warp = formant_ratio(bands, wanted)
    left = wanted - _stretched(bands, warp)
    smooth = np.convolve(np.pad(left, 2, mode="edge"), np.ones(5) / 5, "valid")
    smooth -= smooth[_HEARD_BANDS].mean()
    return Match(
        voice=name,
        profile=voice,
        formants=warp,
        # A narrow telephone band is the line's, not the speaker's: no band is moved by more than nine decibels.
        equalizer=tuple(float(band) for band in np.clip(smooth, -9, 9)),
        breath=float(np.clip(reference.breath - voice.breath, 0, 0.4)),
        pitch_range=float(np.clip(reference.spread / voice.spread, 0.6, 1.5)),
        pace=float(np.clip(reference.rate / voice.rate, 0.85, 1.2)),
        distance_before=spectral_distance(voice, reference),
    )


def _effort(candidate: Match, reference: Profile) -> float:
    """How much bending is needed: the pitch tells most about who speaks, and costs most clearness when moved far."""
    octaves = abs(np.log2(reference.pitch / candidate.profile.pitch))
    return float(
        12 * octaves + 25 * abs(np.log2(candidate.formants)) + np.sqrt(np.mean(np.square(candidate.equalizer)))
    )


def _stretched(bands: Frames, warp: float) -> Frames:
    return np.interp(BAND_CENTRES / warp, BAND_CENTRES, bands)


def _level(bands: Frames) -> Frames:
    heard = bands[_HEARD_BANDS]
    places = np.arange(heard.size)
    return np.asarray(heard - np.polyval(np.polyfit(places, heard, 1), places))


def _fullest(samples: Mono) -> Mono:
    """The stretch of `HEARD` seconds with the most sound in it."""
    length = round(HEARD * RATE)
    if samples.size <= length:
        return samples
    total = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    starts = np.arange(0, samples.size - length + 1, RATE // 10)
    start = starts[int(np.argmax(total[starts + length] - total[starts]))]
    return samples[start : start + length]


def _refused(why: str) -> EngineFailed:
    return EngineFailed(f"The reference audio {why}.", code="invalid_reference_audio")
