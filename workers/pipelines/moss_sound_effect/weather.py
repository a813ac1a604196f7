"""Weather, water and fire."""

from functools import lru_cache

import numpy as np

from workers.pipelines.moss_sound_effect.signals import (
    RATE,
    Wave,
    add,
    axis,
    band,
    bump,
    colored,
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
    scatter,
    swell,
    tone,
    unit,
    wander,
)
from workers.pipelines.moss_sound_effect.voice import Voice

ROOFS: dict[str | None, tuple[tuple[float, float, float], ...]] = {
    "metal": ((1900, 0.12, 1), (3100, 0.1, 0.7), (4700, 0.07, 0.5), (830, 0.09, 0.6)),
    "wood": ((420, 0.03, 1), (760, 0.025, 0.6), (1300, 0.02, 0.3)),
    "glass": ((2600, 0.04, 1), (4300, 0.03, 0.6), (900, 0.02, 0.5)),
    "leaves": ((1500, 0.012, 1), (2700, 0.01, 0.8)),
    "stone": ((2100, 0.012, 1), (3600, 0.008, 0.6)),
    "cloth": ((310, 0.03, 1), (620, 0.02, 0.5)),
}
"""What a drop or a hailstone rings when it falls on it: partials of (Hz, seconds to −60 dB, gain)."""


def bubble(hz: float, seconds: float, *, rise: float = 0.3) -> Wave:
    """A gas bubble under water: a decaying sine whose pitch rises as it nears the surface (van den Doel 2005)."""
    n = samples(seconds)
    return tone(hz * (1 + rise * np.linspace(0, 1, n) ** 2), n) * decay(n, seconds)


@lru_cache(maxsize=8)
def _bubbles(low: float, high: float) -> tuple[Wave, ...]:
    pitches = np.geomspace(low, high, 16)
    return tuple(bubble(float(hz), float(np.clip(25 / hz, 0.008, 0.09))) for hz in pitches)


def _drops(voice: Voice, material: str | None) -> list[Wave]:
    grains = []
    for _ in range(10):
        scale = float(voice.rng.uniform(0.75, 1.4)) / voice.size
        partials = [(hz * scale * float(voice.rng.uniform(0.9, 1.1)), t60, g) for hz, t60, g in ROOFS[material]]
        grains.append(modes(samples(max(t60 for _, t60, _ in partials)), partials))
    return grains


def rain(voice: Voice, n: int) -> Wave:
    hiss = colored(voice.rng, n, (60, -40), (300, -22), (1500, -8), (4000, 0), (9000, -2), (16000, -12), (24000, -40))
    material = voice.material if voice.material in ROOFS else "leaves"
    drops = scatter(voice.rng, n, 220 * voice.force * voice.rate, _drops(voice, material), spread=0.8)
    share = 0.35 if material == "leaves" else 0.75
    return unit(hiss) * (0.25 + 0.75 * voice.force * (1 - share)) + unit(drops) * share


def hail(voice: Voice, n: int) -> Wave:
    material = voice.material if voice.material in ROOFS else "stone"
    stones = scatter(voice.rng, n, 70 * voice.force * voice.rate, _drops(voice, material), spread=1.0)
    rattle = scatter(voice.rng, n, 350 * voice.force, _drops(voice, material), spread=0.7)
    return unit(stones) + 0.35 * unit(rattle) + 0.04 * voice.rng.standard_normal(n, dtype=np.float32)


