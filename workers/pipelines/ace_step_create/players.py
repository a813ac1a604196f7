"""How the band plays chords: each player is a function from a chord to notes."""

from collections.abc import Callable

from workers.pipelines.ace_step_create.dice import Dice
from workers.pipelines.ace_step_create.harmony import Stretch
from workers.pipelines.ace_step_create.instruments import Instrument
from workers.pipelines.ace_step_create.score import Note
from workers.pipelines.ace_step_create.theory import Meter, voice


class Player:
    """What a player knows: metre, instrument, register, how hard to play; `hand` is the last voicing."""

    def __init__(self, meter: Meter, instrument: Instrument, center: int, dice: Dice) -> None:
        self.meter, self.instrument, self.dice = meter, instrument, dice
        self.center = max(instrument.low + 7, min(instrument.high - 8, center))
        self.hand: list[int] | None = None
        self.intensity = 0.5
        self.taste = dice.random.randrange(12)

    def grip(self, stretch: Stretch, size: int = 4) -> list[int]:
        """A voicing that moves little from the last one, within the instrument's range."""
        self.hand = voice(stretch.chord, self.center, self.hand, size=size)
        return [self._reach(pitch) for pitch in self.hand]

    def _reach(self, pitch: int) -> int:
        while pitch < self.instrument.low:
            pitch += 12
        while pitch > self.instrument.high:
            pitch -= 12
        return pitch

    def note(self, start: float, length: float, pitch: int, hard: int = 0) -> Note:
        velocity = 76 + round(20 * self.intensity) + self.meter.accent(start) // 2 + hard
        return Note(start, length, self._reach(pitch), max(20, min(122, velocity)))

    def chord(self, start: float, length: float, pitches: list[int], hard: int = 0, roll: float = 0.0) -> list[Note]:
        """All at once, or `roll` beats apart from the lowest."""
        return [
            self.note(start + place * roll, max(0.08, length - place * roll), pitch, hard)
            for place, pitch in enumerate(pitches)
        ]


def _signs(
    player: Player, stretch: Stretch, signs: str, unit: float, long: float, *, size: int = 4, roll: float = 0.0
) -> list[Note]:
    """The whole chord at each sign: `X` hard, `x`, `o` soft; `-` holds, `.` rests."""
    pitches = player.grip(stretch, size)
    steps = round(stretch.beats / unit)
    row = [signs[place % len(signs)] for place in range(steps)]
    out = []
    for place, sign in enumerate(row):
        if sign in "-.":
            continue
        rest = next((after for after in range(place + 1, steps) if row[after] != "-"), steps)
        hard = {"X": 10, "x": 0, "o": -14}[sign]
        out += player.chord(stretch.start + place * unit, (rest - place) * unit * long, pitches, hard, roll)
    return out


def _pad(player: Player, stretch: Stretch) -> list[Note]:
    # Sections of strings and choirs are many voices each: three notes fill a chord, and four cost the renderer dearly.
    size = 3 if player.instrument.family in ("strings", "voices") else 4
    return player.chord(stretch.start, stretch.beats * 1.0, player.grip(stretch, size), -6)


def _swells(player: Player, stretch: Stretch) -> list[Note]:
    pitches = player.grip(stretch, 3)
    if player.intensity < 0.8:
        return player.chord(stretch.start, stretch.beats * 0.97, pitches)
    half = stretch.beats / 2 if stretch.beats % 2 == 0 else stretch.beats
    notes = player.chord(stretch.start, half * 0.95, pitches, 6)
    return notes + (player.chord(stretch.start + half, half * 0.95, pitches, 0) if half < stretch.beats else [])


def _piano_pop(player: Player, stretch: Stretch) -> list[Note]:
    if player.intensity < 0.45:
        return _signs(player, stretch, "x---o---", 0.5, 0.98)
    pitches = player.grip(stretch)
    notes = []
    for place in range(int(stretch.beats)):
        notes += player.chord(stretch.start + place, 0.9, pitches[1:] if place else pitches, 0 if place else 6)
        if player.intensity > 0.7:
            notes.append(player.note(stretch.start + place + 0.5, 0.45, pitches[0], -12))
    return notes


def _strum(player: Player, stretch: Stretch) -> list[Note]:
    signs = "X.o.xox.oxX.xoxo" if player.intensity > 0.75 else "X...x.o.x.x.x.o."
    return _signs(player, stretch, signs, 0.25, 1.6, size=4, roll=0.018)


