"""The form: the lyrics' sections fitted to an exact number of bars, and every line given its place."""

import math
from dataclasses import dataclass, field, replace

from workers.pipelines.ace_step_create.lyrics import Part, Reading
from workers.pipelines.ace_step_create.syllables import Syllable, syllables_of_line
from workers.pipelines.ace_step_create.theory import Meter

_INTENSITY = {
    "intro": 0.3, "verse": 0.5, "prechorus": 0.68, "chorus": 0.95, "postchorus": 0.9, "bridge": 0.5, "solo": 0.85,
    "interlude": 0.5, "build": 0.7, "drop": 1.0, "outro": 0.4,
}  # fmt: skip
_USUAL_BARS = {
    "intro": 4, "verse": 8, "prechorus": 4, "chorus": 8, "postchorus": 4, "bridge": 8, "solo": 8, "interlude": 4,
    "build": 4, "drop": 8, "outro": 4,
}  # fmt: skip
_MOST_BARS = {"intro": 8, "outro": 8, "interlude": 8, "build": 8, "solo": 16, "drop": 16}
_EXPENDABLE = (
    ("verse", 3), ("chorus", 3), ("interlude", 0), ("solo", 0), ("postchorus", 0), ("build", 0), ("verse", 2),
    ("chorus", 2), ("bridge", 0), ("verse", 1), ("prechorus", 0), ("chorus", 1), ("intro", 0), ("outro", 0), ("drop",
    0),
    ("verse", 0), ("chorus", 0),
)  # fmt: skip
"""What goes first when time is short: a kind, and how many of it stay for now."""
_LEAST_NATURAL = {"verse": 4, "chorus": 4, "bridge": 4}
_SOFTER = frozenset(
    [
        "soft",
        "quiet",
        "stripped",
        "acoustic",
        "whispered",
        "gentle",
        "calm",
        "slow",
        "spoken",
        "down",
        "low",
        "fade",
        "breakdown",
    ]
)
_LOUDER = frozenset(
    ["loud", "big", "heavy", "explosive", "powerful", "final", "full", "epic", "energetic", "high", "drop"]
)
_HUNGER = {"chorus": 0.8, "verse": 0.95, "prechorus": 1.1, "bridge": 1.1}
USUAL_RATE = 3.3
"""Syllables a second that are easy to sing; words come faster only where the time is short."""
FASTEST_RATE = 5.8


@dataclass(frozen=True)
class SungLine:
    """A line of the lyrics and its slot: beats from the section's start, and how many."""

    text: str
    syllables: tuple[Syllable, ...]
    start: float
    beats: float


@dataclass
class Section:
    """A stretch of the song."""

    kind: str
    label: str
    bars: int
    intensity: float
    start_bar: int = 0
    lines: list[SungLine] = field(default_factory=list)
    hints: tuple[str, ...] = ()
    final: bool = False
    texts: tuple[str, ...] = ()
    repeats: bool = False
    """Added by the composer to fill the time asked for."""


@dataclass
class Form:
    """All sections, and how many lines of the lyrics found no room."""

    sections: list[Section]
    bars: int
    lines_left_out: int


class _Slots:
    """How long lines take at a tempo."""

    def __init__(self, meter: Meter, bpm: float, density: float) -> None:
        self.meter, self.bar_seconds, self.density = meter, meter.beats * 60 / bpm, density
        halves = (0.5,) if meter.beats in (4, 6) and self.bar_seconds > 2.2 else ()
        self.choices = (*halves, 1.0, 2.0, 4.0)

    def bars_for(self, text: str, rate: float) -> float:
        need = (len(syllables_of_line(text)) + 1.2) / (rate * self.density) / 0.85
        return next((bars for bars in self.choices if bars * self.bar_seconds >= need), 4.0)

    def natural(self, part: Part) -> int:
        """Bars a part takes when nothing presses."""
        if not part.lines:
            return _USUAL_BARS[part.kind]
        total = sum(self.bars_for(text, USUAL_RATE) for text in part.lines)
        unit = 4 if total > 4 and part.kind in ("verse", "chorus") and self.bar_seconds < 3 else 2
        return max(_LEAST_NATURAL.get(part.kind, 2), math.ceil(total / unit) * unit)


