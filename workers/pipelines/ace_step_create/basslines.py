"""How basses play: each is a function from a bar of chords to notes."""

from collections.abc import Callable

from workers.pipelines.ace_step_create.dice import Dice
from workers.pipelines.ace_step_create.harmony import Stretch
from workers.pipelines.ace_step_create.score import Note
from workers.pipelines.ace_step_create.theory import Meter, nearest_pitch

BassPlayer = Callable[["Bass", Stretch, Stretch], list[Note]]


class Bass:
    """What a bass player knows: the metre, its instrument's middle, how hard to play, and its own dice."""

    def __init__(self, meter: Meter, low: int, intensity: float, dice: Dice) -> None:
        self.meter, self.low, self.intensity, self.dice = meter, low, intensity, dice

    def root(self, stretch: Stretch) -> int:
        """The chord's root in the lowest octave of the instrument."""
        return self.low + (stretch.chord.root - self.low) % 12

    def note(self, start: float, length: float, pitch: int, hard: int = 0) -> Note:
        velocity = 84 + round(18 * self.intensity) + self.meter.accent(start) // 2 + hard
        return Note(start, length, pitch, max(30, min(124, velocity)))

    def fifth(self, stretch: Stretch) -> int:
        root = self.root(stretch)
        return root + (stretch.chord.fifth - root) % 12


def _grid(bass: Bass, stretch: Stretch, signs: str, unit: float, long: float = 0.9) -> list[Note]:
    """Signs per `unit` beats, from the stretch's start: R root, O octave, F fifth, T third, L leading note from "
    "below."""
    root = bass.root(stretch)
    pitch = {
        "R": root,
        "O": root + 12,
        "F": bass.fifth(stretch),
        "T": root + (stretch.chord.third - root) % 12,
        "S": root + 10 if 10 in stretch.chord.intervals else root + 12,
    }
    steps = round(stretch.beats / unit)
    row = [signs[place % len(signs)] for place in range(steps)]
    out = []
    for place, sign in enumerate(row):
        if sign not in pitch:
            continue
        rest = next((after for after in range(place + 1, steps) if row[after] != "-"), steps)
        out.append(bass.note(stretch.start + place * unit, (rest - place) * unit * long, pitch[sign]))
    return out


