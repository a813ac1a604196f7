"""Melodies: a rhythm that puts stressed syllables on strong beats, and pitches that follow a contour and the chords.

Sections of one kind share their contours, so a second verse has the first one's tune under other words.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from workers.pipelines.ace_step_create.dice import Dice
from workers.pipelines.ace_step_create.form import Section, SungLine
from workers.pipelines.ace_step_create.harmony import Stretch
from workers.pipelines.ace_step_create.syllables import Syllable
from workers.pipelines.ace_step_create.theory import Chord, Key, Meter

_LIFT = {"chorus": 4.0, "postchorus": 4.0, "drop": 5.0, "prechorus": 2.0, "bridge": 3.0, "solo": 6.0}
"""Semitones above the verse's middle that a kind of section is sung."""
_CONTOURS = (
    (0, 2, 3, 4, 3, 2, 1, 0),
    (-2, 0, 2, 3, 4, 4, 2, 1),
    (3, 4, 3, 2, 1, 0, -1, -2),
    (0, 0, 2, 2, 4, 3, 1, 0),
    (2, 0, -1, 0, 2, 4, 3, 2),
    (4, 4, 2, 0, 2, 3, 1, 0),
    (-3, -1, 1, 3, 5, 3, 0, -1),
)
"""Shapes of a phrase in scale steps about its middle."""
_SCHEMES = ((0, 1, 0, 2), (0, 0, 1, 2), (0, 1, 0, 1), (0, 1, 2, 1))


@dataclass(frozen=True)
class SungNote:
    """A syllable on a pitch; beats of the song. `syllable` is None in a tune without words."""

    start: float
    length: float
    pitch: int
    velocity: int
    syllable: Syllable | None
    line: int
    """Which line of its section."""


def compose_melody(
    section: Section,
    stretches: Sequence[Stretch],
    *,
    key: Key,
    meter: Meter,
    middle: float,
    density: float,
    dice: Dice,
    seconds_per_beat: float,
) -> list[SungNote]:
    """The tune of one section; words where it has lines, else an invented phrase every two bars."""
    topic = dice.of(section.kind)
    center = middle + _LIFT.get(section.kind, 0.0) + (1.0 if section.final else 0.0)
    contours = [topic.pick(_CONTOURS, [1.0] * len(_CONTOURS)) for _ in range(3)]
    scheme = topic.pick(_SCHEMES)
    leaning = topic.spread(0.8)
    lines = section.lines or _wordless(section, meter, topic, density, seconds_per_beat)
    late = topic.pick((0.0, 0.5, 1.0, 0.0), [4, 3, 1, 1])
    notes: list[SungNote] = []
    previous: int | None = None
    origin = section.start_bar * meter.beats
    for order, line in enumerate(lines):
        shape = contours[scheme[order % 4]]
        closing = order % 2 == 1 or order + 1 == len(lines)
        places = _rhythm(line, meter, topic.of(f"rhythm{scheme[order % 4]}"), late, seconds_per_beat)
        pitches = _pitches(
            [origin + line.start + place for place, _ in places],
            [length for _, length in places],
            line,
            shape,
            stretches,
            key=key,
            meter=meter,
            center=center + leaning,
            previous=previous,
            closing=closing,
            dice=topic.of(f"pitch{scheme[order % 4]}"),
        )
        for (place, length), pitch, syllable in zip(places, pitches, line.syllables, strict=True):
            beat = origin + line.start + place
            loudness = 82 + meter.accent(beat) // 2 + 5 * min(1, syllable.stress) + round(14 * section.intensity)
            notes.append(
                SungNote(beat, length, pitch, max(40, min(124, loudness)), syllable if line.text else None, order)
            )
        previous = pitches[-1] if pitches else previous
    return notes


def _wordless(section: Section, meter: Meter, dice: Dice, density: float, seconds_per_beat: float) -> list[SungLine]:
    """Phrases of two bars (one where there is no room) of invented syllables."""
    lines, bar = [], 0
    while bar < section.bars:
        bars = min(2, section.bars - bar)
        span = bars * meter.beats
        rate = (3.2 if section.kind in ("solo", "drop") else 2.2) * density
        count = max(2, round(span * seconds_per_beat * rate * (0.75 + 0.3 * dice.random.random())))
        count = min(count, span * 2)
        syllables = tuple(
            Syllable("l", "ɑ", "", 2 if place % 2 == 0 else 0, place + 1 == count) for place in range(count)
        )
        lines.append(SungLine("", syllables, float(bar * meter.beats), float(span)))
        bar += bars
    return lines


