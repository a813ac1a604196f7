"""Clicks, beeps, game and film sounds."""

import numpy as np

from workers.pipelines.moss_sound_effect.impacts import strike
from workers.pipelines.moss_sound_effect.signals import (
    RATE,
    Wave,
    add,
    arch,
    axis,
    band,
    bump,
    crushed,
    decay,
    glide,
    highpass,
    line,
    lowpass,
    modes,
    painted,
    peak,
    samples,
    saw,
    square,
    swell,
    tone,
    wander,
    white,
)
from workers.pipelines.moss_sound_effect.voice import Voice


def _notes(
    voice: Voice, *notes: tuple[float, float, float], partials: tuple[float, ...] = (1.0, 0.0, 0.12), ring: float = 0.4
) -> Wave:
    """Notes of (start, seconds, Hz), each plucked."""
    out = np.zeros(samples(max(at + seconds for at, seconds, _ in notes)), np.float32)
    for at, seconds, hz in notes:
        m = samples(seconds)
        add(out, tone(voice.hz(hz, 0.01), m, partials) * decay(m, ring, attack=0.004) * swell(m, 0.002, 0.02), at)
    return peak(out)


def click(voice: Voice) -> Wave:
    out = np.zeros(samples(0.06), np.float32)
    add(out, strike(voice, "plastic", pitch=5.5, ring=0.12, seconds=0.03), 0.0, 1.0)
    add(out, strike(voice, "plastic", pitch=7.5, ring=0.1, seconds=0.02), 0.022, 0.4)
    return out


def switch(voice: Voice) -> Wave:
    out = np.zeros(samples(0.12), np.float32)
    add(out, strike(voice, "plastic", pitch=2.3, ring=0.5, seconds=0.07), 0.0, 0.8)
    add(out, strike(voice, "metal", pitch=5, ring=0.03, seconds=0.04), 0.006, 0.6)
    return out


def beep(voice: Voice) -> Wave:
    n = samples(voice.long(0.22, 0.0))
    return tone(voice.hz(1000, 0.01), n, (1, 0, 0.05)) * swell(n, 0.005, 0.008)


def notification(voice: Voice) -> Wave:
    return _notes(voice, (0.0, 0.5, 1046.5), (0.12, 0.8, 1568.0), ring=0.7)


def coin(voice: Voice) -> Wave:
    """Two square notes a fourth apart."""
    out = np.zeros(samples(0.75), np.float32)
    m, k = samples(0.075), samples(0.62)
    add(out, tone(voice.hz(987.8, 0.005), m, square(15)) * swell(m, 0.001, 0.003), 0.0, 0.6)
    add(out, tone(voice.hz(1318.5, 0.005), k, square(13)) * decay(k, 0.75) * swell(k, 0.001, 0.05), 0.075, 0.7)
    return out


def success(voice: Voice) -> Wave:
    return _notes(
        voice,
        (0.0, 0.3, 523.3),
        (0.1, 0.3, 659.3),
        (0.2, 0.3, 784.0),
        (0.3, 1.0, 1046.5),
        partials=(1, 0.3, 0.15, 0.05),
        ring=0.8,
    )


def error(voice: Voice) -> Wave:
    out = np.zeros(samples(0.6), np.float32)
    for at, hz in ((0.0, 196.0), (0.24, 147.0)):
        m = samples(0.2 if at == 0 else 0.34)
        add(out, tone(voice.hz(hz, 0.01), m, square(25, 0.8)) * swell(m, 0.004, 0.02), at, 0.8)
    return lowpass(out, 3500)


def level_up(voice: Voice) -> Wave:
    steps = (523.3, 659.3, 784.0, 1046.5, 1318.5, 1568.0)
    notes = [(k * 0.085, 0.16 if k < 5 else 0.8, hz) for k, hz in enumerate(steps)]
    return _notes(voice, *notes, partials=square(11), ring=0.6)


def game_over(voice: Voice) -> Wave:
    return _notes(
        voice, (0, 0.3, 523.3), (0.28, 0.3, 494.0), (0.56, 0.3, 466.2), (0.84, 1.1, 392.0), partials=square(9), ring=1.1
    )


def jump(voice: Voice) -> Wave:
    n = samples(voice.long(0.28))
    return (
        tone(glide(n, (0, voice.hz(230)), (1, voice.hz(880))), n, square(13))
        * line(n, (0, 1), (0.7, 0.7), (1, 0))
        * swell(n, 0.003, 0.03)
    )


