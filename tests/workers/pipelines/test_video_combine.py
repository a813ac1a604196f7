"""video.combine on real clips: exact frames, sound in step, copies bit for bit, refusals, cancel."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from tests.workers.pipelines.lavfi import (
    ffmpeg,
    frame_times,
    make_clip,
    packets,
    pictures,
    pitch,
    run_engine,
    sound,
)
from workers.pipelines.base import Canceled, EngineFailed, PipelineResult

AAC_FRAME = Fraction(1024, 48000)


def combine(tmp_path: Path, clips: list[Path], *, overlap: int, rate: int, **options) -> PipelineResult:
    return run_engine(
        "video_combine",
        params={"overlapFrames": overlap, "frameRate": rate},
        files={"videoUrls": clips},
        workdir=tmp_path / "run",
        **options,
    )


def assert_constant(path: Path, *, frames: int, rate: Fraction) -> None:
    assert frame_times(path) == [place / rate for place in range(frames)]


def assert_sound_as_long_as_picture(path: Path, *, frames: int, rate: Fraction) -> None:
    samples, sample_rate = sound(path)
    assert abs(Fraction(len(samples), sample_rate) - frames / rate) <= AAC_FRAME + 1 / rate


def test_equal_clips_without_overlap_keep_every_packet(tmp_path):
    clips = [make_clip(tmp_path / f"{tone}.mp4", tone=tone, frames=30) for tone in (440, 660, 880)]
    result = combine(tmp_path, clips, overlap=0, rate=60)
    path = result.outputs[0].path
    assert result.info["picture"] == "copied"
    assert packets(path) == [packet for clip in clips for packet in packets(clip)]
    assert_constant(path, frames=90, rate=Fraction(30))
    assert_sound_as_long_as_picture(path, frames=90, rate=Fraction(30))
    samples, rate = sound(path)
    assert [round(pitch(samples[rate * n + 4800 : rate * (n + 1) - 4800], rate), -1) for n in range(3)] == [
        440,
        660,
        880,
    ]


def test_copy_of_b_frames_without_sound_has_no_sound(tmp_path):
    options = ["-preset", "medium", "-bf", "3"]
    clips = [make_clip(tmp_path / f"{n}.mp4", tone=None, frames=25 + n, options=options) for n in range(3)]
    result = combine(tmp_path, clips, overlap=0, rate=30)
    path = result.outputs[0].path
    assert result.info["picture"] == "copied"
    assert result.info["sound"] == "none"
    assert packets(path) == [packet for clip in clips for packet in packets(clip)]
    assert_constant(path, frames=78, rate=Fraction(30))
    with av.open(str(path)) as opened:
        assert not opened.streams.audio


def test_copied_b_frames_keep_their_order_beside_the_sound(tmp_path):
    options = ["-preset", "medium", "-bf", "3"]
    clips = [make_clip(tmp_path / f"{n}.mp4", tone=440, frames=25 + n, options=options) for n in range(3)]
    result = combine(tmp_path, clips, overlap=0, rate=30)
    path = result.outputs[0].path
    assert (result.info["picture"], result.info["sound"]) == ("copied", "encoded")
    assert packets(path) == [packet for clip in clips for packet in packets(clip)]
    assert_constant(path, frames=78, rate=Fraction(30))
    assert_sound_as_long_as_picture(path, frames=78, rate=Fraction(30))
    content = path.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")
    links = {f"clip_{place:04}" for place in (1, 2, 3)}
    assert {left.name for left in path.parent.iterdir()} == {"output_0001.mp4", *links}


def test_output_starts_before_it_is_all_there(tmp_path):
    clips = [make_clip(tmp_path / f"{n}.mp4", frames=5 + n) for n in range(2)]
    content = combine(tmp_path, clips, overlap=1, rate=30).outputs[0].path.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")
    assert str(tmp_path).encode() not in content


def test_overlap_leaves_out_exactly_the_head_of_each_later_clip(tmp_path):
    # Grey levels count the frames, so that each decoded frame tells which one it was.
    def numbered(name: str, first: int) -> Path:
        return make_clip(
            tmp_path / name,
            frames=20,
            tone=None,
            picture=f"color=black:s=64x64:r=30,format=gray,geq=lum='{first}+6*N',format=yuv420p",
            options=["-qp", "0"],
        )

    clips = [numbered("a.mp4", 20), numbered("b.mp4", 24), numbered("c.mp4", 22)]
    own = [[frame.mean() for frame in pictures(clip)] for clip in clips]
    result = combine(tmp_path, clips, overlap=3, rate=30)
    got = [frame.mean() for frame in pictures(result.outputs[0].path)]
    assert len(got) == 60 - 2 * 3
    assert np.allclose(got, [*own[0], *own[1][3:], *own[2][3:]], atol=1.0)
    assert [clip["trimmedFrames"] for clip in result.info["clips"]] == [0, 3, 3]


def test_overlap_is_cut_from_the_sound_at_the_same_moment(tmp_path):
    first = make_clip(tmp_path / "a.mp4", frames=30, tone=440)
    second = tmp_path / "b.mp4"
    # Half a second of 1000 Hz, then 2000 Hz: after a trim of 12/30 s the change comes 0.1 s into the second clip.
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=160x90:r=30:d=1", "-f", "lavfi"),
        *("-i", "aevalsrc='0.2*sin(2*PI*t*if(lt(t,0.5),1000,2000))':s=48000:d=1", "-pix_fmt", "yuv420p", second),
    )
    path = combine(tmp_path, [first, second], overlap=12, rate=30).outputs[0].path
    assert_constant(path, frames=48, rate=Fraction(30))
    samples, rate = sound(path)
    window = 480
    pitches = [pitch(samples[at : at + window], rate) for at in range(rate, int(1.5 * rate), window)]
    changed = next(place for place, value in enumerate(pitches) if value > 1500)
    assert abs(changed * window / rate - 0.1) <= 0.02


@pytest.mark.parametrize(
    ("own", "overlap", "asked", "rate", "frames"),
    [
        ("30", 1, 30, "30", 59),
        ("30", 2, 60, "30", 59),  # two sixtieths are one of the clips' frames
        ("30", 1, 60, "60", 119),  # half a frame cannot be cut, so the clips are loaded at 60
        ("30000/1001", 2, 30, "30000/1001", 58),
        ("24000/1001", 1, 24, "24000/1001", 59),
        ("60", 5, 60, "60", 55),
    ],
)
def test_the_clips_keep_their_rate_where_the_overlap_is_whole_frames(tmp_path, own, overlap, asked, rate, frames):
    clips = [make_clip(tmp_path / f"{n}.mp4", frames=30, rate=own) for n in range(2)]
    result = combine(tmp_path, clips, overlap=overlap, rate=asked)
    assert result.info["frameRate"] == rate
    assert_constant(result.outputs[0].path, frames=frames, rate=Fraction(rate))
    assert_sound_as_long_as_picture(result.outputs[0].path, frames=frames, rate=Fraction(rate))


def test_silent_and_differing_clips_fit_the_first_ones_canvas(tmp_path):
    clips = [
        make_clip(tmp_path / "a.mp4", frames=24, rate="24", size="160x90", tone=440),
        make_clip(tmp_path / "b.webm", frames=30, size="90x160", tone=None, options=["-c:v", "libvpx", "-b:v", "1M"]),
        make_clip(tmp_path / "c.mkv", frames=25, rate="25", size="320x240", tone=880, sample_rate=44100),
        make_clip(tmp_path / "d.ts", frames=30, rate="30", size="160x90", tone=660),
    ]
    result = combine(tmp_path, clips, overlap=6, rate=60)
    output = result.outputs[0]
    frames = 4 * 60 - 3 * 6
    assert (output.width, output.height, output.seconds) == (160, 90, pytest.approx(frames / 60))
    assert_constant(output.path, frames=frames, rate=Fraction(60))
    assert_sound_as_long_as_picture(output.path, frames=frames, rate=Fraction(60))
    samples, rate = sound(output.path)
    levels = [np.abs(samples[int(rate * at) : int(rate * (at + 0.5))]).max() for at in (0.2, 1.2, 2.1, 3.0)]
    assert levels[1] < 0.001
    assert min(levels[0], levels[2], levels[3]) > 0.05
    upright = pictures(output.path)[90]  # the portrait clip: bars left and right, picture in the middle
    assert upright[:, :50].max() < 24
    assert upright[:, 110:].max() < 24
    assert upright[:, 60:100].std() > 20


def test_sound_does_not_drift_over_24_clips(tmp_path):
    # 0.4004 s of picture and 0.5 s of sound: copied lengths would be two seconds apart at the end.
    clip = make_clip(tmp_path / "clip.mp4", frames=12, rate="30000/1001", sound_seconds=0.5)
    beep = tmp_path / "beep.mp4"
    ffmpeg("-i", clip, "-c:v", "copy", "-af", "volume='if(lt(t,0.1),1,0)':eval=frame", "-c:a", "aac", beep)
    result = combine(tmp_path, [beep] * 24, overlap=0, rate=30)
    rate = Fraction(30000, 1001)
    assert result.info["picture"] == "copied"
    assert_constant(result.outputs[0].path, frames=288, rate=rate)
    assert_sound_as_long_as_picture(result.outputs[0].path, frames=288, rate=rate)
    samples, sample_rate = sound(result.outputs[0].path)
    for place in range(24):
        start = round(place * 12 / rate * sample_rate)
        before, after = samples[start - 960 : start - 240], samples[start + 480 : start + 1920]
        assert np.abs(after).max() > 0.05, f"beep {place} is missing"
        assert place == 0 or np.abs(before).max() < 0.02, f"beep {place} came early"


def test_the_same_sound_on_both_sides_of_a_joint_has_no_gap(tmp_path):
    # A tone with a whole number of periods in each clip continues through the joint.
    clips = [make_clip(tmp_path / f"{n}.mp4", frames=30, tone=480) for n in range(2)]
    samples, rate = sound(combine(tmp_path, clips, overlap=0, rate=30).outputs[0].path)
    around = samples[rate - 2400 : rate + 2400]
    windows = np.sqrt((around.reshape(-1, 100) ** 2).mean(axis=1))
    assert windows.min() > 0.8 * np.median(windows)
    assert np.abs(np.diff(around)).max() < 2 * np.abs(np.diff(samples[9600:14400])).max()


def test_an_overlap_as_long_as_a_clip_names_the_clip(tmp_path):
    clips = [make_clip(tmp_path / "a.mp4", frames=30), make_clip(tmp_path / "b.mp4", frames=6)]
    with pytest.raises(EngineFailed, match=r"^Clip 2 lasts 0\.200 s") as raised:
        combine(tmp_path, clips, overlap=6, rate=30)
    assert (raised.value.code, raised.value.retryable) == ("invalid_input", False)
    assert not (tmp_path / "run" / "output_0001.mp4").exists()


def test_the_first_clip_may_be_shorter_than_the_overlap(tmp_path):
    clips = [make_clip(tmp_path / "a.mp4", frames=3), make_clip(tmp_path / "b.mp4", frames=30)]
    assert_constant(combine(tmp_path, clips, overlap=6, rate=30).outputs[0].path, frames=27, rate=Fraction(30))


def test_same_inputs_give_the_same_bytes(tmp_path):
    clips = [make_clip(tmp_path / f"{n}.mp4") for n in range(2)]
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.append(combine(tmp_path / name, clips, overlap=1, rate=30).outputs[0].path.read_bytes())
    assert made[0] == made[1]


class Listener:
    """Counts who connects to it on loopback."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.connects = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                if connection.recv(16) == b"end of test":
                    return
                self.connects += 1

    def close(self) -> int:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"end of test")
        self._thread.join()
        self._socket.close()
        return self.connects


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n",
            "HLS playlist",
        ),
        ("ffconcat version 1.0\nfile http://127.0.0.1:{port}/a.mp4\n", "concat script"),
        ('<?xml version="1.0"?><MPD><BaseURL>http://127.0.0.1:{port}/</BaseURL></MPD>', "XML document"),
        ("v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video {port} RTP/AVP 96\n", "SDP session"),
        ('<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:{port}/"/></svg>', "SVG drawing"),
    ],
)
def test_a_file_that_points_elsewhere_is_refused_unopened(tmp_path, content, named):
    listener = Listener()
    try:
        trap = tmp_path / "trap.mp4"
        trap.write_text(content.format(port=listener.port))
        with pytest.raises(EngineFailed, match=rf"^Clip 2 is an? .*{named}") as raised:
            combine(tmp_path, [make_clip(tmp_path / "a.mp4"), trap], overlap=0, rate=30)
    finally:
        connects = listener.close()
    assert connects == 0
    assert raised.value.code == "invalid_input"
    assert str(tmp_path) not in raised.value.message


