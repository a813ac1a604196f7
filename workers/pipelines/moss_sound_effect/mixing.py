"""Events to one stereo wave: each rendered, set far or near, left or right, in its room; the sum kept below the top."""

from collections.abc import Callable
from typing import cast

import numpy as np
from scipy import ndimage

from workers.pipelines.moss_sound_effect.arrangement import CROSSING, Placed
from workers.pipelines.moss_sound_effect.rooms import behind_wall, from_afar, loudness, panned, placed_in, reverberated
from workers.pipelines.moss_sound_effect.signals import RATE, Wave, add, highpass, lowpass, samples, swell
from workers.pipelines.moss_sound_effect.voice import Hit, Texture, Voice

LOUDNESS = -18.0
"""LUFS of the loudest 400 ms of an ordinary event."""
LOUDEST = -13.0
"""LUFS that a mix is brought down to."""
LIFT = 0.3
"""How much of what a mix lacks to `LOUDNESS` is made up: distant stays quieter, but is heard."""
CEILING = 10 ** (-2.6 / 20)
"""Peak of the mix. Opus overshoots by up to 1.5 dB, and the result is to stay below −1 dB."""
TOP = 0.5
"""Peak of an ordinary event that its peak and not its loudness limits: a loud one is to find room above it."""
TAKES = 6
"""Different strikes made of one event; more than that repeat, at other levels."""
EDGE = 0.012
LAST_FADE = 0.06
COPIES = 3
"""Layers made of a texture said in the plural."""


def mix(
    placed: list[Placed],
    *,
    seconds: float,
    room: str | None,
    streams: list[np.random.Generator],
    spread: float,
    step: Callable[[float], None],
) -> Wave:
    """The finished clip, float32 of shape (2, seconds × 48 000)."""
    n = samples(seconds)
    dry = np.zeros((2, n), np.float32)
    sent = np.zeros((2, n), np.float32)
    afar = np.zeros((2, n), np.float32)
    hits = False
    for k, (one, rng) in enumerate(zip(placed, streams, strict=True)):
        step(k / len(placed))
        layer = _layer(one, n, rng, spread)
        distance = one.said.traits.get("distance", 1.0)
        if room in (None, "outdoors") and distance > 1:
            afar += layer
        dry += layer * (np.float32(0.55) if distance > 1 and room else 1)
        sent += layer * np.float32(0.6 if distance < 1 else 1.0 if distance <= 1 else 1.35)
        hits = hits or (isinstance(one.said.event.recipe, Hit) and one.said.event.family != "interface and film")
    step(0.9)
    wet = room or ("natural" if hits else None)
    if wet and wet != "dry":
        dry += reverberated(sent, wet)
    if np.any(afar):
        dry += reverberated(afar, "far")
    if room:
        dry = placed_in(dry, room)
    return _finished(dry)


def _layer(one: Placed, n: int, rng: np.random.Generator, spread: float) -> Wave:
    event, traits = one.said.event, one.said.traits
    if isinstance(event.recipe, Hit):
        wave = _struck(one, n, rng, spread)
        leveled = _leveled(wave, event.level)
    else:
        wave = _filled(one, rng, spread)
        leveled = _leveled(wave, event.level)
    force, distance = traits.get("force", 1.0), traits.get("distance", 1.0)
    gain = force * (1.25 if distance < 1 else 1.0) * (0.36 if traits.get("background") else 1.0)
    leveled = from_afar(leveled * np.float32(gain), distance)
    if "tone" in traits:
        leveled = _toned(leveled, traits["tone"])
    if traits.get("muffled"):
        leveled = behind_wall(leveled)
    if "approach" in traits:
        leveled = _approaching(leveled, traits["approach"])
    places = traits.get("pan") or ((-0.85, 0.85) if event.moves else (0.0, 0.0))
    if isinstance(event.recipe, Hit):
        return _spatial(leveled, places, one, n)
    out = np.zeros((2, n), np.float32)
    add(out, panned(leveled, places), one.start)
    return out


def _spatial(wave: Wave, places: tuple[float, float], one: Placed, n: int) -> Wave:
    """A struck layer spans the clip already; a glide lasts as long as its event."""
    if places[0] == places[1] or wave.ndim == 2:
        return panned(wave, places).astype(np.float32)
    first, length = round(one.start * RATE), max(round(one.seconds * RATE), 1)
    place = np.interp(np.arange(n), (first, first + length), places).astype(np.float32)
    angle = (place + 1) * np.float32(np.pi / 4)
    return np.stack([wave * np.cos(angle), wave * np.sin(angle)]).astype(np.float32)