def boing(voice: Voice) -> Wave:
    n = samples(voice.long(1.0))
    t = axis(n)
    hz = voice.hz(190) * (1 + 0.5 * np.exp(-t * 4) * np.sin(2 * np.pi * 9 * voice.rate * t + 9 * t * t))
    return tone(hz, n, (1, 0.6, 0.4, 0.3, 0.2, 0.1)) * decay(n, 1.2) * swell(n, 0.001, 0.1)


def whoosh(voice: Voice) -> Wave:
    n = samples(voice.long(0.75 / voice.rate**0.7))
    seconds = n / RATE

    def gain(t: Wave, hz: Wave) -> Wave:
        share = np.clip(t / seconds, 0, 1)
        level = arch(share**0.8) ** 2
        center = 450 * 2 ** (2.4 * arch(share**0.9)) / voice.size
        return level * (bump(hz, center, 0.55) + 0.2 * bump(hz, center * 2.5, 0.8))

    return painted(voice.rng, n, gain) * swell(n, 0.02, 0.05)


def pop(voice: Voice) -> Wave:
    n = samples(0.12)
    return peak(
        tone(glide(n, (0, voice.hz(320)), (0.25, voice.hz(900)), (1, voice.hz(1300))), n) * decay(n, 0.07)
    ) * swell(n, 0.0005, 0.03)


def cork(voice: Voice) -> Wave:
    n = samples(0.35)
    out = peak(
        tone(glide(n, (0, voice.hz(260)), (0.15, voice.hz(560)), (1, voice.hz(640))), n, (1, 0.3)) * decay(n, 0.09)
    )
    out += 0.7 * peak(white(voice.rng, n) * decay(n, 0.02))
    return peak(out + 0.06 * highpass(white(voice.rng, n), 4000) * line(n, (0, 0), (0.2, 1), (1, 0))) * swell(
        n, 0.0003, 0.1
    )


def shutter(voice: Voice) -> Wave:
    """Mirror up, curtain, mirror down."""
    out = np.zeros(samples(0.26), np.float32)
    for at, pitch, gain in (
        (0.0, 3.6, 0.8),
        (0.014, 5.2, 0.5),
        (0.095, 4.4, 1.0),
        (0.112, 2.6, 0.7),
        (0.135, 6.0, 0.3),
    ):
        add(out, strike(voice, "metal", pitch=pitch, ring=0.035, seconds=0.06), at, gain)
    m = samples(0.07)
    add(out, band(white(voice.rng, m), 2500, 8000) * swell(m, 0.01, 0.03), 0.022, 0.08)
    return peak(out)


def sparkle(voice: Voice) -> Wave:
    n = samples(voice.long(1.8))
    out = np.zeros(n, np.float32)
    scale = (1047, 1175, 1319, 1568, 1760, 2093, 2349, 2637, 3136, 3520, 4186)
    for k in range(26):
        at = float(voice.rng.beta(1.4, 2.2)) * 1.2
        hz = voice.hz(scale[min(10, int(at * 7 + voice.rng.integers(0, 4)))], 0.004)
        add(
            out,
            modes(samples(0.6), ((hz, 0.6, 1), (hz * 2.76, 0.25, 0.4))),
            at,
            float(voice.rng.uniform(0.2, 0.7)) * (1 - 0.01 * k),
        )
    return peak(out) * swell(n, 0.001, 0.4)


def riser(voice: Voice) -> Wave:
    n = samples(voice.long(3.0))
    seconds = n / RATE

    def gain(t: Wave, hz: Wave) -> Wave:
        share = np.clip(t / seconds, 0, 1)
        return share**2 * bump(hz, 250 * 2 ** (4.5 * share), 0.9)

    swoop = tone(glide(n, (0, voice.hz(80)), (1, voice.hz(900))), n, saw(20)) + tone(
        glide(n, (0, voice.hz(80.8)), (1, voice.hz(913))), n, saw(20)
    )
    return peak(painted(voice.rng, n, gain) + 0.25 * swoop * line(n, (0, 0), (1, 1)) ** 2) * swell(n, 0.05, 0.03)


