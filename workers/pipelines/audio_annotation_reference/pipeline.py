"""audio.annotation.reference on a processor: Whisper tiny.en, pocketsphinx, and a beat tracker of our own."""

from collections.abc import Callable
from pathlib import Path

from workers.pipelines.audio_annotation_reference import music
from workers.pipelines.audio_annotation_reference.annotate import Findings, compose
from workers.pipelines.audio_annotation_reference.recognition import SPEECH_RATE, recognise
from workers.pipelines.audio_annotation_reference.spectra import RATE
from workers.pipelines.audio_annotation_reference.words import place_words
from workers.pipelines.base import EngineFailed, OutputFile, PipelineResult, RunContext
from workers.protocol.inputs.audio_annotation_reference import MAX_SECONDS, AudioAnnotationReferenceParams
from workers.sound import NotASound, Samples, is_silent, read_sound

_READ, _RECOGNISED, _ALIGNED, _HEARD = 0.05, 0.7, 0.8, 0.97
"""Shares of the progress bar at which the phases end."""


class AnnotateOnProcessor:
    """Recognises, aligns, counts beats and finds parts; says in the document what each rests on."""

    engine = "whisper-tiny-pocketsphinx"

    def run(self, context: RunContext) -> PipelineResult:
        """Annotate the file of `sourceAudio`."""
        params = AudioAnnotationReferenceParams.model_validate(context.params)
        context.step(0.0, "reading")
        path = context.files["sourceAudio"][0]
        speech = _read(path, rate=SPEECH_RATE)
        seconds = speech.shape[1] / SPEECH_RATE
        if is_silent(speech):
            raise EngineFailed("The sound is silent: there is nothing to annotate.", code="silent_audio")
        context.step(_READ / 2, "reading")
        full = _read(path, rate=RATE)
        recognition = recognise(speech, step=_phase(context, _READ, _RECOGNISED, "recognising"))
        words = place_words(
            params.transcript,
            recognition=recognition,
            speech=speech,
            folder=context.workdir,
            step=_phase(context, _RECOGNISED, _ALIGNED, "aligning"),
        )
        rhythm = music.hear(
            full, speech=speech, recognition=recognition, step=_phase(context, _ALIGNED, _HEARD, "listening for beats")
        )
        context.step(_HEARD, "writing")
        document = compose(Findings(params=params, seconds=seconds, recognition=recognition, words=words, music=rhythm))
        output = context.workdir / "output_0001.json"
        # The wire form knows no NaN and no infinity.
        output.write_text(document.model_dump_json(by_alias=True, exclude_none=True, indent=1) + "\n", encoding="utf-8")
        return PipelineResult(
            outputs=[OutputFile(path=output, media_type="application/json", seconds=seconds)],
            info={
                "engine": self.engine,
                "method": "Words by Whisper tiny.en, their times by forced alignment, beats by spectral flux and "
                "dynamic programming, sections by the transcript's marks or by self-similarity.",
                "documentVersion": document.version,
                "models": document.qa.models.wire(),
                "counts": {
                    "lines": len(document.lyrics.lines),
                    "words": len(document.words),
                    "sections": len(document.sections),
                    "beats": len(document.beats.times),
                },
                "qa": {
                    "alignmentMethod": document.qa.alignment_method,
                    "meanConfidence": document.qa.mean_confidence,
                    "coverage": document.qa.coverage,
                    "notes": document.qa.notes,
                },
            },
        )


PIPELINE = AnnotateOnProcessor()


def _read(path: Path, *, rate: int) -> Samples:
    try:
        # A sound of exactly the longest length may decode to some milliseconds more.
        return read_sound(path, rate=rate, max_seconds=MAX_SECONDS + 0.1)
    except NotASound as error:
        if "longer" in str(error):
            raise EngineFailed(
                f"The sound lasts longer than {MAX_SECONDS} s, the most that is annotated.", code="audio_too_long"
            ) from error
        raise EngineFailed(f"The sound {error}.", code="invalid_audio") from error


def _phase(context: RunContext, start: float, end: float, word: str) -> Callable[[float], None]:
    """Progress within the part of the work from `start` to `end`."""
    return lambda fraction: context.step(start + (end - start) * fraction, word)
