"""video.resize: rescale a clip to an exact canvas."""

from typing import Annotated

from pydantic import Field

from workers.protocol.inputs.base import Omissible, UrlText, Wire

Side = Annotated[int, Field(ge=2, le=7680, multiple_of=2)]


class VideoResizeInput(Wire):
    """What a client sends."""

    source_video_url: UrlText
    """The clip to rescale."""
    width: Side
    """The new width in pixels, even."""
    height: Side
    """The new height in pixels, even."""
    frame_rate: Omissible[Annotated[int, Field(ge=1, le=120)]] = None
    """The new rate; the clip's own, at most 120, where nothing is said."""
    source_duration_seconds: Omissible[Annotated[float, Field(ge=0.1, le=600)]] = None
    """A hint, used where the clip's head does not tell its duration."""


class VideoResizeParams(Wire):
    """What the worker gets beside the clip, which arrives as the file of the field `sourceVideoUrl`."""

    width: int
    height: int
    frame_rate: str
    """The output rate as an exact fraction of frames a second: "60", "30000/1001"."""
    source_duration_seconds: float
    """The duration that was priced."""
