"""Animals: calls, hooves, wings, shells that rasp."""

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
    colored,
    crushed,
    glide,
    highpass,
    line,
    lowpass,
    painted,
    peak,
    resonate,
    samples,
    saw,
    swell,
    tone,
    wander,
    white,
)
from workers.pipelines.moss_sound_effect.throats import call
from workers.pipelines.moss_sound_effect.voice import Voice


def bark(voice: Voice) -> Wave:
    return call(
        voice, 0.24, ((0, 420), (0.25, 720), (1, 340)), ((0, "o"), (0.3, "a"), (1, "o")),
        level=((0, 0), (0.06, 1), (0.35, 0.7), (1, 0)), breath=0.35, rough=0.55,
    )  # fmt: skip


def growl(voice: Voice) -> Wave:
    return call(
        voice,
        1.6,
        ((0, 62), (0.5, 78), (1, 58)),
        ((0, "o"), (0.5, "ae"), (1, "o")),
        breath=0.25,
        rough=0.75,
        vibrato=(24, 0.12),
    )


def whine(voice: Voice) -> Wave:
    return call(
        voice, 0.7, ((0, 900), (0.4, 1350), (1, 800)), ((0, "i"), (1, "u")), breath=0.05, tilt=1.8, vibrato=(7, 0.02)
    )


def meow(voice: Voice) -> Wave:
    return call(
        voice, 0.95, ((0, 480), (0.3, 760), (0.6, 700), (1, 430)), ((0, "i"), (0.25, "ae"), (0.6, "a"), (1, "u")),
        scale=1.35, breath=0.06,
    )  # fmt: skip


def purr(voice: Voice, n: int) -> Wave:
    breathing = 0.6 + 0.4 * np.sin(2 * np.pi * 0.55 * voice.rate * axis(n))
    pulses = np.maximum(tone(voice.hz(25), n, saw(6)), 0) ** 2
    return (
        lowpass(white(voice.rng, n), 700) * pulses * breathing + 0.4 * tone(voice.hz(25), n, saw(12, 0.7)) * breathing
    )


