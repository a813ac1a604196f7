"""People, their bodies, their hands, their steps; bells and instruments."""

import numpy as np
from scipy import fft

from workers.pipelines.moss_sound_effect.impacts import BODIES, strike
from workers.pipelines.moss_sound_effect.signals import (
    RATE,
    Wave,
    add,
    arch,
    axis,
    band,
    bump,
    colored,
    decay,
    glide,
    highpass,
    line,
    modes,
    painted,
    peak,
    resonate,
    samples,
    saw,
    scatter,
    swell,
    tone,
    unit,
    wander,
    white,
)
from workers.pipelines.moss_sound_effect.throats import VOWELS, call
from workers.pipelines.moss_sound_effect.voice import Voice
from workers.pipelines.moss_sound_effect.weather import bubble

HARD_FLOORS = {"wood", "metal", "glass", "stone", "plastic", "ceramic"}


SOFT_FLOORS: dict[str, tuple[float, float, float, float, float]] = {
    "gravel": (900, 7000, 420, 0.006, 0.16),
    "snow": (1400, 5200, 900, 0.004, 0.2),
    "leaves": (2200, 11000, 520, 0.004, 0.2),
    "sand": (500, 4200, 1500, 0.004, 0.2),
    "grass": (1800, 7500, 650, 0.005, 0.15),
    "ice": (2600, 12000, 260, 0.006, 0.12),
    "mud": (150, 1400, 260, 0.02, 0.2),
    "water": (400, 5200, 600, 0.01, 0.2),
    "carpet": (90, 700, 500, 0.01, 0.1),
    "paper": (1500, 9000, 500, 0.004, 0.14),
    "earth": (250, 2600, 500, 0.006, 0.12),
}
"""What crunches underfoot: band in Hz, grains a second, seconds of a grain, seconds that the foot presses."""


def clap(voice: Voice) -> Wave:
    n = samples(0.14)
    center = voice.hz(1350, 0.2)
    hands = band(white(voice.rng, n), center * 0.55, center * 1.9, 1) * decay(n, 0.045, attack=0.0004)
    return peak(hands) * swell(n, 0.0002, 0.03)


def applause(voice: Voice, n: int) -> Wave:
    hands = [clap(voice)[:3000] for _ in range(12)]
    return scatter(voice.rng, n, 230 * voice.force * voice.rate, hands, spread=0.7)


_THIRD = 3
"""Speech is made at a third of the rate: it holds nothing above 6 kHz."""


