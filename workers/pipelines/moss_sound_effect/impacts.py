"""Impacts, weapons and things that break."""

from collections.abc import Sequence

import numpy as np

from workers.pipelines.moss_sound_effect.signals import (
    RATE,
    Wave,
    add,
    arch,
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
    resonate,
    samples,
    scatter,
    swell,
    tone,
    wander,
    white,
)
from workers.pipelines.moss_sound_effect.voice import Voice

BODIES: dict[str, tuple[float, tuple[float, ...], float, float]] = {
    "wood": (210, (1, 1.83, 2.71, 4.1, 5.6), 0.16, 0.5),
    "metal": (430, (1, 1.52, 2.37, 3.41, 4.83, 6.1, 7.9), 1.4, 0.85),
    "glass": (1250, (1, 1.71, 2.63, 3.9, 5.3), 0.7, 0.7),
    "stone": (520, (1, 1.6, 2.3, 3.7, 5.2), 0.06, 0.7),
    "plastic": (340, (1, 1.9, 3.2, 4.6), 0.09, 0.5),
    "ceramic": (980, (1, 1.66, 2.9, 4.2), 0.28, 0.65),
    "earth": (85, (1, 1.7, 2.6), 0.16, 0.35),
    "paper": (600, (1, 1.4, 2.2), 0.03, 0.5),
    "flesh": (95, (1, 1.6, 2.4), 0.12, 0.4),
}
"""A struck body: lowest partial in Hz, ratios of the partials, seconds to −60 dB of the lowest, level of each next."""
SOFT_GROUND = {"snow", "sand", "grass", "mud", "carpet", "cloth", "leaves"}


def body_of(material: str | None, default: str) -> str:
    """The kind of body a material is."""
    if material in SOFT_GROUND:
        return "earth"
    return {"gravel": "stone", "ice": "glass", "water": "earth"}.get(material or "", material or default)


def strike(voice: Voice, material: str, *, pitch: float = 1.0, ring: float = 1.0, seconds: float | None = None) -> Wave:
    """One stroke on a body: its partials, a little off each time, behind a click of the contact."""
    lowest, ratios, t60, level = BODIES[material]
    lowest = voice.hz(lowest * pitch)
    t60 *= ring * voice.size**0.7
    partials = [
        (
            lowest * voice.vary(ratio, 0.02),
            voice.vary(t60, 0.1) / ratio**0.5,
            voice.vary(level**k, 0.2) * voice.force ** (k * 0.3),
        )
        for k, ratio in enumerate(ratios)
    ]
    n = samples(seconds or max(0.08, t60 * 0.9))
    out = peak(modes(n, partials))
    m = min(n, samples(0.012))
    out[:m] += 0.35 * voice.force * white(voice.rng, m) * decay(m, 0.008)
    return peak(out) * swell(n, 0.0003, n / RATE * 0.3)


def punch(voice: Voice) -> Wave:
    n = samples(voice.long(0.35))
    thump = tone(glide(n, (0, voice.hz(190)), (0.15, voice.hz(75)), (1, voice.hz(50))), n) * decay(n, 0.22)
    smack = band(white(voice.rng, n), 500, 2600) * decay(n, 0.06)
    cloth = band(white(voice.rng, n), 1500, 6000) * decay(n, 0.14, attack=0.01)
    return crushed(peak(thump + 0.45 * voice.force * peak(smack) + 0.06 * peak(cloth)), 2.2) * swell(n, 0.0005, 0.08)


def slap(voice: Voice) -> Wave:
    n = samples(voice.long(0.22))
    skin = highpass(white(voice.rng, n), voice.hz(900)) * decay(n, 0.045)
    flesh = band(white(voice.rng, n), 350, 1100) * decay(n, 0.09)
    return crushed(peak(peak(skin) + 0.5 * peak(flesh)), 2.0) * swell(n, 0.0003, 0.05)


def knock(voice: Voice) -> Wave:
    return strike(voice, body_of(voice.material, "wood"), ring=0.8)


