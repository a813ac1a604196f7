"""Bells, instruments, paper, cloth, chains."""

import numpy as np

from workers.pipelines.moss_sound_effect.signals import (
    RATE,
    Wave,
    add,
    arch,
    axis,
    band,
    bump,
    decay,
    glide,
    highpass,
    line,
    lowpass,
    modes,
    painted,
    peak,
    resonate,
    samples,
    scatter,
    square,
    swell,
    tone,
    wander,
    white,
)
from workers.pipelines.moss_sound_effect.voice import Voice


def church_bell(voice: Voice) -> Wave:
    """Hum, prime, tierce, quint, nominal and their fellows, as bells are tuned."""
    n = samples(voice.long(4.5))
    strike_hz = voice.hz(410)
    partials = (
        (0.5, 4.8, 0.5),
        (1.0, 3.4, 0.8),
        (1.2, 2.8, 0.7),
        (1.5, 1.9, 0.35),
        (2.0, 2.3, 1.0),
        (2.51, 1.2, 0.4),
        (3.01, 1.0, 0.35),
        (4.17, 0.7, 0.3),
        (5.43, 0.45, 0.25),
    )
    out = np.zeros(n, np.float32)
    for ratio, t60, gain in partials:
        add(
            out,
            modes(
                n,
                (
                    (strike_hz * ratio, t60 * voice.size, gain),
                    (strike_hz * ratio * 1.0018, t60 * voice.size, gain * 0.6),
                ),
            ),
            0,
        )
    return peak(out) * swell(n, 0.001, 1.2)


def small_bell(voice: Voice) -> Wave:
    n = samples(voice.long(1.6))
    hz = voice.hz(2150)
    return peak(modes(n, ((hz, 1.6, 1), (hz * 2.02, 0.9, 0.5), (hz * 3.03, 0.6, 0.35), (hz * 4.42, 0.3, 0.2)))) * swell(
        n, 0.0005, 0.4
    )


def gong(voice: Voice) -> Wave:
    """Slow to speak: the high partials bloom after the stroke."""
    n = samples(voice.long(4.5))
    low = voice.hz(92)
    out = np.zeros(n, np.float32)
    for k, ratio in enumerate((1, 1.37, 1.83, 2.25, 2.71, 3.3, 3.97, 4.6, 5.3, 6.2, 7.4, 8.7, 10.1)):
        part = modes(n, ((low * voice.vary(ratio, 0.01), 4.6 / (1 + 0.12 * k), 1 / (1 + 0.18 * k)),))
        out += part * (1 - np.exp(-axis(n) * (40 / (1 + 1.8 * k))))
    return peak(out) * swell(n, 0.002, 1.2)


def drum(voice: Voice) -> Wave:
    n = samples(voice.long(0.5))
    skin = tone(glide(n, (0, voice.hz(150)), (0.1, voice.hz(98)), (1, voice.hz(86))), n) * decay(n, 0.55)
    over = modes(n, ((voice.hz(160), 0.3, 0.5), (voice.hz(222), 0.2, 0.35), (voice.hz(340), 0.1, 0.2)))
    return peak(skin + over + 0.25 * lowpass(white(voice.rng, n), 2500) * decay(n, 0.03)) * swell(n, 0.0005, 0.1)


def snare(voice: Voice) -> Wave:
    n = samples(0.16)
    return peak(
        0.5 * modes(n, ((voice.hz(190), 0.1, 1), (voice.hz(330), 0.07, 0.7)))
        + 0.55 * highpass(white(voice.rng, n), 1400) * decay(n, 0.11)
    ) * swell(n, 0.0003, 0.03)


def drum_roll(voice: Voice, n: int) -> Wave:
    out = np.zeros(n, np.float32)
    takes = [snare(voice) for _ in range(5)]
    at, k = 0.0, 0
    while at < n / RATE:
        add(out, takes[k % 5], at, (0.45 + 0.55 * at * RATE / n) * voice.vary(1, 0.12))
        at += voice.vary(0.047 / voice.rate, 0.06)
        k += 1
    return out


