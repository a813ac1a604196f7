"""Measuring clips: what a file really holds, its rate to the tick, and a finished file by its index."""

import os
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.workers.pipelines.lavfi import ffmpeg, make_clip
from workers.clips import NotAClip, measure_clip, measure_finished


@pytest.mark.parametrize("rate", ["1", "24000/1001", "25", "30000/1001", "60", "120"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_the_rate_is_found_exactly(tmp_path, rate, suffix):
    clip = measure_clip(make_clip(tmp_path / f"a.{suffix}", rate=rate, tone=None, options=["-c:v", "libx264"]))
    assert clip.rate == Fraction(rate)
    assert clip.frames == 30
    assert clip.duration == 30 / Fraction(rate)


def test_times_rounded_to_milliseconds_are_on_the_grid_but_not_to_be_copied(tmp_path):
    even, rounded = (make_clip(tmp_path / name, rate="30", tone=None) for name in ("a.mp4", "a.mkv"))
    assert measure_clip(even).joinable
    assert measure_clip(rounded).rate == 30
    assert not measure_clip(rounded).joinable


def test_a_frame_that_is_late_by_more_than_three_tenths_makes_the_rate_variable(tmp_path):
    def late(by: Fraction) -> Path:
        path = tmp_path / f"late{by.numerator}.mp4"
        moved = f"setpts='N/30/TB+if(eq(N,15),{float(by / 30)}/TB,0)'"
        picture = f"testsrc2=s=64x64:r=30,settb=1/90000,{moved}"
        return make_clip(path, picture=picture, tone=None, options=["-fps_mode", "vfr", "-enc_time_base", "1/90000"])

    assert measure_clip(late(Fraction(1, 4))).rate == 30
    assert not measure_clip(late(Fraction(1, 4))).joinable
    assert measure_clip(late(Fraction(4, 10))).rate is None


def test_the_first_picture_may_come_after_packets_that_show_none(tmp_path):
    # A recording that begins in the middle of a group: its first packets refer to a key frame that is not there.
    whole = make_clip(tmp_path / "whole.ts", frames=60, tone=None, options=["-c:v", "libx264", "-g", "30", "-bf", "2"])
    content = whole.read_bytes()
    with av.open(str(whole)) as opened:
        third = [packet.pos for packet in opened.demux(video=0) if packet.size][3]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(content[: 188 * 3] + content[third // 188 * 188 :])
    clip = measure_clip(joined)
    assert (clip.width, clip.height) == (160, 90)
    assert not clip.joinable


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-preset", "medium", "-bf", "3"],
        ["-r", "30000/1001"],
        ["-frames:v", "1"],
        ["-video_track_timescale", "90000"],
        ["-movflags", "+faststart"],
    ],
)
def test_a_finished_files_index_tells_what_its_packets_tell(tmp_path, options):
    path = make_clip(tmp_path / "a.mp4", options=options)
    read, told = measure_clip(path), measure_finished(path)
    assert (told.frames, told.duration, told.width, told.height) == (
        read.frames,
        read.duration,
        read.width,
        read.height,
    )
    assert told.has_sound
    assert not measure_finished(make_clip(tmp_path / "silent.mp4", tone=None)).has_sound


def test_frames_that_a_finished_file_hides_are_not_counted(tmp_path):
    whole, cut = make_clip(tmp_path / "whole.mp4", tone=None), tmp_path / "cut.mp4"
    ffmpeg("-ss", "0.4", "-i", whole, "-c", "copy", cut)
    with av.open(str(cut)) as opened:
        assert opened.streams.video[0].frames == 30
    assert measure_finished(cut).frames == measure_clip(cut).frames == 18


@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_finished_file_that_is_cut_off_is_found_out(tmp_path, kept):
    path = make_clip(tmp_path / "a.mp4", tone=None, options=["-movflags", "+faststart"])
    os.truncate(path, int(path.stat().st_size * kept))
    with pytest.raises(NotAClip, match="cut off"):
        measure_finished(path)


def test_a_finished_file_without_a_picture_is_found_out(tmp_path):
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", tmp_path / "sound.mp4")
    with pytest.raises(NotAClip, match="holds no picture"):
        measure_finished(tmp_path / "sound.mp4")
