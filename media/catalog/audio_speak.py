"""audio.speak in the catalogue."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from django.conf import settings

from media.catalog.given import shown_under, source_of
from media.catalog.money import micros
from media.catalog.task import Coefficients, CountedText, Facts, Normalised, Source, Task, Units
from workers.protocol import names
from workers.protocol.inputs.audio_speak import (
    WAV_BYTES_PER_SECOND,
    WAV_HEADER_BYTES,
    AudioSpeakInput,
    AudioSpeakParams,
    gemini_prompt,
    voice_tags,
)
from workers.protocol.inputs.media import OpusQuality
from workers.protocol.result import Output

DEFAULT_QUALITY: OpusQuality = "128k"
DEFAULT_VOICE = "Kore"
GEMINI_POOL = "speech-gemini"

AUDIO_TOKENS_PER_SECOND = 25
MODEL_AUDIO_TOKENS = 16_384
"""The most that Gemini's speech models answer at once."""
LEAST_SECONDS, SECONDS_PER_CHARACTER = 10, Fraction(1, 4)
"""A quarter of a second for each character is four times slower than reading aloud."""
_TEXT = "input.text"


def _is_gemini(task_input: AudioSpeakInput) -> bool:
    return task_input.provider == "gemini"


def audio_token_bound(text: str) -> int:
    """How many tokens of sound a text is allowed: 25 × (10 + characters / 4) seconds, at most what the model can.

    The worker sends this number to Gemini as the limit of its answer, so that no answer can pass what was held.
    """
    seconds = LEAST_SECONDS + SECONDS_PER_CHARACTER * len(text)
    return min(MODEL_AUDIO_TOKENS, int(seconds * AUDIO_TOKENS_PER_SECOND))


def _sources(task_input: AudioSpeakInput) -> list[Source]:
    reference = task_input.reference()
    return [source_of(reference, field="referenceAudio", kind="audio", probe=True)] if reference is not None else []


def _counted_text(task_input: AudioSpeakInput) -> CountedText | None:
    if not _is_gemini(task_input):
        return None
    prompt = gemini_prompt(task_input.text, task_input.instructions)
    return CountedText(path=_TEXT, text=prompt, model=settings.GEMINI_SPEECH_MODEL)


def _normalise(task_input: AudioSpeakInput, facts: Mapping[str, Facts]) -> Normalised:
    return _gemini(task_input, facts) if _is_gemini(task_input) else _omnivoice(task_input)


def _omnivoice(task_input: AudioSpeakInput) -> Normalised:
    params = AudioSpeakParams(
        text=task_input.text,
        provider="omnivoice",
        mode=task_input.mode or "voice_design",
        voice=voice_tags(task_input.voice_description) if task_input.voice_description else {},
        reference_transcript=task_input.reference_transcript,
        quality=task_input.quality or DEFAULT_QUALITY,
    )
    effective: dict[str, Any] = params.wire()
    tags = effective.pop("voice")
    if tags:
        effective["voiceDescription"] = ", ".join(tags.values())
    if task_input.seed is not None:
        effective["seed"] = task_input.seed
    return Normalised(
        params=params,
        effective_input={
            **effective,
            "language": task_input.language or "en",
            **shown_under("referenceAudio", task_input.reference()),
        },
        units={"provider": "omnivoice", "characters": len(task_input.text)},
        seed=task_input.seed,
    )