def _power8(player: Player, stretch: Stretch) -> list[Note]:
    root = player.instrument.low + (stretch.chord.root - player.instrument.low) % 12
    root += 12 if root < 38 else 0
    shape = [root, root + (stretch.chord.fifth - root) % 12, root + 12]
    if player.intensity < 0.6:
        return player.chord(stretch.start, stretch.beats * 0.97, shape)
    notes = []
    for place in range(int(stretch.beats * 2)):
        hard = 8 if place % 4 == 0 else -10
        notes += player.chord(
            stretch.start + place * 0.5, 0.46, shape if place % 4 == 0 or player.intensity > 0.8 else shape[:2], hard
        )
    return notes


def _gallop(player: Player, stretch: Stretch) -> list[Note]:
    root = player.instrument.low + (stretch.chord.root - player.instrument.low) % 12
    shape = [root, root + (stretch.chord.fifth - root) % 12, root + 12]
    if player.intensity < 0.5:
        return player.chord(stretch.start, stretch.beats * 0.98, shape, 6)
    notes = []
    steps = int(stretch.beats * 4)
    for place in range(steps):
        if place % 4 == 1 and player.intensity < 0.9:
            continue
        accent = place % 8 == 0
        notes += player.chord(
            stretch.start + place * 0.25, 0.5 if accent else 0.2, shape if accent else shape[:1], 10 if accent else -12
        )
    return notes


def _arp(unit: float, orders: tuple[tuple[int, ...], ...]) -> Callable[[Player, Stretch], list[Note]]:
    def play(player: Player, stretch: Stretch) -> list[Note]:
        pitches = player.grip(stretch, 4)
        ladder = [*pitches, *[pitch + 12 for pitch in pitches]]
        order = orders[player.taste % len(orders)]
        notes = []
        for place in range(round(stretch.beats / unit)):
            pitch = ladder[order[place % len(order)] % len(ladder)]
            long = unit * (1.9 if unit >= 0.5 else 1.1)
            notes.append(
                player.note(
                    stretch.start + place * unit, min(long, stretch.end - stretch.start - place * unit), pitch, -2
                )
            )
        return notes

    return play


def _offbeats(player: Player, stretch: Stretch) -> list[Note]:
    return _signs(player, stretch, ".x.x.x.x" if player.intensity < 0.85 else ".x.X.xoX", 0.5, 0.6, size=3)


def _stab(player: Player, stretch: Stretch) -> list[Note]:
    signs = "X--x--x-" if player.intensity > 0.6 else "X-------"
    return _signs(player, stretch, signs, 0.5, 0.92)


def _house_piano(player: Player, stretch: Stretch) -> list[Note]:
    return _signs(player, stretch, "X..x..x...x..x..", 0.25, 0.8)


def _comping(player: Player, stretch: Stretch) -> list[Note]:
    signs = player.dice.pick(("x--x----", "x---.x--", ".x--x---", "x-.x--.x"), [4, 3, 3, 2])
    return _signs(player, stretch, signs, 0.5, 0.75)


def _comping16(player: Player, stretch: Stretch) -> list[Note]:
    signs = player.dice.pick(("x..x..o..x.o..x.", "..x.x..o..x..xo.", "x.o..x...xo..x.."))
    return _signs(player, stretch, signs, 0.25, 0.7, size=3)


def _scratch(player: Player, stretch: Stretch) -> list[Note]:
    return _signs(
        player,
        stretch,
        "o.xoo.xo.oxo.oxo" if player.intensity > 0.5 else "..x...x...x...xo",
        0.25,
        0.5,
        size=3,
        roll=0.01,
    )


def _lazy_chords(player: Player, stretch: Stretch) -> list[Note]:
    signs = player.dice.pick(("x-----o---------", "x--------o--x---", "x---------------"))
    return _signs(player, stretch, signs, 0.25, 0.97, size=4, roll=0.04)