def thud(voice: Voice) -> Wave:
    n = samples(voice.long(0.5))
    out = 0.9 * peak(tone(glide(n, (0, voice.hz(110)), (0.2, voice.hz(62)), (1, voice.hz(45))), n) * decay(n, 0.3))
    body = strike(voice, body_of(voice.material, "earth"))
    add(out, body, 0.0, 0.6)
    bounce = strike(Voice(rng=voice.rng, size=voice.size, force=0.6), body_of(voice.material, "earth"))
    add(out, bounce, float(voice.rng.uniform(0.12, 0.2)), 0.22)
    out += 0.2 * peak(lowpass(white(voice.rng, n), 1200) * decay(n, 0.06))
    return peak(out) * swell(n, 0.0005, 0.12)


def clang(voice: Voice) -> Wave:
    return strike(voice, body_of(voice.material, "metal"), ring=1.25)


def hammer(voice: Voice) -> Wave:
    out = strike(voice, body_of(voice.material, "metal"), pitch=2.4, ring=0.28)
    thump = strike(Voice(rng=voice.rng, size=voice.size, force=voice.force), "wood", pitch=0.7)
    add(out, thump, 0.0, 0.9)
    return peak(out)


def _shards(voice: Voice, n: int, low: float, high: float, per_second: float, fall: float) -> Wave:
    grains = []
    for _ in range(14):
        hz = float(np.exp(voice.rng.uniform(np.log(low), np.log(high)))) / voice.size
        t60 = float(voice.rng.uniform(0.05, 0.28))
        grains.append(modes(samples(t60), ((hz, t60, 1), (hz * 1.63, t60 * 0.7, 0.6), (hz * 2.41, t60 * 0.5, 0.4))))
    return scatter(voice.rng, n, per_second * np.exp(-axis(n) / fall), grains, spread=0.9)


def glass_break(voice: Voice) -> Wave:
    n = samples(voice.long(1.5))
    burst = highpass(white(voice.rng, n), 2200) * decay(n, 0.16)
    blow = strike(voice, "glass", ring=0.3, seconds=0.25)
    out = 0.9 * peak(_shards(voice, n, 2200, 9500, 170 * voice.force, 0.28)) + 0.5 * peak(burst)
    add(out, blow, 0.0, 0.5)
    return peak(crushed(peak(out), 1.5)) * swell(n, 0.0005, 0.3)


def clink(voice: Voice) -> Wave:
    return strike(voice, body_of(voice.material, "glass"), pitch=1.6, ring=1.1)


def pottery(voice: Voice) -> Wave:
    n = samples(voice.long(1.0))
    out = peak(_shards(voice, n, 900, 3800, 70 * voice.force, 0.22))
    add(out, strike(voice, "ceramic", ring=0.5), 0.0, 1.2)
    return peak(out) * swell(n, 0.0005, 0.2)


def wood_break(voice: Voice) -> Wave:
    n = samples(voice.long(0.7))
    snap = [band(white(voice.rng, 500), 400, float(hz)) * decay(500, 0.006) for hz in (2500, 4000, 6500)]
    out = peak(scatter(voice.rng, n, 160 * np.exp(-axis(n) / 0.09), snap, spread=1.0))
    add(out, strike(voice, "wood", pitch=1.3, ring=0.7), 0.01, 0.9)
    return peak(out) * swell(n, 0.0003, 0.1)


def twig(voice: Voice) -> Wave:
    out = strike(voice, "wood", pitch=4.2, ring=0.22, seconds=0.1)
    out += 0.5 * peak(highpass(white(voice.rng, out.size), 2500) * decay(out.size, 0.012))
    return peak(out)


