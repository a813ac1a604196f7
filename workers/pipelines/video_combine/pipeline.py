"""video.combine with ffmpeg: clips in a row, exact to the frame and to the sample."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import ffmpeg

from workers import ffmpeg as runner
from workers.clips import Clip, NotAClip, measure_clip, measure_finished
from workers.pipelines.base import EngineFailed, OutputFile, PipelineResult, RunContext
from workers.pipelines.video_combine.timeline import Span, Timeline, TrimTooLong, lay_out
from workers.protocol.containers import MP4
from workers.protocol.inputs.video_combine import VideoCombineParams

_MEASURED = 0.08
"""The share of the progress bar that measuring the clips takes."""
_PICTURE_JOINED = 0.3
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


@dataclass(frozen=True, kw_only=True)
class _SoundFormat:
    """The one format that every clip's sound is brought to."""

    rate: int
    layout: str


class CombineWithFfmpeg:
    """Copies the picture where that is exact, encodes it otherwise; the sound is always cut and encoded anew.

    AAC begins with priming samples and ends on a whole packet, so copied sound would leave a gap or an echo at each
    joint and slip against the picture; decoded, each clip's sound is made exactly as long as its picture.
    """

    engine = "ffmpeg"

    def run(self, context: RunContext) -> PipelineResult:
        """Join the clips of `videoUrls` in order."""
        params = VideoCombineParams.model_validate(context.params)
        clips = _measure(context)
        try:
            timeline = lay_out(clips, overlap_frames=params.overlap_frames, frame_rate=params.frame_rate)
        except TrimTooLong as error:
            raise EngineFailed(str(error), code="invalid_input") from error
        why_encoded = _why_not_copied(timeline)
        path = context.workdir / "output_0001.mp4"
        try:
            if why_encoded:
                _encode(timeline, path=path, step=_phase(context, _MEASURED, "encoding"))
            else:
                _copy(timeline, path=path, context=context)
            finished = measure_finished(path)
        except runner.FfmpegFailed as error:
            raise EngineFailed(error.message, retryable=error.retryable) from error
        except NotAClip as error:
            raise EngineFailed(f"The finished file {error}.", retryable=True) from error
        if finished.frames != timeline.frames:
            path.unlink()
            raise EngineFailed(
                f"Only {finished.frames} of {timeline.frames} frames could be decoded: one of the clips is damaged.",
                code="invalid_input",
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
                "picture": "encoded" if why_encoded else "copied",
                "why": why_encoded or "every clip's picture continues the one before it",
                "sound": "encoded" if finished.has_sound else "none",
                "frameRate": str(timeline.rate),
                "whyFrameRate": timeline.why_rate,
                "frames": finished.frames,
                "clips": [
                    {
                        **span.clip.facts(),
                        "trimmedFrames": span.skip,
                        "trimmedSeconds": float(span.skip / timeline.rate),
                    }
                    for span in timeline.spans
                ],
            },
        )


PIPELINE = CombineWithFfmpeg()


def _measure(context: RunContext) -> list[Clip]:
    paths = context.files["videoUrls"]
    clips = []
    for place, path in enumerate(paths):
        context.step(_MEASURED * place / len(paths), "reading")
        # A name of its own for each place: ffmpeg-python takes two inputs of one name for the same input, and a clip
        # may be played twice. It is also the name that ffmpeg's complaints carry.
        named = context.workdir / f"clip_{place + 1:04}"
        named.symlink_to(path.resolve())
        try:
            clips.append(measure_clip(named))
        except NotAClip as error:
            raise EngineFailed(f"Clip {place + 1} {error}.", code="invalid_input") from error
    return clips


def _phase(context: RunContext, start: float, word: str) -> Callable[[float], None]:
    """Progress of the part of the work that begins at `start` and ends the run."""
    return lambda fraction: context.step(start + (0.99 - start) * fraction, word)


