"""Motors, tools, appliances, electronics."""

import numpy as np

from workers.pipelines.moss_sound_effect.impacts import body_of, strike
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
    resonate,
    samples,
    saw,
    scatter,
    square,
    swell,
    tone,
    unit,
    wander,
    white,
)
from workers.pipelines.moss_sound_effect.voice import Voice


def combustion(voice: Voice, cycles: Wave, *, cylinders: int, bright: float, noise: float) -> Wave:
    """A piston engine turning `cycles` working cycles a second (a curve): each cylinder fires once a cycle.

    The pulse train of one cycle is a wavetable whose partials stand out at multiples of the cylinder count; the
    partials between, which make the burble, come from cylinders being unequal.
    """
    n = cycles.size
    count = 48
    order = np.arange(1, count + 1)
    own = np.where(order % cylinders == 0, 1.0, 0.16 * voice.rng.uniform(0.3, 1.6, count))
    partials = own / (1 + (order / (cylinders * bright)) ** 2) ** 0.5 * voice.rng.choice((-1, 1), count)
    curve = cycles * (1 + 0.012 * wander(voice.rng, n, 11))
    pulses = crushed(tone(curve, n, partials.round(3)), 1.8)
    firing = 0.5 + 0.5 * tone(curve * cylinders, n)
    breath = colored(voice.rng, n, (40, -10), (200, 0), (1200, -8), (5000, -18), (20000, -40))
    return pulses + noise * breath * firing**2


def engine(voice: Voice, n: int) -> Wave:
    cycles = np.full(n, voice.hz(6.7) * voice.rate) * (1 + 0.02 * wander(voice.rng, n, 0.7))
    raw = combustion(voice, cycles, cylinders=4, bright=1.6, noise=0.12)
    clatter = highpass(raw, 1800)
    return lowpass(raw, 900) + 0.5 * clatter


def motor(voice: Voice, n: int) -> Wave:
    hz = voice.hz(118) * voice.rate * (1 + 0.008 * wander(voice.rng, n, 3))
    hum = tone(hz, n, (1, 0.5, 0.35, 0.1, 0.25, 0.08, 0.05, 0.2))
    whine = tone(hz * 11.07, n, (1, 0.2)) * (1 + 0.2 * tone(hz, n))
    return hum + 0.16 * whine + 0.05 * colored(voice.rng, n, (100, -10), (1500, 0), (8000, -12), (20000, -30))


def drill(voice: Voice, n: int) -> Wave:
    hz = voice.hz(265) * voice.rate * (1 + 0.03 * wander(voice.rng, n, 1.2))
    gear = tone(hz, n, saw(30, 0.8)) + 0.5 * tone(hz * 3.51, n, saw(10, 0.7))
    grit = colored(voice.rng, n, (500, -30), (2500, 0), (7000, -2), (20000, -20)) * (1 + 0.7 * tone(hz * 0.25, n))
    return resonate(gear, (1250, 500, 1.0), (2900, 700, 0.9)) + 0.25 * gear + 0.16 * voice.force * grit


def jackhammer(voice: Voice) -> Wave:
    out = strike(voice, body_of(voice.material, "stone"), pitch=0.5, ring=1.0, seconds=0.09)
    add(out, strike(Voice(rng=voice.rng), "metal", pitch=1.7, ring=0.06), 0.0, 0.5)
    return crushed(peak(out), 2.5)


def chainsaw(voice: Voice, n: int) -> Wave:
    revs = 1 + 0.28 * np.tanh(3 * wander(voice.rng, n, 0.8 * voice.rate))
    raw = combustion(voice, 52 / voice.size * revs, cylinders=2, bright=4.5, noise=0.5)
    return resonate(raw, (480, 300, 1.0), (1500, 700, 0.9), (3300, 1200, 0.6)) + 0.3 * raw


def fan(voice: Voice, n: int) -> Wave:
    blades = voice.hz(24) * voice.rate
    air = colored(voice.rng, n, (40, -14), (150, -2), (400, 0), (1500, -8), (5000, -20), (20000, -50))
    return unit(air) * (1 + 0.18 * tone(blades, n)) + 0.3 * tone(voice.hz(100), n, (1, 0.6, 0.2))


def vacuum(voice: Voice, n: int) -> Wave:
    whine = tone(voice.hz(410) * voice.rate * (1 + 0.004 * wander(voice.rng, n, 2)), n, (1, 0.6, 0.2, 0.35, 0.1))
    air = colored(voice.rng, n, (80, -20), (500, -3), (1600, 0), (4500, -5), (12000, -18), (22000, -40))
    return unit(air) + 0.45 * whine


