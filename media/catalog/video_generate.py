"""video.generate in the catalogue."""

from collections.abc import Mapping
from fractions import Fraction

from core.errors import InvalidRequest
from media.catalog.given import path_of, shown_list, shown_under, size_wins, source_of
from media.catalog.money import micros
from media.catalog.task import Adjustment, Coefficients, Facts, Normalised, Source, Task, Units
from workers.protocol import names
from workers.protocol.inputs.media import Given
from workers.protocol.inputs.video_generate import (
    DEFAULT_SAMPLED_FPS,
    MAX_FRAMES,
    MIN_FRAMES,
    VideoGenerateInput,
    VideoGenerateParams,
)

CANVASES = {"16:9": (1280, 704), "9:16": (704, 1280), "1:1": (960, 960), "9:7": (1152, 896), "7:9": (896, 1152)}
DEFAULT_RATIO = "16:9"
DEFAULT_SECONDS = 5
SLOWER_RATES = (25, 24, 20, 16, 15, 12)
"""Tried in this order where the default rate gives more frames than a clip may have."""


def _first_frame(task_input: VideoGenerateInput) -> Given | None:
    """The start frame, or the overlap frame that takes its place."""
    return task_input.start_frame() or next(iter(task_input.overlap_frames()), None)


def _takes_shape(task_input: VideoGenerateInput) -> bool:
    """Whether the first frame's shape decides the canvas."""
    return task_input.width is None and task_input.aspect_ratio is None


def _sources(task_input: VideoGenerateInput) -> list[Source]:
    sources: list[Source] = []
    shape = _first_frame(task_input) if _takes_shape(task_input) else None
    start, final, sound = task_input.start_frame(), task_input.final_frame(), task_input.sound()
    if start is not None:
        sources.append(source_of(start, field="startFrameImage", kind="image", probe=start == shape))
    for index, frame in enumerate(task_input.overlap_frames()):
        sources.append(
            source_of(frame, field="overlapFrameImages", index=index, kind="image", probe=not index and frame == shape)
        )
    if final is not None:
        sources.append(source_of(final, field="finalFrameImage", kind="image"))
    if sound is not None:
        sources.append(source_of(sound, field="referenceAudio", kind="audio", probe=True))
    return sources


def _normalise(task_input: VideoGenerateInput, facts: Mapping[str, Facts]) -> Normalised:
    adjustments: list[Adjustment] = []
    width, height = _canvas(task_input, facts, adjustments)
    frames, rate = _time(task_input, adjustments)
    _check_given(task_input, frames)
    params = VideoGenerateParams(
        prompt=task_input.prompt,
        width=width,
        height=height,
        frames=frames,
        sampled_fps=rate,
        interpolation_fps=task_input.interpolation_fps,
        extreme_quality=task_input.extreme_quality,
    )
    sound = task_input.sound()
    effective = params.wire()
    effective["durationFrames"] = effective.pop("frames")
    return Normalised(
        params=params,
        effective_input={
            **effective,
            "durationSeconds": round(frames / rate, 6),
            **({"seed": task_input.seed} if task_input.seed is not None else {}),
            **shown_under("startFrameImage", task_input.start_frame()),
            **shown_list("overlapFrameImages", task_input.overlap_frames()),
            **shown_under("finalFrameImage", task_input.final_frame()),
            **shown_under("referenceAudio", sound),
        },
        units={
            "sampledFrames": frames,
            "pixels": width * height,
            "referenceAudio": int(sound is not None),
            "extremeQuality": int(task_input.extreme_quality),
            "deliveredFrames": round(Fraction(frames, rate) * (task_input.interpolation_fps or rate)),
        },
        adjustments=adjustments,
        seed=task_input.seed,
    )


def _check_given(task_input: VideoGenerateInput, frames: int) -> None:
    """Each given frame needs a sampled frame of its own.

    Raises:
        InvalidRequest: there are more.
    """
    overlap = task_input.overlap_frames()
    ends = [one for one in (task_input.start_frame(), task_input.final_frame()) if one is not None]
    if len(overlap) + len(ends) > frames:
        name = overlap[0].field.partition(".")[0]
        raise InvalidRequest(
            {f"input.{name}": f"{len(overlap) + len(ends)} frames are given for a clip of {frames} sampled frames"}
        )


def _canvas(
    task_input: VideoGenerateInput, facts: Mapping[str, Facts], adjustments: list[Adjustment]
) -> tuple[int, int]:
    if task_input.width and task_input.height:
        adjustments += size_wins(task_input.aspect_ratio, width=task_input.width, height=task_input.height)
        return task_input.width, task_input.height
    if task_input.aspect_ratio is not None:
        return CANVASES[task_input.aspect_ratio]
    first = _first_frame(task_input)
    if first is None:
        return CANVASES[DEFAULT_RATIO]
    shape = facts.get(path_of(first), Facts())
    if shape.width and shape.height:
        return _nearest_canvas(Fraction(shape.width, shape.height))
    width, height = CANVASES[DEFAULT_RATIO]
    adjustments.append(
        Adjustment(
            field="aspectRatio", effective=f"{width}x{height}", reason=f"the size of {first.field} could not be read"
        )
    )
    return width, height


