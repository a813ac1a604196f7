"""video.resize on real clips: exact canvas, rate and duration, sound kept, odd sources, refusals, cancel."""

import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from tests.workers.pipelines.lavfi import ffmpeg, frame_times, make_clip, pictures, run_engine, sound
from workers.pipelines.base import Canceled, EngineFailed, PipelineResult


def resize(
    tmp_path: Path, clip: Path, *, width: int = 96, height: int = 128, rate: str = "30", priced: float = 1.0, **options
) -> PipelineResult:
    return run_engine(
        "video_resize",
        params={"width": width, "height": height, "frameRate": rate, "sourceDurationSeconds": priced},
        files={"sourceVideoUrl": [clip]},
        workdir=tmp_path / "run",
        **options,
    )


@pytest.mark.parametrize(
    ("own", "rate", "frames"),
    [
        ("30", "30", 30),
        ("30", "60", 60),
        ("30", "30000/1001", 30),
        ("30000/1001", "30000/1001", 30),
        ("60", "24", 12),
        ("25", "1", 1),
    ],
)
@pytest.mark.parametrize("suffix", ["mp4", "ts"])
def test_canvas_rate_and_duration_are_exact(tmp_path, own, rate, frames, suffix):
    clip = make_clip(tmp_path / f"a.{suffix}", frames=30, rate=own)
    result = resize(tmp_path, clip, rate=rate, priced=2.0)
    output = result.outputs[0]
    times = frame_times(output.path)
    assert (output.width, output.height) == (96, 128)
    assert output.seconds == pytest.approx(frames / float(Fraction(rate)))
    # On the grid; a transport stream's picture may begin a few frames after its sound, and keeps doing so.
    assert [time - times[0] for time in times] == [place / Fraction(rate) for place in range(frames)]
    assert times[0] < Fraction(1, 5)
    assert result.info["frames"] == frames


def test_sound_is_kept_bit_for_bit_where_mp4_holds_it(tmp_path):
    clip = make_clip(tmp_path / "a.mp4")
    result = resize(tmp_path, clip)
    assert result.info["sound"] == "copied"
    with av.open(str(clip)) as before, av.open(str(result.outputs[0].path)) as after:
        kept, given = ([bytes(packet) for packet in opened.demux(audio=0)] for opened in (after, before))
    assert kept == given
    assert np.array_equal(sound(clip)[0], sound(result.outputs[0].path)[0])


def test_sound_that_does_not_fit_becomes_aac(tmp_path):
    clip = make_clip(tmp_path / "a.mkv", options=["-c:a", "libvorbis"])
    result = resize(tmp_path, clip)
    assert result.info["sound"] == "encoded"
    with av.open(str(result.outputs[0].path)) as opened:
        assert opened.streams.audio[0].codec_context.name == "aac"
    samples, rate = sound(result.outputs[0].path)
    assert abs(len(samples) / rate - 1.0) < 0.05


def test_a_silent_clip_stays_silent(tmp_path):
    result = resize(tmp_path, make_clip(tmp_path / "a.mp4", tone=None))
    assert result.info["sound"] == "none"
    with av.open(str(result.outputs[0].path)) as opened:
        assert not opened.streams.audio


def test_turned_by_metadata_comes_out_upright(tmp_path):
    lying = tmp_path / "lying.mp4"
    left_red = "color=red:s=80x90:r=30[l];color=blue:s=80x90:r=30[r];[l][r]hstack"
    make_clip(tmp_path / "flat.mp4", picture=left_red, tone=None)
    ffmpeg("-display_rotation", "-90", "-i", tmp_path / "flat.mp4", "-c", "copy", lying)
    result = resize(tmp_path, lying, width=90, height=160)
    frame = pictures(result.outputs[0].path)[10].astype(int)
    assert frame.shape == (160, 90, 3)
    assert (frame[20, 45] - [254, 0, 0]).max() < 12  # a quarter turn clockwise: what was left is on top
    assert frame[20, 45, 0] > 200
    assert frame[140, 45, 2] > 200
    assert frame_rotation(result.outputs[0].path) == 0


def frame_rotation(path: Path) -> int:
    with av.open(str(path)) as opened:
        return next(opened.decode(video=0)).rotation


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ten_bit.mkv", ["-pix_fmt", "yuv420p10le"]),
        ("alpha.webm", ["-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-c:a", "libopus"]),
        ("rgb.mkv", ["-c:v", "ffv1", "-pix_fmt", "bgr0"]),
        ("full_range.mp4", ["-pix_fmt", "yuvj444p"]),
        ("anamorphic.mp4", ["-vf", "setsar=4/3"]),
        ("interlaced.mpg", ["-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-c:a", "mp2"]),
    ],
)
def test_odd_pictures_become_8_bit_square_420(tmp_path, name, options):
    clip = make_clip(tmp_path / name, options=options, size="320x240")
    path = resize(tmp_path, clip, priced=1.2).outputs[0].path
    with av.open(str(path)) as opened:
        frame = next(opened.decode(video=0))
        assert (frame.format.name, frame.width, frame.height) == ("yuv420p", 96, 128)
        assert opened.streams.video[0].sample_aspect_ratio in {None, 0, 1}
    assert len(frame_times(path)) == 30


