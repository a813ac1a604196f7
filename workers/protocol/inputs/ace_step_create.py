"""ace.step.create: tags and lyrics become a song."""

from typing import Annotated, Literal

from pydantic import Field

from workers.protocol.inputs.base import Omissible, Wire
from workers.protocol.inputs.media import English, OpusQuality, Seed

QualityPreset = Literal["default", "high_quality"]
TimeSignature = Literal["2", "3", "4", "5", "6", "7"]


class AceStepCreateInput(Wire):
    """What a client sends."""

    tags: Annotated[str, Field(min_length=1, max_length=2000)]
    """Style, instruments, mood, in any words."""
    lyrics: Annotated[str, Field(min_length=1, max_length=12_000)]
    """The words, with [Section] marks for the form."""
    quality_preset: Omissible[QualityPreset] = None
    """Which values the fields below have where they are left out."""
    duration_seconds: Omissible[Annotated[int, Field(ge=15, le=240)]] = None
    """How long the song lasts."""
    bpm: Omissible[Annotated[int, Field(ge=40, le=240)]] = None
    """Beats a minute; chosen from the tags where it is left out."""
    quality: Omissible[OpusQuality] = None
    """The Opus file's bit rate."""
    seed: Omissible[Seed] = None
    """The same seed and input give the same song."""
    steps: Omissible[Annotated[int, Field(ge=4, le=32)]] = None
    """Sampler steps."""
    text_cfg_scale: Omissible[Annotated[float, Field(ge=1, le=8)]] = None
    """How closely the text is followed."""
    sampler_cfg: Omissible[Annotated[float, Field(ge=1, le=12)]] = None
    """Guidance of the sampler."""
    temperature: Omissible[Annotated[float, Field(ge=0.1, le=2)]] = None
    """How freely the sampler chooses."""
    top_p: Omissible[Annotated[float, Field(ge=0, le=1)]] = None
    """Nucleus of the sampler's choice."""
    top_k: Omissible[Annotated[int, Field(ge=0, le=200)]] = None
    """How many candidates the sampler keeps; 0 keeps all."""
    min_p: Omissible[Annotated[float, Field(ge=0, le=0.5)]] = None
    """The least likely candidate kept, as a share of the likeliest."""
    time_signature: Omissible[TimeSignature] = None
    """Beats a bar; chosen from the tags where it is left out."""
    language: Omissible[English] = None
    """English."""
    key_scale: Omissible[Annotated[str, Field(pattern=r"^[A-G](?:#|b)?\s(?:major|minor)$")]] = None
    """The key, such as E minor; chosen from the tags where it is left out."""


class AceStepCreateParams(Wire):
    """What the worker gets."""

    tags: str
    lyrics: str
    quality_preset: QualityPreset
    duration_seconds: int
    bpm: int | None = None
    """Beats a minute; None: the engine's choice from the tags, as with the two below."""
    time_signature: TimeSignature | None = None
    """Beats a bar."""
    key_scale: str | None = None
    quality: OpusQuality
    steps: int
    text_cfg_scale: float
    sampler_cfg: float
    temperature: float
    top_p: float
    top_k: int
    min_p: float
    language: English
