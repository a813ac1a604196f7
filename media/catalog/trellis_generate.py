"""trellis.generate in the catalogue."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from media.catalog.given import shown_under, source_of
from media.catalog.money import micros
from media.catalog.task import Coefficients, Facts, Normalised, Source, Task, Units
from workers.protocol import names
from workers.protocol.inputs.trellis_generate import (
    DEFAULT_PRESET,
    PRESET_TEXTURE_SIZE,
    TrellisGenerateInput,
    TrellisGenerateParams,
)

_EVERYWHERE: dict[str, Any] = {
    "remove_background": True,
    "remesh_fill_holes": True,
    "remesh_fill_holes_max_perimeter": 0.03,
    "remesh_remove_floaters": True,
    "mesh_cluster_cone_half_angle_rad": 60.0,
}
PRESETS: dict[str, dict[str, Any]] = {
    "performance": {
        **_EVERYWHERE,
        "sparse_structure_steps": 8,
        "shape_steps": 8,
        "texture_steps": 8,
        "target_face_count": 10_000,
        "texture_size": PRESET_TEXTURE_SIZE["performance"],
        "texture_resolution": 512,
        "max_views": 2,
        "mesh_resolution": 256,
        "padding": 4,
        "refiner_resolution": 512,
        "refiner_downsampling": 64,
        "remesh_remove_inner_faces": False,
        "postprocess_position_epsilon": 1e-4,
        "postprocess_normal_crease_deg": 60.0,
    },
    "balanced": {
        **_EVERYWHERE,
        "sparse_structure_steps": 12,
        "shape_steps": 12,
        "texture_steps": 12,
        "target_face_count": 20_000,
        "texture_size": PRESET_TEXTURE_SIZE["balanced"],
        "texture_resolution": 1024,
        "max_views": 4,
        "mesh_resolution": 512,
        "padding": 8,
        "refiner_resolution": 512,
        "refiner_downsampling": 32,
        "remesh_remove_inner_faces": True,
        "postprocess_position_epsilon": 1e-5,
        "postprocess_normal_crease_deg": 45.0,
    },
    "fidelity": {
        **_EVERYWHERE,
        "sparse_structure_steps": 20,
        "shape_steps": 20,
        "texture_steps": 20,
        "target_face_count": 100_000,
        "texture_size": PRESET_TEXTURE_SIZE["fidelity"],
        "texture_resolution": 1024,
        "max_views": 5,
        "mesh_resolution": 1024,
        "padding": 8,
        "refiner_resolution": 1024,
        "refiner_downsampling": 16,
        "remesh_remove_inner_faces": True,
        "postprocess_position_epsilon": 1e-6,
        "postprocess_normal_crease_deg": 30.0,
    },
}
"""What a field is when it is left out; fields that are given win over the preset."""


def _sources(task_input: TrellisGenerateInput) -> list[Source]:
    given = task_input.source()
    return [source_of(given, field="sourceImage", kind="image")] if given is not None else []


def _normalise(task_input: TrellisGenerateInput, facts: Mapping[str, Facts]) -> Normalised:
    preset = task_input.quality_preset or DEFAULT_PRESET
    given = task_input.model_dump(exclude_none=True, include=set(PRESETS[preset]))
    params = TrellisGenerateParams(quality_preset=preset, **{**PRESETS[preset], **given})
    seed = {"seed": task_input.seed} if task_input.seed is not None else {}
    return Normalised(
        params=params,
        effective_input={**params.wire(), **seed, **shown_under("sourceImage", task_input.source())},
        units={
            "steps": params.sparse_structure_steps + params.shape_steps + params.texture_steps,
            "textureSize": params.texture_size,
            "faces": params.target_face_count,
            "finest": (params.texture_resolution == 1536) + (params.refiner_resolution == 1536),
        },
        seed=task_input.seed,
    )


def _price_v1(units: Units, coefficients: Coefficients) -> int:
    return micros(
        coefficients["per_step"] * int(units["steps"])
        + coefficients[f"texture_{units['textureSize']}"]
        + Fraction(int(units["faces"]), coefficients["faces_per_micro"])
        + coefficients["per_1536"] * int(units["finest"])
    )


def _estimate(units: Units) -> float:
    texture = int(units["textureSize"]) ** 2 / 1e6
    return round(1.0 + 0.8 * texture + int(units["faces"]) * 3e-5, 1)


TASK = Task(
    name=names.TRELLIS_GENERATE,
    title="Build a textured shape from an image",
    input_model=TrellisGenerateInput,
    example_input={"sourceImageUrl": "https://example.com/boat.png", "qualityPreset": "balanced"},
    params_model=TrellisGenerateParams,
    sources=_sources,
    normalise=_normalise,
    formula="trellis.v1",
    prices={"trellis.v1": _price_v1},
    coefficients={
        "per_step": 5_000,
        "texture_512": 20_000,
        "texture_1024": 60_000,
        "texture_2048": 150_000,
        "faces_per_micro": 2,
        "per_1536": 60_000,
    },
    explanation="per_step × (the three steps summed) + texture_<textureSize> + faces / faces_per_micro + "
    "per_1536 for each of textureResolution and refinerResolution at 1536",
    floor_micros=140_500,
    estimate_seconds=_estimate,
    eta_range=(1, 60),
    output_names=lambda params: ["output_0001.glb"],
    examples=tuple(
        (
            name,
            {
                "steps": preset["sparse_structure_steps"] + preset["shape_steps"] + preset["texture_steps"],
                "textureSize": preset["texture_size"],
                "faces": preset["target_face_count"],
                "finest": 0,
            },
        )
        for name, preset in PRESETS.items()
    ),
    presets=PRESETS,
)