def blender(voice: Voice, n: int) -> Wave:
    hz = voice.hz(190) * voice.rate * (1 + 0.06 * wander(voice.rng, n, 2.5))
    whine = tone(hz, n, saw(24, 0.7))
    chop = scatter(voice.rng, n, 55, [band(white(voice.rng, 1200), 500, 4000) * decay(1200, 0.02)], spread=0.9)
    return whine + 0.35 * unit(chop) + 0.2 * colored(voice.rng, n, (300, -10), (3000, 0), (15000, -20))


def washing(voice: Voice, n: int) -> Wave:
    t = axis(n)
    turn = np.maximum(np.sin(2 * np.pi * 0.85 * voice.rate * t), -0.2)
    slosh = colored(voice.rng, n, (80, -10), (350, 0), (1400, -10), (6000, -30)) * (0.3 + 0.7 * turn) ** 2
    return unit(slosh) + 0.5 * tone(voice.hz(52), n, (1, 0.6, 0.5, 0.2)) * (0.6 + 0.4 * turn)


def hum(voice: Voice, n: int) -> Wave:
    """Mains: 50 Hz and its even partials."""
    return tone(50.0 * voice.rate / voice.size, n, (0.4, 1, 0.1, 0.6, 0.05, 0.35, 0, 0.2, 0, 0.12)) + 0.03 * colored(
        voice.rng, n, (100, 0), (3000, -6), (20000, -30)
    )


def kettle(voice: Voice) -> Wave:
    """Steam gathers, then the whistle climbs and holds."""
    n = samples(voice.long(3.0))
    hz = voice.hz(2350) * line(n, (0, 0.55), (0.35, 0.9), (0.6, 1), (1, 1.02)) * (1 + 0.004 * wander(voice.rng, n, 18))
    level = line(n, (0, 0), (0.3, 0.25), (0.55, 1), (1, 1))
    steam = highpass(white(voice.rng, n), 1800) * line(n, (0, 0.12), (0.4, 0.3), (1, 0.2))
    return peak((tone(hz, n, (1, 0.25, 0.1)) + 0.6 * tone(hz * 1.19, n, (1, 0.1))) * level + steam) * swell(
        n, 0.1, 0.25
    )


def printer(voice: Voice, n: int) -> Wave:
    """A carriage that goes to and fro: a stepper's buzz for each line, paper feed between."""
    out = np.zeros(n, np.float32)
    line_seconds = 0.62 / voice.rate
    at, there = 0.0, True
    while at < n / RATE:
        m = samples(line_seconds * 0.78)
        step = tone(
            voice.hz(330 if there else 290) * line(m, (0, 0.7), (0.12, 1), (0.88, 1), (1, 0.7)), m, square(14, 0.8)
        )
        add(out, (0.7 * step + 0.25 * white(voice.rng, m) * (1 + step)) * swell(m, 0.02, 0.02), at, 0.6)
        k = samples(line_seconds * 0.16)
        add(out, tone(voice.hz(145), k, saw(20, 0.7)) * swell(k, 0.005, 0.01), at + line_seconds * 0.81, 0.8)
        at, there = at + line_seconds, not there
    return band(out, 200, 7000)


def key_press(voice: Voice) -> Wave:
    out = np.zeros(samples(0.13), np.float32)
    add(out, strike(voice, "plastic", pitch=voice.vary(3.2, 0.12), ring=0.25, seconds=0.05), 0.0, 0.9)
    add(
        out,
        strike(voice, "plastic", pitch=voice.vary(4.6, 0.12), ring=0.2, seconds=0.04),
        float(voice.rng.uniform(0.055, 0.08)),
        0.35,
    )
    return out


def typewriter(voice: Voice) -> Wave:
    out = np.zeros(samples(0.16), np.float32)
    add(out, strike(voice, "metal", pitch=voice.vary(3.0, 0.08), ring=0.08, seconds=0.11), 0.0, 0.8)
    add(out, strike(voice, "wood", pitch=1.7, ring=0.5), 0.001, 0.8)
    add(out, strike(voice, "plastic", pitch=2.6, ring=0.3, seconds=0.04), 0.07, 0.2)
    return out


def sewing(voice: Voice) -> Wave:
    out = np.zeros(samples(0.1), np.float32)
    add(out, strike(voice, "metal", pitch=1.5, ring=0.04, seconds=0.06), 0.0, 0.6)
    add(out, strike(voice, "wood", pitch=1.1, ring=0.35, seconds=0.06), 0.028, 0.8)
    m = samples(0.09)
    add(out, tone(voice.hz(210), m, saw(16)) * swell(m, 0.01, 0.02), 0.0, 0.2)
    return out


