"""moss.sound.effect: a described event becomes a sound."""

from typing import Annotated

from pydantic import Field

from workers.protocol.inputs.base import Omissible, Wire
from workers.protocol.inputs.media import OpusQuality


class MossSoundEffectInput(Wire):
    """What a client sends."""

    prompt: Annotated[str, Field(min_length=1, max_length=2000)]
    duration_seconds: Omissible[Annotated[int, Field(ge=1, le=30)]] = None
    quality: Omissible[OpusQuality] = None
    temperature: Omissible[Annotated[float, Field(ge=0.1, le=3)]] = None
    top_p: Omissible[Annotated[float, Field(ge=0, le=1)]] = None
    top_k: Omissible[Annotated[int, Field(ge=1, le=200)]] = None
    repetition_penalty: Omissible[Annotated[float, Field(ge=0.8, le=2.5)]] = None
    max_new_tokens: Omissible[Annotated[int, Field(ge=64, le=4096)]] = None


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