def door_slam(voice: Voice) -> Wave:
    n = samples(voice.long(0.8))
    out = peak(tone(glide(n, (0, voice.hz(105)), (1, voice.hz(55))), n) * decay(n, 0.35))
    add(out, strike(voice, body_of(voice.material, "wood"), pitch=0.62, ring=1.3), 0.0, 0.9)
    out += 0.5 * peak(lowpass(white(voice.rng, n), 1500) * decay(n, 0.09)) * voice.force
    latch = strike(Voice(rng=voice.rng), "metal", pitch=3.5, ring=0.05)
    for at, gain in ((0.012, 0.3), (0.055, 0.14), (0.1, 0.06)):
        add(out, latch, at, gain)
    return crushed(peak(out), 1.8) * swell(n, 0.0005, 0.2)


def creak(voice: Voice) -> Wave:
    """A hinge that sticks and slips: pulses that quicken and slow, ringing the wood."""
    n = samples(voice.long(1.7))
    rate = glide(n, (0, 28), (0.35, 85), (0.6, 60), (0.8, 130), (1, 45)) * voice.rate / voice.size
    rate = rate * (1 + 0.25 * wander(voice.rng, n, 9))
    turns = np.floor(np.cumsum(rate) / RATE)
    pulses = np.diff(turns, prepend=0.0) * voice.rng.uniform(0.5, 1.0, n)
    peaks = [(hz / voice.size, hz / 14, 1.0 / (k + 1)) for k, hz in enumerate((620, 1150, 1900, 2900))]
    return peak(resonate(pulses, *peaks) * line(n, (0, 0.3), (0.3, 1), (0.8, 0.9), (1, 0.2))) * swell(n, 0.03, 0.12)


def explosion(voice: Voice) -> Wave:
    seconds = voice.long(3.4)
    n = samples(seconds)

    def gain(t: Wave, hz: Wave) -> Wave:
        edge = 90 + 2200 * np.exp(-t * 5.5)
        return np.exp(-t * (5.2 / seconds)) / (1 + (hz * voice.size / edge) ** 1.8) * (hz > 18)

    blast = painted(voice.rng, n, gain)
    boom = tone(glide(n, (0, voice.hz(95)), (0.1, voice.hz(44)), (1, voice.hz(24))), n) * decay(n, 1.3)
    crack = white(voice.rng, n) * decay(n, 0.12)
    debris = scatter(
        voice.rng,
        n,
        55 * np.exp(-axis(n) / 0.9) * (axis(n) > 0.25),
        [modes(1500, ((f, 0.04, 1), (f * 2.1, 0.02, 0.6))) for f in (300, 520, 900, 1500)],
        spread=0.9,
    )
    return crushed(peak(1.1 * blast + 0.8 * boom + 0.25 * crack * voice.force + 0.12 * peak(debris)), 3.0) * swell(
        n, 0.0005, seconds * 0.35
    )


def _report(voice: Voice, *, body: float, crack: float, tail: float, bright: float) -> Wave:
    n = samples(voice.long(tail))
    blast = crushed(4 * white(voice.rng, n) * decay(n, crack, attack=0.0002), 2.0)
    thump = tone(glide(n, (0, voice.hz(body * 2.6)), (0.06, voice.hz(body)), (1, voice.hz(body * 0.6))), n) * decay(
        n, crack * 3.2
    )

    def gain(t: Wave, hz: Wave) -> Wave:
        return np.exp(-t * (6.5 / tail)) / (1 + (hz / (300 + bright * np.exp(-t * 9))) ** 1.7) * (hz > 40)

    echo = painted(voice.rng, n, gain)
    return crushed(peak(peak(lowpass(blast, bright * 3)) + 0.75 * thump + 0.3 * echo), 2.4) * swell(
        n, 0.0002, tail * 0.35
    )


def pistol(voice: Voice) -> Wave:
    return _report(voice, body=130, crack=0.06, tail=1.1, bright=3200)


def rifle(voice: Voice) -> Wave:
    out = _report(voice, body=95, crack=0.09, tail=1.9, bright=5200)
    snap = highpass(white(voice.rng, samples(0.03)), 3000) * decay(samples(0.03), 0.012)
    add(out, peak(snap), 0.0, 0.5)
    add(out, lowpass(out[: samples(0.4)], 900), 0.33, 0.22)
    return peak(out)