def chirp(voice: Voice) -> Wave:
    """A songbird's phrase: a few syllables, each a quick bend between 2.5 and 6.5 kHz."""
    out = np.zeros(samples(0.9), np.float32)
    at, motif = 0.0, int(voice.rng.integers(3))
    base = voice.hz(3900, 0.1)
    for k in range(int(voice.rng.integers(3, 6))):
        m = samples(float(voice.rng.uniform(0.06, 0.14)))
        shape = (
            ((0, 0.8), (0.5, 1.45), (1, 0.9)),
            ((0, 1.35), (1, 0.8)),
            ((0, 0.85), (0.3, 1.2), (0.6, 0.95), (1, 1.3)),
        )[(motif + k // 2) % 3]
        hz = glide(m, *((where, base * value) for where, value in shape))
        if motif == 2:
            hz = hz * (1 + 0.06 * np.sin(2 * np.pi * 42 * axis(m)))
        add(out, tone(hz, m, (1, 0.08)) * swell(m, 0.012, 0.03), at, 0.9)
        at += m / RATE + float(voice.rng.uniform(0.03, 0.07)) / voice.rate
        if at > 0.75:
            break
    return out


def caw(voice: Voice) -> Wave:
    return call(
        voice, 0.38, ((0, 480), (0.3, 560), (1, 430)), ((0, "ae"), (0.4, "a"), (1, "a")), scale=1.45,
        breath=0.3, rough=0.8, level=((0, 0), (0.08, 1), (0.7, 0.8), (1, 0)),
    )  # fmt: skip


def hoot(voice: Voice) -> Wave:
    """hoo, hu-hu, hooo."""
    out = np.zeros(samples(2.2), np.float32)
    base = voice.hz(365)
    for at, seconds, pitch in ((0.0, 0.32, 1.0), (0.62, 0.14, 1.03), (0.82, 0.14, 1.03), (1.12, 0.75, 0.98)):
        m = samples(seconds)
        note = tone(base * pitch * line(m, (0, 0.94), (0.25, 1), (1, 0.95)), m, (1, 0.18, 0.06))
        add(out, (note + 0.05 * band(white(voice.rng, m), 250, 700)) * swell(m, 0.05, 0.08), at)
    return out


def crow_of_rooster(voice: Voice) -> Wave:
    out = np.zeros(samples(2.0), np.float32)
    syllables = (
        (0.0, 0.2, ((0, 520), (1, 700)), "o"),
        (0.25, 0.17, ((0, 750), (1, 820)), "o"),
        (0.46, 0.3, ((0, 800), (0.5, 1020), (1, 900)), "ae"),
        (0.8, 1.1, ((0, 900), (0.15, 1130), (0.6, 980), (1, 560)), "u"),
    )
    for at, seconds, pitch, vowel in syllables:
        part = call(voice, seconds, pitch, ((0, vowel), (1, "a")), scale=1.6, breath=0.1, rough=0.25)
        add(out, part, at)
    return out


def cluck(voice: Voice) -> Wave:
    return call(
        voice,
        0.13,
        ((0, 420), (0.5, 620), (1, 480)),
        ((0, "o"), (1, "a")),
        scale=1.6,
        breath=0.15,
        rough=0.35,
        level=((0, 0), (0.15, 1), (0.4, 0.5), (1, 0)),
    )


def moo(voice: Voice) -> Wave:
    return call(
        voice, 1.9, ((0, 115), (0.25, 155), (0.7, 150), (1, 105)), ((0, "u"), (0.3, "o"), (0.6, "a"), (1, "u")),
        scale=0.72, breath=0.05, rough=0.15, level=((0, 0), (0.2, 0.8), (0.6, 1), (1, 0)),
    )  # fmt: skip


def baa(voice: Voice) -> Wave:
    return call(
        voice,
        1.0,
        ((0, 330), (0.2, 370), (1, 310)),
        ((0, "ae"), (1, "e")),
        scale=1.1,
        breath=0.1,
        rough=0.2,
        vibrato=(9, 0.09),
    )


def oink(voice: Voice) -> Wave:
    return call(
        voice,
        0.32,
        ((0, 130), (0.4, 230), (1, 110)),
        ((0, "u"), (0.4, "ae"), (1, "o")),
        scale=0.9,
        breath=1.2,
        rough=0.9,
    )


def neigh(voice: Voice) -> Wave:
    return call(
        voice, 1.9, ((0, 760), (0.12, 1250), (0.45, 980), (1, 420)), ((0, "i"), (0.3, "e"), (1, "a")), scale=0.9,
        breath=0.15, rough=0.35, vibrato=(13, 0.08), level=((0, 0), (0.08, 1), (0.6, 0.8), (1, 0)),
    )  # fmt: skip


def hoof(voice: Voice) -> Wave:
    ground = voice.material or "earth"
    if ground in {"stone", "wood", "metal"}:
        return strike(voice, ground, pitch=1.3 if ground == "stone" else 0.8, ring=0.7)
    out = strike(voice, "wood", pitch=0.75, ring=0.35, seconds=0.11)
    thump = strike(voice, "earth", ring=0.7, seconds=0.11)
    return peak(0.7 * out + thump)


def ribbit(voice: Voice) -> Wave:
    out = np.zeros(samples(0.48), np.float32)
    for at, seconds, rate, top in ((0.0, 0.14, 62, 1.0), (0.18, 0.28, 74, 1.25)):
        m = samples(seconds)
        pulses = np.maximum(tone(voice.hz(rate), m, saw(5)), 0) ** 2
        croak = resonate(
            pulses * white(voice.rng, m) + pulses,
            (560 * top / voice.size, 130, 1),
            (1500 * top / voice.size, 250, 0.9),
            (2600 / voice.size, 400, 0.3),
        )
        add(out, peak(croak) * line(m, (0, 0), (0.4, 1), (0.9, 0.8), (1, 0)), at)
    return out


def cricket(voice: Voice) -> Wave:
    out = np.zeros(samples(0.16), np.float32)
    hz = voice.hz(4600, 0.02)
    for k in range(3):
        m = samples(0.03)
        add(out, tone(hz, m, (1, 0.1)) * arch(np.arange(m) / m), k * 0.042)
    return out


def cicada(voice: Voice, n: int) -> Wave:
    buzz = band(white(voice.rng, n), 4800 / voice.size, 7600 / voice.size, 3)
    rasp = np.maximum(tone(voice.hz(110) * voice.rate, n, saw(5)), 0)
    return buzz * rasp * (0.75 + 0.25 * wander(voice.rng, n, 0.8)) * (0.7 + 0.3 * np.sin(2 * np.pi * 4 * axis(n)))


def bee(voice: Voice, n: int) -> Wave:
    hz = voice.hz(205) * voice.rate**0.5 * (1 + 0.09 * wander(voice.rng, n, 1.7) + 0.01 * wander(voice.rng, n, 24))
    near = 0.55 + 0.45 * wander(voice.rng, n, 0.9)
    return resonate(tone(hz, n, saw(30, 0.7)), (480, 300, 0.8), (1600, 600, 1), (3500, 900, 0.5)) * near


def mosquito(voice: Voice, n: int) -> Wave:
    hz = voice.hz(620) * (1 + 0.07 * wander(voice.rng, n, 1.4) + 0.008 * wander(voice.rng, n, 20))
    return tone(hz, n, (1, 0.5, 0.5, 0.25, 0.2, 0.1)) * (0.25 + 0.75 * (0.5 + 0.5 * wander(voice.rng, n, 0.7)) ** 2)


def fly(voice: Voice, n: int) -> Wave:
    buzzing = np.tanh(6 * (wander(voice.rng, n, 1.1 * voice.rate) + 0.25)) * 0.5 + 0.5
    hz = voice.hz(168) * (1 + 0.18 * wander(voice.rng, n, 3.5))
    return highpass(tone(hz, n, saw(40, 0.6)), 400) * buzzing + 0.004 * white(voice.rng, n)


def howl(voice: Voice) -> Wave:
    return call(
        voice, 3.2, ((0, 290), (0.12, 480), (0.25, 640), (0.7, 600), (1, 380)), ((0, "u"), (0.3, "o"), (1, "u")),
        breath=0.03, tilt=1.5, vibrato=(4.5, 0.012), level=((0, 0), (0.15, 0.8), (0.6, 1), (1, 0)),
    )  # fmt: skip


def roar(voice: Voice) -> Wave:
    return call(
        voice, 2.3, ((0, 85), (0.25, 135), (0.7, 105), (1, 60)), ((0, "o"), (0.3, "a"), (0.8, "o"), (1, "u")),
        scale=0.62, breath=0.5, rough=0.85, vibrato=(17, 0.1), level=((0, 0), (0.15, 1), (0.6, 0.8), (1, 0)),
    )  # fmt: skip


def monster(voice: Voice) -> Wave:
    deep = roar(
        Voice(rng=voice.rng, size=1.9 * voice.size, seconds=voice.seconds, force=voice.force, spread=voice.spread)
    )
    n = deep.size
    shriek = tone(glide(n, (0, 300), (0.3, 520), (1, 180)), n, saw(20, 0.8)) * white(voice.rng, n)
    return crushed(peak(deep + 0.25 * band(shriek, 500, 3000) * line(n, (0, 0), (0.2, 1), (1, 0))), 2.6) * swell(
        n, 0.01, 0.2
    )


def hiss(voice: Voice) -> Wave:
    n = samples(voice.long(1.4))

    def gain(t: Wave, hz: Wave) -> Wave:
        return bump(hz, 7200 / voice.size, 0.42) + 0.15 * bump(hz, 3800 / voice.size, 0.3)

    return painted(voice.rng, n, gain) * line(n, (0, 0), (0.12, 1), (0.6, 0.75), (1, 0))


def rattlesnake(voice: Voice, n: int) -> Wave:
    shakes = np.maximum(tone(voice.hz(58) * voice.rate, n, saw(4)), 0) ** 1.5
    return band(white(voice.rng, n), 4500, 13000) * shakes * (0.75 + 0.25 * wander(voice.rng, n, 1.5))


def quack(voice: Voice) -> Wave:
    return call(
        voice,
        0.21,
        ((0, 240), (0.3, 270), (1, 205)),
        ((0, "ae"), (1, "a")),
        scale=1.25,
        breath=0.12,
        rough=0.6,
        tilt=0.6,
    )


def gull(voice: Voice) -> Wave:
    return call(
        voice,
        0.55,
        ((0, 950), (0.2, 1550), (0.6, 1350), (1, 850)),
        ((0, "i"), (0.3, "ae"), (1, "a")),
        scale=1.4,
        breath=0.08,
        rough=0.35,
    )


def screech(voice: Voice) -> Wave:
    return call(
        voice, 1.1, ((0, 2400), (0.15, 3100), (1, 1900)), ((0, "i"), (1, "e")), scale=1.3, breath=0.3, rough=0.5
    )


def coo(voice: Voice) -> Wave:
    return call(
        voice,
        0.85,
        ((0, 350), (0.35, 480), (0.6, 420), (1, 360)),
        ((0, "u"), (1, "u")),
        breath=0.03,
        tilt=2.2,
        vibrato=(26, 0.05),
    )


def woodpecker(voice: Voice) -> Wave:
    out = np.zeros(samples(0.85), np.float32)
    for k in range(14):
        add(out, strike(voice, "wood", pitch=3.0, ring=0.25, seconds=0.06), k / 19, 0.9 - 0.035 * k)
    return out


def trumpet_of_elephant(voice: Voice) -> Wave:
    return call(
        voice, 1.5, ((0, 320), (0.12, 560), (0.5, 640), (1, 380)), ((0, "ae"), (1, "a")), scale=0.95,
        breath=0.12, rough=0.5, tilt=0.55, vibrato=(21, 0.03),
    )  # fmt: skip


def monkey(voice: Voice) -> Wave:
    out = np.zeros(samples(1.5), np.float32)
    for k in range(6):
        part = call(
            voice,
            0.15,
            ((0, 330 + 70 * k), (0.5, 480 + 90 * k), (1, 360 + 60 * k)),
            ((0, "u"), (1, "a" if k > 3 else "u")),
            breath=0.15,
            rough=0.1,
        )
        add(out, part, k * 0.22, 0.5 + 0.1 * k)
    return out


def whale(voice: Voice) -> Wave:
    n = samples(voice.long(4.0))
    hz = glide(
        n, (0, voice.hz(170)), (0.25, voice.hz(310)), (0.5, voice.hz(240)), (0.75, voice.hz(520)), (1, voice.hz(190))
    )
    song = tone(hz * (1 + 0.01 * np.sin(2 * np.pi * 5 * axis(n))), n, (1, 0.4, 0.2, 0.1))
    return peak(
        song * line(n, (0, 0), (0.15, 1), (0.5, 0.6), (0.8, 0.9), (1, 0)) + 0.03 * lowpass(white(voice.rng, n), 300)
    )


def wings(voice: Voice) -> Wave:
    n = samples(0.13)
    flap = colored(voice.rng, n, (40, -8), (180, 0), (900, -6), (4000, -16), (20000, -40))
    return peak(flap * arch(np.arange(n) / n) ** 2)


def squeak(voice: Voice) -> Wave:
    n = samples(voice.long(0.12))
    return tone(glide(n, (0, voice.hz(4600)), (0.4, voice.hz(6200)), (1, voice.hz(4300))), n, (1, 0.3)) * swell(
        n, 0.01, 0.04
    )
