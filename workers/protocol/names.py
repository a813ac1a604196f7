"""Names that both halves of the platform must spell the same way."""

PROTOCOL_VERSION = 1

IMAGE_GENERATE = "image.generate"
VIDEO_COMBINE = "video.combine"
VIDEO_RESIZE = "video.resize"
DIAGNOSTIC_NOOP = "diagnostic.noop"

RUN_ATTEMPT = "workers.run_attempt"
"""The one Celery task: take an attempt's id and carry it out."""


def queue(pool: str) -> str:
    """The Celery queue of a pool."""
    return f"pool.{pool}"
