"""What a probe can find out, and the two ways in which it cannot."""

from dataclasses import dataclass, field
from fractions import Fraction


class NotMedia(Exception):
    """The bytes are no video, sound or image that we accept; the message is a sentence for the client."""


class ProbeIncomplete(Exception):
    """The facts could not be had within the byte, memory or time budget; the media may still be good."""


@dataclass(frozen=True, kw_only=True)
class VideoFacts:
    """What a video's headers say."""

    container: str
    media_type: str
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
class AudioFacts:
    """What a sound's header says, or its samples where it was decoded."""

    container: str
    media_type: str
    duration_seconds: Fraction | None
    """Decoded: exact, up to the seconds that were decoded at most. From the header: None where the format does not
    say (MediaRecorder's WebM) or a reader could only guess from the bit rate (AAC frames, MP3 without a Xing mark)."""
    codec: str
    sample_rate: int
    channels: int


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """What an image's header says."""

    format: str
    """`png`, `jpeg` or `webp`."""
    media_type: str
    width: int
    """As displayed: the camera's orientation mark honoured."""
    height: int
    frames: int
    """Of an animation; the first one is the image."""
    webp: bytes | None = field(default=None, repr=False)
    """The same image as a smaller lossless WebP, where that was asked for and could be made."""
