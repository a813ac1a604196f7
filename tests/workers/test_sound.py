"""Reading and writing sounds: exact lengths, equal bytes, levels kept, refusals."""

from pathlib import Path

import numpy as np
import pytest

from tests.workers.pipelines.lavfi import ffmpeg, make_clip
from workers.sound import NotASound, Samples, is_silent, read_sound, write_opus, write_wav


def tone(rate: int, samples: int, *, channels: int = 1, level: float = 0.3) -> Samples:
    one = (level * np.sin(2 * np.pi * 440 * np.arange(samples) / rate)).astype(np.float32)
    return np.repeat(one[None], channels, axis=0)


@pytest.mark.parametrize(("rate", "samples"), [(48_000, 96_123), (24_000, 72_017), (44_100, 44_100), (24_000, 500)])
@pytest.mark.parametrize("channels", [1, 2])
def test_opus_lasts_exactly_as_long_as_its_samples(tmp_path: Path, rate: int, samples: int, channels: int) -> None:
    sound = tone(rate, samples, channels=channels)
    path = tmp_path / "a.opus"
    assert write_opus(sound, rate=rate, path=path, quality="128k") == samples / rate
    again = read_sound(path, rate=rate, channels=channels)
    assert again.shape == (channels, samples)
    assert float(np.sqrt(np.mean((again - sound) ** 2))) < 0.005
    write_opus(sound, rate=rate, path=tmp_path / "b.opus", quality="128k")
    assert path.read_bytes() == (tmp_path / "b.opus").read_bytes()


def test_a_higher_quality_takes_more_bytes(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, (2, 96_000)).astype(np.float32)
    sizes = []
    for quality in ("96k", "128k", "192k"):
        write_opus(noise, rate=48_000, path=tmp_path / quality, quality=quality)
        sizes.append((tmp_path / quality).stat().st_size)
    assert sizes == sorted(set(sizes))
    for size, kilobits in zip(sizes, (96, 128, 192), strict=True):
        assert size * 8 / 2 / 1000 == pytest.approx(kilobits, rel=0.25)


def test_wav_is_exact_to_the_bit(tmp_path: Path) -> None:
    sound = tone(24_000, 12_345)
    assert write_wav(sound, rate=24_000, path=tmp_path / "a.wav") == 12_345 / 24_000
    assert (tmp_path / "a.wav").stat().st_size == 44 + 2 * 12_345
    assert float(np.max(np.abs(read_sound(tmp_path / "a.wav", rate=24_000) - sound))) <= 1 / 32_768


def test_what_is_too_loud_is_clipped_and_not_wrapped(tmp_path: Path) -> None:
    write_wav(tone(24_000, 2400, level=2.0), rate=24_000, path=tmp_path / "a.wav")
    again = read_sound(tmp_path / "a.wav", rate=24_000)
    assert float(np.max(again)) == pytest.approx(1.0, abs=1e-4)
    assert float(np.max(np.abs(np.diff(again[0])))) < 0.3


def test_a_mono_sound_keeps_its_level_on_both_ears(tmp_path: Path) -> None:
    write_wav(tone(24_000, 24_000), rate=24_000, path=tmp_path / "a.wav")
    mono, stereo = (read_sound(tmp_path / "a.wav", rate=24_000, channels=channels) for channels in (1, 2))
    assert np.array_equal(stereo, np.repeat(mono, 2, axis=0))
    assert float(np.max(stereo)) == pytest.approx(0.3, abs=0.001)


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.m4a", "a.aac", "a.ogg", "a.webm", "a.mp4"])
def test_every_container_is_read_at_the_rate_asked(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.mp4":
        make_clip(path, frames=30)
    else:
        codec = ["-c:a", "libopus"] if name == "a.webm" else []
        ffmpeg("-f", "lavfi", "-i", "sine=f=440:d=1:r=48000", *codec, path)
    samples = read_sound(path, rate=16_000)
    assert samples.shape[1] == pytest.approx(16_000, abs=1600)
    spectrum = np.abs(np.fft.rfft(samples[0] * np.hanning(samples.shape[1])))
    assert np.argmax(spectrum) * 16_000 / samples.shape[1] == pytest.approx(440, abs=2)


def test_what_is_no_sound_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a"
    silent = make_clip(tmp_path / "silent.mp4", tone=None)
    for content, reason in (
        (b"", "is not a sound of a supported format"),
        (b"#EXTM3U\nhttp://example.com/a.ts", "is not a sound of a supported format"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "is damaged or cut off and cannot be read"),
        (silent.read_bytes(), "holds no sound"),
    ):
        path.write_bytes(content)
        with pytest.raises(NotASound) as refused:
            read_sound(path, rate=16_000)
        assert str(refused.value) == reason
    write_wav(tone(24_000, 24_001), rate=24_000, path=path)
    with pytest.raises(NotASound, match="lasts longer than 1 s"):
        read_sound(path, rate=24_000, max_seconds=1)


def test_silence_is_below_minus_60_decibels() -> None:
    assert is_silent(np.zeros((1, 0), np.float32))
    assert is_silent(tone(24_000, 2400, level=0.00099))
    assert not is_silent(tone(24_000, 2400, level=0.0011))
