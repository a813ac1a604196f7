"""audio.annotation.reference in the catalogue."""

from collections.abc import Mapping
from fractions import Fraction

from core.errors import InvalidRequest
from media.catalog.given import path_of, shown_under, source_of
from media.catalog.task import Coefficients, Facts, Normalised, Source, Task, Units
from workers.protocol import names
from workers.protocol.inputs.audio_annotation_reference import (
    MAX_SECONDS,
    AudioAnnotationReferenceInput,
    AudioAnnotationReferenceParams,
    words_of,
)
from workers.protocol.inputs.media import Given

WORDS_PER_SECOND = Fraction(5, 2)
TOLERANCE = Fraction(1, 10)
"""Encoders pad: ten minutes of MP3 last some hundredths longer."""


def _given(task_input: AudioAnnotationReferenceInput) -> Given:
    given = task_input.source()
    if given is None:
        raise ValueError("audio.annotation.reference without a source passed its validation")
    return given


def _sources(task_input: AudioAnnotationReferenceInput) -> list[Source]:
    return [source_of(_given(task_input), field="sourceAudio", kind="audio", probe=True)]


def _normalise(task_input: AudioAnnotationReferenceInput, facts: Mapping[str, Facts]) -> Normalised:
    given = _given(task_input)
    path = path_of(given)
    duration = facts.get(path, Facts()).duration
    if duration is not None and duration > MAX_SECONDS + TOLERANCE:
        raise InvalidRequest({path: f"it lasts {float(duration):.1f} s; at most {MAX_SECONDS} s can be annotated"})
    anchored = task_input.transcript is not None
    params = AudioAnnotationReferenceParams(
        transcript=task_input.transcript,
        language=task_input.language or "en",
        transcription_model=task_input.transcription_model or ("distil-large-v3" if anchored else "large-v3"),
        device=task_input.device or "auto",
    )
    return Normalised(
        params=params,
        effective_input={**params.wire(), **shown_under("sourceAudio", given)},
        units={
            "transcript": int(anchored),
            "words": len(words_of(task_input.transcript or "")),
            "audioSeconds": str(duration or 0),
        },
        pinned={path: {"maxDuration": str(MAX_SECONDS)}},
    )


def _price_v1(units: Units, coefficients: Coefficients) -> int:
    if not units["transcript"]:
        return coefficients["without_transcript"]
    seconds = int(units["words"]) / WORDS_PER_SECOND
    further = max(0, -(-seconds // 60) - 1)
    return coefficients["first_minute"] + coefficients["per_further_minute"] * int(further)


def _estimate(units: Units) -> float:
    return round(2.0 + 0.25 * float(Fraction(units["audioSeconds"]) or 60), 1)


TASK = Task(
    name=names.AUDIO_ANNOTATION_REFERENCE,
    title="Words, sections and beats of a sound, with their times",
    input_model=AudioAnnotationReferenceInput,
    example_input={"sourceAudioUrl": "https://example.com/song.ogg"},
    params_model=AudioAnnotationReferenceParams,
    sources=_sources,
    normalise=_normalise,
    formula="annotation.v1",
    prices={"annotation.v1": _price_v1},
    coefficients={"first_minute": 30_000, "per_further_minute": 20_000, "without_transcript": 70_000},
    explanation="with a transcript of words / 2.5 seconds: first_minute + per_further_minute × each further minute "
    "begun; without one: without_transcript",
    floor_micros=30_000,
    estimate_seconds=_estimate,
    eta_range=(2, 300),
    output_names=lambda params: ["output_0001.json"],
    examples=(
        ("transcript of 100 words", {"transcript": 1, "words": 100, "audioSeconds": "0"}),
        ("transcript of 300 words", {"transcript": 1, "words": 300, "audioSeconds": "0"}),
        ("transcript of 600 words", {"transcript": 1, "words": 600, "audioSeconds": "0"}),
        ("no transcript", {"transcript": 0, "words": 0, "audioSeconds": "0"}),
    ),
)