def shotgun(voice: Voice) -> Wave:
    return _report(voice, body=72, crack=0.16, tail=1.5, bright=1900)


def machine_gun(voice: Voice) -> Wave:
    out = _report(voice, body=110, crack=0.05, tail=0.35, bright=3600)
    add(out, strike(Voice(rng=voice.rng), "metal", pitch=2.6, ring=0.05), 0.035, 0.15)
    return out


def cannon(voice: Voice) -> Wave:
    return _report(voice, body=42, crack=0.3, tail=2.8, bright=900)


def gun_click(voice: Voice) -> Wave:
    """A hammer or a bolt: two small dry strokes of metal."""
    out = np.zeros(samples(0.16), np.float32)
    add(out, strike(voice, "metal", pitch=4.2, ring=0.035, seconds=0.06), 0.0, 1.0)
    add(out, strike(voice, "metal", pitch=6.5, ring=0.03, seconds=0.05), float(voice.rng.uniform(0.012, 0.022)), 0.6)
    return peak(out)


def gun_reload(voice: Voice) -> Wave:
    n = samples(1.0)
    out = np.zeros(n, np.float32)
    for at, pitch, gain in ((0.0, 3.0, 0.7), (0.34, 4.4, 0.6), (0.42, 2.1, 1.0), (0.72, 3.4, 0.6), (0.79, 2.3, 1.0)):
        add(out, strike(voice, "metal", pitch=pitch, ring=0.06, seconds=0.14), at, gain)
    m = samples(0.1)
    add(out, band(white(voice.rng, m), 1800, 6500) * swell(m, 0.02, 0.05), 0.3, 0.06)
    add(out, band(white(voice.rng, m), 1500, 5500) * swell(m, 0.02, 0.05), 0.67, 0.06)
    return peak(out)


def ricochet(voice: Voice) -> Wave:
    n = samples(voice.long(0.9))
    whine = tone(glide(n, (0, voice.hz(3600)), (0.3, voice.hz(2500)), (1, voice.hz(950))), n, (1, 0.3, 0.2)) * decay(
        n, 0.9
    )
    out = whine * (1 + 0.5 * np.sin(2 * np.pi * 34 * axis(n)))
    add(out, strike(voice, "metal", pitch=3, ring=0.05), 0.0, 1.5)
    return peak(out) * swell(n, 0.0005, 0.2)


def crash(voice: Voice) -> Wave:
    """Many things at once: metal, wood and glass, then what rolls on."""
    n = samples(voice.long(2.4))
    out = np.zeros(n, np.float32)
    add(out, explosion(Voice(rng=voice.rng, size=0.7 * voice.size, seconds=0.8)), 0.0, 0.6)
    kinds: Sequence[str] = (voice.material,) if voice.material in BODIES else ("metal", "wood", "metal", "stone")
    for k in range(22):
        at = 0.0 if not k else float(voice.rng.exponential(0.38))
        kind = kinds[int(voice.rng.integers(len(kinds)))]
        add(
            out,
            strike(voice, kind, pitch=float(voice.rng.uniform(0.5, 2.2)), ring=0.45),
            at,
            float(np.exp(-at * 1.6) * voice.rng.uniform(0.2, 0.7)),
        )
    add(out, _shards(voice, n, 2500, 9000, 60, 0.5), 0.03, 0.25)
    return crushed(peak(out), 2.0) * swell(n, 0.0005, 0.5)


def rockfall(voice: Voice) -> Wave:
    n = samples(voice.long(2.6))
    out = np.zeros(n, np.float32)
    for _ in range(34):
        at = float(voice.rng.gamma(2.0, 0.38))
        add(
            out,
            strike(voice, "stone", pitch=float(voice.rng.uniform(0.25, 1.1)), ring=1.2),
            at,
            float(voice.rng.uniform(0.15, 1.0)) * float(np.exp(-at * 0.6)),
        )
    dust = colored(voice.rng, n, (30, 0), (200, -6), (2000, -24), (12000, -50)) * line(n, (0, 0.2), (0.2, 1), (1, 0))
    return peak(peak(out) + 0.12 * dust) * swell(n, 0.002, 0.5)