def elevator(voice: Voice) -> Wave:
    """A ding, then the doors roll."""
    n = samples(voice.long(2.6))
    out = np.zeros(n, np.float32)
    ding = modes(samples(1.6), ((voice.hz(988), 1.5, 1), (voice.hz(1976), 0.8, 0.25), (voice.hz(2640), 0.5, 0.2)))
    add(out, ding, 0.0, 0.7)
    m = samples(1.2)
    roll = lowpass(white(voice.rng, m), 700) + 1.2 * tone(glide(m, (0, 70), (0.5, 120), (1, 75)), m, saw(12))
    add(out, peak(roll * swell(m, 0.25, 0.3)), 1.0, 0.35)
    add(out, strike(Voice(rng=voice.rng), "metal", pitch=0.4, ring=0.2), 2.2, 0.5)
    return out * swell(n, 0.001, 0.2)


def power_up(voice: Voice) -> Wave:
    n = samples(voice.long(2.2))
    hz = glide(n, (0, voice.hz(45)), (0.7, voice.hz(420)), (1, voice.hz(470)))
    level = line(n, (0, 0.15), (0.7, 1), (1, 0.8))
    return peak(
        (tone(hz, n, saw(30)) + 0.4 * tone(hz * 4.02, n, (1, 0.3)) + 0.08 * white(voice.rng, n)) * level
    ) * swell(n, 0.05, 0.35)


def power_down(voice: Voice) -> Wave:
    n = samples(voice.long(2.0))
    hz = glide(n, (0, voice.hz(460)), (0.3, voice.hz(300)), (1, voice.hz(28)))
    return peak((tone(hz, n, saw(30)) + 0.35 * tone(hz * 4.02, n)) * line(n, (0, 1), (0.6, 0.7), (1, 0.05))) * swell(
        n, 0.01, 0.2
    )


def laser(voice: Voice) -> Wave:
    n = samples(voice.long(0.4))
    hz = glide(n, (0, voice.hz(3800)), (0.25, voice.hz(1300)), (1, voice.hz(180)))
    return crushed(tone(hz, n, saw(16, 0.8)) + 0.3 * tone(hz * 1.5, n), 1.5) * decay(n, 0.6) * swell(n, 0.001, 0.06)