def thunder(voice: Voice) -> Wave:
    seconds = voice.long(5.0)
    n = samples(seconds)
    claps = [
        (0.0, 1.0),
        *((float(voice.rng.uniform(0.15, 0.5) * seconds), float(voice.rng.uniform(0.3, 0.7))) for _ in range(5)),
    ]

    def gain(t: Wave, hz: Wave) -> Wave:
        level: Wave = np.float32(0) * t
        for at, loud in claps:
            age = t - at
            level = level + loud * (age >= 0) * np.exp(-np.maximum(age, 0) * np.float32(7.5 / seconds))
        edge = (60 + 240 * np.exp(-t * np.float32(5 / seconds))) / voice.size * voice.force**0.5
        return level / (1 + (hz / edge) ** 2) * (hz > 18)

    rumble = painted(voice.rng, n, gain, frame=4096)
    crack = highpass(voice.rng.standard_normal(n, dtype=np.float32), 300) * decay(n, 0.35) * line(n, (0, 1), (1, 0))
    tears = scatter(
        voice.rng, n, 90 * decay(n, 0.5), [decay(900, 0.015) * colored(voice.rng, 900, (20, 0), (24000, -20))]
    )
    roll = 1 + 0.6 * wander(voice.rng, n, 5)
    return peak(crushed(rumble * roll, 1.6) + (0.07 * peak(crack) + 0.1 * peak(tears)) * voice.force**2) * swell(
        n, 0.004, 0.8
    )


def wind(voice: Voice, n: int) -> Wave:
    gusts = wander(voice.rng, n, 0.45 * voice.rate)
    flutter = wander(voice.rng, n, 2.2 * voice.rate)
    base = voice.hz(330, 0.1)

    def gain(t: Wave, hz: Wave) -> Wave:
        index = np.minimum((t * RATE).astype(int), n - 1)
        center = base * 2 ** (1.1 * gusts[index] + 0.25 * flutter[index])
        level = 0.25 + 0.75 * (0.5 + 0.5 * gusts[index]) ** 1.5 * (1 + 0.3 * flutter[index])
        body = 0.5 / (1 + (hz / 180) ** 2) + bump(hz, center, 0.45) + 0.25 * bump(hz, center * 2.7, 0.3)
        return level * (body + 0.03 * voice.force * bump(hz, 4000, 1.2)) * (hz > 25)

    return painted(voice.rng, n, gain, frame=2048)


def howling_wind(voice: Voice, n: int) -> Wave:
    gusts = wander(voice.rng, n, 0.5 * voice.rate)
    base = voice.hz(620, 0.08)

    def gain(t: Wave, hz: Wave) -> Wave:
        index = np.minimum((t * RATE).astype(int), n - 1)
        center = base * 2 ** (0.55 * gusts[index])
        level = (0.5 + 0.5 * gusts[index]) ** 1.3 + 0.15
        whistle = bump(hz, center, 0.035) + 0.5 * bump(hz, center * 1.52, 0.03)
        return level * (whistle + 0.10 * bump(hz, center * 0.6, 0.8) + 0.04 / (1 + (hz / 200) ** 2)) * (hz > 25)

    return painted(voice.rng, n, gain, frame=4096)


def storm(voice: Voice, n: int) -> Wave:
    out = 0.55 * unit(rain(voice, n)) + 0.6 * unit(wind(voice, n))
    at = float(voice.rng.uniform(0.1, 0.6))
    while at < n / RATE - 0.5:
        clap = thunder(
            Voice(rng=voice.rng, seconds=n / RATE - at, size=voice.size, force=voice.force, spread=voice.spread)
        )
        add(out, clap, at, 3.0 * float(voice.rng.uniform(0.6, 1.0)))
        at += float(voice.rng.uniform(4, 9)) / voice.rate
    return out


def waves(voice: Voice, n: int) -> Wave:
    period = voice.vary(6.5 * voice.size**0.5 / voice.rate, 0.1)
    start = float(voice.rng.uniform(0.55, 0.75))

    def gain(t: Wave, hz: Wave) -> Wave:
        phase = (t / period + start) % 1.0
        break_age = np.where(phase < 0.3, phase + 0.7, phase - 0.3)
        surge = np.maximum((np.minimum(phase, 0.3) / 0.3) ** 2.2 * (phase < 0.3), np.exp(-break_age * 4.2))
        foam = np.exp(-break_age * 2.6) * np.minimum(break_age * 12, 1)
        edge = 350 + 2600 * surge
        return (0.08 + surge) / (1 + (hz / edge) ** 1.6) * (hz > 30) * 0.7 + foam * 0.16 * bump(hz, 5500, 0.8)

    return painted(voice.rng, n, gain)


