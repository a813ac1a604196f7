"""Which file formats a clip or a sound may come in, told by their first bytes alone.

Demuxers are never auto-detected anywhere on the platform: a format that can point elsewhere (playlists, scripts,
drawings) would then open what it names. A file is sniffed here, and what is found is forced upon the reader.
"""

from dataclasses import dataclass

HEAD_BYTES = 4096
"""As many first bytes as `sniff` may need."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """A file format that holds its own picture and sound and nothing outside itself."""

    name: str
    demuxer: str
    """What FFmpeg calls its reader."""
    media_type: str
    extension: str


def _container(name: str, demuxer: str, media_type: str, extension: str) -> Container:
    return Container(name=name, demuxer=demuxer, media_type=media_type, extension=extension)


MP4 = _container("mp4", "mov", "video/mp4", "mp4")
QUICKTIME = _container("quicktime", "mov", "video/quicktime", "mov")
MATROSKA = _container("matroska", "matroska", "video/x-matroska", "mkv")
WEBM = _container("webm", "matroska", "video/webm", "webm")
AVI = _container("avi", "avi", "video/x-msvideo", "avi")
MPEG_TS = _container("mpegts", "mpegts", "video/mp2t", "ts")
MPEG_PS = _container("mpegps", "mpeg", "video/mpeg", "mpg")
FLV = _container("flv", "flv", "video/x-flv", "flv")
GIF = _container("gif", "gif", "image/gif", "gif")
OGG = _container("ogg", "ogg", "video/ogg", "ogv")

WAV = _container("wav", "wav", "audio/wav", "wav")
FLAC = _container("flac", "flac", "audio/flac", "flac")
MP3 = _container("mp3", "mp3", "audio/mpeg", "mp3")
AAC = _container("aac", "aac", "audio/aac", "aac")
OGG_SOUND = _container("ogg", "ogg", "audio/ogg", "ogg")
MP4_SOUND = _container("mp4", "mov", "audio/mp4", "m4a")
WEBM_SOUND = _container("webm", "matroska", "audio/webm", "weba")

_STILL_BRANDS = {b"avif", b"avis", b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"}
"""Still pictures share MP4's boxes; they are not clips."""
_QUICKTIME_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
"""Old QuickTime files start without a brand."""

_PACKET = 188
_POINTERS = (
    (b"#EXTM3U", "an HLS playlist"),
    (b"ffconcat", "an FFmpeg concat script"),
    (b"<?xml", "an XML document"),
    (b"<MPD", "a DASH manifest"),
    (b"<svg", "an SVG drawing"),
    (b"<smil", "a SMIL playlist"),
    (b"<asx", "an ASX playlist"),
    (b"[playlist]", "a PLS playlist"),
    (b"[Reference]", "a reference list"),
    (b"v=0", "an SDP session description"),
    (b"rtsp://", "a stream address"),
    (b"http://", "an address"),
    (b"https://", "an address"),
    (b"file ", "an FFmpeg concat script"),
)


def sniff(head: bytes) -> Container | None:
    """The container that `head`, the first `HEAD_BYTES` of a file, starts; None for anything else."""
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _STILL_BRANDS:
            return None
        return QUICKTIME if brand == b"qt  " else MP4
    if head[4:8] in _QUICKTIME_ATOMS:
        return QUICKTIME
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return WEBM if b"webm" in head[:64] else MATROSKA
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return AVI
    if head.startswith(b"\x00\x00\x01\xba"):
        return MPEG_PS
    if head.startswith(b"FLV\x01"):
        return FLV
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if head.startswith(b"OggS"):
        return OGG
    if _has_sync_bytes(head, first=0, stride=_PACKET) or _has_sync_bytes(head, first=4, stride=_PACKET + 4):
        return MPEG_TS
    return None


def sniff_sound(head: bytes) -> Container | None:
    """The container of a sound that `head` starts; None for anything else. Whether one is inside is not known yet."""
    if head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE":
        return WAV
    if head.startswith(b"fLaC"):
        return FLAC
    if head.startswith(b"OggS"):
        return OGG_SOUND
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return WEBM_SOUND
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _STILL_BRANDS else MP4_SOUND
    if head.startswith(b"ID3"):
        return MP3
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        # The frame header of MPEG sound: layer 00 is AAC's ADTS, the others MP1 to MP3; version 01 is none.
        if head[1] & 0x06 == 0:
            return AAC if head[1] & 0xF0 == 0xF0 else None
        return MP3 if head[1] & 0x18 != 0x08 else None
    return None


def describe_pointer(head: bytes) -> str | None:
    """What to call a text file that points elsewhere, for the refusal's sentence; None when it is none we know."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for start, words in _POINTERS:
        if text[: len(start)].lower() == start.lower():
            return words
    return None


def _has_sync_bytes(head: bytes, *, first: int, stride: int) -> bool:
    places = range(first, min(len(head), first + 5 * stride), stride)
    return len(places) >= 3 and all(head[place] == 0x47 for place in places)