def cymbal(voice: Voice) -> Wave:
    n = samples(voice.long(2.6))

    def gain(t: Wave, hz: Wave) -> Wave:
        return (
            np.exp(-t * (1.2 + hz / 7000)) * (bump(hz, 7000 / voice.size, 0.8) + 0.25 * bump(hz, 900, 0.8)) * (hz > 200)
        )

    metal = sum(tone(voice.hz(hz, 0.01), n, square(5)) for hz in (2057.0, 2953.0, 3697.0, 5402.0))
    return peak(painted(voice.rng, n, gain) + 0.06 * highpass(np.asarray(metal), 3000) * decay(n, 1.2)) * swell(
        n, 0.001, 0.8
    )


def wind_chime(voice: Voice) -> Wave:
    n = samples(voice.long(1.8))
    hz = float(voice.rng.choice((1047, 1175, 1397, 1568, 1760, 2093, 2349))) / voice.size
    return peak(modes(n, ((hz, 1.7, 1), (hz * 2.76, 0.7, 0.4), (hz * 5.4, 0.3, 0.15)))) * swell(n, 0.0005, 0.5)


def piano(voice: Voice) -> Wave:
    n = samples(voice.long(2.2))
    hz = float(voice.rng.choice((261.6, 329.6, 392.0, 523.3))) / voice.size
    partials = [(hz * k * (1 + 0.0004 * k * k) ** 0.5, 2.4 / k**0.5, 1 / k**1.3) for k in range(1, 14)]
    return peak(modes(n, partials, attack=0.003)) * swell(n, 0.001, 0.5)


def guitar(voice: Voice) -> Wave:
    """A strum: six strings, one after the other."""
    n = samples(voice.long(2.2))
    out = np.zeros(n, np.float32)
    for k, hz in enumerate((82.4, 123.5, 164.8, 207.7, 246.9, 329.6)):
        string = modes(
            n, [(hz / voice.size * j, 1.9 / j**0.6, float(np.abs(np.sin(np.pi * j * 0.17))) / j) for j in range(1, 22)]
        )
        add(out, string, k * 0.018, 0.7)
    return peak(out) * swell(n, 0.0005, 0.5)


def music_box(voice: Voice) -> Wave:
    out = np.zeros(samples(2.8), np.float32)
    for k, hz in enumerate((1319, 1047, 1175, 784, 784, 1175, 1319, 1047)):
        note = modes(
            samples(0.9),
            ((hz / voice.size, 0.9, 1), (hz * 3.0 / voice.size, 0.3, 0.2), (hz * 6.2 / voice.size, 0.1, 0.15)),
        )
        add(out, note, k * 0.25 / voice.rate, 0.7)
    return out * swell(out.size, 0.001, 0.3)


def page(voice: Voice) -> Wave:
    n = samples(voice.long(0.6))
    rustle = scatter(
        voice.rng,
        n,
        900 * line(n, (0, 0.1), (0.3, 1), (0.6, 0.4), (0.75, 1), (1, 0)),
        [highpass(white(voice.rng, 200), 2500) * decay(200, 0.003)],
        spread=1.0,
    )
    return peak(
        rustle
        + 0.4 * highpass(white(voice.rng, n), 3000) * line(n, (0, 0), (0.3, 0.3), (0.5, 0.05), (0.72, 0.3), (1, 0))
    )


def tear(voice: Voice) -> Wave:
    n = samples(voice.long(0.8))
    rip = scatter(
        voice.rng,
        n,
        700 * glide(n, (0, 0.6), (1, 2.2)),
        [highpass(white(voice.rng, 160), 1200) * decay(160, 0.0025)],
        spread=0.8,
    )
    return peak(rip * line(n, (0, 0.4), (0.8, 1), (0.95, 0.8), (1, 0))) * swell(n, 0.01, 0.03)


