"""Facts of media that set a price, read by a confined child process: see README.md."""

from media.probing.facts import AudioFacts, ImageFacts, NotMedia, ProbeIncomplete, VideoFacts
from media.probing.probe import DECODED_SECONDS, MAX_BYTES, probe_audio, probe_image, probe_video
from media.probing.sources import ByteSource, BytesSource, FileSource

__all__ = [
    "DECODED_SECONDS",
    "MAX_BYTES",
    "AudioFacts",
    "ByteSource",
    "BytesSource",
    "FileSource",
    "ImageFacts",
    "NotMedia",
    "ProbeIncomplete",
    "VideoFacts",
    "probe_audio",
    "probe_image",
    "probe_video",
]
