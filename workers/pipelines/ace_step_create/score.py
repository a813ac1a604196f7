"""A score: notes in beats on tracks, how beats become seconds, and its writing as MIDI through pretty_midi."""

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from workers.pipelines.ace_step_create.instruments import Instrument
from workers.pipelines.ace_step_create.theory import Key, Meter


@dataclass(frozen=True)
class Note:
    """Start and length in beats, a MIDI pitch (or drum sign's pitch) and a velocity 1..127."""

    start: float
    length: float
    pitch: int
    velocity: int


@dataclass
class Track:
    """One player's part. `kit` names the drum kit of a percussion track; `level` is dB beside the melody."""

    name: str
    role: str
    instrument: Instrument | None
    notes: list[Note] = field(default_factory=list)
    level: float = 0.0
    pan: float = 0.0
    kit: str | None = None


@dataclass(frozen=True)
class Clock:
    """Beats to seconds: tempo, swing (where in its pair the second of two `unit`s falls) and where beat 0 lies."""

    bpm: float
    swing: float = 0.5
    unit: float = 0.5
    origin: float = 0.03

    def seconds(self, beat: float) -> float:
        """When a place in the score sounds; swing moves what lies between the pairs along."""
        pair = 2 * self.unit
        whole = beat // pair * pair
        inside = (beat - whole) / pair
        warped = inside * 2 * self.swing if inside < 0.5 else self.swing + (inside - 0.5) * 2 * (1 - self.swing)
        return self.origin + (whole + warped * pair) * 60 / self.bpm


@dataclass
class Score:
    """Everything the renderer needs."""

    clock: Clock
    meter: Meter
    key: Key
    seconds: float
    tracks: list[Track]
    looseness: float
    seed: int


@dataclass(frozen=True)
class Event:
    """A note in seconds."""

    start: float
    end: float
    pitch: int
    velocity: int


def played(score: Score, track: Track) -> list[Event]:
    """The track as a person would play it: never exactly on the beat nor twice equally loud, by the seed."""
    hand = random.Random(f"{score.seed}/{track.name}/{track.role}")
    events = []
    drift = 0.0
    for note in sorted(track.notes, key=lambda note: (note.start, note.pitch)):
        drift = 0.8 * drift + hand.gauss(0, score.looseness * 0.5)
        push = max(-2.5, min(2.5, hand.gauss(0, 0.6))) * score.looseness + drift
        start = max(0.0, score.clock.seconds(note.start) + push)
        end = score.clock.seconds(note.start + note.length) + push
        end = min(max(start + 0.03, end), score.seconds)
        if start >= score.seconds - 0.05:
            continue
        touch = hand.gauss(0, 3.5 if score.looseness > 0.003 else 1.5)
        events.append(Event(start, end, note.pitch, max(8, min(127, round(note.velocity + touch)))))
    return events


def midi_bytes(
    events: Sequence[Event], *, program: int, drums: bool, seconds: float, key: Key, clock: Clock, meter: Meter
) -> bytes:
    """A standard MIDI file of one track, at full channel volume, without the synthesiser's own reverb and chorus.

    A silent controller at `seconds` makes the renderer go on until then.
    """
    import pretty_midi

    midi = pretty_midi.PrettyMIDI(initial_tempo=clock.bpm, resolution=960)
    midi.time_signature_changes.append(pretty_midi.TimeSignature(meter.beats, 4, 0))
    midi.key_signature_changes.append(pretty_midi.KeySignature(key.tonic + (12 if key.minor else 0), 0))
    player = pretty_midi.Instrument(program, is_drum=drums)
    for number, value in ((7, 127), (11, 127), (91, 0), (93, 0)):
        player.control_changes.append(pretty_midi.ControlChange(number, value, 0.0))
    player.notes = [pretty_midi.Note(event.velocity, event.pitch, event.start, event.end) for event in events]
    player.control_changes.append(pretty_midi.ControlChange(11, 127, seconds))
    midi.instruments.append(player)
    out = io.BytesIO()
    midi.write(out)
    return out.getvalue()
