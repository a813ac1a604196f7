"""Real sounds in every container of the contract, by what is special about them."""

from pathlib import Path

from tests.workers.pipelines.lavfi import ffmpeg

SECONDS = 3
CONTAINERS: dict[str, tuple[str, list[str], str]] = {
    "opus": ("ogg", ["-c:a", "libopus"], "audio/ogg"),
    "vorbis": ("ogg", ["-c:a", "libvorbis"], "audio/ogg"),
    "wav": ("wav", [], "audio/wav"),
    "float": ("wav", ["-c:a", "pcm_f32le"], "audio/wav"),
    "mp3": ("mp3", ["-c:a", "libmp3lame"], "audio/mpeg"),
    "unmarked": ("mp3", ["-c:a", "libmp3lame", "-write_xing", "0"], "audio/mpeg"),
    "tagged": ("mp3", ["-c:a", "libmp3lame", "-metadata", f"comment={'words ' * 2000}"], "audio/mpeg"),
    "flac": ("flac", [], "audio/flac"),
    "adts": ("aac", ["-f", "adts"], "audio/aac"),
    "m4a": ("m4a", ["-c:a", "aac"], "audio/mp4"),
    "streamed": ("m4a", ["-c:a", "aac", "-movflags", "+faststart"], "audio/mp4"),
    "webm": ("webm", ["-c:a", "libopus"], "audio/webm"),
    "recorder": ("webm", ["-c:a", "libopus", "-live", "1"], "audio/webm"),
}
"""Extension, what the program is told, media type. Each lasts SECONDS, but for an encoder's padding."""
UNTOLD = {"unmarked", "adts", "recorder"}
"""Those whose length no header tells."""


def make_sounds(folder: Path) -> dict[str, bytes]:
    """All of CONTAINERS, and some that are refused."""
    made: dict[str, bytes] = {}

    def make(name: str, extension: str, *arguments: str) -> None:
        path = folder / f"{name}.{extension}"
        ffmpeg(*arguments, path)
        made[name] = path.read_bytes()

    for name, (extension, options, _) in CONTAINERS.items():
        make(name, extension, "-f", "lavfi", "-i", f"sine=f=440:r=48000:d={SECONDS}", *options)
    make("silent", "wav", "-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo:d=1")
    make("whisper", "wav", "-f", "lavfi", "-i", "aevalsrc=32/32768*sin(2*PI*440*t):s=48000:d=1")
    make("faint", "wav", "-f", "lavfi", "-i", "aevalsrc=0|36/32768*sin(2*PI*440*t):s=48000:d=1")
    make("picture only", "webm", "-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-c:v", "libvpx")
    make("picture only mp4", "mp4", "-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-c:v", "libx264")
    make(
        "long",
        "ogg",
        "-f",
        "lavfi",
        "-i",
        "sine=f=440:r=8000:d=661",
        "-c:a",
        "libopus",
        "-b:a",
        "6k",
        "-compression_level",
        "0",
    )
    return made