def stream(voice: Voice, n: int) -> Wave:
    rate = 95 * voice.force * voice.rate
    babble = scatter(
        voice.rng, n, rate * (1 + 0.5 * wander(voice.rng, n, 1.5)), _bubbles(380 / voice.size, 2600 / voice.size)
    )
    rush = colored(voice.rng, n, (50, -30), (300, -8), (700, 0), (2500, -8), (8000, -24), (20000, -50))
    return unit(babble) + 0.3 * voice.force * unit(rush)


def waterfall(voice: Voice, n: int) -> Wave:
    fall = colored(voice.rng, n, (30, -14), (90, 0), (500, -2), (2500, -8), (8000, -15), (18000, -30))
    splash = scatter(voice.rng, n, 300 * voice.force, _bubbles(250, 1500))
    return unit(fall) * (1 + 0.08 * wander(voice.rng, n, 3)) + 0.25 * unit(splash)


def drip(voice: Voice) -> Wave:
    n = samples(voice.long(0.4))
    out = np.zeros(n, np.float32)
    pitch = voice.hz(1050, 0.12)
    add(out, modes(samples(0.02), ((pitch * 2.6, 0.012, 1), (pitch * 4.1, 0.008, 0.6))), 0, 0.25)
    add(out, bubble(pitch, 0.16, rise=0.35), 0.012)
    add(out, bubble(pitch * 1.7, 0.06), float(voice.rng.uniform(0.05, 0.09)), 0.25)
    return out


def splash(voice: Voice) -> Wave:
    seconds = voice.long(1.6)
    n = samples(seconds)

    def gain(t: Wave, hz: Wave) -> Wave:
        entry = np.exp(-t * 22) / (1 + (hz / 500) ** 2) * 1.4
        crown = np.minimum(t * 25, 1) * np.exp(-t * 4.2) * bump(hz, 2400 / voice.size, 1.1)
        return (entry + 0.55 * crown) * (hz > 40)

    spray = painted(voice.rng, n, gain)
    after = scatter(
        voice.rng, n, 130 * decay(n, seconds * 1.2, attack=0.12), _bubbles(300 / voice.size, 2200 / voice.size)
    )
    return peak(spray + 0.3 * peak(after)) * swell(n, 0.001, 0.3)


def pouring(voice: Voice, n: int) -> Wave:
    """The pitch climbs as the vessel fills."""
    level = np.linspace(0, 1, n, dtype=np.float32)
    gurgle = scatter(voice.rng, n, 120 * voice.rate, _bubbles(500 / voice.size, 1700 / voice.size))
    low, high = 420 / voice.size, 1500 / voice.size

    def gain(t: Wave, hz: Wave) -> Wave:
        center = low * (high / low) ** (t * RATE / n)
        return bump(hz, center, 0.12) + 0.5 * bump(hz, center * 2.9, 0.1) + 0.12 * bump(hz, 3500, 1.0)

    return unit(painted(voice.rng, n, gain)) + 0.6 * unit(gurgle) * (1 - 0.4 * level)


def bubbling(voice: Voice, n: int) -> Wave:
    pool = [bubble(float(hz), 0.11, rise=0.9) for hz in np.geomspace(180, 760, 12) / voice.size]
    return scatter(voice.rng, n, 17 * voice.rate * voice.force, pool, spread=0.5)


def fire(voice: Voice, n: int) -> Wave:
    pops = []
    for _ in range(12):
        m = samples(float(voice.rng.uniform(0.002, 0.02)))
        pops.append(band(voice.rng.standard_normal(m), 900, float(voice.rng.uniform(3000, 12000))) * decay(m, m / RATE))
    crackle = scatter(voice.rng, n, 26 * voice.rate * voice.force, pops, spread=1.3)
    roar = colored(voice.rng, n, (25, -10), (70, 0), (250, -8), (900, -22), (4000, -34), (20000, -60))
    breath = 1 + 0.5 * wander(voice.rng, n, 3)
    hiss = colored(voice.rng, n, (500, -40), (4000, -4), (9000, 0), (20000, -14))
    return crushed(peak(crackle) * 2.5, 2.0) + 0.09 * voice.size * voice.force * roar * breath + 0.012 * hiss


