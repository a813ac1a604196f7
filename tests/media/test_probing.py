"""Probing real media in the confined child: facts, refusals, budgets, and what the child cannot do."""

import io
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import psutil
import pytest
from PIL import Image

from media.probing import (
    BytesSource,
    FileSource,
    NotMedia,
    ProbeIncomplete,
    VideoFacts,
    child,
    probe_image,
    probe_video,
)
from tests.workers.pipelines.lavfi import ffmpeg, make_clip


class Recording(BytesSource):
    """Remembers what was asked for."""

    def __init__(self, content: bytes, *, size: int | None = -1) -> None:
        super().__init__(content)
        self.size = len(content) if size == -1 else size
        self.asked: list[tuple[int, int]] = []

    def read(self, offset: int, length: int) -> bytes:
        self.asked.append((offset, length))
        return super().read(offset, length)


def assert_no_child_is_left() -> None:
    assert not [process for process in psutil.Process().children() if "child.py" in " ".join(process.cmdline())]


def test_every_fact_of_an_mp4(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", frames=45, rate="30000/1001", size="160x90", sample_rate=44100)
    with FileSource(clip) as source:
        facts = probe_video(source, timeout=10)
    assert facts == VideoFacts(
        container="mp4",
        duration_seconds=Fraction(45 * 1001, 30000),
        frame_rate=Fraction(30000, 1001),
        width=160,
        height=90,
        video_codec="h264",
        pixel_format="yuv420p",
        has_audio=True,
        audio_codec="aac",
        sample_rate=44100,
        channels=1,
        bytes_read=clip.stat().st_size,
    )


@pytest.mark.parametrize(
    ("name", "options", "container", "codec"),
    [
        ("a.mov", [], "quicktime", "h264"),
        ("a.mkv", [], "matroska", "h264"),
        ("a.webm", ["-c:v", "libvpx", "-c:a", "libopus"], "webm", "vp8"),
        ("a.avi", ["-c:v", "mpeg4", "-c:a", "libmp3lame"], "avi", "mpeg4"),
        ("a.ts", [], "mpegts", "h264"),
        ("a.mpg", ["-c:v", "mpeg2video", "-c:a", "mp2"], "mpegps", "mpeg2video"),
        ("a.flv", ["-ar", "44100"], "flv", "h264"),
        ("a.ogv", ["-c:v", "libtheora", "-c:a", "libvorbis"], "ogg", "theora"),
        ("a.gif", ["-c:v", "gif", "-pix_fmt", "rgb8", "-an"], "gif", "gif"),
    ],
)
def test_every_accepted_container(tmp_path, name, options, container, codec):
    # GIF counts hundredths of a second, so its rate is one that it can hold.
    rate = "25"
    clip = make_clip(tmp_path / name, frames=25, rate=rate, options=options)
    if container == "ogg" and not clip.exists():
        pytest.fail("the program lost its Theora encoder")
    with FileSource(clip) as source:
        facts = probe_video(source, timeout=10)
    assert (facts.container, facts.video_codec, facts.width, facts.height) == (container, codec, 160, 90)
    assert facts.frame_rate == 25
    assert facts.duration_seconds is not None
    assert abs(facts.duration_seconds - 1) < Fraction(1, 10)
    assert facts.has_audio == (container != "gif")


def test_a_turned_clip_is_measured_upright(tmp_path):
    ffmpeg("-display_rotation", "90", "-i", make_clip(tmp_path / "a.mp4"), "-c", "copy", tmp_path / "turned.mp4")
    with FileSource(tmp_path / "turned.mp4") as source:
        facts = probe_video(source, timeout=10)
    assert (facts.width, facts.height) == (90, 160)


def test_an_index_at_the_end_costs_two_ends_and_not_the_whole(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", frames=60, size="960x540", options=["-qp", "1"])
    content = clip.read_bytes()
    assert content.index(b"moov") > content.index(b"mdat")
    assert len(content) > 2_000_000
    source = Recording(content)
    facts = probe_video(source, timeout=10)
    assert facts.frame_rate == 30
    assert facts.bytes_read < len(content) / 2
    assert len(source.asked) == len(set(source.asked))
    assert all(offset % 262_144 == 0 for offset, _ in source.asked)


def test_without_a_known_size_a_file_is_read_forward(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", options=["-movflags", "+faststart"])
    facts = probe_video(Recording(clip.read_bytes(), size=None), timeout=10)
    assert (facts.width, facts.duration_seconds) == (160, 1)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/a.ts\n", "an HLS playlist"),
        (b"\xef\xbb\xbf  #EXTM3U\n", "an HLS playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "an FFmpeg concat script"),
        (b"file '/etc/passwd'\n", "an FFmpeg concat script"),
        (b'<?xml version="1.0"?><MPD></MPD>', "an XML document"),
        (b"<MPD></MPD>", "a DASH manifest"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"v=0\r\nm=video 5004 RTP/AVP 96\r\n", "an SDP session description"),
        (b"rtsp://127.0.0.1/live", "a stream address"),
        (b"[Reference]\nRef1=http://127.0.0.1/\n", "a reference list"),
    ],
)
def test_what_points_elsewhere_is_refused_before_a_child_exists(monkeypatch, content, named):
    def no_child(*_: object, **__: object) -> None:
        pytest.fail("a child was started")

    monkeypatch.setattr(subprocess, "Popen", no_child)
    with pytest.raises(NotMedia, match=named):
        probe_video(BytesSource(content), timeout=5)
    with pytest.raises(NotMedia, match=named):
        probe_image(BytesSource(content), timeout=5)


@pytest.mark.parametrize(
    "content", [b"", b"plain words", b"\x89PNG\r\n\x1a\n" + bytes(64), b"frame_%03d.png", bytes(8192)]
)
def test_what_is_no_video_is_refused(content):
    with pytest.raises(NotMedia):
        probe_video(BytesSource(content), timeout=5)


@pytest.mark.parametrize("brand", [b"avif", b"heic", b"mif1"])
def test_a_still_picture_in_mp4_boxes_is_no_video(brand):
    with pytest.raises(NotMedia):
        probe_video(BytesSource(b"\x00\x00\x00\x18ftyp" + brand + bytes(4096)), timeout=5)


def test_sound_alone_and_a_cut_off_file_are_no_video(tmp_path):
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", tmp_path / "sound.mp4")
    with pytest.raises(NotMedia, match="no picture"):
        probe_video(BytesSource((tmp_path / "sound.mp4").read_bytes()), timeout=10)
    content = make_clip(tmp_path / "a.mp4").read_bytes()
    with pytest.raises(NotMedia, match="damaged or cut off"):
        probe_video(BytesSource(content[: len(content) // 2]), timeout=10)
    assert_no_child_is_left()


def test_facts_beyond_the_byte_budget_are_incomplete(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", frames=60, size="960x540", options=["-qp", "1"])
    source = Recording(clip.read_bytes())
    with pytest.raises(ProbeIncomplete, match="beyond the bytes"):
        probe_video(source, timeout=10, max_bytes=300_000)
    assert sum(length for _, length in source.asked) <= 300_000
    assert_no_child_is_left()


def test_a_slow_child_is_killed_in_time(tmp_path):
    class Slow(Recording):
        def read(self, offset: int, length: int) -> bytes:
            if self.asked:
                time.sleep(0.6)  # the network's slowness, the thing under test
            return super().read(offset, length)

    clip = make_clip(tmp_path / "a.mp4", frames=60, size="960x540", options=["-qp", "1"])
    with pytest.raises(ProbeIncomplete, match="in time"):
        probe_video(Slow(clip.read_bytes()), timeout=0.5)
    assert_no_child_is_left()


def test_what_the_source_raises_passes_through(tmp_path):
    class Broken(Recording):
        def read(self, offset: int, length: int) -> bytes:
            if self.asked:
                raise ConnectionResetError("gone")
            return super().read(offset, length)

    clip = make_clip(tmp_path / "a.mp4", frames=60, size="960x540", options=["-qp", "1"])
    with pytest.raises(ConnectionResetError, match="gone"):
        probe_video(Broken(clip.read_bytes()), timeout=10)
    assert_no_child_is_left()


def image(form: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (30, 20), "teal").save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "gif"])
def test_image_facts(form):
    facts = probe_image(BytesSource(image(form)), timeout=10)
    assert (facts.format, facts.width, facts.height, facts.frames) == (form, 30, 20, 1)


def test_a_turned_photograph_is_measured_upright_and_an_animation_counted():
    exif = Image.Exif()
    exif[0x112] = 6
    facts = probe_image(BytesSource(image("jpeg", exif=exif)), timeout=10)
    assert (facts.width, facts.height) == (20, 30)
    more = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue")]
    assert probe_image(BytesSource(image("gif", save_all=True, append_images=more)), timeout=10).frames == 3


@pytest.mark.parametrize("form", ["bmp", "tiff", "ico", "eps"])
def test_other_image_formats_are_refused(form):
    with pytest.raises(NotMedia):
        probe_image(BytesSource(image(form)), timeout=10)


def test_a_huge_header_is_reported_and_not_allocated():
    content = bytearray(image("png"))
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    facts = probe_image(BytesSource(fixed_checksum(content)), timeout=10)
    assert (facts.width, facts.height) == (60_000, 60_000)


def fixed_checksum(png: bytearray) -> bytes:
    import zlib

    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4, "big")
    return bytes(png)


@pytest.mark.parametrize(
    "act",
    [
        "open('/etc/hostname')",
        "import socket; socket.socket()",
        "import subprocess; subprocess.run(['true'])",
        "import mmap; mmap.mmap(-1, 2 << 30)",
    ],
)
def test_the_confined_process_can_open_connect_start_and_hoard_nothing(act):
    script = f"import sys; sys.path.insert(0, {str(Path(child.__file__).parent)!r}); import mmap, socket, subprocess\n"
    free = subprocess.run([sys.executable, "-c", script + act], capture_output=True, text=True, check=False)
    bound = subprocess.run(
        [sys.executable, "-c", f"{script}import child; child.confine()\n{act}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert free.returncode == 0, free.stderr
    assert bound.returncode != 0
    assert "Too many open files" in bound.stderr or "Cannot allocate memory" in bound.stderr
