"""The bit rates of finished sound."""

from workers.protocol.inputs.media import OpusQuality


def kilobits(quality: OpusQuality) -> int:
    """Kilobits a second: 128 for "128k"."""
    return int(quality.removesuffix("k"))