def rumble(voice: Voice, n: int) -> Wave:
    ground = colored(voice.rng, n, (15, -20), (28, 0), (60, -3), (120, -16), (400, -40), (2000, -70))
    shake = 1 + 0.5 * wander(voice.rng, n, 7 * voice.rate)
    stones = [lowpass(modes(2400, ((140, 0.05, 1), (310, 0.03, 0.6), (900, 0.01, 0.3))), 900)]
    return crushed(peak(ground * shake), 2.0) + 0.2 * peak(scatter(voice.rng, n, 14 * voice.force, stones, spread=0.9))


def lava(voice: Voice, n: int) -> Wave:
    blobs = [bubble(float(hz), 0.35, rise=1.2) for hz in np.geomspace(48, 130, 8) / voice.size]
    hiss = colored(voice.rng, n, (1000, -40), (5000, 0), (15000, -8)) * (0.5 + 0.5 * wander(voice.rng, n, 1.3)) ** 2
    return peak(scatter(voice.rng, n, 5 * voice.rate, blobs, spread=0.4)) + 0.02 * hiss


def leaves(voice: Voice, n: int) -> Wave:
    gusts = np.maximum(0.45 + 0.55 * wander(voice.rng, n, 0.7 * voice.rate), 0.05)
    grains = [highpass(colored(voice.rng, 300, (100, 0), (24000, -3)), 1800) * decay(300, 0.006) for _ in range(6)]
    rustle = scatter(voice.rng, n, 520 * voice.force * gusts**2, grains, spread=0.9)
    air = colored(voice.rng, n, (200, -24), (1500, -6), (4500, 0), (10000, -6), (20000, -20))
    return unit(rustle) + 0.5 * air * gusts**2


def steam(voice: Voice) -> Wave:
    n = samples(voice.long(1.6))

    def gain(t: Wave, hz: Wave) -> Wave:
        return np.minimum(t * 30, 1) * (bump(hz, 6000 / voice.size, 1.0) + 0.2 * bump(hz, 1500, 0.8)) * np.exp(-t * 1.2)

    return painted(voice.rng, n, gain) * swell(n, 0.01, 0.25)


def ice_crack(voice: Voice) -> Wave:
    n = samples(voice.long(0.9))
    chirp = tone(glide(n, (0, voice.hz(5200)), (0.08, voice.hz(1500)), (1, voice.hz(500))), n) * decay(n, 0.45)
    snaps = scatter(
        voice.rng,
        n,
        160 * decay(n, 0.5),
        [decay(260, 0.004) * colored(voice.rng, 260, (200, 0), (24000, -9))],
        spread=1.0,
    )
    return peak(0.5 * chirp + peak(snaps)) * swell(n, 0.0005, 0.1)


def avalanche(voice: Voice, n: int) -> Wave:
    grow = line(n, (0, 0.25), (0.6, 1), (1, 0.8))
    slide = colored(voice.rng, n, (25, -4), (60, 0), (300, -6), (1500, -14), (6000, -22), (20000, -40))
    rocks = [modes(3000, ((f, 0.06, 1), (f * 2.3, 0.03, 0.5))) for f in (110, 170, 260, 420)]
    return grow * (
        unit(slide) * (1 + 0.4 * wander(voice.rng, n, 6)) + 0.5 * unit(scatter(voice.rng, n, 40, rocks, spread=0.9))
    )


def night(voice: Voice, n: int) -> Wave:
    """Crickets in a meadow: many chirpers, none in step."""
    out = np.zeros(n, np.float32)
    t = axis(n)
    for _ in range(7):
        hz, rate = voice.hz(4300, 0.08), voice.vary(2.3 * voice.rate, 0.15)
        phase = (t * rate + float(voice.rng.uniform())) % 1.0
        pulses = np.maximum(np.sin(2 * np.pi * 3 * phase / 0.35), 0) * (phase < 0.35)
        out += float(voice.rng.uniform(0.1, 1.0)) ** 2 * tone(hz, n) * pulses
    air = colored(voice.rng, n, (60, -6), (200, 0), (900, -10), (4000, -20), (20000, -50))
    return out + 0.05 * air
