"""Things that drive, fly, sail."""

import numpy as np

from workers.pipelines.moss_sound_effect.impacts import strike
from workers.pipelines.moss_sound_effect.machines import combustion
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
    swell,
    tone,
    unit,
    wander,
    white,
)
from workers.pipelines.moss_sound_effect.voice import Voice

SOUND_SPEED = 343.0


def _passing(n: int, speed: float, closest: float) -> tuple[Wave, Wave]:
    """What a source on a straight road does to its sound: (pitch factor, level), nearest in the middle.

    `speed` in m/s, `closest` in m. Doppler factor c / (c + v_r) with v_r the speed away from the listener.
    """
    along = (axis(n) - n / RATE / 2) * speed
    distance = np.sqrt(along**2 + closest**2)
    away = speed * along / distance
    return SOUND_SPEED / (SOUND_SPEED + away), closest / distance


def car_pass(voice: Voice) -> Wave:
    n = samples(voice.long(4.0))
    pitch, level = _passing(n, 20.0 * voice.rate, 5.5)
    tires = colored(voice.rng, n, (60, -16), (250, -6), (900, 0), (2200, -6), (6000, -18), (20000, -45))
    motor = combustion(voice, 15 / voice.size * pitch * voice.rate**0.5, cylinders=4, bright=1.8, noise=0.1)
    near = highpass(tires, 1500) * level**2
    return peak((unit(tires) + 0.6 * motor) * level + 0.6 * near) * swell(n, 0.5, 0.5)


def race_car(voice: Voice) -> Wave:
    n = samples(voice.long(3.0))
    pitch, level = _passing(n, 62.0 * voice.rate, 9.0)
    motor = combustion(voice, 62 / voice.size * pitch, cylinders=6, bright=3.0, noise=0.25)
    return peak(motor * level**0.8) * swell(n, 0.4, 0.5)


def train(voice: Voice, n: int) -> Wave:
    """Rolling on jointed rails: da-dum, da-dum."""
    roll = colored(voice.rng, n, (30, -6), (80, 0), (300, -4), (1200, -13), (5000, -26), (20000, -50))
    out = 0.5 * unit(roll) * (1 + 0.2 * wander(voice.rng, n, 3))
    clacks = [
        0.7 * strike(voice, "metal", pitch=0.55, ring=0.12, seconds=0.16)
        + strike(voice, "earth", ring=1.2, seconds=0.16)
        for _ in range(4)
    ]
    every = 0.82 / voice.rate
    for k in range(int(n / RATE / every) + 1):
        for offset, gain in ((0.0, 1.0), (0.13, 0.9), (0.4, 0.45), (0.53, 0.4)):
            add(
                out,
                clacks[int(voice.rng.integers(4))],
                k * every + offset / voice.rate,
                3.6 * gain * voice.vary(1, 0.06),
            )
    return out + 0.05 * highpass(white(voice.rng, n), 3000) * (0.5 + 0.5 * wander(voice.rng, n, 2)) ** 3


def steam_train(voice: Voice) -> Wave:
    """One chuff."""
    n = samples(0.34)

    def gain(t: Wave, hz: Wave) -> Wave:
        return np.minimum(t * 60, 1) * np.exp(-t * 13) * (bump(hz, 420 / voice.size, 0.9) + 0.5 * bump(hz, 2200, 0.9))

    return painted(voice.rng, n, gain, frame=512) * swell(n, 0.004, 0.08)


def train_whistle(voice: Voice) -> Wave:
    n = samples(voice.long(1.8))
    bend = line(n, (0, 0.93), (0.08, 1), (0.9, 1), (1, 0.95))
    chord = sum(
        tone(voice.hz(hz, 0.01) * bend * (1 + 0.004 * wander(voice.rng, n, 12)), n, (1, 0.5, 0.3, 0.15))
        for hz in (440.0, 523.3, 622.3, 740.0)
    )
    return peak(np.asarray(chord) + 0.8 * band(white(voice.rng, n), 500, 3500)) * swell(n, 0.06, 0.2)


def helicopter(voice: Voice, n: int) -> Wave:
    rate = voice.vary(11.5, 0.03) * voice.rate
    phase = (axis(n) * rate) % 1.0
    chop = np.exp(-((phase - 0.25) ** 2) / 0.011)
    wash = colored(voice.rng, n, (25, -4), (70, 0), (250, -5), (900, -13), (3500, -22), (20000, -45))
    whine = tone(voice.hz(1460), n, (1, 0.3)) + 0.6 * tone(voice.hz(2190), n)
    return unit(wash) * (0.18 + 1.6 * chop) + 0.9 * tone(rate * 2, n, (1, 0.7, 0.5, 0.3, 0.2)) * chop + 0.05 * whine


def propeller(voice: Voice, n: int) -> Wave:
    hz = voice.hz(39) * voice.rate * (1 + 0.006 * wander(voice.rng, n, 0.8))
    prop = tone(hz, n, saw(40, 0.75)) + tone(hz * 1.013, n, saw(40, 0.75))
    return lowpass(prop, 1500) + 0.18 * colored(voice.rng, n, (60, -6), (300, 0), (2000, -12), (20000, -40))


