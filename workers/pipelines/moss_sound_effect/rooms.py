"""Where it sounds: impulse responses of rooms and landscapes, distance, walls, water, loudspeakers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import signal

from workers.pipelines.moss_sound_effect.signals import RATE, Wave, band, crushed, lowpass, painted, samples


@dataclass(frozen=True)
class Room:
    """A diffuse tail and, where walls are far apart, echoes that can be told apart."""

    t60: float
    """Seconds to −60 dB of the low and middle frequencies."""
    bright: float
    """Hz at which the decay is twice as fast."""
    wet: float
    """Level of the response against the direct sound, by energy of a short sound."""
    delay: float = 0.01
    """Seconds before the first reflection."""
    echoes: Sequence[tuple[float, float]] = ()
    """(seconds, level) of separate echoes; each next one is duller."""


ROOMS: dict[str, Room] = {
    "natural": Room(0.3, 5000, 0.16, 0.006),
    "small room": Room(0.45, 6000, 0.5, 0.004),
    "bathroom": Room(0.9, 11000, 0.7, 0.004),
    "hall": Room(2.1, 5000, 0.95, 0.02),
    "warehouse": Room(3.0, 3200, 0.8, 0.03, ((0.09, 0.3), (0.19, 0.2))),
    "tunnel": Room(2.6, 3000, 1.0, 0.012, ((0.045, 0.5), (0.09, 0.4), (0.135, 0.33), (0.18, 0.26), (0.225, 0.2))),
    "cave": Room(3.2, 2400, 1.1, 0.025, ((0.11, 0.5), (0.23, 0.38), (0.37, 0.3))),
    "cathedral": Room(5.0, 3600, 1.0, 0.04),
    "canyon": Room(2.6, 1900, 0.3, 0.42, ((0.42, 0.62), (0.83, 0.46), (1.31, 0.33), (1.9, 0.22), (2.6, 0.14))),
    "outdoors": Room(0.9, 1500, 0.22, 0.03, ((0.14, 0.09), (0.31, 0.06))),
    "stadium": Room(2.8, 2600, 0.6, 0.09, ((0.24, 0.45), (0.49, 0.25))),
    "underwater": Room(1.6, 900, 0.8, 0.008),
    "radio": Room(0.2, 3000, 0.1, 0.004),
    "far": Room(1.6, 1300, 0.75, 0.05),
}
"""`natural` is what a sound gets when no room is said, `far` what distance adds in the open."""


@lru_cache(maxsize=16)
def response(name: str) -> Wave:
    """The impulse response of a room, shape (2, n): each ear its own."""
    room = ROOMS[name]
    longest = max([room.t60, *(at + 0.4 for at, _ in room.echoes)])
    n = samples(min(longest, 4.5) + room.delay)
    ears = []
    for ear in (0, 1):
        rng = np.random.default_rng([len(name), sum(name.encode()), ear])

        def gain(t: Wave, hz: Wave) -> Wave:
            return np.exp(-t * (6.908 / room.t60) * (1 + hz / room.bright)) * (hz > 60)

        tail = painted(rng, n, gain, frame=512)
        start = samples(room.delay)
        out = np.zeros(n, np.float64)
        out[start:] = tail[: n - start]
        out *= room.wet / np.sqrt(np.sum(out**2))
        for k, (at, level) in enumerate(room.echoes):
            burst = rng.standard_normal(samples(0.012 + 0.012 * k)) * np.hanning(samples(0.012 + 0.012 * k))
            burst = lowpass(np.pad(burst, (0, 600)), 5200 / (1 + 0.9 * k))
            burst *= level / np.sqrt(np.sum(burst**2))
            first = samples(at * (1 + 0.012 * ear))
            piece = burst[: n - first]
            out[first : first + piece.size] += piece
        ears.append(out)
    return np.stack(ears).astype(np.float32)


def reverberated(sent: Wave, name: str) -> Wave:
    """What the room answers to `sent` (2, n): the direct sound is not in it. Same length; what rings on is cut."""
    n = sent.shape[1]
    answer = response(name)[:, :n]
    return signal.oaconvolve(sent, answer, axes=1)[:, :n].astype(np.float32)


def from_afar(layer: Wave, distance: float) -> Wave:
    """Air takes the highs; the level falls. `distance` 1 is ordinary, 2 distant, 3 far away, 0.5 close."""
    if distance <= 1:
        return layer
    edge = 2600 / distance**2
    return lowpass(layer, edge, order=1) * 10 ** (-9.0 * (distance - 1) / 20)


def behind_wall(layer: Wave) -> Wave:
    """Only the lows come through."""
    return lowpass(layer, 420, order=3)


def placed_in(mix: Wave, name: str) -> Wave:
    """What a medium does to all of it: water, a loudspeaker."""
    if name == "underwater":
        return lowpass(mix, 480, order=2)
    if name == "radio":
        return 0.6 * crushed(2.2 * band(mix, 420, 3100, 3), 1.5)
    return mix


def panned(layer: Wave, places: tuple[float, float]) -> Wave:
    """A mono layer (n,) or a wide one (2, n) at −1 (left) .. 1 (right), gliding from the first place to the second."""
    n = layer.shape[-1]
    place = np.linspace(*places, n, dtype=np.float32) if places[0] != places[1] else np.float32(places[0])
    angle = (place + 1) * np.float32(np.pi / 4)
    left, right = np.cos(angle), np.sin(angle)
    if layer.ndim == 1:
        return np.stack([layer * left, layer * right])
    balance = np.float32(np.sqrt(2))
    return np.stack([layer[0] * np.minimum(left * balance, 1), layer[1] * np.minimum(right * balance, 1)])


def loudness(layer: Wave) -> float:
    """The loudest 400 ms in LUFS (momentary loudness of ITU-R BS.1770-4, its K-weighting at 48 kHz)."""
    weighted = signal.sosfilt(_K_WEIGHTING, np.atleast_2d(layer), axis=1)
    power = np.sum(np.square(weighted), axis=0)
    hop = RATE // 10
    blocks = np.add.reduceat(power, np.arange(0, power.size, hop))
    windows = np.convolve(blocks, np.ones(4), "full") if blocks.size > 4 else blocks.sum(keepdims=True)
    # A mono layer is heard from both sides once it is panned to the middle: the same power, no correction.
    return float(-0.691 + 10 * np.log10(windows.max() / (0.4 * RATE) + 1e-12))


_K_WEIGHTING = np.array(
    [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
)