def _rhythm(
    line: SungLine, meter: Meter, dice: Dice, late: float, seconds_per_beat: float
) -> list[tuple[float, float]]:
    """A start and length in beats for each syllable within the line's slot.

    A dynamic programme over a grid of half or quarter beats: even spacing, strong beats for stressed syllables, the
    rest of the slot left to breathe.
    """
    count, slot = len(line.syllables), line.beats
    late = late if slot > 2 * late + 1 and count < slot else 0.0
    breath = min(slot * 0.22, max(0.5, 0.45 / seconds_per_beat))
    sung = slot - late - breath
    grid = 0.5 if count <= sung / 0.5 * 0.8 else 0.25
    while count > (slot - late) / grid:
        grid /= 2
    if count > sung / grid:
        sung = slot - late
    cells = max(count, math.floor(sung / grid + 1e-9))
    spacing = cells / count
    taste = [dice.random.random() for _ in range(cells)]
    value = [
        meter.weight(line.start + late + cell * grid) + 0.25 * taste[cell] * dice.variety.temperature
        for cell in range(cells)
    ]
    best = [[-math.inf] * cells for _ in range(count)]
    came = [[0] * cells for _ in range(count)]
    widest = max(2, math.ceil(spacing * 2.2))
    for cell in range(min(cells, widest)):
        best[0][cell] = _fits(line.syllables[0], value[cell]) - 0.9 * abs(cell) / max(spacing, 1)
    for order in range(1, count):
        for cell in range(order, cells):
            for before in range(max(order - 1, cell - widest), cell):
                if best[order - 1][before] == -math.inf:
                    continue
                gap = cell - before
                wanted = spacing * (1.25 if line.syllables[order - 1].ends_word else 0.85)
                score = best[order - 1][before] - 1.1 * ((gap - wanted) / max(1.0, spacing)) ** 2
                if score > best[order][cell]:
                    best[order][cell], came[order][cell] = score, before
            best[order][cell] += _fits(line.syllables[order], value[cell])
    last = max(range(count - 1, cells), key=lambda cell: best[-1][cell])
    path = [last]
    for order in range(count - 1, 0, -1):
        path.append(came[order][path[-1]])
    starts = [late + cell * grid for cell in reversed(path)]
    ends = [*starts[1:], min(slot, starts[-1] + max(grid, min(2.0, slot - starts[-1] - breath * 0.6)))]
    return [
        (start, max(0.6 * grid, min(end - start, 2.5)) * (0.97 if line.syllables[order].ends_word else 1.0))
        for order, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]


def _fits(syllable: Syllable, weight: float) -> float:
    return weight * (1.3 if syllable.stress == 2 else 0.9 if syllable.stress else 0.25)


def _pitches(
    beats: list[float],
    lengths: list[float],
    line: SungLine,
    shape: Sequence[int],
    stretches: Sequence[Stretch],
    *,
    key: Key,
    meter: Meter,
    center: float,
    previous: int | None,
    closing: bool,
    dice: Dice,
) -> list[int]:
    """The cheapest path through the scale: near the contour, chord tones where they are heard, small steps.

    A closing phrase ends on the tonic's third, fifth or root, an opening one anywhere in its chord.
    """
    if not beats:
        return []
    scale = set(key.scale)
    chords = [_chord_at(stretches, beat) for beat in beats]
    span = max(beats[-1] - beats[0], 1e-6)
    targets = []
    for beat in beats:
        place = (beat - beats[0]) / span * (len(shape) - 1)
        low = min(int(place), len(shape) - 2)
        step = shape[low] + (shape[low + 1] - shape[low]) * (place - low)
        targets.append(center + step * 1.7 + dice.spread(0.7))
    candidates = range(round(center) - 10, round(center) + 12)
    paths: list[dict[int, tuple[float, int]]] = []
    for order, (beat, target, chord) in enumerate(zip(beats, targets, chords, strict=True)):
        weight = meter.weight(beat)
        heard = weight >= 0.5 or lengths[order] >= 0.9
        row: dict[int, tuple[float, int]] = {}
        for pitch in candidates:
            tone = pitch % 12
            in_chord = tone in chord.tones
            if tone not in scale and not in_chord:
                continue
            rest = 0.0 if tone == key.tonic else 0.15 if tone in (key.scale[2], key.scale[4]) else 0.3
            cost = rest + 0.5 * abs(pitch - target) + (0 if in_chord else 2.6 * weight + 0.7 if heard else 0.35)
            if order == len(beats) - 1:
                cost += 0 if in_chord else 3.0
                if closing and in_chord and tone != key.tonic:
                    cost += 0.9 if tone == (key.tonic + 7) % 12 or tone == key.scale[2] else 1.6
            if not paths:
                row[pitch] = (cost + (_leap(abs(pitch - previous)) * 0.4 if previous is not None else 0), pitch)
                continue
            row[pitch] = min(
                (
                    (before_cost + cost + _leap(abs(pitch - before)), before)
                    for before, (before_cost, _) in paths[-1].items()
                ),
            )
        paths.append(row)
    pitch = min(paths[-1], key=lambda pitch: paths[-1][pitch][0])
    out = [pitch]
    for row in reversed(paths[1:]):
        out.append(row[out[-1]][1])
    return out[::-1]


def _leap(semitones: int) -> float:
    """What an interval costs: steps are free, a repeated note costs a little, beyond a fifth it hurts."""
    if semitones == 0:
        return 0.7
    if semitones <= 2:
        return 0.0
    return 0.22 * semitones if semitones <= 7 else 0.5 * semitones


def _chord_at(stretches: Sequence[Stretch], beat: float) -> Chord:
    return next((stretch.chord for stretch in reversed(stretches) if stretch.start <= beat + 1e-6), stretches[0].chord)
