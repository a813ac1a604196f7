"""video.generate's contract: canvas, frame count, rate, given frames met, sound in sync, refusals, cancel."""

import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageOps
from scipy.signal import butter, correlate, lfilter, resample_poly

from tests.workers.pipelines.lavfi import frame_times, sound
from tests.workers.pipelines.video_scenes import film, photo, psnr, saved, shown, window
from workers.clips import measure_clip
from workers.pipelines.base import Canceled, EngineFailed
from workers.sound import write_wav

LARGE = photo(480, 320)


@pytest.fixture(scope="module")
def start(tmp_path_factory) -> Path:
    return saved(window(LARGE, 60, 40, 256, 160), tmp_path_factory.mktemp("given") / "start.png")


@pytest.fixture(scope="module")
def final(tmp_path_factory) -> Path:
    return saved(window(LARGE, 84, 52, 256, 160, size=0.92), tmp_path_factory.mktemp("given") / "final.png")


@pytest.fixture(scope="module")
def overlap(tmp_path_factory) -> list[Path]:
    """Twelve frames of a camera that goes right by 3 pixels a frame."""
    folder = tmp_path_factory.mktemp("overlap")
    return [saved(window(LARGE, 60 + 3 * number, 40, 256, 160), folder / f"{number:02}.png") for number in range(1, 13)]