def _voice(one: Placed, rng: np.random.Generator, spread: float, seconds: float) -> Voice:
    traits = one.said.traits
    return Voice(
        rng=rng,
        seconds=seconds,
        size=traits.get("size", 1.0),
        force=traits.get("force", 1.0),
        rate=traits.get("rate", 1.0),
        stretch=traits.get("stretch", 1.0),
        material=traits.get("material"),
        spread=spread,
    )


def _struck(one: Placed, n: int, rng: np.random.Generator, spread: float) -> Wave:
    recipe = cast(Hit, one.said.event.recipe)
    out = np.zeros(n, np.float32)
    voice = _voice(one, rng, spread, max(one.longest, 0.05))
    takes: list[Wave] = []
    for k, at in enumerate(one.strikes):
        if len(takes) < min(len(one.strikes), TAKES):
            takes.append(_kept_inside(recipe.strike(voice), one.longest))
            take = takes[-1]
        else:
            take = takes[int(rng.integers(len(takes)))]
        accent = 0.8 if len(recipe.pattern) > 1 and k % len(recipe.pattern) else 1.0
        uneven = float(np.exp(np.clip(rng.standard_normal(), -2, 2) * 0.1 * spread)) if len(one.strikes) > 1 else 1.0
        add(out, take, at, accent * min(uneven, 1.6))
    return out


def _kept_inside(wave: Wave, seconds: float) -> Wave:
    limit = samples(seconds)
    if wave.size <= limit:
        return wave.astype(np.float32)
    short = wave[:limit].astype(np.float32)
    return short * swell(limit, 0.0001, min(0.25, seconds * 0.5))


def _filled(one: Placed, rng: np.random.Generator, spread: float) -> Wave:
    recipe, traits = cast(Texture, one.said.event.recipe), one.said.traits
    n = samples(one.seconds)
    voice = _voice(one, rng, spread, one.seconds)
    copies = min(int(traits.get("count", 1)) or COPIES, COPIES)

    def ear() -> list[Wave]:
        return [_warped(recipe.fill, voice, n, traits.get("pace", 0.0)) for _ in range(copies)]

    if recipe.wide:
        wave = np.stack([np.sum(ear(), axis=0), np.sum(ear(), axis=0)])
    elif copies > 1:
        sides = np.linspace(-0.6, 0.6, copies)
        wave = np.sum([panned(layer, (side, side)) for layer, side in zip(ear(), sides, strict=True)], axis=0)
    else:
        (wave,) = ear()
    return np.asarray(wave, np.float32) * swell(n, CROSSING if one.start else EDGE, CROSSING)


def _warped(fill: Callable[[Voice, int], Wave], voice: Voice, n: int, pace: float) -> Wave:
    """Played ever faster or slower, pitch and all, where the prompt says so."""
    if not pace:
        return fill(voice, n)
    speed = 2.0 ** (pace * np.linspace(-0.8, 0.9, n))
    position = np.cumsum(speed)
    source = np.atleast_2d(fill(voice, int(position[-1]) + 2))
    return np.squeeze([np.interp(position, np.arange(channel.size), channel) for channel in source])


def _approaching(wave: Wave, way: float) -> Wave:
    """From far to near (`way` 1) or from near to far (−1): level and highs."""
    n = wave.shape[-1]
    near = np.linspace(0, 1, n, dtype=np.float32) ** 1.5 if way > 0 else np.linspace(1, 0, n, dtype=np.float32) ** 1.5
    return near * wave + 0.3 * (1 - near) * lowpass(wave, 900, order=1)


def _toned(wave: Wave, tone: float) -> Wave:
    """Duller (−1) or brighter (1)."""
    return 1.4 * lowpass(wave, 700, order=1) if tone < 0 else 0.6 * wave + highpass(wave, 3000, order=1)


def _leveled(wave: Wave, level: float) -> Wave:
    """At the ordinary loudness plus `level` dB, unless its peak forbids: a click is short."""
    target = LOUDNESS + level
    gain = 10 ** ((target - loudness(wave)) / 20)
    top = float(np.max(np.abs(wave))) + 1e-9
    return wave * np.float32(min(gain, 10 ** (min(level, 0.0) / 20) * TOP / top))


def _finished(wave: Wave) -> Wave:
    loud = loudness(wave)
    gain = LOUDEST - loud if loud > LOUDEST else LIFT * (LOUDNESS - loud) if loud < LOUDNESS else 0.0
    wave = wave * 10 ** (min(gain, 12.0) / 20)
    top = ndimage.maximum_filter1d(np.max(np.abs(wave), axis=0), 481)
    reduction = np.minimum(1.0, CEILING / np.maximum(top, 1e-9))
    if reduction.min() < 1:
        wave = wave * ndimage.uniform_filter1d(ndimage.minimum_filter1d(reduction, 481), 481)
    wave = wave * swell(wave.shape[1], 0.002, LAST_FADE)
    return wave.astype(np.float32)
