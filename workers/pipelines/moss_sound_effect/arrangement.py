"""What was said to when it sounds: stages share the time, events of a stage overlap, strikes get their moments."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from workers.pipelines.moss_sound_effect.reading import Said
from workers.pipelines.moss_sound_effect.voice import Hit

CROSSING = 0.25
"""Seconds a texture reaches over into the next stage."""
FLEXIBLE = 1.6
"""Seconds wanted for a sound that goes on, where time is short."""
MOST_STRETCH = 1.5
"""How much more room than they need single sounds get when they follow each other in a long clip."""
MOST_SHARE = 1.3
"""How much more than its equal share a single sound may take from sounds that go on."""
MOST_STRIKES = 900
LEAD = 0.06


@dataclass(frozen=True)
class Placed:
    """An event with its time."""

    said: Said
    start: float
    seconds: float
    strikes: tuple[float, ...] = ()
    """When each strike begins, in seconds from the clip's start; empty for what goes on."""
    longest: float = 0.0
    """Seconds a strike may last at most."""


def arrange(events: Sequence[Said], seconds: float, rng: np.random.Generator, spread: float) -> list[Placed]:
    """Give every event its time within `seconds`."""
    foreground = [item for item in events if not item.traits.get("background")]
    behind = [item for item in events if item.traits.get("background")]
    placed = []
    stages = sorted({item.stage for item in foreground})
    members = [[item for item in foreground if item.stage == stage] for stage in stages]
    for (start, length), items in zip(_slots(members, seconds), members, strict=True):
        placed += _stage(items, start, length, seconds, rng, spread)
    for item in behind:
        placed += _stage([item], 0.0, seconds, seconds, rng, spread, whole=True)
    return sorted(placed, key=lambda one: events.index(one.said))


def every(item: Said) -> float:
    """Seconds between the strikes of an event."""
    recipe = cast(Hit, item.event.recipe)
    gap = recipe.every / item.traits.get("rate", 1.0)
    if item.traits.get("count") == 0 and recipe.count is not None:
        gap *= 0.6
    return gap


def count(item: Said) -> int | None:
    """How many strikes; None for as many as there is time for."""
    recipe = item.event.recipe
    if not isinstance(recipe, Hit):
        return None
    number = item.traits.get("count", recipe.count)
    if "pace" in item.traits and "count" not in item.traits and recipe.count != 1:
        return None
    return None if number in (None, 0) else int(number)


def natural(item: Said) -> float | None:
    """Seconds an event takes if let; None if it goes on."""
    number = count(item)
    recipe = item.event.recipe
    if number is None or not isinstance(recipe, Hit):
        return None
    return (number - 1) * every(item) + recipe.pattern[-1] + recipe.seconds * item.traits.get("stretch", 1.0)


def _slots(stages: Sequence[Sequence[Said]], seconds: float) -> list[tuple[float, float]]:
    if len(stages) <= 1:
        return [(0.0, seconds)] * len(stages)
    wanted = []
    for items in stages:
        naturals = [natural(item) for item in items]
        wanted.append(None if None in naturals else max(length or 0.0 for length in naturals) + 0.2)
    if None in wanted:
        most = MOST_SHARE * seconds / len(stages)
        wanted = [None if length is None else min(length, most) for length in wanted]
    fixed = sum(length for length in wanted if length is not None)
    share = (seconds - fixed) / max(wanted.count(None), 1)
    roomy = None in wanted and share >= FLEXIBLE / 2
    lengths = np.array([(share if roomy else FLEXIBLE) if length is None else length for length in wanted])
    if not roomy:
        lengths *= min(seconds / float(lengths.sum()), MOST_STRETCH)
    starts = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    return [(start, length) for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)]


def _stage(
    items: Sequence[Said],
    start: float,
    length: float,
    total: float,
    rng: np.random.Generator,
    spread: float,
    *,
    whole: bool = False,
) -> list[Placed]:
    placed = []
    offset = 0.0
    for item in items:
        recipe = item.event.recipe
        if not isinstance(recipe, Hit):
            first = max(start - (CROSSING if start else 0.0), 0.0)
            last = min(start + length + CROSSING, total)
            placed.append(Placed(item, first, last - first))
            continue
        size = natural(item)
        lead = min(LEAD, 0.04 * length)
        if size is not None:
            lead = min(lead + offset, max(length - size, lead))
            offset += 0.45 * size
        strikes, longest = _strikes(item, length - lead, rng, spread)
        times = tuple(start + lead + at for at in strikes)
        if whole or start + length >= total - 1e-6:
            longest = min(longest, max(total - times[-1], 0.05))
        end = min(times[-1] + min(recipe.seconds * item.traits.get("stretch", 1.0), longest), total)
        placed.append(Placed(item, times[0], end - times[0], times, longest))
    return placed


def _strikes(item: Said, length: float, rng: np.random.Generator, spread: float) -> tuple[list[float], float]:
    """Moments within `length` seconds, and how long a strike may last."""
    recipe = cast(Hit, item.event.recipe)
    gap, number = every(item), count(item)
    lasts = recipe.seconds * item.traits.get("stretch", 1.0)
    tail = min(lasts + recipe.pattern[-1], length)
    pace = item.traits.get("pace", 0.0)
    if number is None:
        room = max(length - tail, 0.0)
        moments = _walk(gap, recipe.jitter * spread, pace, rng, room=room)
    elif number == 1:
        moments = [0.0]
    else:
        if (number - 1) * gap + tail > length:
            tail = min(tail, max(0.35 * length, length / number))
            gap = max((length - tail) / (number - 1), 0.02)
        moments = _walk(gap, recipe.jitter * spread, pace, rng, number=number)
        if moments[-1] > length - tail * 0.5 and moments[-1] > 0:
            scale = max(length - tail, 0.02) / moments[-1]
            moments = [at * min(scale, 1.0) for at in moments]
    rate = item.traits.get("rate", 1.0)
    strikes = sorted(at + step / rate for at in moments for step in recipe.pattern)
    return strikes[:MOST_STRIKES], max(length - strikes[-1], 0.05) if number == 1 else max(
        lasts * 1.6, length - strikes[-1]
    )


def _walk(
    gap: float, jitter: float, pace: float, rng: np.random.Generator, *, room: float = 0.0, number: int | None = None
) -> list[float]:
    """Moments `gap` apart, uneven by `jitter`; `pace` 1 quickens threefold over the way, −1 slows."""
    moments = [0.0]
    whole = room if number is None else (number - 1) * gap
    while number is None or len(moments) < number:
        done = min(moments[-1] / whole, 1.0) if whole > 0 else 0.0
        factor = 3.0 ** (pace * (0.4 - done)) if pace else 1.0
        uneven = float(np.clip(1 + jitter * rng.standard_normal(), 0.45, 2.2))
        at = moments[-1] + gap * factor * uneven
        if (number is None and at > room) or len(moments) >= MOST_STRIKES:
            break
        moments.append(at)
    return moments