def zipper(voice: Voice) -> Wave:
    n = samples(voice.long(0.7))
    rate = glide(n, (0, 70), (0.7, 240), (1, 190)) * voice.rate
    teeth = np.diff(np.floor(np.cumsum(rate) / RATE), prepend=0.0) * voice.rng.uniform(0.6, 1.0, n)
    return peak(
        resonate(teeth, (2600, 700, 1), (4300, 900, 0.9), (7000, 1500, 0.6))
        + 0.01 * highpass(white(voice.rng, n), 3000)
    ) * swell(n, 0.02, 0.03)


def keys(voice: Voice) -> Wave:
    n = samples(voice.long(0.8))
    grains = [
        modes(samples(0.16), ((hz, 0.14, 1), (hz * 1.47, 0.1, 0.7), (hz * 2.13, 0.07, 0.5)))
        for hz in voice.rng.uniform(3200, 7600, 8) / voice.size
    ]
    return peak(
        scatter(voice.rng, n, 34 * voice.force * line(n, (0, 1), (0.7, 0.8), (0.8, 0)), grains, spread=0.7)
    ) * swell(n, 0.001, 0.1)


def chain(voice: Voice, n: int) -> Wave:
    grains = [
        modes(samples(0.12), ((hz, 0.1, 1), (hz * 1.6, 0.07, 0.8), (hz * 2.5, 0.05, 0.6)))
        for hz in voice.rng.uniform(900, 2800, 10) / voice.size
    ]
    moves = 18 * voice.force * voice.rate * (0.3 + np.maximum(wander(voice.rng, n, 1.6), 0))
    return scatter(voice.rng, n, moves, grains, spread=0.8)


def cloth(voice: Voice) -> Wave:
    n = samples(voice.long(0.5))
    return peak(
        band(white(voice.rng, n), 900, 5500, 1)
        * (0.4 + 0.6 * np.abs(wander(voice.rng, n, 14)))
        * arch(np.arange(n) / n)
    )


def flush(voice: Voice) -> Wave:
    n = samples(voice.long(4.0))
    seconds = n / RATE

    def gain(t: Wave, hz: Wave) -> Wave:
        share = t / seconds
        rush = (
            np.minimum(t * 8, 1)
            * np.exp(-share * 2.2)
            * (bump(hz, 700 + 500 * share, 0.9) + 0.35 * bump(hz, 3500, 0.9))
        )
        suck = np.exp(-(((share - 0.62) / 0.09) ** 2)) * bump(hz, 260, 0.4) * 1.2
        return (rush + suck + 0.12 * bump(hz, 5200, 0.5) * (share > 0.3)) * (hz > 40)

    return painted(voice.rng, n, gain) * (1 + 0.3 * wander(voice.rng, n, 14)) * swell(n, 0.03, 0.8)


def match(voice: Voice) -> Wave:
    """The scratch, the flare, the small flame."""
    n = samples(voice.long(1.4))
    scratch = band(white(voice.rng, n), 2200, 9000) * line(n, (0, 0.3), (0.12, 0.8), (0.16, 0), (1, 0))
    flare = band(white(voice.rng, n), 500, 5000) * line(n, (0, 0), (0.14, 0), (0.2, 1), (0.45, 0.3), (1, 0.05))
    return peak(scratch + 0.8 * flare * (1 + 0.5 * wander(voice.rng, n, 30))) * swell(n, 0.005, 0.3)


def scissors(voice: Voice) -> Wave:
    n = samples(0.28)
    slide = band(white(voice.rng, n), 3000, 11000) * line(n, (0, 0), (0.2, 0.4), (0.55, 1), (0.6, 0), (1, 0))
    out = 0.5 * peak(slide)
    ring = ((voice.hz(4100), 0.07, 1), (voice.hz(6300), 0.05, 0.8), (voice.hz(2600), 0.04, 0.5))
    add(out, modes(samples(0.1), ring), 0.155, 0.9)
    return peak(out)


def stroke_of_pencil(voice: Voice) -> Wave:
    n = samples(float(voice.rng.uniform(0.08, 0.19)))
    grain = band(white(voice.rng, n), 1800 * float(voice.rng.uniform(0.8, 1.3)), 7500, 1)
    return peak(grain * (0.6 + 0.4 * wander(voice.rng, n, 60)) * arch(np.arange(n) / n) ** 0.5)
