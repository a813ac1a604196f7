"""Voices: a source at the pitch of the call through the resonances of a throat. Beasts and people share it."""

from collections.abc import Sequence

import numpy as np

from workers.pipelines.moss_sound_effect.signals import (
    Wave,
    axis,
    glide,
    line,
    peak,
    resonate,
    samples,
    saw,
    swell,
    tone,
    wander,
    white,
)
from workers.pipelines.moss_sound_effect.voice import Voice

VOWELS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "a": ((800, 110, 1.0), (1250, 130, 0.7), (2600, 200, 0.35), (3500, 260, 0.2)),
    "e": ((520, 90, 1.0), (1850, 150, 0.55), (2600, 200, 0.35)),
    "i": ((310, 70, 1.0), (2250, 170, 0.5), (3050, 220, 0.4)),
    "o": ((480, 90, 1.0), (880, 110, 0.6), (2500, 200, 0.1)),
    "u": ((330, 80, 1.0), (760, 100, 0.4), (2300, 200, 0.05)),
    "ae": ((700, 120, 1.0), (1650, 150, 0.7), (2500, 200, 0.4)),
}
"""Formants of (Hz, bandwidth, gain) of a grown human throat; a beast's are these, scaled."""


def throat(source: Wave, path: Sequence[tuple[float, str]], *, scale: float = 1.0) -> Wave:
    """The source through vowels that follow each other: `path` names the vowel at each share of the length."""
    out = np.zeros(source.size, np.float64)
    for vowel in dict.fromkeys(name for _, name in path):
        weight = line(source.size, *((where, float(name == vowel)) for where, name in path))
        formants = ((hz * scale, width * scale, gain) for hz, width, gain in VOWELS[vowel])
        out += resonate(source * weight, *formants)
    return peak(out)


def glottis(voice: Voice, hz: Wave, *, breath: float = 0.05, rough: float = 0.0, tilt: float = 1.0) -> Wave:
    """Vocal folds: a saw with a shiver in its pitch, breath noise, and `rough` 0..1 of broken periods."""
    n = hz.size
    shaken = hz * (1 + (0.006 + 0.05 * rough) * wander(voice.rng, n, 45))
    folds = tone(shaken, n, saw(48, tilt))
    if rough:
        folds = folds * (1 - rough * (0.5 + 0.5 * tone(shaken * 0.5, n))) + rough * 0.6 * folds * white(voice.rng, n)
    return folds + breath * white(voice.rng, n)


def call(
    voice: Voice,
    seconds: float,
    pitch: Sequence[tuple[float, float]],
    path: Sequence[tuple[float, str]],
    *,
    level: Sequence[tuple[float, float]] = ((0, 0), (0.1, 1), (0.75, 0.8), (1, 0)),
    scale: float = 1.0,
    breath: float = 0.05,
    rough: float = 0.0,
    tilt: float = 1.0,
    vibrato: tuple[float, float] = (0.0, 0.0),
) -> Wave:
    """One call: a pitch contour in Hz through a path of vowels; `vibrato` is (Hz, share of the pitch)."""
    n = samples(voice.long(seconds))
    hz = glide(n, *((where, voice.hz(value, 0.03)) for where, value in pitch))
    if vibrato[0]:
        hz = hz * (1 + vibrato[1] * np.sin(2 * np.pi * vibrato[0] * voice.rate**0.5 * axis(n)))
    source = glottis(voice, hz, breath=breath, rough=rough, tilt=tilt)
    return peak(throat(source, path, scale=scale / voice.size) * line(n, *level)) * swell(n, 0.004, 0.02)
