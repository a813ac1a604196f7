"""Names that both halves of the platform must spell the same way."""

PROTOCOL_VERSION = 1

IMAGE_GENERATE = "image.generate"
IMAGE_EDIT = "image.edit"
VIDEO_GENERATE = "video.generate"
VIDEO_COMBINE = "video.combine"
VIDEO_RESIZE = "video.resize"
AUDIO_SPEAK = "audio.speak"
AUDIO_ANNOTATION_REFERENCE = "audio.annotation.reference"
ACE_STEP_CREATE = "ace.step.create"
MOSS_SOUND_EFFECT = "moss.sound.effect"
TRELLIS_GENERATE = "trellis.generate"
DIAGNOSTIC_NOOP = "diagnostic.noop"

RUN_ATTEMPT = "workers.run_attempt"
"""The one Celery task: take an attempt's id and carry it out."""


def queue(pool: str) -> str:
    """The Celery queue of a pool."""
    return f"pool.{pool}"
