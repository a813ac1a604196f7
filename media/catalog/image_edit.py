"""image.edit in the catalogue."""

from collections.abc import Mapping
from math import isqrt

from media.catalog import image_price
from media.catalog.given import path_of, shown_list, shown_under, source_of
from media.catalog.task import Adjustment, Facts, Normalised, Source, Task, Units
from workers.protocol import names
from workers.protocol.inputs.image_edit import ImageEditInput, ImageEditParams
from workers.protocol.inputs.media import MAX_PIXELS, Given

GRID = 32
UNREADABLE_CANVAS = (1024, 1024)


def canvas_of(width: int, height: int) -> tuple[int, int]:
    """The finished canvas for a source of this size: each side rounded to 32, the whole scaled into 4 MP.

    Scaling keeps the shape and rounds down, so that the limit holds; a side is never less than 32.
    """
    near = _rounded(width), _rounded(height)
    if near[0] * near[1] <= MAX_PIXELS:
        return near
    # side × sqrt(MAX_PIXELS / pixels), in whole numbers
    scaled = [isqrt(side * side * MAX_PIXELS // (width * height)) // GRID * GRID for side in (width, height)]
    short = min(max(GRID, min(scaled)), isqrt(MAX_PIXELS))
    long = min(max(scaled), MAX_PIXELS // short // GRID * GRID)
    return (long, short) if width >= height else (short, long)


def _rounded(side: int) -> int:
    return max(GRID, (side + GRID // 2) // GRID * GRID)


def _given(task_input: ImageEditInput) -> Given:
    given = task_input.source()
    if given is None:
        raise ValueError("image.edit without a source passed its validation")
    return given


def _sources(task_input: ImageEditInput) -> list[Source]:
    return [
        source_of(_given(task_input), field="sourceImage", kind="image", probe=True),
        *(
            source_of(given, field="referenceImages", index=index, kind="image")
            for index, given in enumerate(task_input.references())
        ),
    ]


def _normalise(task_input: ImageEditInput, facts: Mapping[str, Facts]) -> Normalised:
    given = _given(task_input)
    source = facts.get(path_of(given), Facts())
    adjustments: list[Adjustment] = []
    if source.width and source.height:
        width, height = canvas_of(source.width, source.height)
        if (width, height) != (source.width, source.height):
            adjustments.append(
                Adjustment(
                    field=given.field,
                    requested=f"{source.width}x{source.height}",
                    effective=f"{width}x{height}",
                    reason="the image's size is rounded to multiples of 32 and scaled into 4 MP",
                )
            )
    else:
        width, height = UNREADABLE_CANVAS
        adjustments.append(
            Adjustment(
                field=given.field,
                effective=f"{width}x{height}",
                reason="the image's size could not be read from its head",
            )
        )
    params = ImageEditParams(
        prompt=task_input.prompt,
        width=width,
        height=height,
        output_format=task_input.output_format,
        high_detail=task_input.high_detail,
    )
    return Normalised(
        params=params,
        effective_input={
            **params.wire(),
            **shown_under("sourceImage", given),
            **shown_list("referenceImages", task_input.references()),
        },
        units={"finishedPixels": width * height, "highDetail": int(task_input.high_detail)},
        adjustments=adjustments,
    )


def _estimate(units: Units) -> float:
    return round(0.8 + 2.0e-6 * int(units["finishedPixels"]) * (1.5 if units["highDetail"] else 1), 1)


def _output_names(params: ImageEditParams) -> list[str]:
    return [f"output_0001.{params.output_format}"]


TASK = Task(
    name=names.IMAGE_EDIT,
    title="Change an image as a prompt says",
    input_model=ImageEditInput,
    example_input={"prompt": "Make it night, with lit windows", "sourceImageUrl": "https://example.com/house.png"},
    params_model=ImageEditParams,
    sources=_sources,
    normalise=_normalise,
    formula=image_price.FORMULA,
    prices={image_price.FORMULA: image_price.price_v1},
    coefficients=image_price.COEFFICIENTS,
    explanation=image_price.EXPLANATION,
    floor_micros=image_price.FLOOR,
    estimate_seconds=_estimate,
    eta_range=(1, 30),
    output_names=_output_names,
    examples=(
        ("1000×700, edited at 992×704", {"finishedPixels": 698_368, "highDetail": 0}),
        ("1024×1024", {"finishedPixels": 1_048_576, "highDetail": 0}),
        ("4000×3000, edited at 2336×1760", {"finishedPixels": 4_111_360, "highDetail": 0}),
    ),
)
