"""video.generate: a prompt, with or without given frames and sound, becomes a clip."""

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from workers.protocol.inputs.base import Omissible, UrlText, Wire, fault_of
from workers.protocol.inputs.media import AspectRatio, AudioInput, Given, ImageInput, Prompt, Seed, Side, one_of
from workers.protocol.inputs.sizes import check_size

MIN_FRAMES, MAX_FRAMES = 9, 257
"""The sampled frames a clip may have, always one more than a multiple of 8."""
MAX_OVERLAP = 12
DEFAULT_SAMPLED_FPS = 30


def _off_or_30_to_60(rate: int) -> int:
    if rate != 0 and not 30 <= rate <= 60:
        raise ValueError("must be 0 (off) or from 30 to 60")
    return rate


InterpolationRate = Annotated[
    int,
    AfterValidator(_off_or_30_to_60),
    WithJsonSchema({"anyOf": [{"type": "integer", "const": 0}, {"type": "integer", "minimum": 30, "maximum": 60}]}),
]


def _one_more_than_eights(frames: int) -> int:
    if frames % 8 != 1:
        raise ValueError("must be one more than a multiple of 8: 9, 17, 25, …, 257")
    return frames


Frames = Annotated[int, Field(ge=MIN_FRAMES, le=MAX_FRAMES), AfterValidator(_one_more_than_eights)]


class VideoGenerateInput(Wire):
    """What a client sends."""

    prompt: Prompt
    """What is to be seen, and how the camera moves."""
    start_frame_image_url: Omissible[UrlText] = None
    """The first frame, by URL."""
    start_frame_image: Omissible[ImageInput] = None
    """The first frame, by URL or inline."""
    source_image_url: Omissible[UrlText] = None
    """An older name of `startFrameImageUrl`."""
    source_image: Omissible[ImageInput] = None
    """An older name of `startFrameImage`."""
    overlap_frame_image_urls: Annotated[list[UrlText], Field(max_length=MAX_OVERLAP, default_factory=list)]
    """The last frames of the clip that this one continues, in order, by URL."""
    overlap_frame_images: Annotated[list[ImageInput], Field(max_length=MAX_OVERLAP, default_factory=list)]
    """The same by URL or inline. Without a start frame the first of them is frame zero."""
    final_frame_image_url: Omissible[UrlText] = None
    """The last sampled frame, by URL."""
    final_frame_image: Omissible[ImageInput] = None
    """The last sampled frame, by URL or inline."""
    reference_audio_url: Omissible[UrlText] = None
    """Sound that the clip keeps, by URL; needs a start frame or overlap frames."""
    reference_audio: Omissible[AudioInput] = None
    """The same by URL or inline."""
    duration_seconds: Omissible[Annotated[int, Field(ge=3, le=20)]] = None
    """How long the clip lasts, in whole seconds; 5 where nothing is said."""
    duration_frames: Omissible[Frames] = None
    """How many sampled frames it has, one more than a multiple of 8; wins over `durationSeconds`."""
    aspect_ratio: Omissible[AspectRatio] = None
    """The canvas's shape; without it the start frame's nearest, else 16:9."""
    sampled_fps: Omissible[Annotated[int, Field(ge=1, le=50)]] = None
    """Sampled frames a second; 30 where they fit."""
    width: Omissible[Side] = None
    """The delivered width in pixels; with `height`, at most 4 194 304 pixels together."""
    height: Omissible[Side] = None
    """The delivered height in pixels."""
    interpolation_fps: InterpolationRate = 60
    """Delivered frames a second, by interpolation; 0 delivers the sampled frames."""
    seed: Omissible[Seed] = None
    """The same seed and input give the same clip."""
    extreme_quality: bool = False
    """Works finer, for half as much again."""

    @model_validator(mode="after")
    def _frames_sound_and_time(self) -> "VideoGenerateInput":
        check_size(self.width, self.height)
        self.start_frame(), self.final_frame()
        if self.overlap_frame_image_urls and self.overlap_frame_images:
            raise fault_of(
                "overlapFrameImages",
                "overlapFrameImageUrls",
                reason="give the overlap frames in one of the two lists, so that their order is known",
            )
        sound = self.sound()
        if sound is not None and self.start_frame() is None and not self.overlap_frames():
            raise fault_of(sound.field, reason="reference audio needs a start frame or overlap frames")
        if self.interpolation_fps and self.interpolation_fps < (self.sampled_fps or 0):
            raise fault_of(
                "interpolationFps",
                "sampledFps",
                reason=f"interpolationFps must be 0 or at least sampledFps ({self.sampled_fps})",
            )
        self._check_time()
        return self

    def _check_time(self) -> None:
        if self.duration_frames is not None or self.duration_seconds is None or self.sampled_fps is None:
            return
        frames = self.duration_seconds * self.sampled_fps
        if not MIN_FRAMES <= frames <= MAX_FRAMES:
            raise fault_of(
                "durationSeconds",
                "sampledFps",
                reason=f"durationSeconds × sampledFps is {frames} frames and must be from {MIN_FRAMES} to {MAX_FRAMES}",
            )

    def start_frame(self) -> Given | None:
        """The first frame, under any of its four names."""
        return one_of(
            startFrameImage=self.start_frame_image,
            startFrameImageUrl=self.start_frame_image_url,
            sourceImage=self.source_image,
            sourceImageUrl=self.source_image_url,
        )

    def overlap_frames(self) -> list[Given]:
        """The overlap frames in order, from whichever list has them. Fields carry their index."""
        name = "overlapFrameImages" if self.overlap_frame_images else "overlapFrameImageUrls"
        frames = self.overlap_frame_images or self.overlap_frame_image_urls
        return [Given(field=f"{name}.{index}", media=frame) for index, frame in enumerate(frames)]

    def final_frame(self) -> Given | None:
        """The last sampled frame."""
        return one_of(finalFrameImage=self.final_frame_image, finalFrameImageUrl=self.final_frame_image_url)

    def sound(self) -> Given | None:
        """The reference audio."""
        return one_of(referenceAudio=self.reference_audio, referenceAudioUrl=self.reference_audio_url)


class VideoGenerateParams(Wire):
    """What the worker gets.

    Beside it come files of the fields `startFrameImage` (none or one), `overlapFrameImages` (in order),
    `finalFrameImage` (none or one) and `referenceAudio` (none or one). With a start frame the overlap frames are the
    sampled frames 1, 2, …; without one they are 0, 1, …. The final frame is the last sampled frame.
    """

    prompt: str
    width: int
    height: int
    """The delivered canvas, exactly."""
    frames: int
    """Sampled frames, 8n + 1."""
    sampled_fps: int
    interpolation_fps: int
    """The delivered rate; 0: the sampled one. The clip lasts frames / sampledFps either way."""
    extreme_quality: bool
