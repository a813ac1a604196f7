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
    lyrics: Annotated[str, Field(min_length=1, max_length=12_000)]
    quality_preset: Omissible[QualityPreset] = None
    duration_seconds: Omissible[Annotated[int, Field(ge=15, le=240)]] = None
    bpm: Omissible[Annotated[int, Field(ge=40, le=240)]] = None
    quality: Omissible[OpusQuality] = None
    seed: Omissible[Seed] = None
    steps: Omissible[Annotated[int, Field(ge=4, le=32)]] = None
    text_cfg_scale: Omissible[Annotated[float, Field(ge=1, le=8)]] = None
    sampler_cfg: Omissible[Annotated[float, Field(ge=1, le=12)]] = None
    temperature: Omissible[Annotated[float, Field(ge=0.1, le=2)]] = None
    top_p: Omissible[Annotated[float, Field(ge=0, le=1)]] = None
    top_k: Omissible[Annotated[int, Field(ge=0, le=200)]] = None
    min_p: Omissible[Annotated[float, Field(ge=0, le=0.5)]] = None
    time_signature: Omissible[TimeSignature] = None
    language: Omissible[English] = None
    key_scale: Omissible[Annotated[str, Field(pattern=r"^[A-G](?:#|b)?\s(?:major|minor)$")]] = None


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
