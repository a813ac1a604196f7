"""What a probe can find out, and the two ways in which it cannot."""

from dataclasses import dataclass
from fractions import Fraction


class NotMedia(Exception):
    """The bytes are no video (or image) that we accept; the message is a sentence for the client."""


class ProbeIncomplete(Exception):
    """The facts could not be had within the byte, memory or time budget; the media may still be good."""


@dataclass(frozen=True, kw_only=True)
class VideoFacts:
    """What a video's headers say."""

    container: str
    duration_seconds: Fraction | None
    """Of the picture where the container tells it apart, else of the whole."""
    frame_rate: Fraction | None
    width: int
    """As displayed: turned upright."""
    height: int
    video_codec: str
    pixel_format: str | None
    has_audio: bool
    audio_codec: str | None
    sample_rate: int | None
    channels: int | None
    bytes_read: int
    """Fetched from the source, in whole blocks."""


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """What an image's header says."""

    format: str
    """`png`, `jpeg`, `webp` or `gif`."""
    width: int
    """As displayed: JPEG's orientation mark honoured."""
    height: int
    frames: int