def _nearest_canvas(shape: Fraction) -> tuple[int, int]:
    """By the ratio of the ratios, so that twice as wide is as far off as half as wide."""

    def distance(canvas: tuple[int, int]) -> Fraction:
        ratio = Fraction(*canvas) / shape
        return max(ratio, 1 / ratio)

    return min(CANVASES.values(), key=distance)


def _time(task_input: VideoGenerateInput, adjustments: list[Adjustment]) -> tuple[int, int]:
    """Sampled frames and their rate."""
    seconds = task_input.duration_seconds
    if task_input.duration_frames is not None:
        rate = task_input.sampled_fps or DEFAULT_SAMPLED_FPS
        if seconds is not None and seconds * rate != task_input.duration_frames:
            adjustments.append(
                Adjustment(
                    field="durationSeconds",
                    requested=seconds,
                    effective=round(task_input.duration_frames / rate, 6),
                    reason="durationFrames wins over durationSeconds",
                )
            )
        return task_input.duration_frames, rate
    rate = task_input.sampled_fps or _rate_that_fits(seconds or DEFAULT_SECONDS)
    if task_input.sampled_fps is None and rate != DEFAULT_SAMPLED_FPS:
        adjustments.append(
            Adjustment(
                field="sampledFps",
                effective=rate,
                reason=f"{seconds} s at {DEFAULT_SAMPLED_FPS} frames a second pass {MAX_FRAMES} sampled frames",
            )
        )
    asked = (seconds or DEFAULT_SECONDS) * rate
    frames = _nearest_allowed(asked)
    if frames != asked and (seconds is not None or not MIN_FRAMES <= asked <= MAX_FRAMES):
        adjustments.append(
            Adjustment(
                field="durationSeconds",
                requested=seconds,
                effective=round(frames / rate, 6),
                reason=f"a clip has 8n + 1 sampled frames, from {MIN_FRAMES} to {MAX_FRAMES}; here {frames}",
            )
        )
    return frames, rate


def _rate_that_fits(seconds: int) -> int:
    return next(rate for rate in (DEFAULT_SAMPLED_FPS, *SLOWER_RATES) if seconds * rate <= MAX_FRAMES)


def _nearest_allowed(frames: int) -> int:
    """The nearest 8n + 1, the lower of two equally near."""
    below = (frames - 1) // 8 * 8 + 1
    nearest = below if frames - below <= 4 else below + 8
    return min(max(nearest, MIN_FRAMES), MAX_FRAMES)


def _price_v1(units: Units, coefficients: Coefficients) -> int:
    pixels_over_time = Fraction(int(units["pixels"]), 1_000_000) * int(units["sampledFrames"])
    amount = max(Fraction(coefficients["floor"]), coefficients["per_frame_megapixel"] * pixels_over_time)
    if units["referenceAudio"]:
        amount *= Fraction(coefficients["reference_audio_percent"], 100)
    if units["extremeQuality"]:
        amount *= Fraction(coefficients["extreme_quality_percent"], 100)
    return micros(amount)


def _estimate(units: Units) -> float:
    megapixels = int(units["pixels"]) / 1e6 * int(units["deliveredFrames"])
    return round(2.0 + 0.12 * megapixels * (1.5 if units["extremeQuality"] else 1), 1)


def _units(frames: int, pixels: int, *, audio: int = 0, extreme: int = 0) -> Units:
    return {"sampledFrames": frames, "pixels": pixels, "referenceAudio": audio, "extremeQuality": extreme}


TASK = Task(
    name=names.VIDEO_GENERATE,
    title="Generate a clip from a prompt, given frames and sound",
    input_model=VideoGenerateInput,
    example_input={"prompt": "A lighthouse in a storm, waves breaking over the rocks", "durationSeconds": 5},
    params_model=VideoGenerateParams,
    sources=_sources,
    normalise=_normalise,
    formula="video.v1",
    prices={"video.v1": _price_v1},
    coefficients={
        "floor": 50_000,
        "per_frame_megapixel": 700,
        "reference_audio_percent": 125,
        "extreme_quality_percent": 150,
    },
    explanation="max(floor, per_frame_megapixel × sampled frames × pixels / 1 000 000); with reference audio × "
    "reference_audio_percent / 100; extremeQuality × extreme_quality_percent / 100",
    floor_micros=50_000,
    estimate_seconds=_estimate,
    eta_range=(3, 900),
    output_names=lambda params: ["output_0001.mp4"],
    examples=(
        ("default: 153 frames, 1280×704", _units(153, 1280 * 704)),
        ("1920×1088, 6 s (177 frames)", _units(177, 1920 * 1088)),
        ("the same with reference audio", _units(177, 1920 * 1088, audio=1)),
        ("the same with both", _units(177, 1920 * 1088, audio=1, extreme=1)),
        ("9 frames, 320×320", _units(9, 320 * 320)),
    ),
)
