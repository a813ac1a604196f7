"""Probing real sounds in the confined child: what their heads say, what their samples say, what is refused."""

from fractions import Fraction

import pytest

from media.probing import AudioFacts, BytesSource, FileSource, NotMedia, ProbeIncomplete, probe_audio
from tests.media.sounds import CONTAINERS, SECONDS, UNTOLD
from tests.media.test_probing import Recording, assert_no_child_is_left
from tests.workers.pipelines.lavfi import ffmpeg, make_clip

PADDING = Fraction(1, 20)


def heard(content: bytes, *, seconds: int = 660) -> AudioFacts:
    return probe_audio(BytesSource(content), timeout=20, decode_seconds=seconds)


def test_every_fact_of_a_sound(sounds):
    assert heard(sounds["wav"]) == AudioFacts(
        container="wav",
        media_type="audio/wav",
        duration_seconds=Fraction(SECONDS),
        codec="pcm_s16le",
        sample_rate=48_000,
        channels=1,
    )


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_is_told_by_its_bytes_and_decoded_to_its_end(sounds, name):
    facts = heard(sounds[name])
    assert (facts.media_type, facts.channels, facts.sample_rate) == (CONTAINERS[name][2], 1, 48_000)
    assert facts.duration_seconds is not None
    assert abs(facts.duration_seconds - SECONDS) < PADDING
    if name in {"wav", "float", "flac", "opus", "vorbis", "webm", "recorder", "mp3"}:  # these know their padding
        assert facts.duration_seconds == SECONDS


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_head_tells_the_length_or_nothing_but_never_a_guess(sounds, name):
    facts = probe_audio(BytesSource(sounds[name]), timeout=10)
    assert facts.media_type == CONTAINERS[name][2]
    if name in UNTOLD:
        assert facts.duration_seconds is None
    else:
        assert facts.duration_seconds is not None
        assert abs(facts.duration_seconds - SECONDS) < PADDING


def test_a_head_is_two_ends_and_not_the_whole(tmp_path):
    ffmpeg("-f", "lavfi", "-i", "sine=d=60:r=48000", "-c:a", "pcm_s16le", tmp_path / "a.wav")
    ffmpeg("-f", "lavfi", "-i", "anoisesrc=d=60:r=48000:seed=1", "-c:a", "libvorbis", "-q:a", "8", tmp_path / "a.ogg")
    for name in ("a.wav", "a.ogg"):
        source = Recording((tmp_path / name).read_bytes())
        assert len(source.read(0, 10_000_000)) > 1_000_000
        source.asked.clear()
        assert probe_audio(source, timeout=10).duration_seconds == 60
        assert sum(length for _, length in source.asked) <= 600_000


def test_a_sound_is_decoded_as_it_is_read_and_nothing_of_it_is_kept(tmp_path):
    ffmpeg("-f", "lavfi", "-i", "sine=d=60:r=48000", "-c:a", "pcm_s16le", tmp_path / "a.wav")

    class Once(Recording):
        def read(self, offset: int, length: int) -> bytes:
            assert length <= 262_144
            return super().read(offset, length)

    assert probe_audio(Once((tmp_path / "a.wav").read_bytes()), timeout=10, decode_seconds=660).duration_seconds == 60


def test_a_sound_is_decoded_no_further_than_was_asked(sounds):
    """What goes on is as long as its header says, or as was heard where none does."""
    assert heard(sounds["wav"], seconds=2).duration_seconds == 3
    cut = heard(sounds["recorder"], seconds=2).duration_seconds
    assert cut is not None
    assert 2 < cut < Fraction(5, 2)


def test_eleven_minutes_are_told(sounds):
    for seconds in (None, 660):
        facts = probe_audio(BytesSource(sounds["long"]), timeout=20, decode_seconds=seconds)
        assert facts.duration_seconds is not None
        assert abs(facts.duration_seconds - 661) < PADDING


@pytest.mark.parametrize("name", ["silent", "whisper"])
def test_a_sound_below_60_db_is_silent_but_only_its_samples_tell(sounds, name):
    with pytest.raises(NotMedia, match="silent"):
        heard(sounds[name])
    assert probe_audio(BytesSource(sounds[name]), timeout=10).duration_seconds == 1


def test_a_faint_sound_on_one_channel_is_none(sounds):
    assert heard(sounds["faint"]).channels == 2


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_s24le", "pcm_s32le", "pcm_f64le", "pcm_mulaw", "adpcm_ms"])
def test_silence_is_told_from_sound_in_every_sample_format(tmp_path, codec):
    ffmpeg("-f", "lavfi", "-i", "sine=d=1:r=48000", "-af", "volume=-20dB", "-c:a", codec, tmp_path / "loud.wav")
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=48000:d=1", "-c:a", codec, tmp_path / "silent.wav")
    assert heard((tmp_path / "loud.wav").read_bytes()).sample_rate == 48_000
    with pytest.raises(NotMedia, match="silent"):
        heard((tmp_path / "silent.wav").read_bytes())


@pytest.mark.parametrize("channels", [3, 6, 8])
def test_many_channels_are_heard(tmp_path, channels):
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", "-ac", str(channels), tmp_path / "a.wav")
    assert heard((tmp_path / "a.wav").read_bytes()).channels == channels


