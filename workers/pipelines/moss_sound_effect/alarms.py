"""Clocks, telephones, alarms, sirens."""

import numpy as np

from workers.pipelines.moss_sound_effect.signals import (
    RATE,
    Wave,
    add,
    axis,
    crushed,
    decay,
    glide,
    highpass,
    modes,
    peak,
    resonate,
    samples,
    saw,
    square,
    swell,
    tone,
    white,
)
from workers.pipelines.moss_sound_effect.voice import Voice


def tick(voice: Voice) -> Wave:
    n = samples(0.09)
    out = modes(
        n,
        (
            (voice.hz(2900), 0.03, 1),
            (voice.hz(4700), 0.02, 0.7),
            (voice.hz(1250), 0.05, 0.5),
            (voice.hz(420), 0.04, 0.25),
        ),
    )
    return peak(out) * swell(n, 0.0003, 0.03)


def alarm(voice: Voice) -> Wave:
    """Four short square beeps, as an alarm clock's."""
    out = np.zeros(samples(0.62), np.float32)
    for k in range(4):
        m = samples(0.075)
        add(out, tone(voice.hz(2050, 0.0), m, square(7)) * swell(m, 0.003, 0.004), k * 0.135)
    return out


def klaxon(voice: Voice) -> Wave:
    n = samples(voice.long(0.85))
    hz = glide(n, (0, voice.hz(280)), (0.25, voice.hz(430)), (1, voice.hz(445)))
    return crushed(
        peak(resonate(tone(hz, n, saw(40, 0.8)), (900, 300, 1), (1900, 500, 0.8)) + 0.3 * tone(hz, n, saw(20))), 2
    ) * swell(n, 0.02, 0.06)


def siren(voice: Voice, n: int) -> Wave:
    """A wail: 600 to 1 350 Hz and back."""
    t = axis(n) * voice.rate / voice.vary(3.0, 0.05) + 0.75
    hz = 600 * (1350 / 600) ** (0.5 + 0.5 * np.sin(2 * np.pi * t)) / voice.size
    return tone(hz, n, (1, 0.45, 0.3, 0.2, 0.12, 0.08))


def two_tone(voice: Voice, n: int) -> Wave:
    """The European horn of two pitches a fourth apart."""
    turn = (axis(n) * voice.rate / 1.2) % 1.0 < 0.5
    hz = np.where(turn, voice.hz(440, 0.0), voice.hz(585, 0.0)).astype(np.float64)
    hz = np.convolve(np.pad(hz, 480, mode="edge"), np.full(960, 1 / 960), "same")[480 : 480 + n]
    return tone(hz, n, saw(20, 0.9))


def air_raid(voice: Voice, n: int) -> Wave:
    t = axis(n) * voice.rate / 9.0
    climb = np.minimum(np.minimum((t % 1.0) * 2.6, 1), (1 - t % 1.0) * 2.6)
    hz = (150 + 310 * climb) / voice.size
    return tone(hz, n, saw(24, 0.85)) * (0.35 + 0.65 * climb) + 0.6 * tone(hz * 1.2, n, saw(20, 0.9)) * (
        0.35 + 0.65 * climb
    )


def phone(voice: Voice) -> Wave:
    """A bell telephone: two gongs struck in turn twenty times a second for two seconds."""
    n = samples(voice.long(2.0, 0.0))
    out = np.zeros(n, np.float32)
    gongs = [
        modes(samples(0.5), ((hz, 0.55, 1), (hz * 2.72, 0.3, 0.5), (hz * 5.1, 0.12, 0.25)))
        for hz in (voice.hz(1180), voice.hz(1480))
    ]
    for k in range(int((n / RATE - 0.25) * 20)):
        add(out, gongs[k % 2], k / 20, 0.5 * voice.vary(1, 0.1))
    return peak(out) * swell(n, 0.001, 0.15)


def mobile(voice: Voice) -> Wave:
    out = np.zeros(samples(1.5), np.float32)
    for k, step in enumerate((0, 4, 7, 12, 7, 4, 7, 12)):
        m = samples(0.2)
        add(
            out, tone(voice.hz(784, 0.0) * 2 ** (step / 12), m, (1, 0.1, 0.35)) * decay(m, 0.25, attack=0.004), k * 0.15
        )
    return out


def vibrate(voice: Voice) -> Wave:
    n = samples(voice.long(0.9))
    buzz = tone(voice.hz(158), n, (1, 0.7, 0.5, 0.3, 0.3, 0.2, 0.1))
    return (buzz * (1 + 0.3 * tone(19.0, n)) + 0.06 * highpass(white(voice.rng, n), 2000) * (buzz > 0.2)) * swell(
        n, 0.03, 0.05
    )


def typewriter_bell(voice: Voice) -> Wave:
    n = samples(1.1)
    return peak(modes(n, ((voice.hz(2350), 1.1, 1), (voice.hz(5900), 0.5, 0.3), (voice.hz(4100), 0.6, 0.2)))) * swell(
        n, 0.0005, 0.3
    )