def jet(voice: Voice, n: int) -> Wave:
    def gain(t: Wave, hz: Wave) -> Wave:
        wave = 1 + 0.12 * np.sin(2 * np.pi * 0.35 * voice.rate * t)
        return (
            wave
            * (1 / (1 + (hz * voice.size / 420) ** 1.25) + 0.2 * bump(hz, 3100, 0.1) + 0.1 * bump(hz, 4700, 0.1))
            * (hz > 25)
        )

    roar = painted(voice.rng, n, gain)
    return roar * (1 + 0.15 * wander(voice.rng, n, 6)) + 0.06 * tone(voice.hz(2850), n, (1, 0.2)) * (
        1 + 0.3 * wander(voice.rng, n, 3)
    )


def jet_flyby(voice: Voice) -> Wave:
    n = samples(voice.long(4.5))
    _, level = _passing(n, 130.0 * voice.rate, 90.0)
    late = np.roll(level, samples(0.25))
    late[: samples(0.25)] = level[0]

    def gain(t: Wave, hz: Wave) -> Wave:
        index = np.minimum((t * RATE).astype(int), n - 1)
        return level[index] * bump(hz, 2600 * level[index] + 300, 0.9) * 0.5 + late[index] ** 1.5 / (
            1 + (hz / 260) ** 1.2
        ) * (hz > 22)

    return painted(voice.rng, n, gain) * swell(n, 0.6, 0.9)


def rocket(voice: Voice) -> Wave:
    n = samples(voice.long(4.5))

    def gain(t: Wave, hz: Wave) -> Wave:
        age = t / (n / RATE)
        return np.minimum(t * 3, 1) * (1 - 0.75 * age) / (1 + (hz * voice.size / (900 - 650 * age)) ** 1.2) * (hz > 18)

    crackle = 1 + 0.7 * np.tanh(4 * wander(voice.rng, n, 70))
    return crushed(painted(voice.rng, n, gain) * crackle, 2.0) * swell(n, 0.08, 1.0)


def motorcycle(voice: Voice, n: int) -> Wave:
    cycles = voice.hz(10.5) * voice.rate * (1 + 0.35 * np.tanh(2.5 * wander(voice.rng, n, 0.6)))
    raw = combustion(voice, cycles, cylinders=2, bright=4.0, noise=0.3)
    return resonate(raw, (120, 90, 0.8), (340, 200, 0.9), (900, 400, 0.5)) + 0.35 * raw


def tractor(voice: Voice, n: int) -> Wave:
    cycles = np.full(n, voice.hz(5.2) * voice.rate)
    raw = combustion(voice, cycles, cylinders=2, bright=7.0, noise=0.5)
    return resonate(raw, (85, 60, 1.0), (220, 120, 0.6), (520, 200, 0.4)) + 0.15 * raw


def truck(voice: Voice, n: int) -> Wave:
    raw = combustion(voice, np.full(n, voice.hz(4.6) * voice.rate), cylinders=6, bright=1.5, noise=0.25)
    return lowpass(raw, 420) + 0.25 * highpass(raw, 900) + 0.4 * tone(voice.hz(27), n, (1, 0.5, 0.3))


def engine_start(voice: Voice) -> Wave:
    """The starter turns over, the engine catches, revs, settles."""
    n = samples(voice.long(3.0))
    seconds = n / RATE
    out = np.zeros(n, np.float32)
    m = samples(min(0.95, seconds * 0.4))
    crank = tone(glide(m, (0, 95), (1, 120)), m, saw(24)) * (0.55 + 0.45 * tone(8.5 * voice.rate, m))
    add(out, crank * swell(m, 0.02, 0.05), 0.0, 0.5)
    k = n - m
    cycles = glide(k, (0, 4), (0.12, 15), (0.35, 9), (1, 7)) / voice.size
    run = combustion(voice, cycles, cylinders=4, bright=2.0, noise=0.15)
    add(out, run * line(k, (0, 0.5), (0.1, 1), (0.4, 0.75), (1, 0.7)), m / RATE, 0.8)
    return lowpass(out, 3500) * swell(n, 0.005, 0.3)


def tires(voice: Voice) -> Wave:
    n = samples(voice.long(1.5))
    hz = voice.hz(920) * (1 + 0.05 * wander(voice.rng, n, 9)) * line(n, (0, 1.1), (0.7, 1), (1, 0.8))
    squeal = tone(hz, n, (1, 0.5, 0.4, 0.2)) + 0.5 * tone(hz * 1.34, n, (1, 0.4))
    return peak(squeal * (0.7 + 0.3 * wander(voice.rng, n, 25)) + 0.3 * band(white(voice.rng, n), 700, 3500)) * line(
        n, (0, 0), (0.08, 1), (0.8, 0.8), (1, 0)
    )