def loaded(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize(
    ("width", "height", "frames", "fps", "rate", "delivered"),
    [
        (256, 160, 17, 30, 60, 34),
        (160, 288, 9, 10, 0, 9),  # 9:16
        (224, 224, 25, 24, 60, 63),  # 62.5 frames last 25 / 24 s: the begun one is shown
        (352, 96, 9, 7, 30, 39),  # odd multiples of 32, a ratio that is no whole number
        (32, 32, 9, 1, 30, 270),
        (96, 64, 33, 50, 60, 40),
        (288, 160, 9, 8, 45, 51),
    ],
)
def test_canvas_count_rate_and_length(tmp_path, start, width, height, frames, fps, rate, delivered):
    result = film(
        tmp_path / "run", width=width, height=height, frames=frames, fps=fps, rate=rate, startFrameImage=[start]
    )
    (output,) = result.outputs
    assert output.path.name == "output_0001.mp4"
    assert output.media_type == "video/mp4"
    assert (output.width, output.height) == (width, height)
    clip = measure_clip(output.path)
    assert (clip.width, clip.height, clip.frames) == (width, height, delivered)
    assert clip.rate == (rate or fps)
    assert clip.sound is None
    assert frame_times(output.path) == [Fraction(place, rate or fps) for place in range(delivered)]
    assert 0 <= output.seconds - frames / fps < 1 / (rate or fps)
    assert {key: result.info[key] for key in ("frames", "sampledFps", "outputFps", "outputFrames", "mode")} == {
        "frames": frames,
        "sampledFps": fps,
        "outputFps": rate or fps,
        "outputFrames": delivered,
        "mode": "image-to-video",
    }
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["output_0001.mp4"]


def test_given_frames_at_the_default_canvas(tmp_path):
    """A detailed picture at 1280×704, first and last, and an overlap frame between them."""
    large = photo(1340, 740, seed=8)
    views = [window(large, 20 + 6 * n, 10 + 2 * n, 1280, 704) for n in range(3)]
    last = window(large, 50, 20, 1280, 704, size=0.95)
    paths = [saved(view, tmp_path / f"{number}.png") for number, view in enumerate([*views, last])]
    result = film(
        tmp_path / "run",
        width=1280,
        height=704,
        frames=9,
        fps=10,
        startFrameImage=paths[:1],
        overlapFrameImages=paths[1:3],
        finalFrameImage=paths[3:],
    )
    frames = shown(result)
    assert len(frames) == 9
    met = [psnr(frames[place], view) for place, view in enumerate(views)] + [psnr(frames[8], last)]
    assert min(met) > 33
    assert psnr(frames[4], last) < 28
    assert result.info["anchors"] == [
        {"frame": 0, "kind": "start"},
        {"frame": 1, "kind": "overlap"},
        {"frame": 2, "kind": "overlap"},
        {"frame": 8, "kind": "final"},
    ]


def test_all_twelve_overlap_frames_follow_the_start_frame(tmp_path, start, overlap):
    result = film(tmp_path / "run", frames=17, fps=10, startFrameImage=[start], overlapFrameImages=overlap)
    frames = shown(result)
    for place, path in enumerate([start, *overlap]):
        assert psnr(frames[place], loaded(path)) > 33, place
    assert result.info["mode"] == "video-continuation"


def test_without_a_start_frame_the_first_overlap_frame_is_frame_zero(tmp_path, overlap):
    result = film(tmp_path / "run", frames=17, fps=10, overlapFrameImages=overlap[:2])
    frames = shown(result)
    assert psnr(frames[0], loaded(overlap[0])) > 33
    assert psnr(frames[1], loaded(overlap[1])) > 33
    assert [anchor["kind"] for anchor in result.info["anchors"]] == ["overlap", "overlap"]


def test_interpolated_frames_lie_between_their_neighbours(tmp_path, start, overlap):
    """3 pixels between sampled frames: at three times the rate each output frame has gone one pixel farther."""
    result = film(tmp_path / "run", frames=17, fps=10, rate=30, startFrameImage=[start], overlapFrameImages=overlap)
    frames = shown(result)
    for number in range(1, 30):
        expected = window(LARGE, 60 + number, 40, 256, 160)
        off_by_one = [window(LARGE, 60 + number + aside, 40, 256, 160) for aside in (-1, 1)]
        inner = (slice(12, -12), slice(12, -12))
        near = psnr(frames[number][inner], expected[inner])
        assert near > 29
        assert near > max(psnr(frames[number][inner], other[inner]) for other in off_by_one) + 2


def test_a_final_frame_alone_ends_a_composed_scene(tmp_path, final):
    result = film(tmp_path / "run", "a boat on the sea", frames=9, fps=10, rate=30, finalFrameImage=[final])
    frames = shown(result)
    assert psnr(frames[-1], loaded(final)) > 33
    assert psnr(frames[0], loaded(final)) < 16
    assert result.info["mode"] == "text-to-final-frame"
    assert result.info["anchors"] == [{"frame": 8, "kind": "final"}]


@pytest.mark.parametrize(("size", "canvas"), [((300, 500), (256, 160)), ((900, 300), (160, 160))])
def test_another_shape_is_scaled_to_cover_and_centre_cropped(tmp_path, size, canvas):
    picture = Image.fromarray(photo(*size))
    path = tmp_path / "tall.png"
    picture.save(path)
    result = film(tmp_path / "run", width=canvas[0], height=canvas[1], frames=9, startFrameImage=[path])
    expected = np.asarray(ImageOps.fit(picture, canvas, Image.Resampling.LANCZOS))
    assert psnr(shown(result)[0], expected) > 33


def test_a_turned_photograph_stands_upright_and_transparency_lies_on_white(tmp_path):
    upright = Image.fromarray(photo(160, 256))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the top of the scene is at the right
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=exif, quality=97)
    result = film(tmp_path / "a", width=160, height=256, frames=9, startFrameImage=[tmp_path / "turned.jpg"])
    assert psnr(shown(result)[0], np.asarray(upright)) > 30
    clear = Image.new("RGBA", (256, 160), (0, 0, 0, 0))
    clear.save(tmp_path / "clear.png")
    result = film(tmp_path / "b", frames=9, startFrameImage=[tmp_path / "clear.png"])
    assert shown(result)[0].min() > 250