def _eighths(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    if bass.intensity < 0.42:
        return [bass.note(stretch.start, stretch.beats * 0.95, bass.root(stretch))]
    notes = _grid(bass, stretch, "R", 0.5)
    if bass.intensity > 0.8 and stretch.beats >= 4:
        notes[-1] = bass.note(notes[-1].start, 0.45, bass.fifth(stretch))
    return notes


def _pop(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    if bass.intensity < 0.42:
        return [bass.note(stretch.start, stretch.beats * 0.95, bass.root(stretch))]
    return _grid(bass, stretch, "R--RR-RF" if bass.intensity > 0.75 else "R---R-R-", 0.5, 0.92)


def _roots(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    notes = [bass.note(stretch.start, stretch.beats * 0.95, bass.root(stretch))]
    if bass.intensity > 0.6 and stretch.beats >= 3:
        half = stretch.beats - (2 if stretch.beats > 3 else 1)
        notes = [
            bass.note(stretch.start, half * 0.95, bass.root(stretch)),
            bass.note(stretch.start + half, (stretch.beats - half) * 0.9, bass.fifth(stretch), -8),
        ]
    return notes


def _root_fifth(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    notes = []
    for beat in range(0, int(stretch.beats), 2):
        pitch = (
            bass.root(stretch)
            if beat % 4 == 0
            else bass.fifth(stretch) - (12 if bass.fifth(stretch) - 12 >= bass.low - 5 else 0)
        )
        notes.append(bass.note(stretch.start + beat, 1.5, pitch))
    if after.chord.root != stretch.chord.root and stretch.beats >= 4 and bass.intensity > 0.5:
        notes.append(
            bass.note(stretch.end - 1, 0.8, bass.root(after) + (2 if bass.root(after) < bass.root(stretch) else -2), -6)
        )
    return notes


def _walking(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    """A note a beat: the root, chord and scale tones, and a half step or step into the next root."""
    root, count = bass.root(stretch), int(stretch.beats)
    tones = [root + interval for interval in (*stretch.chord.intervals, 12) if interval <= 12]
    goal = nearest_pitch(after.chord.root, root + (5 if bass.dice.chance(0.5) else -2))
    goal = goal if goal >= bass.low - 1 else goal + 12
    line = [root]
    for beat in range(1, count):
        if beat == count - 1:
            line.append(goal + bass.dice.pick((-1, 1, 2, -2), [4, 3, 2, 2]))
        else:
            near = sorted(tones, key=lambda pitch: abs(pitch - line[-1] - (goal - line[-1]) / (count - beat)))
            line.append(bass.dice.pick([pitch for pitch in near if pitch != line[-1]][:3]))
    notes = [bass.note(stretch.start + beat, 0.92, pitch) for beat, pitch in enumerate(line)]
    if bass.intensity > 0.6 and bass.dice.chance(0.3):
        notes.append(bass.note(stretch.start + count - 0.5, 0.4, line[-1], -18))
    return notes


def _lazy(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    return _grid(bass, stretch, "R-----R---R---F-" if bass.dice.chance(0.5) else "R------R--R-----", 0.25, 0.85)


def _gallop(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    if bass.intensity < 0.4:
        return _grid(bass, stretch, "R", 1.0)
    return _grid(bass, stretch, "R-RR", 0.25, 0.85) if bass.intensity < 0.85 else _grid(bass, stretch, "R", 0.25, 0.8)


def _808(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    signs = bass.dice.pick(("R-----R---R-----", "R---------R---O-", "R--R------R-----"))
    if bass.intensity < 0.35:
        signs = "R---------------"
    return _grid(bass, stretch, signs, 0.25, 0.98)


def _offbeat(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    if bass.intensity < 0.4:
        return [bass.note(stretch.start, stretch.beats * 0.95, bass.root(stretch))]
    return _grid(
        bass,
        stretch,
        ".R.R.R.R" if bass.intensity < 0.85 else "..RO..RR..RO.RRO",
        0.5 if bass.intensity < 0.85 else 0.25,
    )


def _rolling(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    return _grid(bass, stretch, ".RRR.RRO" if bass.intensity < 0.8 else ".RRR.RSO.RRR.OFR", 0.25, 0.8)


def _sixteenths(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    if bass.intensity < 0.35:
        return _grid(bass, stretch, "R", 0.5, 0.8)
    return _grid(bass, stretch, "RRRRRRRR" if bass.intensity < 0.8 else "RROORROO", 0.25, 0.75)


def _octaves(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    return _grid(bass, stretch, "RO" if bass.intensity > 0.35 else "R-", 0.5, 0.75)


def _funk(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    signs = bass.dice.pick(("R--R..SO..R.F.S.", "R..RO..R..SO..F.", "R.R...O.R..S.OF."))
    return _grid(bass, stretch, signs if bass.intensity > 0.4 else "R-----R---R-----", 0.25, 0.7)


def _soul(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    return _grid(bass, stretch, "R--RF--R" if bass.intensity > 0.45 else "R---F---", 0.5, 0.9)


def _reggae(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    return _grid(bass, stretch, bass.dice.pick(("R-.RF-T-", "..R-RTF-", "R--FR-TR")), 0.5, 0.85)


def _bossa(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    return _grid(bass, stretch, "R--FF--R", 0.5, 0.9)


def _tumbao(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    notes = _grid(bass, stretch, "R--F--R-" if bass.intensity < 0.5 else "...F--R-", 0.5, 0.9)
    return [bass.note(stretch.start, 1.2, bass.root(stretch)), *[note for note in notes if note.start > stretch.start]]


def _tresillo(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    return _grid(bass, stretch, "R--R--R-", 0.5, 0.8)


def _long(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    return _grid(bass, stretch, "R---------R-R---" if bass.intensity > 0.5 else "R---------------", 0.25, 0.97)


def _bar_heads(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    odd = round(stretch.start / bass.meter.beats) % 2
    return [
        bass.note(
            stretch.start,
            1.2,
            bass.fifth(stretch) if odd and after.chord.root == stretch.chord.root else bass.root(stretch),
        )
    ]


def _pedal(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    if bass.intensity < 0.6:
        return [bass.note(stretch.start, stretch.beats * 1.0, bass.root(stretch), -4)]
    return _grid(bass, stretch, "RR", 0.5, 0.8)


def _drone(bass: Bass, stretch: Stretch, after: Stretch) -> list[Note]:
    return [bass.note(stretch.start, stretch.beats * 1.02, bass.root(stretch), -10)]


BASSES: dict[str, BassPlayer] = {
    "eighths": _eighths, "pop": _pop, "roots": _roots, "root-fifth": _root_fifth, "walking": _walking, "lazy": _lazy,
    "gallop": _gallop, "808": _808, "offbeat": _offbeat, "rolling": _rolling, "sixteenths": _sixteenths,
    "octaves": _octaves, "funk": _funk, "soul": _soul, "reggae": _reggae, "bossa": _bossa, "tumbao": _tumbao,
    "tresillo": _tresillo, "long": _long, "bar heads": _bar_heads, "pedal": _pedal, "drone": _drone,
}  # fmt: skip
