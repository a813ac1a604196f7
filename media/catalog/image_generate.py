"""image.generate in the catalogue."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from media.catalog.money import micros
from media.catalog.task import Adjustment, Coefficients, Facts, Normalised, Source, Task, Units
from workers.protocol import names
from workers.protocol.inputs.image_generate import ImageGenerateInput, ImageGenerateParams

CANVASES = {"1:1": (1024, 1024), "16:9": (1344, 768), "9:16": (768, 1344), "9:7": (1152, 896), "7:9": (896, 1152)}


def _sources(task_input: ImageGenerateInput) -> list[Source]:
    sources: list[Source] = []
    for index, image in enumerate(task_input.reference_images):
        path = f"input.referenceImages.{index}"
        if isinstance(image, str):
            sources.append(Source(field="referenceImages", index=index, path=path, kind="image", url=image))
        else:
            sources.append(
                Source(
                    field="referenceImages",
                    index=index,
                    path=path,
                    kind="image",
                    url=image.url,
                    data_base64=image.data_base64,
                    mime_type=image.mime_type,
                )
            )
    offset = len(sources)
    for index, url in enumerate(task_input.reference_image_urls):
        path = f"input.referenceImageUrls.{index}"
        sources.append(Source(field="referenceImages", index=offset + index, path=path, kind="image", url=url))
    return sources


def _shown_references(task_input: ImageGenerateInput) -> dict[str, Any]:
    """Both lists merged, as they will be used; inline bytes are named, not repeated."""
    merged = [
        image if isinstance(image, str) else image.url or {"inline": True, "mimeType": image.mime_type}
        for image in [*(task_input.reference_images or []), *(task_input.reference_image_urls or [])]
    ]
    return {"referenceImages": merged} if merged else {}


def _normalise(task_input: ImageGenerateInput, facts: Mapping[str, Facts]) -> Normalised:
    adjustments: list[Adjustment] = []
    if task_input.width and task_input.height:
        width, height = task_input.width, task_input.height
        if task_input.aspect_ratio is not None:
            adjustments.append(
                Adjustment(
                    field="aspectRatio",
                    requested=task_input.aspect_ratio,
                    effective=f"{width}x{height}",
                    reason="width and height win over aspectRatio",
                )
            )
    else:
        width, height = CANVASES[task_input.aspect_ratio or "1:1"]
    params = ImageGenerateParams(
        prompt=task_input.prompt,
        width=width,
        height=height,
        output_format=task_input.output_format,
        high_detail=task_input.high_detail,
        upscale=task_input.upscale,
    )
    finished = width * height * 9 // 4 if task_input.upscale else width * height
    return Normalised(
        params=params,
        effective_input={**params.wire(), **_shown_references(task_input)},
        units={"finishedPixels": finished, "highDetail": int(task_input.high_detail)},
        adjustments=adjustments,
    )


def _price_v1(units: Units, coefficients: Coefficients) -> int:
    amount = max(
        Fraction(coefficients["floor"]),
        Fraction(coefficients["per_megapixel"] * int(units["finishedPixels"]), 1_048_576),
    )
    if units["highDetail"]:
        amount *= Fraction(coefficients["high_detail_percent"], 100)
    return micros(amount)


def _estimate(units: Units) -> float:
    return round(0.6 + 1.2e-6 * int(units["finishedPixels"]) * (1.5 if units["highDetail"] else 1), 1)


def _output_names(params: ImageGenerateParams) -> list[str]:
    return [f"output_0001.{params.output_format}"]


TASK = Task(
    name=names.IMAGE_GENERATE,
    title="Generate an image from a prompt",
    input_model=ImageGenerateInput,
    params_model=ImageGenerateParams,
    sources=_sources,
    normalise=_normalise,
    formula="image.v1",
    prices={"image.v1": _price_v1},
    coefficients={"floor": 10_000, "per_megapixel": 40_000, "high_detail_percent": 150},
    explanation="max(floor, per_megapixel × finished pixels / 1 048 576); highDetail × high_detail_percent / 100",
    floor_micros=10_000,
    estimate_seconds=_estimate,
    eta_range=(1, 20),
    output_names=_output_names,
)
