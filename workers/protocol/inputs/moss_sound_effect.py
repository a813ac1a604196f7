"""moss.sound.effect: a described event becomes a sound."""

from typing import Annotated

from pydantic import Field

from workers.protocol.inputs.base import Omissible, Wire
from workers.protocol.inputs.media import OpusQuality


class MossSoundEffectInput(Wire):
    """What a client sends."""

    prompt: Annotated[str, Field(min_length=1, max_length=2000)]
    """What is heard."""
    duration_seconds: Omissible[Annotated[int, Field(ge=1, le=30)]] = None
    """How long the sound lasts."""
    quality: Omissible[OpusQuality] = None
    """The Opus file's bit rate."""
    temperature: Omissible[Annotated[float, Field(ge=0.1, le=3)]] = None
    """How freely the sampler chooses."""
    top_p: Omissible[Annotated[float, Field(ge=0, le=1)]] = None
    """Nucleus of the sampler's choice."""
    top_k: Omissible[Annotated[int, Field(ge=1, le=200)]] = None
    """How many candidates the sampler keeps."""
    repetition_penalty: Omissible[Annotated[float, Field(ge=0.8, le=2.5)]] = None
    """How much repetition is avoided."""
    max_new_tokens: Omissible[Annotated[int, Field(ge=64, le=4096)]] = None
    """How many tokens the model may answer; part of the price."""


class MossSoundEffectParams(Wire):
    """What the worker gets."""

    prompt: str
    duration_seconds: int
    quality: OpusQuality
    temperature: float
    top_p: float
    top_k: int
    repetition_penalty: float
    max_new_tokens: int