def fit_form(reading: Reading, *, bars: int, meter: Meter, bpm: float, density: float, energy: float) -> Form:
    """The sections of `reading` over exactly `bars` bars.

    Too little time: instrumental parts shrink first, then lines are sung closer together, then parts go, the least
    needed first. Too much: the intro, a solo, repeats of verse and chorus and a longer ending fill it.
    """
    slots = _Slots(meter, bpm, density)
    parts = [replace(part) for part in reading.parts]
    added: set[int] = set()
    parts = _thinned(parts, bars)
    naturals = [slots.natural(part) for part in parts]
    parts, naturals, added = _extended(parts, naturals, bars, slots)
    sizes = _sizes(parts, naturals, bars)
    sections, start, chorus_count, verse_count = [], 0, 0, 0
    last_chorus = max((place for place, part in enumerate(parts) if part.kind == "chorus"), default=-1)
    for place, (part, size) in enumerate(zip(parts, sizes, strict=True)):
        level = _INTENSITY[part.kind] + energy
        verse_count += part.kind == "verse"
        chorus_count += part.kind == "chorus"
        level += 0.07 * (part.kind == "verse" and verse_count > 1) + 0.05 * (place == last_chorus and chorus_count > 1)
        words = {word for hint in part.hints for word in hint.split()}
        level += 0.12 * bool(words & _LOUDER) - 0.22 * bool(words & _SOFTER)
        section = Section(
            part.kind, part.label, size, max(0.12, min(1.0, level)), start, [], part.hints,
            part.final or (place == last_chorus and chorus_count > 1), part.lines, place in added,
        )  # fmt: skip
        section.lines = _placed(part.lines, size, slots)
        sections.append(section)
        start += size
    wanted = [text for part in reading.parts for text in part.lines]
    sung = {line.text for section in sections for line in section.lines}
    return Form(sections, bars, sum(text not in sung for text in wanted))


def _least(part: Part, bars: int) -> int:
    return 2 if part.kind in ("verse", "chorus") and bars >= 4 else 1


def _thinned(parts: list[Part], bars: int) -> list[Part]:
    """Without the parts for which there is no room even at their smallest."""
    parts = list(parts)
    while len(parts) > 1 and sum(_least(part, bars) for part in parts) > bars:
        kinds = [part.kind for part in parts]
        for kind, spare in _EXPENDABLE:
            if kinds.count(kind) > spare:
                places = [place for place, other in enumerate(kinds) if other == kind]
                # The last chorus is the one people wait for; of three the middle one goes.
                parts.pop(places[-2] if kind == "chorus" and len(places) > 2 else places[-1])
                break
    return parts


