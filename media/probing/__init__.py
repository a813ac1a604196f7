"""Facts of media that set a price, read by a confined child process: see README.md."""

from media.probing.facts import ImageFacts, NotMedia, ProbeIncomplete, VideoFacts
from media.probing.probe import probe_image, probe_video
from media.probing.sources import ByteSource, BytesSource, FileSource

__all__ = [
    "ByteSource",
    "BytesSource",
    "FileSource",
    "ImageFacts",
    "NotMedia",
    "ProbeIncomplete",
    "VideoFacts",
    "probe_image",
    "probe_video",
]
