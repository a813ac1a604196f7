"""The drummer: grooves by intensity, fills into the next section, crashes, rolls, and the effects between sections."""

from collections.abc import Sequence

from workers.pipelines.ace_step_create.dice import Dice
from workers.pipelines.ace_step_create.form import Section
from workers.pipelines.ace_step_create.grooves import GROOVES, VELOCITY, bar_of
from workers.pipelines.ace_step_create.score import Note
from workers.pipelines.ace_step_create.style import Style
from workers.pipelines.ace_step_create.theory import Meter

PITCHES = {
    "K": 36, "S": 38, "R": 37, "C": 39, "H": 42, "O": 46, "D": 51, "P": 70, "T": 45, "M": 48, "B": 64, "Q": 63,
    "W": 56, "crash": 49, "floor": 41,
}  # fmt: skip
"""General MIDI drum pitches of the grooves' signs."""
TAIKO_PITCH = 45
RISER, IMPACT, SWEEP = 1, 2, 3
"""Effects of the synthesiser, kept on a track of their own."""
SYNTHETIC_KITS = frozenset({"electronic", "909", "808", "gated", "hip-hop", "dusty"})
_STEP = 0.25
_ROLLING = frozenset({"electro-pop", "house", "techno", "trap", "drum and bass", "synthwave", "reggaeton"})


def drum(
    sections: Sequence[Section], *, style: Style, meter: Meter, dice: Dice, end_beat: float
) -> tuple[list[Note], list[Note], list[Note]]:
    """Notes of the kit, of the big drums, and of the effects."""
    kit: list[Note] = []
    big: list[Note] = []
    effects: list[Note] = []
    groove = GROOVES[style.groove]
    full_from = 0.62 if style.swell or style.name in ("ballad", "ambient") else 0.46
    for place, section in enumerate(sections):
        after = sections[place + 1] if place + 1 < len(sections) else None
        origin = section.start_bar * meter.beats
        for bar in range(section.bars):
            layers = ["light"] if section.intensity < full_from else ["full"]
            if section.intensity < 0.26 or (
                section.kind == "intro" and bar < section.bars // 2 and dice.of("intro").chance(0.5)
            ):
                layers = []
            if section.intensity >= 0.85:
                layers.append("peak")
            rows: dict[str, str] = {}
            for layer in layers:
                rows |= bar_of(groove, layer, meter.beats, bar=bar)
            if "peak" in layers and {"D", "O"} & rows.keys() and "H" in rows and style.kit not in SYNTHETIC_KITS:
                rows.pop("H")
            for row, signs in rows.items():
                for step, sign in enumerate(signs):
                    if sign == ".":
                        continue
                    beat = origin + bar * meter.beats + step * _STEP
                    hard = (section.intensity - 0.7) * 22 + (meter.accent(beat) * 0.5 if row in "KZHDPO" else 0)
                    note = Note(
                        beat, _STEP, TAIKO_PITCH if row == "Z" else PITCHES[row], _bounded(VELOCITY[sign] + hard)
                    )
                    (big if row == "Z" else kit).append(note)
        if not groove.full or after is None:
            continue
        start, end = float(origin), float(origin + section.bars * meter.beats)
        rises = after.intensity - section.intensity
        if style.name in _ROLLING and rises > 0.2 and after.kind in ("chorus", "drop", "solo", "postchorus"):
            kit = _roll(kit, start, end, meter)
            length = min(end - start, 2.0 * meter.beats)
            effects += [Note(end - length, length, RISER, 90), Note(end, 4.0, IMPACT, 100)]
        elif style.swell and rises > 0.15:
            big += _crescendo(end, min(4.0, end - start))
        elif not style.swell and section.intensity >= 0.4 and dice.of(f"fill{place}").chance(0.85):
            kit = _fill(kit, end, meter, dice.of(f"fill{place}"), style, section.intensity)
        if after.intensity >= 0.62 and (rises > 0.05 or after.kind in ("chorus", "drop")):
            kit.append(Note(end, 2.0, PITCHES["crash"], _bounded(72 + 34 * after.intensity)))
    if groove.full and sections[-1].intensity >= 0.26:
        kit += [Note(end_beat, 1.0, PITCHES["K"], 92), Note(end_beat, 3.0, PITCHES["crash"], 78)]
    elif groove.full and style.swell:
        big.append(Note(end_beat, 1.0, TAIKO_PITCH, 90))
    return kit, big, effects


def _bounded(velocity: float) -> int:
    return max(16, min(127, round(velocity)))


def _fill(kit: list[Note], end: float, meter: Meter, dice: Dice, style: Style, intensity: float) -> list[Note]:
    """One or two beats of snare and toms in place of what the groove has there."""
    beats = dice.pick((1.0, 2.0), [3, 2]) if meter.beats > 2 else 1.0
    start = end - beats
    kept = [note for note in kit if note.start < start - 1e-6 or note.pitch == PITCHES["K"]]
    shapes = (
        ("SSSS", "S.ST", "SMTT", "S.MT", "SSMMTTFF", "S.S.M.T.", "SSMMTFTF")
        if style.swing == 0.5
        else ("S.S.", "S.T.", "S.M.T.F.", "S.S.T.T.")
    )
    shape = dice.pick([shape for shape in shapes if len(shape) == int(beats * 4)])
    pitch = {"S": PITCHES["S"], "M": PITCHES["M"], "T": PITCHES["T"], "F": PITCHES["floor"]}
    for step, sign in enumerate(shape):
        if sign != ".":
            loud = 62 + 30 * (step + 1) / len(shape) + 14 * intensity
            kept.append(Note(start + step * _STEP, _STEP, pitch[sign], _bounded(loud)))
    return kept


def _roll(kit: list[Note], start: float, end: float, meter: Meter) -> list[Note]:
    """A snare roll that grows denser and louder, then a moment of silence before the drop."""
    length = min(end - start, 2.0 * meter.beats)
    head, stop = end - length, end - 0.5
    kept = [
        note for note in kit if note.start < head - 1e-6 or (note.pitch != PITCHES["S"] and note.start < stop - 1e-6)
    ]
    beat = head
    while beat < stop - 1e-6:
        share = (beat - head) / length
        kept.append(Note(beat, 0.2, PITCHES["S"], _bounded(46 + 62 * share)))
        beat += 1.0 if share < 0.25 else 0.5 if share < 0.6 else 0.25
    return kept


def _crescendo(end: float, beats: float) -> list[Note]:
    steps = int(beats * 4)
    return [
        Note(end - beats + step * _STEP, _STEP, TAIKO_PITCH, _bounded(40 + 70 * (step / steps) ** 1.5))
        for step in range(steps)
        if step * 2 >= steps or step % 2 == 0
    ]