def bursts(seconds: float, *, rate: int = 48000, channels: int = 2) -> np.ndarray:
    """Band-limited noise in irregular bursts: nothing in it repeats, so that its place in time is beyond doubt."""
    rng = np.random.default_rng(4)
    length = round(seconds * rate)
    envelope = np.repeat(rng.random(round(seconds * 20) + 1) > 0.5, rate // 20)[:length]
    noise = lfilter(*butter(4, 4000, fs=rate), rng.standard_normal((channels, length)))
    return (0.5 * noise * envelope).clip(-1, 1).astype(np.float32)


def lag_of(heard: np.ndarray, reference: np.ndarray) -> int:
    """By how many samples the one follows the other."""
    found = correlate(heard - heard.mean(), reference - reference.mean(), mode="full", method="fft")
    return int(np.argmax(found)) - (len(reference) - 1)


@pytest.mark.parametrize(
    ("given", "channels", "fate"),
    [(3.0, 2, "cut at 1.700 s"), (0.9, 1, "followed by silence from 0.900 s"), (1.7, 1, "held whole")],
)
def test_reference_audio_is_held_in_sync(tmp_path, start, given, channels, fate):
    reference = bursts(given, channels=channels)
    write_wav(reference, rate=48000, path=tmp_path / "reference.wav")
    result = film(
        tmp_path / "run", frames=17, fps=10, rate=30, startFrameImage=[start],
        referenceAudio=[tmp_path / "reference.wav"],
    )  # fmt: skip
    heard, rate = sound(result.outputs[0].path)
    assert rate == 48000
    assert 0 <= len(heard) - round(1.7 * rate) <= 1024  # AAC's last block is padded
    assert fate in result.info["audio"]
    length = min(len(heard), reference.shape[1])
    assert abs(lag_of(heard[:length], reference[0, :length])) <= 2
    assert np.corrcoef(heard[:length], reference[0, :length])[0, 1] > 0.98
    assert np.std(heard[:length]) == pytest.approx(np.std(reference[0, :length]), rel=0.03)
    assert not heard[length + 2048 :].any() or np.abs(heard[length + 2048 : round(1.7 * rate)]).max() < 0.002
    with av.open(str(result.outputs[0].path)) as opened:
        assert opened.streams.audio[0].codec_context.name == "aac"


def test_audio_at_another_rate_is_in_sync_too(tmp_path, start):
    reference = bursts(1.5, rate=22050, channels=1)
    write_wav(reference, rate=22050, path=tmp_path / "reference.wav")
    result = film(tmp_path / "run", frames=17, startFrameImage=[start], referenceAudio=[tmp_path / "reference.wav"])
    heard, _ = sound(result.outputs[0].path)
    asked = resample_poly(reference[0], 320, 147)
    assert abs(lag_of(heard[: len(asked)], asked)) < 48


def test_the_picture_pulses_with_the_sound(tmp_path, start):
    """Under a static camera the picture is larger and lighter while the sound is loud."""
    loud = np.zeros((1, 48000 * 2), np.float32)
    loud[:, 40000:60000] = 0.5 * np.sin(np.arange(20000) * 0.05)
    write_wav(loud, rate=48000, path=tmp_path / "beat.wav")
    result = film(
        tmp_path / "run",
        "static camera",
        frames=41,
        fps=20,
        startFrameImage=[start],
        referenceAudio=[tmp_path / "beat.wav"],
    )
    frames = shown(result)
    assert psnr(frames[0], loaded(start)) > 33
    quiet, lit = frames[14].mean(), frames[22].mean()
    assert lit > quiet * 1.02


def test_the_same_again_gives_the_same_bytes_and_another_seed_does_not(tmp_path, start):
    made = [
        film(tmp_path / name, "falling snow", frames=9, startFrameImage=[start], seed=seed).outputs[0].path.read_bytes()
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_two_at_once_do_not_disturb_each_other(tmp_path, start, final):
    made: dict[str, bytes] = {}

    def make(name: str) -> None:
        result = film(tmp_path / name, frames=9, rate=30, startFrameImage=[start], finalFrameImage=[final])
        made[name] = result.outputs[0].path.read_bytes()

    running = [threading.Thread(target=make, args=(name,)) for name in ("a", "b")]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert made["a"] == made["b"]


@pytest.mark.parametrize("phase", ["planning", "composing", "rendering", "encoding", "finished"])
def test_a_cancel_leaves_nothing(tmp_path, phase):
    def step(fraction: float, word: str) -> None:
        if word == phase and (phase != "rendering" or fraction > 0.5):
            raise Canceled

    before = threading.active_count()
    with pytest.raises(Canceled):
        film(tmp_path / "run", "a red house in a meadow", frames=9, step=step)
    assert list((tmp_path / "run").iterdir()) == []
    assert threading.active_count() == before


def test_progress_rises_and_names_its_phases(tmp_path, start):
    heard: list[tuple[float, str]] = []
    film(tmp_path / "run", frames=17, startFrameImage=[start], step=lambda share, word: heard.append((share, word)))
    shares = [share for share, _ in heard]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len([word for _, word in heard if word == "rendering"]) >= 17
    assert list(dict.fromkeys(word for _, word in heard)) == [
        "reading",
        "planning",
        "layout",
        "rendering",
        "encoding",
        "finished",
    ]


@pytest.mark.parametrize("field", ["startFrameImage", "overlapFrameImages", "finalFrameImage"])
def test_an_unreadable_frame_is_refused(tmp_path, start, field):
    broken = tmp_path / "broken.png"
    broken.write_bytes(start.read_bytes()[:400])
    with pytest.raises(EngineFailed) as failure:
        film(tmp_path / "run", **{field: [broken]})
    assert failure.value.code == "invalid_frame_image"
    assert not failure.value.retryable
    assert str(tmp_path) not in failure.value.message
    assert list((tmp_path / "run").iterdir()) == []


def test_more_given_frames_than_the_clip_has_are_refused(tmp_path, start, overlap):
    with pytest.raises(EngineFailed, match="13 frames were given for a clip of 9 sampled frames") as failure:
        film(tmp_path / "run", frames=9, startFrameImage=[start], overlapFrameImages=overlap)
    assert failure.value.code == "too_many_frames"


@pytest.mark.parametrize(
    ("content", "code", "sentence"),
    [
        (None, "silent_audio", "The reference audio is silent."),
        (b"", "invalid_reference_audio", "is not a sound"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt nonsense", "invalid_reference_audio", "The reference audio"),
    ],
)
def test_unusable_audio_is_refused(tmp_path, start, content, code, sentence):
    path = tmp_path / "reference.wav"
    if content is None:
        write_wav(np.zeros((1, 48000), np.float32), rate=48000, path=path)
    else:
        path.write_bytes(content)
    with pytest.raises(EngineFailed, match=sentence) as failure:
        film(tmp_path / "run", startFrameImage=[start], referenceAudio=[path])
    assert failure.value.code == code
    assert list((tmp_path / "run").iterdir()) == []


def test_extreme_quality_is_nearer_to_what_was_given(tmp_path, start):
    results = [
        film(tmp_path / name, frames=9, startFrameImage=[start], extreme=extreme)
        for name, extreme in (("plain", False), ("extreme", True))
    ]
    plain, extreme = (shown(result) for result in results)
    given = loaded(start).mean(-1)  # brightness: colour keeps a quarter of its points in either
    assert psnr(extreme[0].mean(-1), given) > psnr(plain[0].mean(-1), given)
    assert np.std(np.diff(extreme[7].mean(-1))) > np.std(np.diff(plain[7].mean(-1)))  # finer detail in between too
    assert len(extreme) == len(plain)
    assert results[1].info["extremeQuality"] is True


def test_colours_are_named_so_that_players_need_not_guess(tmp_path, start):
    result = film(tmp_path / "run", frames=9, startFrameImage=[start])
    with av.open(str(result.outputs[0].path)) as opened:
        context = opened.streams.video[0].codec_context
        assert (int(context.colorspace), int(context.color_primaries), int(context.color_trc)) == (1, 1, 1)
        assert context.pix_fmt == "yuv420p"
    head = result.outputs[0].path.read_bytes()[:4096]
    assert head.index(b"moov") < 64  # before the pictures: it starts playing at once