def car_horn(voice: Voice) -> Wave:
    n = samples(voice.long(0.65))
    horn = tone(voice.hz(415, 0.01), n, saw(26, 0.6)) + tone(voice.hz(512, 0.01), n, saw(22, 0.6))
    return peak(resonate(horn, (1600, 600, 1), (2900, 900, 0.8)) + 0.5 * horn) * swell(n, 0.012, 0.03)


def boat_horn(voice: Voice) -> Wave:
    n = samples(voice.long(2.6))
    hz = voice.hz(112, 0.02) * line(n, (0, 0.9), (0.06, 1), (0.95, 1), (1, 0.94))
    blast = tone(hz, n, saw(26, 0.8)) + 0.7 * tone(hz * 1.004, n, saw(20, 0.8)) + 0.04 * white(voice.rng, n)
    return peak(lowpass(blast, 1400)) * swell(n, 0.12, 0.4)


def bicycle_bell(voice: Voice) -> Wave:
    """dring-dring."""
    out = np.zeros(samples(1.5), np.float32)
    hz = voice.hz(2480)
    cup = modes(samples(0.8), ((hz, 0.8, 1), (hz * 1.003, 0.8, 0.7), (hz * 2.51, 0.4, 0.4), (hz * 4.3, 0.2, 0.2)))
    for first in (0.0, 0.42):
        for k in range(6):
            add(out, cup, first + k * 0.042, 0.6 + 0.05 * k)
    return peak(out) * swell(out.size, 0.0005, 0.3)


def tram_bell(voice: Voice) -> Wave:
    n = samples(voice.long(1.0))
    hz = voice.hz(830)
    return peak(modes(n, ((hz, 1.0, 1), (hz * 1.52, 0.6, 0.6), (hz * 2.64, 0.5, 0.5), (hz * 4.1, 0.25, 0.3)))) * swell(
        n, 0.0005, 0.25
    )


def reverse_beep(voice: Voice) -> Wave:
    n = samples(voice.long(0.42))
    return tone(voice.hz(1250, 0.0), n, (1, 0.1, 0.3, 0.05, 0.1)) * swell(n, 0.006, 0.01)


def sonar(voice: Voice) -> Wave:
    n = samples(voice.long(2.0))
    ping = tone(voice.hz(1480, 0.01), n, (1, 0.05)) * decay(n, 1.9, attack=0.006)
    return ping * swell(n, 0.004, 0.5)


def ship_creak(voice: Voice) -> Wave:
    n = samples(voice.long(2.2))
    rate = glide(n, (0, 14), (0.4, 38), (0.7, 24), (1, 48)) / voice.size * (1 + 0.3 * wander(voice.rng, n, 6))
    slips = np.diff(np.floor(np.cumsum(rate) / RATE), prepend=0.0) * voice.rng.uniform(0.4, 1.0, n)
    return peak(resonate(slips, (190, 24, 1), (410, 40, 0.8), (760, 70, 0.4))) * line(
        n, (0, 0), (0.3, 1), (0.8, 0.7), (1, 0)
    )


def bicycle(voice: Voice, n: int) -> Wave:
    """A freewheel's ticking."""
    rate = voice.vary(22, 0.05) * voice.rate * (1 + 0.1 * wander(voice.rng, n, 0.6))
    ticks = np.diff(np.floor(np.cumsum(rate) / RATE), prepend=0.0) * voice.rng.uniform(0.7, 1.0, n)
    return peak(resonate(ticks, (3300, 500, 1), (5400, 900, 0.8))) + 0.025 * colored(
        voice.rng, n, (200, 0), (2000, -6), (20000, -30)
    )


def traffic(voice: Voice, n: int) -> Wave:
    """A city's road from a window: a bed of tyres, cars that come and go."""
    bed = colored(voice.rng, n, (30, -4), (80, 0), (300, -6), (1000, -10), (3000, -22), (20000, -50))
    out = unit(bed) * (1 + 0.2 * wander(voice.rng, n, 0.8))
    cars = [car_pass(Voice(rng=voice.rng, size=size, rate=rate)) for size, rate in ((1.0, 0.9), (1.35, 0.65))]
    at = float(voice.rng.uniform(-2, 0))
    while at < n / RATE:
        car = cars[int(voice.rng.integers(2))]
        skipped = samples(-at) if at < 0 else 0
        add(out, car[skipped:], max(at, 0.0), float(voice.rng.uniform(1.0, 3.0)))
        at += float(voice.rng.uniform(1.5, 4.0)) / (voice.rate * voice.force)
    return out


def skateboard(voice: Voice, n: int) -> Wave:
    roll = colored(voice.rng, n, (100, -10), (500, 0), (1800, -3), (6000, -14), (20000, -40)) * (
        1 + 0.3 * wander(voice.rng, n, 30)
    )
    out = unit(roll)
    for k in range(int(n / RATE / 0.7 * voice.rate) + 1):
        for offset in (0.0, 0.09):
            add(out, strike(voice, "wood", pitch=1.2, ring=0.3), k * 0.7 / voice.rate + offset, 2.0)
    return out