def _babble(voice: Voice, n: int, *, people: int, pitch: float, syllables: float) -> Wave:
    """Many speaking at once: each has a pitch, a rhythm and vowels of its own; no words. Shape (2, n)."""
    m = -(-n // _THIRD)
    names = ("a", "e", "i", "o", "u")
    buses = np.zeros((2, len(names), m), np.float32)
    for person in range(people):
        hz = voice.hz(pitch * float(voice.rng.choice((1.0, 1.15, 1.7, 1.9))), 0.12)
        curve = (
            hz * _THIRD * (1 + 0.12 * wander(voice.rng, m, 2.5 * _THIRD) + 0.008 * wander(voice.rng, m, 45 * _THIRD))
        )
        source = tone(curve, m, saw(40))
        at = 0
        while at < m:
            length = max(240, round(float(voice.rng.gamma(5, 0.2 / syllables)) * RATE / _THIRD))
            piece = source[at : at + length]
            if voice.rng.uniform() < 0.78:
                shaped = piece * arch(np.arange(piece.size, dtype=np.float32) / length) ** 0.6
                buses[
                    person % 2 if people > 1 else slice(None), int(voice.rng.integers(len(names))), at : at + length
                ] += shaped
            at += length
    size = fft.next_fast_len(m, real=True)
    bins = np.arange(size // 2 + 1, dtype=np.float32) * (RATE / _THIRD / size)
    throats = np.stack([sum(g / (1 + ((bins - f) / w) ** 2) for f, w, g in VOWELS[name][:3]) for name in names])
    spectrum = np.sum(fft.rfft(buses, size, axis=2) * throats.astype(np.float32), axis=1)
    return fft.irfft(np.pad(spectrum, ((0, 0), (0, size * _THIRD // 2 + 1 - bins.size))), size * _THIRD, axis=1)[:, :n]


def crowd(voice: Voice, n: int) -> Wave:
    babble = _babble(voice, n, people=10, pitch=118 / voice.size, syllables=4.5 * voice.rate)
    return unit(babble) + 0.3 * np.stack([_room_murmur(voice, n) for _ in range(2)])


def _room_murmur(voice: Voice, n: int) -> Wave:
    return colored(voice.rng, n, (80, -14), (250, 0), (600, -2), (1600, -12), (4000, -24), (16000, -50))


def cheer(voice: Voice, n: int) -> Wave:
    shout = _babble(voice, n, people=8, pitch=260 / voice.size, syllables=1.2 * voice.rate)

    def gain(t: Wave, hz: Wave) -> Wave:
        return (0.8 + 0.2 * np.sin(2 * np.pi * 0.4 * t)) * (bump(hz, 1100, 0.7) + 0.4 * bump(hz, 2800, 0.5))

    ears = [unit(painted(voice.rng, n, gain)) + 0.3 * unit(applause(voice, n)) for _ in range(2)]
    return np.stack(ears) + 0.5 * unit(shout)


def talk(voice: Voice, n: int) -> Wave:
    return _babble(voice, n, people=1, pitch=125 / voice.size, syllables=4.5 * voice.rate)


def whisper(voice: Voice, n: int) -> Wave:
    shape = np.maximum(wander(voice.rng, n, 9 * voice.rate) + 0.25, 0)
    color = 0.5 + 0.5 * wander(voice.rng, n, 6)
    air = white(voice.rng, n)
    return (
        resonate(air * color, (900, 300, 1), (1900, 400, 0.8))
        + resonate(air * (1 - color), (2500, 500, 0.9), (5500, 1500, 0.8))
    ) * shape


def heartbeat(voice: Voice) -> Wave:
    """lub-dub."""
    out = np.zeros(samples(0.55), np.float32)
    for at, hz, gain in ((0.0, 52, 1.0), (0.29, 66, 0.65)):
        m = samples(0.2)
        add(
            out,
            tone(glide(m, (0, voice.hz(hz * 1.5)), (0.3, voice.hz(hz)), (1, voice.hz(hz * 0.8))), m, (1, 0.4, 0.15))
            * decay(m, 0.2, attack=0.012)
            * swell(m, 0.012, 0.06),
            at,
            gain,
        )
    return out


def breathing(voice: Voice) -> Wave:
    """In, then out."""
    n = samples(2.3)

    def gain(t: Wave, hz: Wave) -> Wave:
        inward = arch((t - 0.05) / 0.85) ** 1.3
        outward = arch((t - 1.05) / 1.15) ** 1.2
        return inward * (bump(hz, 2300, 0.5) + 0.4 * bump(hz, 5200, 0.5)) + 0.9 * outward * (
            bump(hz, 1050 / voice.size, 0.5) + 0.3 * bump(hz, 2900, 0.4)
        )

    return painted(voice.rng, n, gain)


def snore(voice: Voice) -> Wave:
    n = samples(2.6)
    inward = arch(axis(n) / 1.2) ** 1.2
    outward = np.sin(np.pi * np.clip((axis(n) - 1.45) / 1.0, 0, 1)) ** 2
    flaps = np.maximum(tone(voice.hz(34) * line(n, (0, 0.8), (0.3, 1.15), (1, 0.8)), n, (1, 0.8, 0.6, 0.4)), 0)
    rasp = resonate(
        flaps * (0.5 + 0.5 * white(voice.rng, n)),
        (290 / voice.size, 120, 1),
        (700 / voice.size, 200, 0.7),
        (1500, 400, 0.25),
    )
    return peak(rasp * inward) + 0.14 * peak(band(white(voice.rng, n), 500, 2600)) * outward


def laugh(voice: Voice) -> Wave:
    """ha ha ha, falling."""
    out = np.zeros(samples(1.9), np.float32)
    syllables = int(voice.rng.integers(6, 9))
    step = voice.vary(0.2 / voice.rate, 0.06)
    for k in range(syllables):
        pitch = 250 * 0.95**k
        part = call(
            voice,
            0.15,
            ((0, pitch * 1.1), (0.3, pitch * 1.2), (1, pitch * 0.85)),
            ((0, "ae"), (0.4, "a"), (1, "a")),
            breath=0.15,
            level=((0, 0), (0.2, 1), (1, 0)),
        )
        m = samples(0.07)
        add(out, resonate(white(voice.rng, m), (900, 300, 1), (1700, 400, 0.6)) * swell(m, 0.02, 0.03), k * step, 0.05)
        add(out, part, k * step + 0.045, 1.0 - 0.07 * k)
    return peak(out)


def giggle(voice: Voice) -> Wave:
    return laugh(
        Voice(rng=voice.rng, size=0.62 * voice.size, rate=1.35 * voice.rate, seconds=voice.seconds, spread=voice.spread)
    )


def scream(voice: Voice) -> Wave:
    return call(
        voice,
        1.4,
        ((0, 620), (0.1, 1080), (0.6, 1150), (1, 760)),
        ((0, "ae"), (0.2, "a"), (1, "a")),
        scale=1.12,
        breath=0.2,
        rough=0.3,
        level=((0, 0), (0.06, 1), (0.7, 0.9), (1, 0)),
    )


def baby(voice: Voice) -> Wave:
    return call(
        voice,
        1.1,
        ((0, 380), (0.25, 530), (0.7, 480), (1, 330)),
        ((0, "ae"), (0.3, "a"), (1, "e")),
        scale=1.5,
        breath=0.08,
        rough=0.15,
        vibrato=(6, 0.03),
    )


def cough(voice: Voice) -> Wave:
    n = samples(0.36)
    burst = resonate(
        white(voice.rng, n), (650 / voice.size, 200, 1), (1400 / voice.size, 300, 0.8), (2800, 500, 0.4)
    ) * decay(n, 0.22, attack=0.003)
    voiced = call(
        voice, 0.3, ((0, 190), (1, 120)), ((0, "a"), (1, "o")), breath=0.5, rough=0.6, level=((0, 0), (0.15, 1), (1, 0))
    )
    out = peak(burst)
    add(out, voiced, 0.03, 0.4)
    return peak(out) * swell(n, 0.002, 0.08)


def sneeze(voice: Voice) -> Wave:
    out = np.zeros(samples(1.1), np.float32)
    add(
        out,
        call(voice, 0.4, ((0, 210), (1, 290)), ((0, "a"), (1, "ae")), breath=0.4, level=((0, 0), (0.8, 0.7), (1, 0))),
        0.0,
        0.35,
    )
    m = samples(0.4)
    add(out, peak(band(white(voice.rng, m), 1800, 7500)) * decay(m, 0.3, attack=0.008), 0.5, 1.0)
    add(out, call(voice, 0.3, ((0, 380), (1, 190)), ((0, "u"), (1, "u")), breath=0.3), 0.53, 0.6)
    return out * swell(out.size, 0.01, 0.1)


def sigh(voice: Voice) -> Wave:
    return call(voice, 1.1, ((0, 230), (0.2, 250), (1, 140)), ((0, "a"), (1, "o")), breath=1.3, tilt=2.0)


def kiss(voice: Voice) -> Wave:
    n = samples(0.2)
    pull = tone(glide(n, (0, voice.hz(1400)), (1, voice.hz(2600))), n) * line(n, (0, 0), (0.6, 0.4), (0.7, 0), (1, 0))
    out = 0.3 * pull + 0.25 * band(white(voice.rng, n), 1500, 5000) * line(n, (0, 0), (0.55, 0.5), (0.7, 0), (1, 0))
    m = samples(0.05)
    add(out, peak(band(white(voice.rng, m), 1200, 6000) * decay(m, 0.03)), 0.125, 1.0)
    return peak(out)


def chew(voice: Voice) -> Wave:
    n = samples(0.3)
    bites = [highpass(white(voice.rng, 500), 1200) * decay(500, 0.007) for _ in range(3)]
    return peak(
        scatter(voice.rng, n, 260 * np.sin(np.pi * axis(n) / 0.3), bites, spread=1.0)
        + 0.3 * band(white(voice.rng, n), 250, 900) * swell(n, 0.05, 0.2)
    )


def gulp(voice: Voice) -> Wave:
    out = np.zeros(samples(0.4), np.float32)
    add(out, bubble(voice.hz(230), 0.12, rise=1.2), 0.0, 0.8)
    add(out, bubble(voice.hz(420), 0.1, rise=0.8), 0.1, 0.7)
    add(out, strike(voice, "flesh", ring=0.7), 0.09, 0.5)
    return peak(out)


def snap(voice: Voice) -> Wave:
    n = samples(0.1)
    return peak(
        modes(n, ((voice.hz(1850), 0.05, 1), (voice.hz(2700), 0.03, 0.6)))
        + 0.5 * highpass(white(voice.rng, n), 1500) * decay(n, 0.01)
    )


def whistle(voice: Voice) -> Wave:
    """Rising, then falling: the wolf of the street."""
    out = np.zeros(samples(1.15), np.float32)
    for at, seconds, bend in (
        (0.0, 0.38, ((0, 950), (0.6, 1250), (1, 2300))),
        (0.5, 0.6, ((0, 1250), (0.35, 2150), (1, 850))),
    ):
        m = samples(seconds)
        hz = glide(m, *((where, voice.hz(value, 0.02)) for where, value in bend))
        add(out, (tone(hz, m, (1, 0.06)) + 0.03 * band(white(voice.rng, m), 1000, 4000)) * swell(m, 0.04, 0.06), at)
    return out


def referee(voice: Voice) -> Wave:
    n = samples(voice.long(0.8))
    hz = voice.hz(2850) * (1 + 0.025 * tone(38.0, n))
    return (tone(hz, n, (1, 0.3)) * (0.7 + 0.3 * tone(38.0, n)) + 0.15 * band(white(voice.rng, n), 2000, 6000)) * swell(
        n, 0.01, 0.04
    )


def footstep(voice: Voice) -> Wave:
    """Heel, then ball of the foot, on whatever the floor is."""
    floor = voice.material or "stone"
    n = samples(0.34)
    out = np.zeros(n, np.float32)
    lag = 0.085 * voice.size**0.5 / voice.rate**0.5
    if floor in HARD_FLOORS:
        ring = {"wood": 0.7, "metal": 0.5, "glass": 0.15}.get(floor, 1.0)
        pitch = {"wood": 0.6, "metal": 0.75, "stone": 0.9, "glass": 0.6}.get(floor, 1.0)
        for at, gain, up in ((0.0, 1.0, 1.0), (lag, 0.45, 1.25)):
            add(
                out,
                strike(voice, floor if floor in BODIES else "stone", pitch=pitch * up, ring=ring, seconds=0.2),
                at,
                gain,
            )
            add(out, strike(voice, "earth", pitch=up, ring=0.6, seconds=0.12), at, 0.7 * gain)
        return peak(out) * swell(n, 0.0005, 0.1)
    low, high, per_second, length, seconds = SOFT_FLOORS.get(floor, SOFT_FLOORS["earth"])
    grain = samples(length * 1.5)
    grains = [
        band(white(voice.rng, grain), low / voice.size, high / voice.size, 1) * decay(grain, length) for _ in range(5)
    ]
    t = axis(n)
    press = arch(t / seconds) ** 0.7 + 0.7 * arch((t - lag) / seconds)
    out += peak(scatter(voice.rng, n, per_second * press * voice.force**0.5, grains, spread=0.8))
    add(
        out,
        strike(voice, "earth", ring=0.6, seconds=0.12),
        0.0,
        0.25 if floor not in {"earth", "carpet", "mud"} else 0.9,
    )
    if floor in {"water", "mud"}:
        for _ in range(5):
            add(out, bubble(float(voice.rng.uniform(350, 1500)), 0.05), float(voice.rng.uniform(0.02, 0.22)), 0.35)
    return peak(out) * swell(n, 0.002, 0.08)
