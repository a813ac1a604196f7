"""video.resize with ffmpeg: the same clip on another canvas and at another rate."""

from fractions import Fraction
from typing import Any

import ffmpeg

from workers import ffmpeg as runner
from workers.clips import Clip, NotAClip, measure_clip, measure_finished
from workers.pipelines.base import EngineFailed, OutputFile, PipelineResult, RunContext
from workers.protocol.containers import MP4
from workers.protocol.inputs.video_resize import VideoResizeParams

MAX_SECONDS = 600
_SLACK = Fraction(1, 2)
"""Seconds by which a header may understate the picture it heads."""
_MEASURED = 0.05
_SOUND_THAT_FITS_MP4 = {"aac", "mp3", "ac3", "eac3", "opus", "alac"}


class ResizeWithFfmpeg:
    """Stretches to the exact canvas with square pixels, re-times to the exact rate, keeps duration and sound."""

    engine = "ffmpeg"

    def run(self, context: RunContext) -> PipelineResult:
        """Rescale the clip of `sourceVideoUrl`."""
        params = VideoResizeParams.model_validate(context.params)
        rate = Fraction(params.frame_rate)
        context.step(0.0, "reading")
        clip = _measure(context, priced=params.source_duration_seconds)
        frames = clip.frames_at(rate)
        path = context.workdir / "output_0001.mp4"
        sound_copied = clip.sound is not None and clip.sound.codec in _SOUND_THAT_FITS_MP4
        output = _command(clip, params=params, rate=rate, frames=frames, path=f"file:{path}", sound_copied=sound_copied)
        try:
            runner.run(
                output,
                path=path,
                frames=frames,
                step=lambda fraction: context.step(_MEASURED + (0.99 - _MEASURED) * fraction, "encoding"),
            )
            finished = measure_finished(path)
        except runner.FfmpegFailed as error:
            raise EngineFailed(error.message, retryable=error.retryable) from error
        except NotAClip as error:
            raise EngineFailed(f"The finished file {error}.", retryable=True) from error
        if finished.frames != frames:
            path.unlink()
            raise EngineFailed(
                f"Only {finished.frames} of {frames} frames could be made: the clip is damaged.", code="invalid_input"
            )
        context.step(1.0, "finished")
        return PipelineResult(
            outputs=[
                OutputFile(
                    path=path,
                    media_type=MP4.media_type,
                    width=finished.width,
                    height=finished.height,
                    seconds=float(finished.duration),
                )
            ],
            info={
                "engine": self.engine,
                "picture": "encoded",
                "sound": "copied" if sound_copied else "encoded" if clip.sound else "none",
                "frameRate": str(rate),
                "frames": frames,
                "source": clip.facts(),
            },
        )


PIPELINE = ResizeWithFfmpeg()


def _measure(context: RunContext, *, priced: float) -> Clip:
    try:
        clip = measure_clip(context.files["sourceVideoUrl"][0])
    except NotAClip as error:
        raise EngineFailed(f"The clip {error}.", code="invalid_input") from error
    if clip.duration > MAX_SECONDS:
        raise EngineFailed(
            f"The clip lasts {float(clip.duration):.1f} s; at most {MAX_SECONDS} s can be resized.",
            code="invalid_input",
        )
    if clip.duration > Fraction(priced) + _SLACK:
        raise EngineFailed(
            f"The clip lasts {float(clip.duration):.2f} s, more than the {priced:.2f} s that were priced.",
            code="input_changed",
        )
    return clip


def _command(
    clip: Clip, *, params: VideoResizeParams, rate: Fraction, frames: int, path: str, sound_copied: bool
) -> Any:
    source = runner.open_clip(clip.path, clip.coding.container)
    picture = (
        source[str(clip.video_index)]
        .filter("fps", fps=str(rate))
        .filter("tpad", stop=2, stop_mode="clone")
        .filter("trim", end_frame=frames)
        .filter("scale", params.width, params.height, flags="lanczos+accurate_rnd", out_range="tv")
        .filter("format", "yuv420p")
        .filter("setsar", 1)
    )
    streams = [picture]
    sound_options: dict[str, Any] = {}
    if clip.sound:
        streams.append(source[str(clip.sound.index)])
        sound_options = {"c:a": "copy"} if sound_copied else runner.sound_encoding()
    return ffmpeg.output(
        *streams, path, fps_mode="passthrough", **runner.picture_encoding(), **sound_options, **runner.mp4_file()
    )