def robot(voice: Voice, n: int) -> Wave:
    """Servos and data chatter."""
    out = np.zeros(n, np.float32)
    at = 0.0
    while at < n / RATE:
        m = samples(float(voice.rng.uniform(0.06, 0.3)) / voice.rate)
        first, last = voice.rng.choice((220, 330, 440, 660, 880, 1320), 2) / voice.size
        if voice.rng.uniform() < 0.45:
            part = resonate(
                tone(glide(m, (0, float(first)), (1, float(last))), m, saw(20, 0.6)), (1400, 300, 1), (2900, 500, 0.6)
            )
        else:
            part = tone(
                np.repeat(voice.rng.choice((523, 784, 1047, 1568, 2093), 8) / voice.size, -(-m // 8))[:m], m, square(9)
            )
        add(out, peak(part) * swell(m, 0.004, 0.01), at, float(voice.rng.uniform(0.4, 0.9)))
        at += m / RATE + float(voice.rng.exponential(0.06)) / voice.rate
    return out


def scifi_door(voice: Voice) -> Wave:
    """Air, a servo's glide, a soft stop."""
    n = samples(voice.long(1.0))

    def gain(t: Wave, hz: Wave) -> Wave:
        return np.minimum(t * 18, 1) * np.exp(-t * 3.4) * bump(hz, 1500 + 4500 * np.exp(-t * 5), 0.7)

    out = painted(voice.rng, n, gain)
    servo = tone(
        glide(n, (0, voice.hz(240)), (0.45, voice.hz(620)), (0.7, voice.hz(260)), (1, voice.hz(200))), n, saw(12)
    )
    out += 0.3 * servo * line(n, (0, 0), (0.1, 1), (0.65, 0.8), (0.72, 0), (1, 0))
    add(out, strike(Voice(rng=voice.rng), "metal", pitch=0.35, ring=0.12), 0.68, 0.6)
    return peak(out) * swell(n, 0.005, 0.2)


def spaceship(voice: Voice, n: int) -> Wave:
    t = axis(n)
    hz = voice.hz(46) * voice.rate
    drone = tone(hz, n, saw(18)) + tone(hz * 1.007, n, saw(18)) + 0.6 * tone(hz * 1.502, n, saw(8))
    pulse = 0.75 + 0.25 * np.sin(2 * np.pi * 0.6 * voice.rate * t)
    return (
        lowpass(drone, 420) * pulse
        + 0.12 * colored(voice.rng, n, (60, -6), (300, 0), (1500, -14), (8000, -40))
        + 0.02 * tone(voice.hz(1210), n) * pulse
    )


def force_field(voice: Voice, n: int) -> Wave:
    hz = voice.hz(120)
    ring = tone(hz, n, saw(24, 0.7)) * tone(hz * 2.37 * (1 + 0.02 * wander(voice.rng, n, 2)), n)
    return (
        resonate(ring, (1700 / voice.size, 220, 1), (3400 / voice.size, 300, 0.7))
        * (1 + 0.5 * tone(7.0 * voice.rate, n))
        + 0.15 * ring
    )


def teleport(voice: Voice) -> Wave:
    n = samples(voice.long(1.8))
    out = np.zeros(n, np.float32)
    for k in range(36):
        m = samples(0.18)
        at = float(voice.rng.uniform(0, 1.2))
        hz = 500 * 2 ** (3 * at / 1.2 + float(voice.rng.uniform(-0.4, 0.4))) / voice.size
        add(out, tone(hz, m, (1, 0.2)) * decay(m, 0.2, attack=0.02), at, 0.4 + 0.02 * k)
    sweep = tone(glide(n, (0, voice.hz(140)), (0.7, voice.hz(1900)), (1, voice.hz(2600))), n) * line(
        n, (0, 0.2), (0.7, 1), (0.85, 0), (1, 0)
    )
    return peak(out + 0.8 * sweep) * swell(n, 0.02, 0.4)


def spark(voice: Voice) -> Wave:
    n = samples(voice.long(0.55))
    arcs = scatter(
        voice.rng,
        n,
        420 * line(n, (0, 1), (0.5, 0.7), (1, 0)),
        [highpass(white(voice.rng, 200), 1500) * decay(200, 0.003)],
        spread=1.1,
    )
    buzz = tone(100.0, n, saw(60, 0.4)) * (wander(voice.rng, n, 30) > -0.1)
    return crushed(peak(peak(arcs) + 0.35 * highpass(buzz, 1200)), 2.0) * swell(n, 0.0005, 0.08)


def electricity(voice: Voice, n: int) -> Wave:
    buzz = highpass(tone(50.0 / voice.size, n, saw(90, 0.35)), 700) * (
        0.5 + 0.5 * np.tanh(5 * wander(voice.rng, n, 14 * voice.rate))
    )
    arcs = scatter(
        voice.rng,
        n,
        60 * voice.force * voice.rate,
        [highpass(white(voice.rng, 240), 2000) * decay(240, 0.004)],
        spread=1.3,
    )
    return 0.5 * buzz + 0.6 * unit(arcs)


def static(voice: Voice, n: int) -> Wave:
    gate = 0.6 + 0.4 * np.tanh(4 * wander(voice.rng, n, 6))
    whistle = tone(1200 * 2 ** (1.2 * wander(voice.rng, n, 0.7)), n) * 0.12
    return band(white(voice.rng, n), 350, 4200) * gate + whistle


def geiger(voice: Voice) -> Wave:
    n = samples(0.02)
    return peak(highpass(white(voice.rng, n), 1800) * decay(n, 0.004, attack=0.0001))


def hand_saw(voice: Voice) -> Wave:
    n = samples(voice.long(0.42))
    teeth = white(voice.rng, n) * (0.5 + 0.5 * tone(glide(n, (0, 60), (0.5, 165), (1, 70)), n)) ** 2
    return peak(resonate(teeth, (1100, 500, 1), (2600, 900, 1.1), (5200, 1500, 0.7))) * line(
        n, (0, 0), (0.3, 1), (0.75, 0.8), (1, 0)
    )


def ratchet(voice: Voice) -> Wave:
    out = np.zeros(samples(0.6), np.float32)
    for k in range(11):
        add(out, strike(voice, "metal", pitch=4.8, ring=0.02, seconds=0.03), k * 0.05, 0.9)
    return out


def microwave(voice: Voice, n: int) -> Wave:
    body = tone(voice.hz(120), n, (1, 0.4, 0.25, 0.15, 0.1)) + 0.2 * colored(
        voice.rng, n, (100, -4), (500, 0), (2500, -16), (20000, -50)
    )
    for k in range(3):
        m = samples(0.28)
        add(body, tone(2000.0, m, (1, 0, 0.15)) * swell(m, 0.004, 0.01), n / RATE - 1.6 + 0.5 * k, 0.8)
    return body
