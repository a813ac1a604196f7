"""video.resize in the catalogue."""

from collections.abc import Mapping
from fractions import Fraction

from core.errors import InvalidRequest
from media.catalog.money import micros
from media.catalog.task import Adjustment, Coefficients, Facts, Normalised, Source, Task, Units
from workers.protocol import names
from workers.protocol.inputs.video_resize import VideoResizeInput, VideoResizeParams

MAX_SECONDS = 600
DEFAULT_SECONDS = 8
DEFAULT_RATE = 60
MAX_RATE = 120

_SOURCE = "input.sourceVideoUrl"


def _sources(task_input: VideoResizeInput) -> list[Source]:
    return [
        Source(field="sourceVideoUrl", index=0, path=_SOURCE, kind="video", url=task_input.source_video_url, probe=True)
    ]


def _normalise(task_input: VideoResizeInput, facts: Mapping[str, Facts]) -> Normalised:
    probed = facts.get(_SOURCE, Facts())
    adjustments: list[Adjustment] = []
    hint = task_input.source_duration_seconds
    if probed.duration is not None:
        duration = probed.duration
        if hint is not None and abs(duration - Fraction(str(hint))) > Fraction(1, 10):
            adjustments.append(
                Adjustment(
                    field="sourceDurationSeconds",
                    requested=hint,
                    effective=round(float(duration), 3),
                    reason="the clip's own duration was read and is used",
                )
            )
    else:
        duration = Fraction(str(hint)) if hint is not None else Fraction(DEFAULT_SECONDS)
        adjustments.append(
            Adjustment(
                field="sourceDurationSeconds",
                requested=hint,
                effective=float(duration),
                reason="the clip's duration could not be read from its head",
            )
        )
    if duration > MAX_SECONDS:
        raise InvalidRequest(
            {_SOURCE: f"the clip lasts {float(duration):.1f} s; at most {MAX_SECONDS} s can be resized"}
        )
    if task_input.frame_rate is not None:
        rate = Fraction(task_input.frame_rate)
    elif probed.frame_rate is not None:
        rate = min(probed.frame_rate, Fraction(MAX_RATE))
    else:
        rate = Fraction(DEFAULT_RATE)
    params = VideoResizeParams(
        width=task_input.width,
        height=task_input.height,
        frame_rate=str(rate),
        source_duration_seconds=float(duration),
    )
    return Normalised(
        params=params,
        effective_input={
            "sourceVideoUrl": task_input.source_video_url,
            "width": task_input.width,
            "height": task_input.height,
            "frameRate": _number(rate),
            "sourceDurationSeconds": round(float(duration), 3),
        },
        units={"pixels": task_input.width * task_input.height, "seconds": str(duration), "rate": str(rate)},
        adjustments=adjustments,
        pinned={_SOURCE: {"duration": str(duration)}},
    )


def _number(rate: Fraction) -> int | float:
    return rate.numerator if rate.denominator == 1 else round(float(rate), 3)


def _price_v1(units: Units, coefficients: Coefficients) -> int:
    megapixel_seconds = (
        Fraction(int(units["pixels"]), 1_000_000) * Fraction(units["seconds"]) * Fraction(units["rate"]) / 60
    )
    return micros(coefficients["base"] + coefficients["per_megapixel_second"] * megapixel_seconds)


def _estimate(units: Units) -> float:
    return round(
        1.0 + int(units["pixels"]) / 1e6 * float(Fraction(units["seconds"]) * Fraction(units["rate"])) * 0.02, 1
    )


TASK = Task(
    name=names.VIDEO_RESIZE,
    title="Rescale a clip to an exact canvas",
    input_model=VideoResizeInput,
    example_input={"sourceVideoUrl": "https://example.com/clip.mp4", "width": 1280, "height": 720},
    params_model=VideoResizeParams,
    sources=_sources,
    normalise=_normalise,
    formula="resize.v1",
    prices={"resize.v1": _price_v1},
    coefficients={"base": 5_000, "per_megapixel_second": 1_000},
    explanation="base + per_megapixel_second × (pixels / 1 000 000) × seconds × rate / 60",
    floor_micros=5_000,
    estimate_seconds=_estimate,
    eta_range=(1, 1800),
    output_names=lambda params: ["output_0001.mp4"],
    examples=(
        ("640×352, 5.9 s, 30/s", {"pixels": 225_280, "seconds": "59/10", "rate": "30"}),
        ("1280×720, 10 s, 30000/1001", {"pixels": 921_600, "seconds": "10", "rate": "30000/1001"}),
        ("1024×1024, 8 s, 60/s", {"pixels": 1_048_576, "seconds": "8", "rate": "60"}),
        ("1920×1080, 10 s, 30/s", {"pixels": 2_073_600, "seconds": "10", "rate": "30"}),
        ("3840×2160, 60 s, 60/s", {"pixels": 8_294_400, "seconds": "60", "rate": "60"}),
    ),
)