def test_uneven_frames_come_out_even_with_the_duration_kept(tmp_path):
    even = make_clip(tmp_path / "even.mp4", frames=40, tone=None)
    uneven = tmp_path / "uneven.mkv"  # frames 10..29 are missing: two thirds of a second hold one picture
    ffmpeg("-i", even, "-vf", "select='lt(n,10)+gte(n,30)'", "-fps_mode", "passthrough", uneven)
    result = resize(tmp_path, uneven, rate="30", priced=1.4)
    assert result.info["source"]["frameRate"] == "variable"
    assert result.info["source"]["frames"] == 20
    frames = pictures(result.outputs[0].path)
    assert len(frames) == 40
    still = [np.abs(frames[place].astype(int) - frames[10].astype(int)).mean() for place in range(10, 29)]
    assert max(still) < 2.0
    assert np.abs(frames[31].astype(int) - frames[10].astype(int)).mean() > 4.0


def test_more_than_was_priced_is_input_changed(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", frames=60)
    with pytest.raises(EngineFailed, match=r"lasts 2\.00 s, more than the 1\.00 s") as raised:
        resize(tmp_path, clip, priced=1.0)
    assert (raised.value.code, raised.value.retryable) == ("input_changed", False)
    assert not (tmp_path / "run" / "output_0001.mp4").exists()


def test_more_than_ten_minutes_is_refused(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", frames=601, rate="1", size="32x32", tone=None)
    with pytest.raises(EngineFailed, match=r"601\.0 s; at most 600 s") as raised:
        resize(tmp_path, clip, priced=600.0)
    assert raised.value.code == "invalid_input"


@pytest.mark.parametrize(
    "content", [b"words, words\n" * 50, b"#EXTM3U\nhttp://127.0.0.1:9/a.ts\n", b"", b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_clip_is_refused(tmp_path, content):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(content)
    with pytest.raises(EngineFailed, match="not a video file") as raised:
        resize(tmp_path, clip)
    assert (raised.value.code, raised.value.retryable) == ("invalid_input", False)


def with_external_data(content: bytes, *, target: Path) -> bytes:
    """A QuickTime file whose data reference is an alias record naming `target` by its absolute path."""
    path = str(target).encode()
    record = (
        bytes(10) + b"\x01V" + bytes(26) + bytes(12) + b"\x01T" + bytes(62) + bytes(16) + b"\xff\xff" * 2 + bytes(16)
    )
    record += (
        (2).to_bytes(2, "big") + len(path).to_bytes(2, "big") + path + bytes(len(path) % 2) + b"\xff\xff" + bytes(2)
    )
    entry = (12 + len(record)).to_bytes(4, "big") + b"alis" + bytes(4) + record
    own = content.index(b"\x00\x00\x00\x0curl \x00\x00\x00\x01", content.index(b"vmhd"))
    grown = bytearray(content[:own] + entry + content[own + 12 :])
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        at = content.rindex(box, 0, own) - 4
        size = int.from_bytes(content[at : at + 4], "big") + len(entry) - 12
        grown[at : at + 4] = size.to_bytes(4, "big")
    return bytes(grown)


def test_an_external_reference_inside_a_quicktime_file_is_not_followed(tmp_path):
    clip = make_clip(tmp_path / "a.mov", tone=None)
    trap = tmp_path / "trap.mov"
    trap.write_bytes(with_external_data(clip.read_bytes(), target=clip))
    clip_options = ["-enable_drefs", "1", "-use_absolute_path", "1"]
    ffmpeg(*clip_options, "-i", trap, "-f", "null", "-")  # the trap works on a reader that was told to follow it
    with pytest.raises(EngineFailed, match=r"^The clip ") as raised:
        resize(tmp_path, trap)
    assert raised.value.code == "invalid_input"


def test_cancel_kills_ffmpeg_and_leaves_nothing(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", frames=120, size="640x360", tone=None)
    seen: list[psutil.Process] = []
    wanted = threading.Event()

    def step(fraction: float, phase: str) -> None:
        if phase == "encoding" and fraction > 0.2:
            seen.extend(child for child in psutil.Process().children() if "ffmpeg" in child.name())
            wanted.set()
            raise Canceled

    with pytest.raises(Canceled):
        resize(tmp_path, clip, width=1920, height=1080, priced=4.0, step=step)
    assert wanted.is_set()
    assert len(seen) == 1
    assert not psutil.pid_exists(seen[0].pid)
    assert not list((tmp_path / "run").iterdir())