def boom(voice: Voice) -> Wave:
    """A film trailer's low drop."""
    n = samples(voice.long(2.8))
    low = tone(glide(n, (0, voice.hz(88)), (0.3, voice.hz(48)), (1, voice.hz(30))), n, (1, 0.25, 0.1)) * decay(n, 3.2)
    return crushed(peak(low + 0.3 * lowpass(white(voice.rng, n), 300) * decay(n, 0.4)), 2.2) * swell(n, 0.002, 0.8)


def braam(voice: Voice) -> Wave:
    n = samples(voice.long(3.0))
    hz = voice.hz(55) * line(n, (0, 0.985), (0.05, 1), (1, 0.99))
    brass = (
        tone(hz, n, saw(60, 0.6))
        + tone(hz * 1.006, n, saw(60, 0.6))
        + 0.7 * tone(hz * 0.5, n, saw(40, 0.7))
        + 0.5 * tone(hz * 1.5, n, saw(40, 0.7))
    )
    opened = lowpass(brass, 1900) * line(n, (0, 0.5), (0.06, 1), (0.5, 0.6), (1, 0)) + 0.6 * lowpass(brass, 350)
    return crushed(peak(opened * line(n, (0, 1), (0.6, 0.7), (1, 0))), 2.5) * swell(n, 0.02, 1.0)


def glitch(voice: Voice) -> Wave:
    out = np.zeros(samples(0.8), np.float32)
    at = 0.0
    while at < 0.75:
        m = samples(float(voice.rng.choice((0.01, 0.02, 0.04, 0.07))))
        kind = int(voice.rng.integers(3))
        if kind == 0:
            grain = np.repeat(voice.rng.uniform(-1, 1, m // 24 + 1), 24)[:m]
        elif kind == 1:
            grain = tone(float(voice.rng.choice((110, 440, 1760, 3520, 7040))), m, square(21))
        else:
            grain = np.tile(voice.rng.uniform(-1, 1, 96), m // 96 + 1)[:m]
        add(out, grain.astype(np.float32), at, float(voice.rng.uniform(0.3, 0.9)))
        at += m / RATE * float(voice.rng.choice((1, 1, 2)))
    return out * swell(out.size, 0.001, 0.01)


def record_scratch(voice: Voice) -> Wave:
    n = samples(voice.long(0.7))
    speed = np.abs(np.sin(np.pi * line(n, (0, 0), (0.3, 1), (0.45, 1.4), (0.7, 2.6), (1, 3))))
    groove = tone(60 + 520 * speed / voice.size, n, saw(24, 0.6))
    return peak((groove + 0.6 * band(white(voice.rng, n), 600, 5000)) * speed**0.6) * swell(n, 0.003, 0.04)


def countdown(voice: Voice) -> Wave:
    out = np.zeros(samples(3.8), np.float32)
    for k in range(4):
        m = samples(0.14 if k < 3 else 0.7)
        add(out, tone(voice.hz(880 if k < 3 else 1760, 0.0), m, (1, 0, 0.2)) * swell(m, 0.004, 0.02), k / 1.0)
    return out


def ghost(voice: Voice, n: int) -> Wave:
    """Beating, bending tones: unease."""
    out = np.zeros(n, np.float32)
    for ratio in (1.0, 1.063, 1.5, 2.13):
        hz = voice.hz(190 * ratio) * (1 + 0.05 * wander(voice.rng, n, 0.4 * voice.rate))
        out += tone(hz, n, (1, 0.3, 0.1)) * (0.5 + 0.5 * wander(voice.rng, n, 0.5))
    return out + 0.1 * highpass(lowpass(white(voice.rng, n), 900), 200)


def ambience(voice: Voice, n: int) -> Wave:
    """Air of no particular place: what stands in when no event was understood."""
    drift = wander(voice.rng, n, 0.3 * voice.rate)
    base = voice.hz(240, 0.25)

    def gain(t: Wave, hz: Wave) -> Wave:
        index = np.minimum((t * RATE).astype(int), n - 1)
        tilt = 1 / (1 + (hz / 140) ** 1.3) * (hz > 25)
        return (0.75 + 0.25 * drift[index]) * (tilt + 0.5 * bump(hz, base * 2 ** (0.5 * drift[index]), 0.3))

    pad = sum(tone(voice.hz(hz, 0.02), n, (1, 0.2)) for hz in (110.0, 164.8, 220.0))
    return painted(voice.rng, n, gain, frame=2048) + 0.03 * np.asarray(pad) * (0.6 + 0.4 * drift)
