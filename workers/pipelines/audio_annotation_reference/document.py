"""The result's document; its JSON Schema is published as `docs/reference/annotation.schema.json`.

Write it anew: python -m workers.pipelines.audio_annotation_reference.document > docs/reference/annotation.schema.json
"""

import json
import sys
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from workers.protocol.inputs.base import Omissible, Wire

VERSION: Literal["1.0"] = "1.0"

Seconds = Annotated[float, Field(ge=0, description="Seconds from the beginning of the sound, to the millisecond.")]
Share = Annotated[float, Field(ge=0, le=1)]
WordSource = Literal["aligned", "recognised", "interpolated"]
AlignmentMethod = Literal["forced", "mixed", "recognised", "none"]
SectionSource = Literal["words", "music", "guess"]


class _Piece(Wire):
    """A part of the document. What is unknown is left out: None given to a field is the same as not giving it."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, fields: Any) -> Any:
        return (
            {name: value for name, value in fields.items() if value is not None} if isinstance(fields, dict) else fields
        )


class _Span(_Piece):
    start: Seconds
    end: Seconds

    @model_validator(mode="after")
    def _forward(self) -> "_Span":
        if self.end < self.start:
            raise ValueError("ends before it starts")
        return self


class Word(_Span):
    """One word, in the order in which it is said."""

    text: Annotated[str, Field(description="The word as the transcript or the recogniser writes it.")]
    confidence: Annotated[Share, Field(description="How sure it is that this word is said here.")]
    source: Annotated[
        WordSource,
        Field(
            description="Where its times come from: `aligned`, the words fitted to the sound; `recognised`, the speech "
            "recogniser's own times; `interpolated`, a share of the time between its neighbours."
        ),
    ]
    line: Annotated[int, Field(ge=0, description="Its line, by number, in `lyrics.lines`.")]


class Line(_Piece):
    """One line of the lyrics."""

    text: str
    start: Annotated[
        Omissible[Seconds], Field(description="Its first placed word's; left out where none of its words was found.")
    ] = None
    end: Omissible[Seconds] = None
    section: Annotated[
        Omissible[Annotated[int, Field(ge=0)]],
        Field(description="Its section, by number, in `sections`; left out where no section mark precedes it."),
    ] = None


class Lyrics(_Piece):
    """What is said or sung."""

    source: Annotated[
        Literal["transcript", "recognised", "none"],
        Field(description="`none`: no transcript was given and no words were heard."),
    ]
    text: Annotated[str, Field(description="The lines, one each, without section marks.")]
    lines: list[Line]


class Section(_Span):
    """A part of the piece. Sections follow each other and do not overlap."""

    label: Annotated[
        str,
        Field(
            description="The transcript's section mark; without marks `A`, `B` and so on, the same letter for parts "
            "that sound alike, or `Speech`."
        ),
    ]
    source: Annotated[
        SectionSource,
        Field(
            description="What its beginning rests on: the `words` sung in it, a change in the `music`, or a `guess` "
            "from the number of lines."
        ),
    ]


class Beats(_Piece):
    """The pulse of the music; `times` is empty where there is none, and `qa.notes` says why."""

    times: list[Seconds]
    downbeats: Annotated[list[Seconds], Field(description="Those of `times` that begin a bar.")]
    bpm: Annotated[Omissible[Annotated[float, Field(gt=0)]], Field(description="Beats a minute.")] = None
    beats_per_bar: Omissible[Annotated[int, Field(ge=2, le=7)]] = None
    time_signature: Annotated[
        Omissible[str],
        Field(
            pattern=r"^[2-7]/4$",
            description="Beats a bar over 4: that a beat is a quarter note is a convention, it cannot be heard.",
        ),
    ] = None
    steady: Annotated[Omissible[bool], Field(description="Whether one tempo holds throughout.")] = None
    confidence: Share


class Key(_Piece):
    """The key that the pitch classes of the whole piece fit best."""

    tonic: Annotated[str, Field(pattern=r"^[A-G][#b]?$")]
    mode: Literal["major", "minor"]
    confidence: Share


class Models(_Piece):
    """What really ran."""

    recognition: str
    voice_activity: str
    alignment: Annotated[Omissible[str], Field(description="Left out where nothing was aligned.")] = None
    beats: str
    sections: str
    device: Literal["cpu"]


class Requested(_Piece):
    """What the job asked for."""

    transcription_model: str
    device: str
    language: str


class WordCounts(_Piece):
    """How the words' times were found."""

    total: Annotated[int, Field(ge=0, description="Words of the transcript, or recognised ones.")]
    aligned: Annotated[int, Field(ge=0)]
    recognised: Annotated[int, Field(ge=0)]
    interpolated: Annotated[int, Field(ge=0)]
    unplaced: Annotated[int, Field(ge=0, description="Words of the transcript that were not found in the sound.")]


class Qa(_Piece):
    """How far the document can be trusted."""

    requested: Requested
    models: Models
    alignment_method: AlignmentMethod
    words: WordCounts
    mean_confidence: Annotated[Share, Field(description="Mean of the words' confidences; 0 without words.")]
    coverage: Annotated[Share, Field(description="The share of the words that has times.")]
    recognition_agreement: Annotated[
        Omissible[Share],
        Field(description="With a transcript: how much of it the recogniser heard by itself."),
    ] = None
    voice_seconds: Annotated[Seconds, Field(description="How much of the sound has a voice in it.")]
    notes: Annotated[list[str], Field(description="Everything that was approximated, missing or guessed.")]


class AnnotationDocument(_Piece):
    """Lyrics, words, sections and beats of one sound."""

    version: Literal["1.0"]
    task: Literal["audio.annotation.reference"]
    language: Literal["en"]
    duration_seconds: Annotated[float, Field(gt=0)]
    lyrics: Lyrics
    words: list[Word]
    sections: list[Section]
    beats: Beats
    key: Omissible[Key] = None
    qa: Qa


def json_schema() -> dict[str, Any]:
    """The document's JSON Schema, as published."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **AnnotationDocument.published_schema()}


def written_schema() -> str:
    """The published file's text."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(written_schema())
