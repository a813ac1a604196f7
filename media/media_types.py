"""What a client says its media are, against what their bytes say."""

from media.catalog.task import MediaKind

_SAME = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-pn-wav": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "audio/x-mp3": "audio/mpeg",
    "audio/mpeg3": "audio/mpeg",
    "audio/x-mpeg": "audio/mpeg",
    "audio/opus": "audio/ogg",
    "audio/vorbis": "audio/ogg",
    "application/ogg": "audio/ogg",
    "audio/x-flac": "audio/flac",
    "audio/x-aac": "audio/aac",
    "audio/aacp": "audio/aac",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
}
"""Other names of one type."""
_SOUND_ALONE = {
    "video/ogg": "audio/ogg",
    "video/mp4": "audio/mp4",
    "video/webm": "audio/webm",
    "audio/x-matroska": "audio/webm",
    "video/x-matroska": "audio/webm",
}
"""Where a sound is wanted, a clip's container may hold it."""
_SOUNDS = {"audio/wav", "audio/mpeg", "audio/ogg", "audio/flac", "audio/aac", "audio/mp4", "audio/webm"}
_NO_CLAIM = {"application/octet-stream", "binary/octet-stream"}


def contradicts(declared: str, found: str, *, kind: MediaKind) -> bool:
    """Whether `declared` names another media type than `found`, the one that the bytes have.

    Parameters and case do not count, other names of one type are that type. Octets, a sound of a type we do not know
    and a text that is no media type at all (audio.speak's may be any) claim nothing.
    """
    text = declared.partition(";")[0].strip().lower()
    if "/" not in text or text in _NO_CLAIM:
        return False
    named = _SAME.get(text, text)
    if kind == "audio":
        named = _SOUND_ALONE.get(named, named)
        if named.startswith("audio/") and named not in _SOUNDS:
            return False
    return named != found
