"""The chords of a song: a progression a kind of section, bar by bar, and the way into the next section."""

from dataclasses import dataclass

from workers.pipelines.ace_step_create.dice import Dice
from workers.pipelines.ace_step_create.form import Section
from workers.pipelines.ace_step_create.progressions import TASTES, Taste
from workers.pipelines.ace_step_create.theory import Chord, Key, Meter, chord_of


@dataclass(frozen=True)
class Stretch:
    """A chord and where it sounds, in beats of the song."""

    chord: Chord
    start: float
    beats: float

    @property
    def end(self) -> float:
        return self.start + self.beats


def harmonise(sections: list[Section], *, key: Key, meter: Meter, taste: str, dice: Dice) -> list[list[Stretch]]:
    """A list of stretches for each section."""
    table = TASTES[taste][1 if key.minor else 0]
    chosen = {kind: _progression(kind, table, dice) for kind in dict.fromkeys(section.kind for section in sections)}
    out = []
    for place, section in enumerate(sections):
        bars = [chosen[section.kind][bar % len(chosen[section.kind])] for bar in range(section.bars)]
        after = sections[place + 1].kind if place + 1 < len(sections) else None
        if after in ("chorus", "drop") and section.kind in ("prechorus", "build", "bridge") and section.bars >= 2:
            bars[-1] = ["V7" if taste in ("jazz", "bossa", "lo-fi", "soul", "blues") else "V"]
        stretches = []
        for bar, romans in enumerate(bars):
            head = (section.start_bar + bar) * meter.beats
            cut = meter.heads[1] if len(romans) > 1 and len(meter.heads) > 1 else meter.beats
            spans = [(0, cut), (cut, meter.beats - cut)] if cut < meter.beats else [(0, meter.beats)]
            for (offset, length), roman in zip(spans, romans, strict=False):
                stretches.append(Stretch(chord_of(key, roman), float(head + offset), float(length)))
        out.append(stretches)
    return out


def last_chord(key: Key, taste: str) -> Chord:
    """What the song ends on."""
    return chord_of(key, TASTES[taste][1 if key.minor else 0].last)


def _progression(kind: str, table: Taste, dice: Dice) -> list[list[str]]:
    """One progression, a list of bars of one or two numerals; verse and intro share theirs."""
    pools = {"chorus": table.chorus, "drop": table.chorus, "postchorus": table.chorus, "solo": table.verse}
    pools |= {"bridge": table.bridge, "prechorus": table.bridge, "build": table.bridge}
    pool = pools.get(kind, table.verse)
    shared = {
        "intro": "verse",
        "outro": "verse",
        "interlude": "verse",
        "solo": "verse",
        "postchorus": "chorus",
        "drop": "chorus",
    }
    text = dice.of(shared.get(kind, kind)).pick(pool)
    return [bar.split("-") for bar in text.split()]
