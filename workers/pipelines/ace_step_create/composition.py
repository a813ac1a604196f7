"""The composer: from what was asked to a whole song on paper, before any sound."""

from collections.abc import Sequence
from dataclasses import dataclass

from workers.pipelines.ace_step_create.arrangement import arrange
from workers.pipelines.ace_step_create.dice import Dice, Variety
from workers.pipelines.ace_step_create.form import Form, Section, fit_form
from workers.pipelines.ace_step_create.harmony import Stretch, harmonise, last_chord
from workers.pipelines.ace_step_create.lyrics import Reading, read_lyrics
from workers.pipelines.ace_step_create.melody import SungNote, compose_melody
from workers.pipelines.ace_step_create.reading import Wishes, read_tags
from workers.pipelines.ace_step_create.score import Clock, Score
from workers.pipelines.ace_step_create.singing import Sung
from workers.pipelines.ace_step_create.style import Style
from workers.pipelines.ace_step_create.theory import Key, Meter, parse_key

_ORIGIN = 0.03
"""Seconds of silence before the first beat, so that its attack is whole."""
_RING_SECONDS = 2.4
"""How long the last chord rings when the composer may choose the tempo."""
_LEAST_RING = 1.3
_MAJOR_KEYS = ("C major", "G major", "D major", "F major", "A major", "E major", "Bb major", "Eb major", "Ab major")
_MINOR_KEYS = ("A minor", "E minor", "D minor", "C minor", "G minor", "B minor", "F minor", "F# minor", "C# minor")
_MIDDLE = {"female": 62.0, "male": 54.0}


@dataclass(frozen=True)
class Composition:
    """A song on paper."""

    wishes: Wishes
    reading: Reading
    style: Style
    key: Key
    meter: Meter
    bpm: float
    form: Form
    harmony: Sequence[Sequence[Stretch]]
    tunes: Sequence[Sequence[SungNote]]
    score: Score
    voice: str | None
    """`female` or `male` where words are sung, None where nothing is."""

    def seconds_at(self, beat: float) -> float:
        """When a beat sounds."""
        return self.score.clock.seconds(beat)

    def phrases(self) -> list[list[Sung]]:
        """What is sung: for each line its syllables on their notes, in seconds."""
        out = []
        for tune in self.tunes:
            lines: dict[int, list[Sung]] = {}
            for note in tune:
                if note.syllable is not None and self.voice:
                    start, end = self.seconds_at(note.start), self.seconds_at(note.start + note.length)
                    lines.setdefault(note.line, []).append(
                        Sung(note.syllable, start, end, note.pitch, note.velocity / 127)
                    )
            out += [lines[number] for number in sorted(lines)]
        return out

    @property
    def ends_at(self) -> float:
        """When the last chord begins."""
        return self.seconds_at(float(self.form.bars * self.meter.beats))

    def section_span(self, section: Section) -> tuple[float, float]:
        """A section's start and end in seconds; the last one takes the final chord with it."""
        head = section.start_bar * self.meter.beats
        tail = head + section.bars * self.meter.beats
        start = 0.0 if head == 0 else self.seconds_at(head)
        last = tail == self.form.bars * self.meter.beats
        return start, self.score.seconds if last else self.seconds_at(tail)


def compose(
    *,
    tags: str,
    lyrics: str,
    seconds: float,
    seed: int,
    variety: Variety,
    bpm: int | None = None,
    beats: int | None = None,
    key: str | None = None,
) -> Composition:
    """Everything from the tags' style to the last note. What is asked for by number wins over what the tags say."""
    wishes, reading = read_tags(tags), read_lyrics(lyrics)
    dice = Dice(seed, variety)
    style, mood = wishes.style, wishes.mood()
    asked_meter = beats or wishes.meter
    meter = Meter(asked_meter or dice.of("meter").pick(style.meters, [1.0] * len(style.meters)))
    chosen_key = parse_key(key or wishes.key or _choose_key(style, mood.minor, dice.of("key")))
    asked_bpm = bpm or wishes.bpm
    if asked_bpm:
        tempo = float(asked_bpm)
        bars = max(1, int((seconds - _LEAST_RING - _ORIGIN) / (meter.beats * 60 / tempo)))
    else:
        tempo, bars = _choose_tempo(style, mood.tempo, meter, seconds, dice.of("tempo"))
    clock = Clock(
        tempo, style.swing if meter.beats != 6 or style.swing_unit == 0.25 else 0.5, style.swing_unit, _ORIGIN
    )
    form = fit_form(reading, bars=bars, meter=meter, bpm=tempo, density=style.density, energy=mood.energy * 0.6)
    harmony = harmonise(form.sections, key=chosen_key, meter=meter, taste=style.taste, dice=dice.of("harmony"))
    sung = reading.has_words and not wishes.instrumental
    voice = None
    if sung:
        voice = wishes.voice if wishes.voice in _MIDDLE else dice.of("voice").pick(("female", "male"), [3, 2])
    middle = _MIDDLE.get(voice or "", 67.0)
    tunes = [
        compose_melody(
            section, stretches, key=chosen_key, meter=meter, middle=middle, density=style.density,
            dice=dice.of("melody"), seconds_per_beat=60 / tempo,
        )
        if _has_tune(section, sung=sung, reading=reading)
        else []
        for section, stretches in zip(form.sections, harmony, strict=True)
    ]  # fmt: skip
    tracks = arrange(
        form.sections, harmony, tunes, style=style, wishes=wishes, key=chosen_key, meter=meter,
        last=last_chord(chosen_key, style.taste), dice=dice.of("band"), sung=sung,
    )  # fmt: skip
    score = Score(clock, meter, chosen_key, seconds, tracks, style.looseness, seed)
    return Composition(wishes, reading, style, chosen_key, meter, tempo, form, harmony, tunes, score, voice)


def _has_tune(section: Section, *, sung: bool, reading: Reading) -> bool:
    """Whether something carries a melody there."""
    if section.lines:
        return True
    if section.kind in ("solo", "drop", "interlude"):
        return True
    return not sung and section.kind not in ("intro", "outro", "build")


def _choose_key(style: Style, leaning: float, dice: Dice) -> str:
    minor = dice.chance(max(0.0, min(1.0, style.minor + leaning)))
    return dice.pick(_MINOR_KEYS if minor else _MAJOR_KEYS, [1.0] * 9)


def _choose_tempo(style: Style, factor: float, meter: Meter, seconds: float, dice: Dice) -> tuple[float, int]:
    """A tempo in the style's range at which whole bars, by fours where it can be, fill the time asked."""
    slow, usual, fast = style.bpm
    wanted = max(slow, min(fast, usual + dice.spread((fast - slow) / 7))) * factor
    if meter.beats == 6 and 6 not in style.meters:
        wanted *= 1.4
    time = seconds - _RING_SECONDS - _ORIGIN
    exact = time * wanted / 60 / meter.beats
    options = list(range(max(1, int(exact * 0.9)), int(exact * 1.12) + 2))
    bars = min(
        options, key=lambda bars: abs(bars / exact - 1) * 14 + (0 if bars % 4 == 0 else 0.5 if bars % 2 == 0 else 0.9)
    )
    return round(bars * meter.beats * 60 / time, 1), bars
