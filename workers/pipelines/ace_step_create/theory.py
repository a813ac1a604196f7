"""The grammar of music: keys, scales, chords by roman numerals, metres, and voicings that move little."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
_FLAT_MAJORS = {5, 10, 3, 8, 1}
_NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII")
_ROMAN = re.compile(r"(?P<flat>b?)(?P<numeral>VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(?P<suffix>.*)")
_SUFFIXES: dict[str, tuple[tuple[int, ...] | None, str]] = {
    "": (None, ""),
    "5": ((0, 7), "5"),
    "6": ((0, 4, 7, 9), "6"),
    "7": ((0, 4, 7, 10), "7"),
    "maj7": ((0, 4, 7, 11), "maj7"),
    "9": ((0, 4, 7, 10, 14), "9"),
    "maj9": ((0, 4, 7, 11, 14), "maj9"),
    "add9": ((0, 4, 7, 14), "add9"),
    "sus4": ((0, 5, 7), "sus4"),
    "sus2": ((0, 2, 7), "sus2"),
    "ø": ((0, 3, 6, 10), "m7b5"),
    "°": ((0, 3, 6), "dim"),
}
_GROUPS = {2: (2,), 3: (3,), 4: (2, 2), 5: (3, 2), 6: (3, 3), 7: (4, 3)}


@dataclass(frozen=True)
class Key:
    """A tonic (pitch class 0..11, C is 0) and a mode."""

    tonic: int
    minor: bool
    name: str

    @property
    def scale(self) -> tuple[int, ...]:
        """The seven pitch classes from the tonic up; minor is the natural one."""
        return tuple((self.tonic + step) % 12 for step in (MINOR if self.minor else MAJOR))

    def spell(self, pitch_class: int) -> str:
        """A note's name with the accidentals this key is written with."""
        letter = self.name.split()[0]
        relative_major = (self.tonic + 3) % 12 if self.minor else self.tonic
        flats = "b" in letter or ("#" not in letter and relative_major in _FLAT_MAJORS)
        return (FLAT_NAMES if flats else SHARP_NAMES)[pitch_class % 12]


def parse_key(text: str) -> Key:
    """`C# minor`, `Bb major` and the like, as the contract writes them."""
    letter, mode = text.split()
    tonic = (LETTERS[letter[0]] + {"#": 1, "b": -1}.get(letter[1:], 0)) % 12
    return Key(tonic, mode == "minor", f"{letter} {mode}")


@dataclass(frozen=True)
class Chord:
    """A root (pitch class) and the intervals above it in semitones."""

    root: int
    intervals: tuple[int, ...]
    name: str
    roman: str

    @property
    def tones(self) -> tuple[int, ...]:
        """Pitch classes, root first."""
        return tuple((self.root + interval) % 12 for interval in self.intervals)

    @property
    def fifth(self) -> int:
        """Pitch class of the fifth (diminished where the chord is)."""
        return (self.root + next((step for step in self.intervals if step in (6, 7)), 7)) % 12

    @property
    def third(self) -> int:
        """Pitch class of the third; of the fifth where the chord has none."""
        return (self.root + next((step for step in self.intervals if step in (3, 4)), 7)) % 12


def chord_of(key: Key, roman: str) -> Chord:
    """The chord that a roman numeral means in `key`.

    Upper case is major, lower case minor. In a minor key III, VI and VII stand on the natural scale's degrees.
    """
    match = _ROMAN.fullmatch(roman)
    if match is None or match["suffix"] not in _SUFFIXES:
        raise ValueError(f"{roman!r} is no chord")
    steps = MINOR if key.minor else MAJOR
    root = (key.tonic + steps[_NUMERALS.index(match["numeral"].upper())] - (1 if match["flat"] else 0)) % 12
    lower = match["numeral"].islower()
    intervals, suffix = _SUFFIXES[match["suffix"]]
    if intervals is None:
        intervals = (0, 3, 7) if lower else (0, 4, 7)
    elif lower and match["suffix"] not in ("ø", "°"):
        intervals = tuple(3 if step == 4 else step for step in intervals)
        suffix = suffix.replace("maj7", "7")
        intervals = tuple(10 if step == 11 else step for step in intervals)
    minor_sign = "m" if lower and 3 in intervals and not suffix.startswith(("m7b5", "dim")) else ""
    return Chord(root, intervals, f"{key.spell(root)}{minor_sign}{suffix}", roman)


@dataclass(frozen=True)
class Meter:
    """Beats a bar and how they fall into groups."""

    beats: int

    @property
    def groups(self) -> tuple[int, ...]:
        """Sizes of the groups; each begins with an accent."""
        return _GROUPS[self.beats]

    @property
    def heads(self) -> tuple[int, ...]:
        """The beats that begin a group."""
        starts = [0]
        for size in self.groups[:-1]:
            starts.append(starts[-1] + size)
        return tuple(starts)

    def weight(self, position: float) -> float:
        """Metrical weight of a place in the bar (in beats): 1 on the first beat down to 0.1 on a sixteenth."""
        place = position % self.beats
        if place < 1e-6 or self.beats - place < 1e-6:
            return 1.0
        if abs(place - round(place)) < 1e-6:
            return 0.75 if round(place) in self.heads else 0.55
        return 0.3 if abs(place * 2 - round(place * 2)) < 1e-6 else 0.1

    def accent(self, position: float) -> int:
        """What the metre adds to a note's velocity there."""
        weight = self.weight(position)
        return 14 if weight == 1.0 else 5 if weight >= 0.75 else -1 if weight >= 0.5 else -7


def nearest_pitch(pitch_class: int, center: float) -> int:
    """The MIDI pitch of that class nearest to `center`."""
    base = round(center) - (round(center) - pitch_class) % 12
    return min((base, base + 12), key=lambda pitch: abs(pitch - center))


def voice(chord: Chord, center: float, before: Sequence[int] | None = None, *, size: int = 4) -> list[int]:
    """Pitches for the chord around `center`: of all its close positions the one that moves least from `before`."""
    tones = list(dict.fromkeys(chord.tones))
    if len(tones) > size:
        tones = [tone for tone in tones if tone != chord.fifth][:size]
    candidates = []
    for turn in range(len(tones)):
        for octave in (-12, 0, 12):
            order = tones[turn:] + tones[:turn]
            pitches = [nearest_pitch(order[0], center - 5) + octave]
            for tone in order[1:]:
                pitches.append(pitches[-1] + ((tone - pitches[-1]) % 12 or 12))
            candidates.append(pitches)

    def cost(pitches: list[int]) -> float:
        drift = abs(sum(pitches) / len(pitches) - center) * 0.6
        if any(high - low < 2 for low, high in pairwise(pitches)):
            drift += 2.0
        if before:
            drift += sum(min(abs(pitch - other) for other in before) for pitch in pitches)
        return drift

    return min(candidates, key=cost)