def _extended(
    parts: list[Part], naturals: list[int], bars: int, slots: _Slots
) -> tuple[list[Part], list[int], set[int]]:
    """Parts added until the song is about as long as asked; the places of the added ones."""
    marked = [(part, size, False) for part, size in zip(parts, naturals, strict=True)]

    def total() -> int:
        return sum(size for _, size, _ in marked)

    def insert_before_end(items: list[tuple[Part, int, bool]]) -> None:
        place = len(marked) - (1 if marked[-1][0].kind == "outro" and len(marked) > 1 else 0)
        marked[place:place] = items

    if bars - total() >= 2 and not any(part.kind == "intro" for part, _, _ in marked) and bars > 10:
        marked.insert(0, (Part(kind="intro", label="Intro"), min(4, bars - total()), True))
    if bars - total() >= 4 and not any(part.kind == "outro" for part, _, _ in marked) and bars > 10:
        marked.append((Part(kind="outro", label="Outro"), 4, True))
    body = [
        (part, size) for part, size, _ in marked if part.kind in ("verse", "prechorus", "chorus", "postchorus",
        "drop", "bridge", "build")
    ]  # fmt: skip
    choruses = [item for item in body if item[0].kind in ("chorus", "drop")] or body[-1:]
    turn = 0
    while body and bars - total() > max(4, choruses[-1][1] // 2):
        room = bars - total()
        block = sum(size for _, size in body)
        if turn % 2 == 0 and room >= choruses[-1][1] + 4:
            solo = min(8, room - choruses[-1][1])
            insert_before_end([(Part(kind="solo", label="Solo"), solo, True), (*choruses[-1], True)])
        elif room >= block:
            insert_before_end([(part, size, True) for part, size in body])
        else:
            start = next((place for place, (part, _) in enumerate(body) if part.kind == "verse"), 0)
            group: list[tuple[Part, int, bool]] = []
            for part, size in body[start:]:
                if sum(item[1] for item in group) + size > room:
                    break
                group.append((part, size, True))
            insert_before_end(group or [(*choruses[-1], True)])
        turn += 1
    return (
        [part for part, _, _ in marked],
        [size for _, size, _ in marked],
        {place for place, (_, _, new) in enumerate(marked) if new},
    )


def _sizes(parts: list[Part], naturals: list[int], bars: int) -> list[int]:
    """Bars for each part, together exactly `bars`, as near to what each would like as can be."""
    sizes = [min(size, _least(part, bars)) for part, size in zip(parts, naturals, strict=True)]
    while sum(sizes) > bars:
        sizes[max(range(len(sizes)), key=lambda place: (sizes[place], -place))] -= 1
    while (room := bars - sum(sizes)) > 0:
        hungry = [place for place in range(len(parts)) if sizes[place] < naturals[place]]
        if not hungry:
            break
        place = min(
            hungry,
            key=lambda place: (
                (sizes[place] + 0.01) / naturals[place] * _HUNGER.get(parts[place].kind, 1.35),
                place,
            ),
        )
        step = 2 if sizes[place] >= 2 and room >= 2 and naturals[place] - sizes[place] >= 2 else 1
        sizes[place] += step
    room = bars - sum(sizes)
    for kinds in (("intro", "outro", "solo", "interlude"), ("chorus", "drop"), ("verse", "bridge"), tuple(_USUAL_BARS)):
        for place in [place for place, part in enumerate(parts) if part.kind in kinds][::-1]:
            limit = _MOST_BARS.get(parts[place].kind, naturals[place] * 2 + 2)
            take = max(0, min(room, limit - sizes[place]))
            sizes[place] += take
            room -= take
    if room > 0:
        sizes[-1] += room
    return sizes


def _placed(texts: tuple[str, ...], bars: int, slots: _Slots) -> list[SungLine]:
    """Each line's slot within a section of `bars` bars; lines beyond the room are left out, short ones come again."""
    if not texts:
        return []
    rate = USUAL_RATE
    takes = [slots.bars_for(text, rate) for text in texts]
    while sum(takes) > bars and rate < FASTEST_RATE:
        rate = min(FASTEST_RATE, rate * 1.15)
        takes = [slots.bars_for(text, rate) for text in texts]
    order = list(zip(texts, takes, strict=True))
    repeats = int(bars // sum(takes)) if sum(takes) <= bars else 1
    lines: list[SungLine] = []
    at = 0.0
    for text, take in order * max(1, repeats):
        if take >= 1 and at % 1:
            at = math.ceil(at)
        room = float(bars) if not lines and take > bars else take
        if at + room > bars + 1e-9:
            break
        lines.append(SungLine(text, tuple(syllables_of_line(text)), at * slots.meter.beats, room * slots.meter.beats))
        at += room
    return lines
