"""ace.step.create in the catalogue."""

from collections.abc import Mapping
from typing import Any

from media.catalog.kilobits import kilobits
from media.catalog.task import Coefficients, Facts, Normalised, Source, Task, Units
from workers.protocol import names
from workers.protocol.inputs.ace_step_create import AceStepCreateInput, AceStepCreateParams, QualityPreset

PRESETS: dict[str, dict[str, Any]] = {
    "default": {
        "duration_seconds": 60,
        "quality": "128k",
        "steps": 8,
        "text_cfg_scale": 2.0,
        "sampler_cfg": 1.0,
        "temperature": 0.85,
        "top_p": 0.9,
        "top_k": 0,
        "min_p": 0.0,
    },
    "high_quality": {
        "duration_seconds": 108,
        "quality": "192k",
        "steps": 16,
        "text_cfg_scale": 3.0,
        "sampler_cfg": 2.0,
        "temperature": 0.85,
        "top_p": 0.9,
        "top_k": 0,
        "min_p": 0.0,
    },
}
"""What a field is when it is left out; fields that are given win over the preset."""


def _sources(task_input: AceStepCreateInput) -> list[Source]:
    return []


def _normalise(task_input: AceStepCreateInput, facts: Mapping[str, Facts]) -> Normalised:
    preset: QualityPreset = task_input.quality_preset or "default"
    given = task_input.model_dump(exclude_none=True, include=set(PRESETS[preset]))
    params = AceStepCreateParams(
        tags=task_input.tags,
        lyrics=task_input.lyrics,
        quality_preset=preset,
        bpm=task_input.bpm,
        time_signature=task_input.time_signature,
        key_scale=task_input.key_scale,
        language=task_input.language or "en",
        **{**PRESETS[preset], **given},
    )
    seed = {"seed": task_input.seed} if task_input.seed is not None else {}
    return Normalised(
        params=params,
        effective_input={**params.wire(), **seed},
        units={"seconds": params.duration_seconds, "kilobits": kilobits(params.quality)},
        seed=task_input.seed,
    )


def _price_v1(units: Units, coefficients: Coefficients) -> int:
    by_length = int(units["seconds"]) * int(units["kilobits"]) * coefficients["per_kilobit"]
    return max(coefficients["floor"], by_length)


def _estimate(units: Units) -> float:
    return round(1.0 + 0.09 * int(units["seconds"]), 1)


TASK = Task(
    name=names.ACE_STEP_CREATE,
    title="Make a song from tags and lyrics",
    input_model=AceStepCreateInput,
    example_input={"tags": "lo-fi, mellow, piano", "lyrics": "[Verse]\nRain on the roof", "durationSeconds": 30},
    params_model=AceStepCreateParams,
    sources=_sources,
    normalise=_normalise,
    formula="ace.v1",
    prices={"ace.v1": _price_v1},
    coefficients={"floor": 50_000, "per_kilobit": 8},
    explanation="max(floor, per_kilobit × seconds × kilobits a second)",
    floor_micros=50_000,
    estimate_seconds=_estimate,
    eta_range=(2, 120),
    output_names=lambda params: ["output_0001.opus"],
    examples=(
        ("default: 60 s, 128k", {"seconds": 60, "kilobits": 128}),
        ("high_quality: 108 s, 192k", {"seconds": 108, "kilobits": 192}),
        ("15 s, 96k", {"seconds": 15, "kilobits": 96}),
    ),
    presets=PRESETS,
)
