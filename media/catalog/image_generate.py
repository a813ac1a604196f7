"""image.generate in the catalogue."""

from collections.abc import Mapping

from media.catalog import image_price
from media.catalog.given import shown_list, size_wins, source_of
from media.catalog.task import Adjustment, Facts, Normalised, Source, Task, Units
from workers.protocol import names
from workers.protocol.inputs.image_generate import ImageGenerateInput, ImageGenerateParams

CANVASES = {"1:1": (1024, 1024), "16:9": (1344, 768), "9:16": (768, 1344), "9:7": (1152, 896), "7:9": (896, 1152)}


def _sources(task_input: ImageGenerateInput) -> list[Source]:
    return [
        source_of(given, field="referenceImages", index=index, kind="image")
        for index, given in enumerate(task_input.references())
    ]


def _normalise(task_input: ImageGenerateInput, facts: Mapping[str, Facts]) -> Normalised:
    adjustments: list[Adjustment] = []
    if task_input.width and task_input.height:
        width, height = task_input.width, task_input.height
        adjustments += size_wins(task_input.aspect_ratio, width=width, height=height)
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
        effective_input={**params.wire(), **shown_list("referenceImages", task_input.references())},
        units={"finishedPixels": finished, "highDetail": int(task_input.high_detail)},
        adjustments=adjustments,
    )


def _estimate(units: Units) -> float:
    return round(0.6 + 1.2e-6 * int(units["finishedPixels"]) * (1.5 if units["highDetail"] else 1), 1)


def _output_names(params: ImageGenerateParams) -> list[str]:
    return [f"output_0001.{params.output_format}"]


TASK = Task(
    name=names.IMAGE_GENERATE,
    title="Generate an image from a prompt",
    input_model=ImageGenerateInput,
    example_input={"prompt": "A red fox in fresh snow at dawn", "aspectRatio": "16:9"},
    params_model=ImageGenerateParams,
    sources=_sources,
    normalise=_normalise,
    formula=image_price.FORMULA,
    prices={image_price.FORMULA: image_price.price_v1},
    coefficients=image_price.COEFFICIENTS,
    explanation=image_price.EXPLANATION,
    floor_micros=image_price.FLOOR,
    estimate_seconds=_estimate,
    eta_range=(1, 20),
    output_names=_output_names,
    examples=(
        ("512×512", {"finishedPixels": 262_144, "highDetail": 0}),
        ("16:9 (1344×768)", {"finishedPixels": 1_032_192, "highDetail": 0}),
        ("1024×1024", {"finishedPixels": 1_048_576, "highDetail": 0}),
        ("1024×1024 `highDetail`", {"finishedPixels": 1_048_576, "highDetail": 1}),
        ("1024×1024 `upscale`", {"finishedPixels": 2_359_296, "highDetail": 0}),
        ("1024×1024 both", {"finishedPixels": 2_359_296, "highDetail": 1}),
        ("2048×2048", {"finishedPixels": 4_194_304, "highDetail": 0}),
    ),
)
