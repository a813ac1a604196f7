"""Probing real media in the confined child: facts, refusals, budgets, and what the child cannot do."""

import io
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import psutil
import pytest
from PIL import Image

from media.probing import (
    BytesSource,
    FileSource,
    ImageFacts,
    NotMedia,
    ProbeIncomplete,
    VideoFacts,
    child,
    probe_audio,
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
        media_type="video/mp4",
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
    with pytest.raises(NotMedia, match=named):
        probe_audio(BytesSource(content), timeout=5)


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


PNG = image("png")


@pytest.mark.parametrize("decode", [False, True])
@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_image_facts(form, decode):
    facts = probe_image(BytesSource(image(form)), timeout=10, decode=decode)
    assert facts == ImageFacts(format=form, media_type=f"image/{form}", width=30, height=20, frames=1)


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_an_image_of_unknown_size_is_read_forward(form):
    source = Recording(image(form), size=None)
    assert probe_image(source, timeout=10, decode=True).width == 30


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x112] = 6
    return exif


@pytest.mark.parametrize("decode", [False, True])
@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_a_turned_photograph_is_measured_upright(form, decode):
    facts = probe_image(BytesSource(image(form, exif=turned())), timeout=10, decode=decode)
    assert (facts.width, facts.height) == (20, 30)


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        ("png", "1"),
        ("png", "L"),
        ("png", "LA"),
        ("png", "P"),
        ("png", "RGBA"),
        ("png", "I;16"),
        ("jpeg", "L"),
        ("jpeg", "CMYK"),
        ("jpeg", "YCbCr"),
        ("mpo", "RGB"),
        ("webp", "RGBA"),
    ],
)
def test_every_kind_of_pixel_decodes_in_the_confined_child(form, mode):
    file = io.BytesIO()
    more = {"save_all": True, "append_images": [Image.new("RGB", (30, 20))]} if form == "mpo" else {}
    Image.new(mode, (30, 20)).save(file, form, **more)
    facts = probe_image(BytesSource(file.getvalue()), timeout=10, decode=True, repack=True)
    assert (facts.format, facts.width, facts.frames) == ("jpeg" if form == "mpo" else form, 30, 1)


@pytest.mark.parametrize("form", ["png", "webp"])
def test_an_animation_is_its_first_picture(form):
    more = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue")]
    content = image(form, save_all=True, append_images=more)
    facts = probe_image(BytesSource(content), timeout=10, decode=True, repack=True)
    assert (facts.width, facts.height, facts.frames, facts.webp) == (30, 20, 3, None)


@pytest.mark.parametrize("form", ["VP8 ", "VP8L", "VP8X"])
def test_the_head_of_a_webp_tells_its_size_without_a_child(monkeypatch, form):
    picture = Image.effect_noise((301, 199), 50).convert("RGBA" if form == "VP8X" else "RGB")
    if form == "VP8X":
        picture.putalpha(90)
    file = io.BytesIO()
    picture.save(file, "webp", lossless=form == "VP8L")
    assert file.getvalue()[12:16] == form.encode()
    monkeypatch.setattr(subprocess, "Popen", None)
    source = Recording(file.getvalue())
    facts = probe_image(source, timeout=5)
    assert (facts.width, facts.height) == (301, 199)
    assert source.asked == [(0, min(262_144, len(file.getvalue())))]


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("share", [0.4, 0.95])
def test_a_cut_off_image_has_a_head_but_does_not_decode(form, share):
    file = io.BytesIO()
    Image.effect_noise((400, 300), 60).convert("RGB").save(file, form)
    content = file.getvalue()[: int(len(file.getvalue()) * share)]
    with pytest.raises(NotMedia, match="damaged or cut off"):
        probe_image(BytesSource(content), timeout=10, decode=True)
    if form != "webp":  # of a WebP the size is read from the first bytes alone
        assert probe_image(BytesSource(content), timeout=10).width == 400
    assert_no_child_is_left()


def test_a_png_whose_pixels_are_missing_inside_its_chunks_is_refused():
    """Every chunk is whole and has its checksum; the compressed data end early."""
    content = image("png")
    start = content.index(b"IDAT") - 4
    length = int.from_bytes(content[start : start + 4], "big")
    data = content[start + 8 : start + 8 + length // 2]
    chunk = len(data).to_bytes(4, "big") + b"IDAT" + data + zlib.crc32(b"IDAT" + data).to_bytes(4, "big")
    with pytest.raises(NotMedia, match="damaged or cut off"):
        probe_image(BytesSource(content[:start] + chunk + content[start + 12 + length :]), timeout=10, decode=True)


@pytest.mark.parametrize("form", ["bmp", "tiff", "ico", "eps", "gif", "ppm"])
def test_other_image_formats_are_refused(form):
    with pytest.raises(NotMedia):
        probe_image(BytesSource(image(form)), timeout=10)


def png_of(width: int, height: int) -> bytes:
    """The header of a PNG of any size over the pixels of a small one."""
    content = bytearray(image("png"))
    content[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


def webp_of(width: int, height: int) -> bytes:
    """The smallest WebP that claims a canvas: a bomb of 36 bytes."""
    sides = (width - 1) | (height - 1) << 14
    return b"RIFF\x1c\0\0\0WEBPVP8L\x10\0\0\0\x2f" + sides.to_bytes(4, "little") + bytes(11)


@pytest.mark.parametrize("decode", [False, True])
@pytest.mark.parametrize(
    ("content", "named"),
    [
        (png_of(60_000, 60_000), "60000×60000 pixels; at most 67 megapixels"),
        (png_of(8192, 8193), "8192×8193 pixels"),
        (png_of(16_385, 1), "16385×1 pixels"),
        (webp_of(16_383, 16_383), "16383×16383 pixels; at most 34 megapixels"),
    ],
)
def test_an_image_beyond_the_limits_is_refused_by_its_size_before_its_pixels_are_allocated(content, named, decode):
    with pytest.raises(NotMedia, match=named):
        probe_image(BytesSource(content), timeout=10, decode=decode)


def test_an_image_at_the_limit_is_measured():
    assert probe_image(BytesSource(png_of(8192, 8192)), timeout=10).width == 8192
    assert probe_image(BytesSource(png_of(16_384, 1)), timeout=10).width == 16_384


def test_an_empty_file_is_called_empty():
    for probe in (probe_video, probe_image, probe_audio):
        with pytest.raises(NotMedia, match="empty"):
            probe(BytesSource(b""), timeout=5)


def test_no_more_files_are_decoded_at_once_than_there_are_places(monkeypatch):
    at_once, most, lock = 0, 0, threading.Lock()

    def ask(*_: object, **__: object) -> tuple[dict[str, int], bytes]:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.02)  # long enough for the others to come in, were they let
        with lock:
            at_once -= 1
        return {"width": 1, "height": 1, "frames": 1}, b""

    monkeypatch.setattr("media.probing.probe._ask_child", ask)
    monkeypatch.setattr("media.probing.probe._decoding", threading.BoundedSemaphore(2))
    with ThreadPoolExecutor(max_workers=6) as threads:
        for decode in (True, False):
            most = 0
            list(
                threads.map(lambda _, decode=decode: probe_image(BytesSource(PNG), timeout=5, decode=decode), range(6))
            )
            assert (most == 2) if decode else (most > 2)


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