def _gemini(task_input: AudioSpeakInput, facts: Mapping[str, Facts]) -> Normalised:
    tokens = facts[_TEXT].tokens
    if tokens is None:
        raise ValueError("a Gemini job is priced by the tokens of its text, and they were not counted")
    bound = audio_token_bound(task_input.text)
    params = AudioSpeakParams(
        text=task_input.text,
        provider="gemini",
        mode="voice_design",
        voice={},
        voice_name=task_input.voice_name or DEFAULT_VOICE,
        instructions=task_input.instructions,
        quality=DEFAULT_QUALITY,
        model=settings.GEMINI_SPEECH_MODEL,
        max_audio_tokens=bound,
    )
    shown = {"text", "provider", "voiceName", "instructions", "model"}
    return Normalised(
        params=params,
        effective_input={
            **{name: value for name, value in params.wire().items() if name in shown},
            "language": task_input.language or "en",
        },
        units={
            "provider": "gemini",
            "characters": len(task_input.text),
            "inputTokens": tokens,
            "seconds": str(Fraction(bound, AUDIO_TOKENS_PER_SECOND)),
        },
    )


def _price_v1(units: Units, coefficients: Coefficients) -> int:
    if units["provider"] == "omnivoice":
        gpu_seconds = 1 + Fraction(coefficients["gpu_ms_per_character"] * int(units["characters"]), 1000)
        return micros(max(Fraction(coefficients["floor"]), gpu_seconds * coefficients["per_gpu_second"]))
    audio_tokens = Fraction(units["seconds"]) * AUDIO_TOKENS_PER_SECOND
    tokens = int(units["inputTokens"]) + audio_tokens * coefficients["gemini_per_audio_token"]
    return micros(max(Fraction(coefficients["gemini_floor"]), tokens * Fraction(coefficients["gemini_percent"], 100)))


def _settle(units: Units, outputs: Sequence[Output]) -> Units | None:
    if units["provider"] != "gemini":
        return None
    # The file's length is the bucket's word, not the worker's, and in this format it is the duration.
    seconds = Fraction(outputs[0].bytes - WAV_HEADER_BYTES, WAV_BYTES_PER_SECOND)
    if seconds <= 0:
        raise ValueError("a spoken text lasts some time")
    return {**units, "seconds": str(seconds)}


def _estimate(units: Units) -> float:
    spoken = int(units["characters"]) / 14
    return round(1.0 + spoken * (1.0 if units["provider"] == "omnivoice" else 0.5), 1)


def _output_names(params: AudioSpeakParams) -> list[str]:
    return ["output_0001.wav" if params.provider == "gemini" else "output_0001.opus"]


def _pool(params: AudioSpeakParams) -> str:
    return GEMINI_POOL if params.provider == "gemini" else "speech"


TASK = Task(
    name=names.AUDIO_SPEAK,
    title="Speak a text with a described, a cloned or a Gemini voice",
    input_model=AudioSpeakInput,
    example_input={
        "text": "The tide is out, and the boats lie on the sand.",
        "voiceDescription": "female, british accent",
    },
    params_model=AudioSpeakParams,
    sources=_sources,
    normalise=_normalise,
    formula="speak.v1",
    prices={"speak.v1": _price_v1},
    coefficients={
        "floor": 10_000,
        "per_gpu_second": 7_000,
        "gpu_ms_per_character": 20,
        "gemini_floor": 5_000,
        "gemini_percent": 110,
        "gemini_per_audio_token": 20,
    },
    explanation="omnivoice: max(floor, per_gpu_second × (1 + gpu_ms_per_character / 1000 × characters)); "
    "gemini: max(gemini_floor, gemini_percent / 100 × (input tokens + gemini_per_audio_token × 25 × seconds)), "
    "held for the most seconds that the answer may have, billed for the seconds it has",
    floor_micros=5_000,
    estimate_seconds=_estimate,
    eta_range=(1, 600),
    output_names=_output_names,
    pool=_pool,
    counted_text=_counted_text,
    settle=_settle,
    examples=(
        ("66 characters", {"provider": "omnivoice", "characters": 66}),
        ("6 000 characters", {"provider": "omnivoice", "characters": 6000}),
        ("Gemini, 17 tokens, 10 s", {"provider": "gemini", "inputTokens": 17, "seconds": "10"}),
        ("Gemini, 1 500 tokens, 300 s", {"provider": "gemini", "inputTokens": 1500, "seconds": "300"}),
    ),
)