def sword(voice: Voice) -> Wave:
    n = samples(voice.long(1.3))
    out = np.zeros(n, np.float32)
    add(out, strike(voice, "metal", pitch=3.1, ring=0.9), 0.0, 1.0)
    add(out, strike(voice, "metal", pitch=4.35, ring=0.7), 0.004, 0.7)
    m = samples(0.5)
    scrape = band(white(voice.rng, m), 3500, 9000) * swell(m, 0.03, 0.4)
    add(out, peak(scrape), 0.03, 0.12)
    return peak(out) * swell(n, 0.0005, 0.3)


def sword_draw(voice: Voice) -> Wave:
    n = samples(voice.long(0.9))

    def gain(t: Wave, hz: Wave) -> Wave:
        center = voice.size**-1 * (2800 + 4200 * np.clip(t * RATE / n, 0, 1))
        return np.minimum(t * 6, 1) * (bump(hz, center, 0.12) + 0.6 * bump(hz, center * 1.7, 0.1))

    out = painted(voice.rng, n, gain) * line(n, (0, 0.2), (0.6, 1), (0.66, 0.4), (1, 0))
    add(out, strike(voice, "metal", pitch=5.2, ring=0.5), 0.55, 0.35)
    return peak(out) * swell(n, 0.01, 0.2)


def arrow(voice: Voice) -> Wave:
    out = np.zeros(samples(0.75), np.float32)
    m = samples(0.2)
    add(out, tone(glide(m, (0, 180), (1, 120)), m, (1, 0.5, 0.3, 0.3)) * decay(m, 0.12), 0.0, 0.7)

    def gain(t: Wave, hz: Wave) -> Wave:
        return bump(hz, 2600 - 1800 * t / 0.4, 0.3) * arch(t / 0.42)

    add(out, painted(voice.rng, samples(0.42), gain), 0.03, 0.35)
    add(out, strike(voice, body_of(voice.material, "wood"), pitch=1.2, ring=0.5), 0.46, 1.0)
    return peak(out) * swell(out.size, 0.001, 0.1)


def whip(voice: Voice) -> Wave:
    out = np.zeros(samples(0.6), np.float32)

    def gain(t: Wave, hz: Wave) -> Wave:
        return bump(hz, 500 * 10 ** (t / 0.28), 0.4) * (t / 0.28) ** 2 * (t < 0.28)

    add(out, painted(voice.rng, samples(0.3), gain), 0.0, 0.22)
    m = samples(0.2)
    add(out, crushed(5 * highpass(white(voice.rng, m), 1200) * decay(m, 0.035, attack=0.0002), 1.5), 0.28, 1.0)
    return peak(out) * swell(out.size, 0.005, 0.05)


def firework(voice: Voice) -> Wave:
    n = samples(voice.long(3.2))
    out = np.zeros(n, np.float32)
    m = samples(1.0)
    add(
        out,
        tone(glide(m, (0, 900), (1, 2900)) * (1 + 0.01 * wander(voice.rng, m, 20)), m, (1, 0.2))
        * line(m, (0, 0), (0.2, 0.5), (0.9, 1), (1, 0)),
        0.0,
        0.18,
    )
    add(out, explosion(Voice(rng=voice.rng, size=0.75 * voice.size, seconds=1.4)), 1.12, 1.0)
    pops = [white(voice.rng, 260) * decay(260, 0.005)]
    t = axis(n)
    add(out, scatter(voice.rng, n, 110 * np.exp(-((t - 1.9) ** 2) / 0.25) * (t > 1.3), pops, spread=0.9), 0.0, 0.2)
    return peak(out) * swell(n, 0.01, 0.5)
