"""audio.annotation.reference: what is said or sung in a sound, and when."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from workers.protocol.inputs.base import Omissible, UrlText, Wire, at_least_one, fault_of
from workers.protocol.inputs.media import AudioInput, English, Given, one_of

WhisperModel = Literal["distil-large-v3", "large-v3"]
Device = Literal["auto", "cuda", "cpu"]
MAX_SECONDS = 600

_SECTION = re.compile(r"\[[^\]\n]*\]")
_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")


def words_of(transcript: str) -> list[str]:
    """The words that are spoken: section marks in square brackets are none."""
    return _WORD.findall(_SECTION.sub(" ", transcript))


def _has_words(transcript: str) -> str:
    if not words_of(transcript):
        raise ValueError("holds no words")
    return transcript


class AudioAnnotationReferenceInput(Wire, json_schema_extra=at_least_one("sourceAudioUrl", "sourceAudio")):
    """What a client sends."""

    source_audio_url: Omissible[UrlText] = None
    """The sound to annotate, by URL."""
    source_audio: Omissible[AudioInput] = None
    """The sound to annotate, by URL or inline; at most 600 s."""
    transcript: Omissible[Annotated[str, Field(min_length=1, max_length=24_000), AfterValidator(_has_words)]] = None
    """What is said or sung, with [Section] marks if wanted; words are then placed, not guessed."""
    language: Omissible[English] = None
    """English."""
    transcription_model: Omissible[WhisperModel] = None
    """Which Whisper to use; distil-large-v3 with a transcript, large-v3 without. The result names the one that ran."""
    device: Omissible[Device] = None
    """A hint where to run."""

    @model_validator(mode="after")
    def _source(self) -> "AudioAnnotationReferenceInput":
        if self.source() is None:
            raise fault_of("sourceAudio", "sourceAudioUrl", reason="give sourceAudio or sourceAudioUrl")
        return self

    def source(self) -> Given | None:
        """The sound to annotate; never None once validated."""
        return one_of(sourceAudio=self.source_audio, sourceAudioUrl=self.source_audio_url)


class AudioAnnotationReferenceParams(Wire):
    """What the worker gets beside the sound, which arrives as the file of the field `sourceAudio`."""

    transcript: str | None = None
    language: English
    transcription_model: WhisperModel
    """The model asked for; the result names the one that was used."""
    device: Device