@pytest.mark.parametrize("seconds", [None, 660])
@pytest.mark.parametrize("name", ["picture only", "picture only mp4"])
def test_a_clip_without_sound_has_no_sound_in_it(sounds, name, seconds):
    with pytest.raises(NotMedia, match="no sound in it"):
        probe_audio(BytesSource(sounds[name]), timeout=10, decode_seconds=seconds)


def test_the_sound_of_a_clip_is_a_sound(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", frames=90, sound_seconds=2)
    with FileSource(clip) as source:
        facts = probe_audio(source, timeout=10, decode_seconds=660)
    assert facts.media_type == "audio/mp4"
    assert facts.duration_seconds is not None
    assert abs(facts.duration_seconds - 2) < PADDING


@pytest.mark.parametrize("name", ["wav", "float", "flac", "adts", "m4a", "streamed", "webm", "vorbis"])
def test_a_cut_off_sound_is_refused_where_its_format_tells_its_length(sounds, name):
    content = sounds[name]
    with pytest.raises(NotMedia, match="cut off"):
        heard(content[: len(content) // 2])
    assert_no_child_is_left()


@pytest.mark.parametrize("name", ["opus", "mp3", "unmarked", "recorder"])
def test_where_no_length_is_told_a_sound_is_as_long_as_what_came(sounds, name):
    facts = heard(sounds[name][: len(sounds[name]) // 2])
    assert facts.duration_seconds is not None
    assert Fraction(9, 10) < facts.duration_seconds < 2


def test_a_wav_written_by_somebody_who_did_not_know_its_end_is_whole(sounds):
    for told in (0, 0x7FFFFFFF, 0xFFFFFFFF):
        content = bytearray(sounds["wav"])
        content[4:8] = told.to_bytes(4, "little")
        assert heard(bytes(content)).duration_seconds == SECONDS


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"plain words, and more of them " * 300,
        "words with a byte order mark ".encode("utf-16") * 300,
        b"ID3\x04\0\0\0\0\0\x0awords" + b"and nothing else " * 300,
        b"RIFF\xff\xff\xff\x7fWAVEfmt ",
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0data\0\0\0\0",
        b"fLaC" + bytes(100),
        b"OggS" + bytes(4000),
        b"\xff\xfb\x90\x44" + b"<script>" * 500,
        b"\xff\xf1" + b"words" * 500,
        b"\x00\x00\x00\x18ftypM4A " + bytes(400),
        b"\x1a\x45\xdf\xa3" + bytes(400),
        b"\x89PNG\r\n\x1a\n" + bytes(64),
    ],
    ids=lambda content: repr(content[:16]),
)
@pytest.mark.parametrize("seconds", [660])
def test_what_is_no_sound_is_refused(content, seconds):
    with pytest.raises(NotMedia):
        probe_audio(BytesSource(content), timeout=10, decode_seconds=seconds)
    assert_no_child_is_left()


@pytest.mark.parametrize("brand", [b"avif", b"heic", b"mif1"])
def test_a_still_picture_in_mp4_boxes_is_no_sound(brand):
    with pytest.raises(NotMedia, match="not a sound file"):
        probe_audio(BytesSource(b"\x00\x00\x00\x18ftyp" + brand + bytes(4096)), timeout=5)


def test_a_file_of_two_natures_is_what_its_first_bytes_say(sounds):
    """A sound with a page behind it is read as a sound; a page with a sound behind it is none."""
    page = b"<html><script>alert(1)</script></html>"
    assert heard(sounds["wav"] + page).duration_seconds == SECONDS
    with pytest.raises(NotMedia, match="not a sound file"):
        heard(page + sounds["wav"])


def test_a_length_beyond_the_byte_budget_is_incomplete(tmp_path):
    ffmpeg("-f", "lavfi", "-i", "anoisesrc=d=30:r=48000:seed=1", "-c:a", "aac", "-b:a", "256k", tmp_path / "a.m4a")
    content = (tmp_path / "a.m4a").read_bytes()
    assert len(content) > 600_000
    assert content.index(b"moov") > content.index(b"mdat")
    with pytest.raises(ProbeIncomplete, match="beyond the bytes"):  # one block, and not the shorter last one besides
        probe_audio(BytesSource(content), timeout=10, max_bytes=270_000)
    assert_no_child_is_left()


def test_without_a_known_size_a_sound_is_read_forward(sounds):
    for name in ("wav", "flac", "mp3", "streamed"):
        facts = probe_audio(Recording(sounds[name], size=None), timeout=10)
        assert facts.media_type == CONTAINERS[name][2]


def test_what_comes_after_the_limit_is_not_heard(tmp_path):
    """Else hours of silence in a small file would cost hours of decoding."""
    ffmpeg("-f", "lavfi", "-i", "aevalsrc=gt(t\\,3)*sin(2*PI*440*t):s=8000:d=4", tmp_path / "late.flac")
    content = (tmp_path / "late.flac").read_bytes()
    assert heard(content).duration_seconds == 4
    with pytest.raises(NotMedia, match="silent"):
        heard(content, seconds=2)