@pytest.mark.parametrize("kind", ["text", "png", "truncated", "headless", "sound only", "empty"])
def test_what_is_no_whole_clip_is_refused_by_its_number(tmp_path, kind):
    good, bad = make_clip(tmp_path / "good.mp4"), tmp_path / "bad.mp4"
    match kind:
        case "text":
            bad.write_text("Not a video at all.\n" * 100)
        case "png":
            ffmpeg("-f", "lavfi", "-i", "testsrc2", "-frames:v", "1", tmp_path / "still.png")
            (tmp_path / "still.png").rename(bad)
        case "truncated":
            ffmpeg("-i", good, "-c", "copy", "-movflags", "+faststart", bad)
            os.truncate(bad, bad.stat().st_size * 6 // 10)
        case "headless":
            bad.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
        case "sound only":
            ffmpeg("-f", "lavfi", "-i", "sine=d=1", bad)
        case "empty":
            bad.touch()
    with pytest.raises(EngineFailed, match=r"^Clip 2 (is|holds) ") as raised:
        combine(tmp_path, [good, bad], overlap=0, rate=30)
    assert (raised.value.code, raised.value.retryable) == ("invalid_input", False)


def test_a_clip_whose_pictures_are_damaged_is_not_bridged_over(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", frames=30, tone=None, options=["-g", "1"])
    content = bytearray(clip.read_bytes())
    start, end = content.index(b"mdat") + 4, content.index(b"moov")
    length = end - start
    content[start + length // 3 : start + 2 * length // 3] = bytes(2 * length // 3 - length // 3)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(content)
    with pytest.raises(EngineFailed, match="damaged") as raised:
        combine(tmp_path, [clip, damaged], overlap=1, rate=30)
    assert not raised.value.retryable
    assert not (tmp_path / "run" / "output_0001.mp4").exists()


def test_cancel_in_the_middle_of_a_clip_kills_ffmpeg_at_once(tmp_path):
    clips = [make_clip(tmp_path / f"{n}.mp4", size="1280x720", frames=240, tone=None) for n in range(2)]
    seen: list[psutil.Process] = []
    asked_at: list[float] = []

    def step(fraction: float, phase: str) -> None:
        children = [child for child in psutil.Process().children() if "ffmpeg" in child.name()]
        if phase == "encoding" and children and fraction > 0.1:
            seen.extend(children)
            asked_at.append(time.monotonic())
            raise Canceled

    with pytest.raises(Canceled):
        combine(tmp_path, clips, overlap=1, rate=30, step=step)
    assert time.monotonic() - asked_at[0] < 1.0
    assert len(seen) == 1
    assert not psutil.pid_exists(seen[0].pid)
    assert not (tmp_path / "run" / "output_0001.mp4").exists()


def test_progress_only_rises_and_comes_at_least_once_a_second(tmp_path):
    clips = [make_clip(tmp_path / f"{n}.mp4", size="640x360", frames=120) for n in range(2)]
    steps: list[tuple[float, float]] = []
    combine(tmp_path, clips, overlap=1, rate=30, step=lambda f, _: steps.append((time.monotonic(), f)))
    fractions = [fraction for _, fraction in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert max(later - earlier for (earlier, _), (later, _) in itertools.pairwise(steps)) < 1.0


def test_ffmpeg_dies_with_a_worker_that_is_killed(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", size="1280x720", frames=300, tone=None)
    (tmp_path / "run").mkdir()
    script = f"""
from pathlib import Path
from workers.pipelines.base import RunContext
from workers.pipelines.video_combine.pipeline import PIPELINE
PIPELINE.run(RunContext(
    params={{"overlapFrames": 1, "frameRate": 30}}, files={{"videoUrls": [Path({str(clip)!r})] * 4}}, seed=1,
    workdir=Path({str(tmp_path / "run")!r}), step=lambda fraction, phase: print(phase, fraction, flush=True),
))
"""
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=root) as worker:
        assert worker.stdout
        for line in worker.stdout:
            phase, fraction = line.split()
            if phase == "encoding" and float(fraction) > 0.1:
                break
        children = psutil.Process(worker.pid).children()
        assert [child.name()[:6] for child in children] == ["ffmpeg"]
        worker.send_signal(signal.SIGKILL)
    gone, alive = psutil.wait_procs(children, timeout=5)
    assert not alive
    assert len(gone) == 1