def _why_not_copied(timeline: Timeline) -> str | None:
    """The first reason against copying the picture's packets; None when the copy is exact."""
    first, *others = [span.clip for span in timeline.spans]
    reasons = {
        "an overlap is removed, and a copy could cut only at key frames": any(span.skip for span in timeline.spans),
        "the clips' pictures are coded differently": any(clip.coding != first.coding for clip in others),
        "the picture is not 8-bit 4:2:0 H.264 in MP4": (
            first.coding.codec != "h264"
            or first.coding.pixel_format != "yuv420p"
            or first.coding.container.demuxer != MP4.demuxer
        ),
        "a clip is turned by its metadata": any(clip.rotation for clip in (first, *others)),
        "the frame rate changes": timeline.rate != first.rate,
        "a clip's frames are not evenly spaced or do not begin with a key frame": not all(
            clip.joinable for clip in (first, *others)
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _copy(timeline: Timeline, *, path: Path, context: RunContext) -> None:
    sound = _sound_format(timeline)
    picture = path if sound is None else context.workdir / "picture.mp4"
    try:
        _join_packets(timeline, path=picture, playable=sound is None, step=_phase(context, _MEASURED, "copying"))
    except BaseException:
        picture.unlink(missing_ok=True)
        raise
    if sound is None:
        return
    inputs = [runner.open_clip(span.clip.path, span.clip.coding.container) for span in timeline.spans]
    output = ffmpeg.output(
        runner.open_clip(picture, MP4)["0"],
        _sound(timeline, inputs, sound),
        f"file:{path}",
        **{"c:v": "copy", "video_track_timescale": timeline.spans[0].clip.coding.time_base.denominator},
        **runner.sound_encoding(),
        **runner.mp4_file(),
    ).global_args("-copyts")
    try:
        runner.run(output, path=path, frames=timeline.frames, step=_phase(context, _PICTURE_JOINED, "sound"))
    finally:
        picture.unlink()


def _join_packets(timeline: Timeline, *, path: Path, playable: bool, step: Callable[[float], None]) -> None:
    """Write the clips' packets one after another, moved in time by whole frames and otherwise untouched.

    Only a file that is `playable`, not read once and thrown away, is worth writing again with its index in front.
    """
    tick = timeline.spans[0].clip.coding.time_base
    options = {"video_track_timescale": str(tick.denominator), "fflags": "+bitexact"}
    if playable:
        options["movflags"] = "+faststart"
    written = 0
    with av.open(f"file:{path}", "w", format="mp4", options=options) as joined:
        target = None
        for place, span in enumerate(timeline.spans):
            shift = round((written / timeline.rate - span.clip.starts_at) / tick)
            with av.open(
                f"file:{span.clip.path}",
                format=span.clip.coding.container.demuxer,
                options={"protocol_whitelist": "file"},
            ) as clip:
                source = clip.streams[span.clip.video_index]
                if target is None:
                    target = joined.add_stream_from_template(source)
                for packet in clip.demux(source):
                    if packet.pts is None or packet.dts is None:
                        continue
                    packet.pts += shift
                    packet.dts += shift
                    packet.stream = target
                    joined.mux(packet)
            written += span.keep
            step((place + 1) / len(timeline.spans) * _PICTURE_JOINED)


def _encode(timeline: Timeline, *, path: Path, step: Callable[[float], None]) -> None:
    inputs = [runner.open_clip(span.clip.path, span.clip.coding.container) for span in timeline.spans]
    first = timeline.spans[0].clip
    canvas = (first.width + first.width % 2, first.height + first.height % 2)
    one_colour = len({span.clip.coding.colour for span in timeline.spans}) == 1
    pictures = [
        _picture(span, source[str(span.clip.video_index)], rate=timeline.rate, canvas=canvas, one_colour=one_colour)
        for span, source in zip(timeline.spans, inputs, strict=True)
    ]
    streams = [ffmpeg.concat(*pictures, v=1, a=0)]
    sound = _sound_format(timeline)
    if sound:
        streams.append(_sound(timeline, inputs, sound))
    output = ffmpeg.output(
        *streams,
        f"file:{path}",
        r=str(timeline.rate),
        fps_mode="cfr",
        **runner.picture_encoding(),
        **(runner.sound_encoding() if sound else {}),
        **runner.mp4_file(),
    ).global_args("-copyts")
    runner.run(output, path=path, frames=timeline.frames, step=step)


def _picture(span: Span, stream: Any, *, rate: Fraction, canvas: tuple[int, int], one_colour: bool) -> Any:
    """One clip's frames on the timeline's grid and the first clip's canvas.

    The two cloned frames stand in for rounding at a clip's end; a clip that decodes shorter than that stays short
    and is found out when the finished file's frames are counted.
    """
    width, height = canvas
    stream = (
        stream.filter("setpts", "PTS-STARTPTS")
        .filter("fps", fps=str(rate), start_time=0)
        .filter("tpad", stop=2, stop_mode="clone")
        .filter("trim", start_frame=span.skip, end_frame=span.skip + span.keep)
        .filter("setpts", "PTS-STARTPTS")
    )
    if (span.clip.width, span.clip.height) != canvas or span.clip.coding.pixel_aspect != 1:
        fit = min(Fraction(width, span.clip.width), Fraction(height, span.clip.height))
        inner = [
            max(2, min(side, round(own * fit / 2) * 2))
            for own, side in ((span.clip.width, width), (span.clip.height, height))
        ]
        stream = stream.filter("scale", *inner, flags="lanczos+accurate_rnd")
        stream = stream.filter("pad", width, height, "(ow-iw)/2", "(oh-ih)/2")
    if not one_colour:
        stream = stream.filter("scale", out_range="tv", out_color_matrix="bt709")
    return stream.filter("format", "yuv420p").filter("setsar", 1)


def _sound_format(timeline: Timeline) -> _SoundFormat | None:
    """What the clips' sounds share, else 48 kHz stereo (mono when all are); None when no clip has any."""
    sounds = [span.clip.sound for span in timeline.spans if span.clip.sound]
    if not sounds:
        return None
    rates, channels = {sound.sample_rate for sound in sounds}, {sound.channels for sound in sounds}
    shared = rates.pop() if len(rates) == 1 else 48000
    return _SoundFormat(
        rate=shared if shared in _AAC_RATES else 48000,
        layout=_LAYOUTS.get(channels.pop(), "stereo") if len(channels) == 1 else "stereo",
    )


def _sound(timeline: Timeline, inputs: Sequence[Any], sound: _SoundFormat) -> Any:
    """Every clip's sound, or silence, each exactly as long as its picture.

    Timestamps are the files' own (`-copyts`), so that a sound that starts before or after its picture stays in step.
    """
    parts = []
    cuts = zip(timeline.spans, inputs, timeline.samples(sound.rate), strict=True)
    for place, (span, source, (first, end)) in enumerate(cuts):
        if span.clip.sound is None:
            silence = ffmpeg.input(f"anullsrc@{place}=r={sound.rate}:cl={sound.layout}", format="lavfi")
            part = silence["0"].filter("atrim", end_sample=end - first)
        else:
            part = (
                source[str(span.clip.sound.index)]
                .filter("asetpts", f"PTS-({span.clip.starts_at})/TB")
                .filter("aresample", sound.rate, **{"async": 1, "first_pts": 0})
                .filter("aformat", sample_fmts="fltp", sample_rates=sound.rate, channel_layouts=sound.layout)
                .filter("apad", whole_len=end)
                .filter("atrim", start_sample=first, end_sample=end)
            )
        parts.append(part.filter("asetpts", "N/SR/TB"))
    return ffmpeg.concat(*parts, v=0, a=1)
