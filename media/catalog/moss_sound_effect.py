"""moss.sound.effect in the catalogue."""

from collections.abc import Mapping
from typing import Any

from media.catalog.task import Coefficients, Facts, Normalised, Source, Task, Units
from workers.protocol import names
from workers.protocol.inputs.moss_sound_effect import MossSoundEffectInput, MossSoundEffectParams

DEFAULTS: dict[str, Any] = {
    "duration_seconds": 5,
    "quality": "128k",
    "temperature": 1.0,
    "top_p": 0.95,
    "top_k": 50,
    "repetition_penalty": 1.1,
    "max_new_tokens": 1024,
}


def _sources(task_input: MossSoundEffectInput) -> list[Source]:
    return []


def _normalise(task_input: MossSoundEffectInput, facts: Mapping[str, Facts]) -> Normalised:
    given = task_input.model_dump(exclude_none=True)
    params = MossSoundEffectParams(**{**DEFAULTS, **given})
    return Normalised(
        params=params,
        effective_input=params.wire(),
        units={"seconds": params.duration_seconds, "maxNewTokens": params.max_new_tokens},
    )


def _price_v1(units: Units, coefficients: Coefficients) -> int:
    by_length = (
        int(units["seconds"]) * coefficients["per_second"] + int(units["maxNewTokens"]) * coefficients["per_token"]
    )
    return max(coefficients["floor"], by_length)


def _estimate(units: Units) -> float:
    return round(0.5 + 0.06 * int(units["seconds"]), 1)


TASK = Task(
    name=names.MOSS_SOUND_EFFECT,
    title="Make a sound effect from a prompt",
    input_model=MossSoundEffectInput,
    example_input={"prompt": "Thunder far away, then light rain", "durationSeconds": 4},
    params_model=MossSoundEffectParams,
    sources=_sources,
    normalise=_normalise,
    formula="moss.v1",
    prices={"moss.v1": _price_v1},
    coefficients={"floor": 10_000, "per_second": 4_000, "per_token": 8},
    explanation="max(floor, per_second × seconds + per_token × maxNewTokens)",
    floor_micros=10_000,
    estimate_seconds=_estimate,
    eta_range=(1, 30),
    output_names=lambda params: ["output_0001.opus"],
    examples=(
        ("default: 5 s, 1 024 tokens", {"seconds": 5, "maxNewTokens": 1024}),
        ("2 s, 1 024 tokens", {"seconds": 2, "maxNewTokens": 1024}),
        ("30 s, 4 096 tokens", {"seconds": 30, "maxNewTokens": 4096}),
    ),
    presets={"default": DEFAULTS},
)