def _loop(player: Player, stretch: Stretch) -> list[Note]:
    """A short figure that comes back unchanged: minor-key hip hop's melody loop."""
    pitches = player.grip(stretch, 4)
    steps = [0, 3, 6, 8, 11, 14] if player.center < 70 else [0, 2, 4, 6, 10, 12]
    return [
        player.note(
            stretch.start + step * 0.25,
            0.7,
            pitches[(place * 2 + place // 3) % len(pitches)] + (12 if place == 3 else 0),
        )
        for place, step in enumerate(steps)
        if step * 0.25 < stretch.beats
    ]


def _shuffle(player: Player, stretch: Stretch) -> list[Note]:
    """Root with fifth and sixth in turn, eighths that the clock swings."""
    root = player.instrument.low + (stretch.chord.root - player.instrument.low) % 12
    notes = []
    for place in range(int(stretch.beats * 2)):
        upper = 9 if place // 2 % 2 else 7
        notes += player.chord(stretch.start + place * 0.5, 0.42, [root, root + upper], 0 if place % 2 == 0 else -10)
    return notes


def _skank(player: Player, stretch: Stretch) -> list[Note]:
    pitches = player.grip(stretch, 3)
    notes = []
    for beat in range(1, int(stretch.beats) + 1):
        if beat % 2 == 1 or player.meter.beats % 2:
            notes += player.chord(stretch.start + beat - (0 if beat < stretch.beats else 0.5), 0.22, pitches, 4)
    return [note for note in notes if note.start < stretch.end] + [
        note
        for beat in range(int(stretch.beats))
        for note in player.chord(stretch.start + beat + 0.5, 0.18, pitches, -4)
    ]


def _bubble(player: Player, stretch: Stretch) -> list[Note]:
    return _signs(player, stretch, ".o.x.o.x", 0.5, 0.5, size=3)


def _bossa_guitar(player: Player, stretch: Stretch) -> list[Note]:
    return _signs(
        player,
        stretch,
        "x-.x--x-.x-x-.x-" if player.intensity > 0.4 else "x--x--x---x--x--",
        0.25,
        0.9,
        size=4,
        roll=0.01,
    )


def _montuno(player: Player, stretch: Stretch) -> list[Note]:
    pitches = player.grip(stretch, 3)
    top, low = pitches[-1], pitches[0]
    steps = {
        0: [low, top],
        2: [pitches[1]],
        3: [low, top],
        6: [low, top],
        8: [pitches[1]],
        9: [low, top],
        12: [pitches[1]],
        14: [low, top],
    }
    return [
        player.note(stretch.start + step * 0.25, 0.45, pitch, 4 if len(group) > 1 else -8)
        for step, group in steps.items()
        if step * 0.25 < stretch.beats
        for pitch in (*group, *([group[-1] - 12] if len(group) > 1 else []))
    ]


def _boom_chick(player: Player, stretch: Stretch) -> list[Note]:
    pitches = player.grip(stretch, 4)
    notes = []
    for beat in range(int(stretch.beats)):
        if beat % 2 == 0 and not (player.meter.beats == 3 and beat):
            low = (
                player.instrument.low
                + ((stretch.chord.root if beat % 4 == 0 else stretch.chord.fifth) - player.instrument.low) % 12
            )
            notes.append(player.note(stretch.start + beat, 0.8, low, 4))
        else:
            notes += player.chord(stretch.start + beat, 0.55, pitches[1:], -2, 0.015)
            if player.intensity > 0.6:
                notes += player.chord(stretch.start + beat + 0.5, 0.4, pitches[1:], -14, 0.012)
    return notes


def _oom_pah(player: Player, stretch: Stretch) -> list[Note]:
    pitches = player.grip(stretch, 3)
    offs = [
        beat
        for beat in range(int(stretch.beats))
        if round(stretch.start + beat) % player.meter.beats not in player.meter.heads
    ]
    return [note for beat in offs for note in player.chord(stretch.start + beat, 0.5, pitches)]


def _fingerpick(player: Player, stretch: Stretch) -> list[Note]:
    pitches = player.grip(stretch, 4)
    root = player.instrument.low + (stretch.chord.root - player.instrument.low) % 12
    thumb = [root, pitches[1], root + (stretch.chord.fifth - root) % 12, pitches[1]]
    fingers = [pitches[-1], pitches[-2], pitches[-1], pitches[-2]]
    notes = []
    for place in range(int(stretch.beats)):
        notes.append(player.note(stretch.start + place, 1.1, thumb[place % 4], 2))
        notes.append(player.note(stretch.start + place + 0.5, 0.9, fingers[place % 4], -6))
    return notes


def _banjo_roll(player: Player, stretch: Stretch) -> list[Note]:
    pitches = [*player.grip(stretch, 3)]
    order = [0, 1, 2, 0, 1, 2, 0, 2]
    return [
        player.note(
            stretch.start + place * 0.25, 0.4, pitches[order[place % 8] % len(pitches)], 3 if place % 4 == 0 else -8
        )
        for place in range(round(stretch.beats * 4))
    ]


def _ostinato(player: Player, stretch: Stretch) -> list[Note]:
    pitches = player.grip(stretch, 3)
    unit = 0.5 if player.intensity > 0.45 else 1.0
    notes = []
    for place in range(round(stretch.beats / unit)):
        pitch = pitches[(0, 1, 2, 1)[place % 4] % len(pitches)]
        notes.append(player.note(stretch.start + place * unit, unit * 0.8, pitch, 6 if place % 4 == 0 else -6))
        if player.intensity > 0.75:
            notes.append(player.note(stretch.start + place * unit, unit * 0.8, pitches[0] - 12, -4))
    return notes


def _sparse(player: Player, stretch: Stretch) -> list[Note]:
    pitches = player.grip(stretch, 4)
    spots = [spot for spot in range(int(stretch.beats * 2)) if player.dice.chance(0.22)] or [int(stretch.beats)]
    return [
        player.note(stretch.start + spot * 0.5, 2.5, player.dice.pick(pitches, [1.0] * len(pitches)), -10)
        for spot in spots
    ]


def _hits(player: Player, stretch: Stretch) -> list[Note]:
    signs = player.dice.pick(("..........x.X---", "X--.......x-----", "x.x-......X-----"), [3, 3, 2])
    return _signs(player, stretch, signs, 0.25, 0.8, size=3)


def _alberti(player: Player, stretch: Stretch) -> list[Note]:
    pitches = player.grip(stretch, 3)
    unit = 0.5 if player.intensity > 0.3 else 1.0
    order = (0, 2, 1, 2) if player.meter.beats % 3 else (0, 1, 2, 2, 1, 2)
    return [
        player.note(stretch.start + place * unit, unit * 1.05, pitches[order[place % len(order)] % len(pitches)], -10)
        for place in range(round(stretch.beats / unit))
    ]


def _left_hand(player: Player, stretch: Stretch) -> list[Note]:
    root = 36 + (stretch.chord.root - 36) % 12
    pitches = [root, root + 12] if player.intensity > 0.7 else [root]
    return player.chord(stretch.start, stretch.beats * 0.95, pitches, 2)


PLAYERS: dict[str, Callable[[Player, Stretch], list[Note]]] = {
    "pad": _pad, "swells": _swells, "piano pop": _piano_pop, "strum": _strum, "power8": _power8, "gallop": _gallop,
    "arp8": _arp(0.5, ((0, 1, 2, 3, 2, 1, 2, 3), (0, 2, 1, 2, 3, 2, 1, 2), (0, 2, 3, 4, 3, 2, 3, 2))),
    "arp16": _arp(0.25, ((0, 1, 2, 3, 4, 3, 2, 1), (0, 2, 4, 2, 3, 2, 4, 2), (4, 3, 2, 1, 0, 1, 2, 3))),
    "offbeats": _offbeats, "stab": _stab, "house piano": _house_piano, "comping": _comping, "comping16": _comping16,
    "scratch": _scratch, "lazy chords": _lazy_chords, "loop": _loop, "shuffle": _shuffle, "skank": _skank,
    "bubble": _bubble, "bossa guitar": _bossa_guitar, "montuno": _montuno, "boom-chick": _boom_chick,
    "oom-pah": _oom_pah, "fingerpick": _fingerpick, "banjo roll": _banjo_roll, "ostinato": _ostinato,
    "sparse": _sparse, "hits": _hits, "alberti": _alberti, "left hand": _left_hand,
}  # fmt: skip
PLAYER_FOR_FAMILY = {
    "keys": "comping", "bells": "arp8", "guitar": "arp8", "strings": "pad", "voices": "pad", "brass": "swells",
    "winds": "pad", "synth": "arp16", "percussion": "left hand", "bass": "left hand",
}  # fmt: skip
"""How an instrument that the tags add plays along."""
