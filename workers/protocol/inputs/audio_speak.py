"""audio.speak: a text is spoken, by a described, a cloned or a Gemini voice."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from workers.protocol.inputs.base import Omissible, UrlText, Wire, fault_of
from workers.protocol.inputs.media import AudioInputOfAnyType, Given, OpusQuality, Seed, one_of

Provider = Literal["omnivoice", "gemini"]
Mode = Literal["voice_design", "voice_clone"]

WAV_HEADER_BYTES, WAV_BYTES_PER_SECOND = 44, 48_000
"""Gemini's speech is delivered as WAV of 16 bits, one channel, 24 kHz, so that its length in bytes is its duration."""

GEMINI_API_VERSION = "v1beta"
"""Where Google serves its preview models, the speech ones among them."""

VOICE_TAGS = {
    "gender": ("female", "male"),
    "age": ("child", "teenager", "young adult", "middle-aged", "elderly"),
    "pitch": ("very low pitch", "low pitch", "moderate pitch", "high pitch", "very high pitch"),
    "style": ("whisper",),
    "accent": (
        "american accent",
        "british accent",
        "australian accent",
        "canadian accent",
        "indian accent",
        "chinese accent",
        "korean accent",
        "japanese accent",
        "portuguese accent",
        "russian accent",
    ),
}
"""The vocabulary of voiceDescription by group; a description has at most one tag of each."""
_GROUP_OF = {tag: group for group, tags in VOICE_TAGS.items() for tag in tags}


def voice_tags(description: str) -> dict[str, str]:
    """A voice description as {group: tag}, in the order it was written.

    Raises:
        ValueError: a tag is not of the vocabulary, or a group has two.
    """
    found: dict[str, str] = {}
    for part in description.split(","):
        tag = " ".join(part.split()).lower()
        group = _GROUP_OF.get(tag)
        if group is None:
            raise ValueError(f"{tag[:80]!r} is not a voice tag; the tags are: {', '.join(_GROUP_OF)}")
        if group in found:
            raise ValueError(f"{found[group]!r} and {tag!r} are both of the group {group}; give one")
        found[group] = tag
    return found


def gemini_prompt(text: str, instructions: str | None) -> str:
    """What Gemini is sent, and what its input tokens are counted from: instructions go ahead of the literal text."""
    return text if instructions is None else f"{instructions}\n\nRead the following text exactly as written:\n{text}"


def _of_the_vocabulary(description: str) -> str:
    voice_tags(description)
    return description


class AudioSpeakInput(Wire):
    """What a client sends."""

    text: Annotated[str, Field(min_length=1, max_length=6000)]
    """What is said."""
    provider: Omissible[Provider] = None
    """Who speaks: the platform's own voices, or Google's Gemini."""
    mode: Omissible[Mode] = None
    """A voice by description (the default) or one cloned from a sound."""
    voice_description: Omissible[
        Annotated[str, Field(min_length=4, max_length=240), AfterValidator(_of_the_vocabulary)]
    ] = None
    """Comma-separated voice tags, one of each group."""
    voice_name: Omissible[Annotated[str, Field(min_length=1, max_length=120)]] = None
    """Gemini's voice; Kore where nothing is said."""
    instructions: Omissible[Annotated[str, Field(min_length=1, max_length=2000)]] = None
    """How Gemini is to say it; goes ahead of the text and is counted with it."""
    reference_audio_url: Omissible[UrlText] = None
    """The voice to clone, by URL."""
    reference_audio: Omissible[AudioInputOfAnyType] = None
    """The voice to clone, by URL or inline; three to six seconds do best."""
    reference_transcript: Omissible[Annotated[str, Field(min_length=1, max_length=2000)]] = None
    """What is said in the reference; found out where it is left out."""
    language: Omissible[Literal["English", "en"]] = None
    """English."""
    quality: Omissible[OpusQuality] = None
    """The Opus file's bit rate; 128k where nothing is said."""
    seed: Omissible[Seed] = None
    """The same seed and input give the same sound."""

    @model_validator(mode="after")
    def _provider_and_mode(self) -> "AudioSpeakInput":
        if not any(character.isalnum() for character in self.text):
            raise fault_of("text", reason="holds no word to speak")
        sound = self.reference()
        if self.provider == "gemini":
            self._refuse(
                "with provider gemini",
                voiceDescription=self.voice_description,
                referenceAudio=self.reference_audio,
                referenceAudioUrl=self.reference_audio_url,
                referenceTranscript=self.reference_transcript,
                quality=self.quality,
                seed=self.seed,
            )
            if self.mode == "voice_clone":
                raise fault_of("mode", reason="voice_clone is not available with provider gemini")
            if self.voice_name is not None and not self.voice_name.strip():
                raise fault_of("voiceName", reason="must not be blank")
            return self
        self._refuse("without provider gemini", voiceName=self.voice_name, instructions=self.instructions)
        if self.mode == "voice_clone":
            if sound is None:
                raise fault_of("referenceAudio", "referenceAudioUrl", reason="voice_clone needs reference audio")
        else:
            self._refuse(
                "without mode voice_clone",
                referenceAudio=self.reference_audio,
                referenceAudioUrl=self.reference_audio_url,
                referenceTranscript=self.reference_transcript,
            )
        return self

    def _refuse(self, when: str, **fields: object) -> None:
        given = [name for name, value in fields.items() if value is not None]
        if given:
            raise fault_of(*given, reason=f"is not available {when}")

    def reference(self) -> Given | None:
        """The voice to clone."""
        return one_of(referenceAudio=self.reference_audio, referenceAudioUrl=self.reference_audio_url)


class AudioSpeakParams(Wire):
    """What the worker gets beside the voice to clone, which arrives as the file of the field `referenceAudio`."""

    text: str
    provider: Provider
    mode: Mode
    voice: dict[str, str]
    """Tags by group, as `voice_tags` gives them; what is left out is the engine's choice."""
    voice_name: str | None = None
    instructions: str | None = None
    reference_transcript: str | None = None
    quality: OpusQuality
    """Of the Opus file; Gemini's is WAV."""
    model: str | None = None
    """Gemini's model."""
    max_audio_tokens: int | None = None
    """How many tokens of sound Gemini may answer; the hold is made for as many."""
