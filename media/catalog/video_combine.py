"""video.combine in the catalogue."""

from collections.abc import Mapping
from fractions import Fraction

from core.errors import InvalidRequest
from media.catalog.task import Coefficients, Facts, Normalised, Source, Task, Units
from workers.protocol import names
from workers.protocol.inputs.video_combine import VideoCombineInput, VideoCombineParams


def _sources(task_input: VideoCombineInput) -> list[Source]:
    return [
        Source(field="videoUrls", index=index, path=f"input.videoUrls.{index}", kind="video", url=url, probe=True)
        for index, url in enumerate(task_input.video_urls)
    ]


def _normalise(task_input: VideoCombineInput, facts: Mapping[str, Facts]) -> Normalised:
    trim = Fraction(task_input.overlap_frames, task_input.frame_rate)
    too_short: dict[str, str] = {}
    seconds = Fraction(0)
    for index in range(len(task_input.video_urls)):
        path = f"input.videoUrls.{index}"
        duration = facts[path].duration if path in facts else None
        if duration is None:
            continue
        seconds += duration - (trim if index else 0)
        if index and duration <= trim:
            too_short[path] = (
                f"the clip lasts {float(duration):.3f} s and overlapFrames / frameRate trims {float(trim):.3f} s"
            )
    if too_short:
        raise InvalidRequest(too_short)
    params = VideoCombineParams(overlap_frames=task_input.overlap_frames, frame_rate=task_input.frame_rate)
    return Normalised(
        params=params,
        effective_input={**params.wire(), "videoUrls": list(task_input.video_urls)},
        units={"clips": len(task_input.video_urls), "seconds": str(seconds)},
    )


def _price_v1(units: Units, coefficients: Coefficients) -> int:
    return coefficients["per_clip"] * int(units["clips"])


def _estimate(units: Units) -> float:
    return round(float(1.0 + 0.3 * int(units["clips"]) + 0.3 * float(Fraction(units["seconds"]))), 1)


TASK = Task(
    name=names.VIDEO_COMBINE,
    title="Join clips in playback order",
    input_model=VideoCombineInput,
    example_input={"videoUrls": ["https://example.com/first.mp4", "https://example.com/second.mp4"]},
    params_model=VideoCombineParams,
    sources=_sources,
    normalise=_normalise,
    formula="combine.v1",
    prices={"combine.v1": _price_v1},
    coefficients={"per_clip": 5_000},
    explanation="per_clip × clips",
    floor_micros=10_000,
    estimate_seconds=_estimate,
    eta_range=(1, 600),
    output_names=lambda params: ["output_0001.mp4"],
    examples=tuple((f"{clips} clips", {"clips": clips, "seconds": "0"}) for clips in (2, 3, 24)),
)
