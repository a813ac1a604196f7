"""The `score-composer` engine: tags and lyrics to a score, the score to sound, the sound to a mastered Opus file."""

import functools
from collections.abc import Callable, Sequence

import numpy as np

from workers.pipelines.ace_step_create.composition import Composition, compose
from workers.pipelines.ace_step_create.dice import Variety
from workers.pipelines.ace_step_create.drum_synth import drum_sound, impact, riser
from workers.pipelines.ace_step_create.drumming import IMPACT, PITCHES
from workers.pipelines.ace_step_create.mastering import master
from workers.pipelines.ace_step_create.mixing import Mixer
from workers.pipelines.ace_step_create.report import report
from workers.pipelines.ace_step_create.score import Event, Track, midi_bytes, played
from workers.pipelines.ace_step_create.singing import as_stereo, sing
from workers.pipelines.ace_step_create.soundfont import RATE, Stereo, playing
from workers.pipelines.ace_step_create.synths import play_synth
from workers.pipelines.base import OutputFile, PipelineResult, RunContext
from workers.protocol.inputs.ace_step_create import AceStepCreateParams
from workers.sound import write_opus

_KITS = {
    "studio": 0,
    "rock": 8,
    "power": 16,
    "jazz": 32,
    "brush": 40,
    "orchestra": 48,
    "hand": 40,
    "latin": 0,
    "soft": 40,
}
"""General MIDI programs of the soundfont's drum kits."""


class ScoreComposer:
    """Composes, plays, mixes and masters a song."""

    engine = "score-composer"

    def run(self, context: RunContext) -> PipelineResult:
        """A song of exactly the asked length. The same parameters and seed give the same bytes.

        Raises:
            EngineFailed: the soundfont, the renderer or a package is missing.
            Canceled: passed through from `context.step`; no output file is left and no child runs on.
        """
        params = AceStepCreateParams.model_validate(dict(context.params))
        context.step(0.01, "composing")
        song = compose(
            tags=params.tags,
            lyrics=params.lyrics,
            seconds=float(params.duration_seconds),
            seed=context.seed,
            variety=Variety(temperature=params.temperature, top_p=params.top_p, top_k=params.top_k, min_p=params.min_p),
            bpm=params.bpm,
            beats=int(params.time_signature) if params.time_signature else None,
            key=params.key_scale,
        )
        context.step(0.06, "playing")
        samples = params.duration_seconds * RATE
        mixed = _mix(song, samples, context.step)
        mood = song.wishes.mood()
        ring = song.score.seconds - song.ends_at
        finished = master(
            mixed,
            tilt=song.style.sound.tilt + mood.tilt,
            drive=song.style.sound.drive,
            tape=song.style.sound.tape,
            fade_seconds=max(0.4, min(1.6, ring * 0.6)),
            tick=functools.partial(context.step, 0.85, "mastering"),
        )
        del mixed
        context.step(0.93, "encoding")
        path = context.workdir / "output_0001.opus"
        try:
            seconds = write_opus(finished, rate=RATE, path=path, quality=params.quality)
            context.step(1.0, "done")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        output = OutputFile(path=path, media_type="audio/ogg", seconds=seconds)
        return PipelineResult(outputs=[output], info=report(song, self.engine, context.seed))


def _mix(song: Composition, samples: int, step: Callable[[float, str], None]) -> Stereo:
    """All tracks played and mixed, in the score's order, so that the sums are the same each time."""
    score = song.score
    events = [played(score, track) for track in score.tracks]
    kicks = [
        event
        for track, own in zip(score.tracks, events, strict=True)
        if track.kit and track.kit != "effects"
        for event in own
        if event.pitch == PITCHES["K"]
    ]
    mixer = Mixer(
        samples=samples,
        sound=song.style.sound,
        wet=song.wishes.mood().wet,
        seconds_per_beat=60 / song.bpm,
        kicks=kicks,
    )
    total = len(score.tracks)
    done = 0

    def tick(within: float = 0.0) -> None:
        step(0.06 + 0.7 * min(1.0, (done + within) / max(1, total)), "playing")

    with playing(_soundfont_scores(song, events), samples=samples, tick=tick) as sounds:
        # While the children play, this process sings.
        sung = (
            sing(song.phrases(), singer=song.voice, samples=samples, seed=score.seed, tick=tick) if song.voice else None
        )
        for track, own in zip(score.tracks, events, strict=True):
            tick()
            if track.role == "voice" and sung is not None:
                sound = as_stereo(sung)
            elif _program(track) is not None:
                sound = next(sounds)
            elif track.kit:
                sound = _play_drums(track.kit, own, samples=samples, tick=tick)
            else:
                voice = track.instrument.synth if track.instrument else None
                sound = play_synth(voice or "saw lead", own, samples=samples, tick=tick)
            mixer.add(sound, role=track.role, level=track.level, pan=track.pan)
            done += 1
    return mixer.finish(
        [(section, *song.section_span(section)) for section in song.form.sections], lambda: step(0.8, "mixing")
    )


def _program(track: Track) -> tuple[int, bool] | None:
    """General MIDI program and whether it is a drum kit; None where the synthesiser plays."""
    if track.kit:
        return (_KITS[track.kit], True) if track.kit in _KITS else None
    if track.instrument is not None and track.instrument.program is not None:
        return track.instrument.program, False
    return None


def _soundfont_scores(song: Composition, events: Sequence[Sequence[Event]]) -> list[bytes]:
    """The MIDI files of the tracks that the soundfont plays, in order."""
    out = []
    score = song.score
    for track, own in zip(score.tracks, events, strict=True):
        sound = _program(track)
        if sound is not None and not (track.role == "voice" and song.voice):
            midi = midi_bytes(
                own,
                program=sound[0],
                drums=sound[1],
                seconds=score.seconds,
                key=score.key,
                clock=score.clock,
                meter=score.meter,
            )
            out.append(midi)
    return out


def _play_drums(kit: str, events: Sequence[Event], *, samples: int, tick: Callable[[], None]) -> Stereo:
    """Strokes of a synthesised kit, hats and toms a little to the sides; effects where they are written."""
    tick()
    out = np.zeros((2, samples), np.float32)
    sides = {
        42: 0.2,
        46: 0.2,
        70: -0.35,
        51: 0.3,
        49: -0.2,
        48: -0.3,
        45: 0.1,
        41: 0.35,
        64: -0.3,
        63: 0.3,
        56: 0.4,
        39: 0.05,
    }
    for event in events:
        start = round(event.start * RATE)
        if kit == "effects":
            sound = impact() if event.pitch == IMPACT else riser(round(event.end - event.start, 2))
        else:
            found = drum_sound(kit, event.pitch)
            if found is None:
                continue
            sound = found
        length = min(sound.size, samples - start)
        if length <= 0:
            continue
        level = np.float32((event.velocity / 127) ** 1.5)
        side = sides.get(event.pitch, 0.0) if kit != "effects" else 0.0
        out[0, start : start + length] += sound[:length] * (level * np.float32(1 - side))
        out[1, start : start + length] += sound[:length] * (level * np.float32(1 + side))
    return out


PIPELINE = ScoreComposer()
