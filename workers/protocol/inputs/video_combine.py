"""video.combine: join clips in playback order."""

from typing import Annotated

from pydantic import Field

from workers.protocol.inputs.base import UrlText, Wire


class VideoCombineInput(Wire):
    """What a client sends."""

    video_urls: Annotated[list[UrlText], Field(min_length=2, max_length=24)]
    """The clips in playback order."""
    overlap_frames: Annotated[int, Field(ge=0, le=120)] = 1
    """How many frames each clip after the first loses at its head, sound alike."""
    frame_rate: Annotated[int, Field(ge=1, le=120)] = 60
    """Frames a second by which those are counted."""


class VideoCombineParams(Wire):
    """What the worker gets beside the clips, which arrive as files of the field `videoUrls` in playback order."""

    overlap_frames: int
    frame_rate: int
