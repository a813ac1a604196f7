"""Media in the request itself: decoded, told by their bytes, measured, stored as they came or losslessly smaller."""

import base64
import io
import subprocess
from fractions import Fraction
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from core import ids
from core.errors import InvalidRequest
from media import sources
from media.catalog.task import Facts, Source
from media.media_types import contradicts
from media.models import JobInput
from media.sources import Inline, PayloadTooLarge, probe, resolve
from tests.media.customers import Customer, error, refused_fields
from tests.media.sounds import CONTAINERS, SECONDS
from tests.media.standin import StandIn
from tests.media.test_probing import png_of, webp_of
from tests.media.test_refusals import staged_objects

PROMPT = {"prompt": "at dusk"}
ANNOTATION = "audio.annotation.reference"


def base64_of(body: bytes) -> str:
    return base64.b64encode(body).decode()


def given(body: bytes | str, *, kind: Any = "image", mime_type: str | None = None, probe: bool = False) -> Source:
    text = body if isinstance(body, str) else base64_of(body)
    return Source(
        field="medium", index=0, path="input.medium", kind=kind, data_base64=text, mime_type=mime_type, probe=probe
    )


def decoded(body: bytes | str, **more: Any) -> Inline:
    [resolved] = resolve(ids.new(), [given(body, **more)])
    assert resolved.inline is not None
    return resolved.inline


def refusal(body: bytes | str, **more: Any) -> str:
    with pytest.raises(InvalidRequest) as caught:
        resolve(ids.new(), [given(body, **more)])
    assert caught.value.fields.keys() == {"input.medium"}
    return caught.value.fields["input.medium"]


def picture(format: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (160, 120), **options: Any) -> bytes:
    ramp = Image.radial_gradient("L").resize(size)
    bands = [ramp, ramp.transpose(Image.Transpose.ROTATE_180), Image.linear_gradient("L").resize(size), ramp]
    drawn = Image.merge("RGBA", bands)
    out = io.BytesIO()
    (drawn.quantize(16) if mode == "P" else drawn.convert(mode)).save(out, format, **options)
    return out.getvalue()


# -- images -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_an_image_is_told_and_measured_by_its_bytes(format: str) -> None:
    inline = decoded(picture(format, size=(160, 120)), mime_type=f"image/{format.lower()}")
    assert inline.facts == Facts(width=160, height=120)


def test_one_child_looks_at_an_inline_medium_and_its_facts_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    real = subprocess.Popen

    def popen(*arguments: Any, **more: Any) -> Any:
        started.append(arguments)
        return real(*arguments, **more)

    monkeypatch.setattr(subprocess, "Popen", popen)
    resolved = resolve(ids.new(), [given(picture(), probe=True)])
    assert probe(resolved) == {"input.medium": Facts(width=160, height=120)}
    assert len(started) == 1


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "1"])
def test_a_png_is_stored_as_a_smaller_webp_of_the_same_pixels(mode: str) -> None:
    png = picture(mode=mode)
    inline = decoded(png, mime_type="image/png")
    assert inline.media_type == "image/webp"
    assert len(inline.body) < len(png)
    stored = Image.open(io.BytesIO(inline.body))
    assert stored.format == "WEBP"
    assert np.array_equal(stored.convert("RGBA"), Image.open(io.BytesIO(png)).convert("RGBA"))


def test_colours_under_full_transparency_are_kept_too() -> None:
    pixels = np.zeros((64, 64, 4), dtype=np.uint8)
    pixels[..., 0] = np.arange(64)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=0)
    inline = decoded(out.getvalue())
    assert inline.media_type == "image/webp"
    assert np.array_equal(Image.open(io.BytesIO(inline.body)).convert("RGBA"), pixels)


def test_the_colour_profile_and_the_orientation_go_with_it() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x112] = 8
    inline = decoded(picture(icc_profile=profile, exif=exif))
    assert inline.media_type == "image/webp"
    assert inline.facts == Facts(width=120, height=160)
    stored = Image.open(io.BytesIO(inline.body))
    assert stored.info["icc_profile"] == profile
    assert stored.getexif()[0x112] == 8


def with_gamma() -> bytes:
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"gAMA", (100_000).to_bytes(4, "big"))
    return picture(pnginfo=chunks)


def of_16_bits() -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.arange(19_200, dtype=np.uint16).reshape(120, 160)).save(out, "PNG")
    return out.getvalue()


def moving(format: str) -> bytes:
    more = [Image.new("RGB", (160, 120), colour) for colour in ("red", "blue")]
    return picture(format, save_all=True, append_images=more)


GREY_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
KEPT = {
    "a JPEG": picture("JPEG"),
    "a WebP": picture("WEBP"),
    "16 bits": of_16_bits(),
    "grey with a profile": picture(mode="L", icc_profile=GREY_PROFILE),
    "a gamma of its own": with_gamma(),
    "an animated PNG": moving("PNG"),
    "an animated WebP": moving("WEBP"),
    "more than 2 MP": picture(size=(2048, 1025)),
    "a WebP would be larger": picture(mode="L"),
}


@pytest.mark.parametrize("name", KEPT)
def test_whatever_would_lose_or_gain_nothing_is_stored_as_it_came(name: str) -> None:
    inline = decoded(KEPT[name])
    assert inline.body == KEPT[name]
    told = Image.open(io.BytesIO(inline.body)).format
    assert inline.media_type == f"image/{str(told).lower()}"


def test_a_page_behind_an_image_does_not_come_along_into_the_webp() -> None:
    inline = decoded(picture() + b"<html><script>alert(1)</script></html>")
    assert inline.media_type == "image/webp"
    assert b"script" not in inline.body


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "empty"),
        (b"plain words", "not an image file"),
        (picture("GIF"), "This is a GIF; PNG, JPEG and WebP are taken."),
        (picture("TIFF"), "not an image file"),
        (picture()[:-30], "damaged or cut off"),
        (picture()[:200], "damaged or cut off"),
        (picture("JPEG")[: -len(picture("JPEG")) // 3], "damaged or cut off"),
        (picture("WEBP")[:-30], "damaged or cut off"),
        (b"\x89PNG\r\n\x1a\n", "damaged or cut off"),
        (b"\xff\xd8\xff\xe0<script>", "damaged or cut off"),
        (b"RIFF\x10\0\0\0WEBP", "damaged or cut off"),
        (b"#EXTM3U\nhttp://127.0.0.1/", "an HLS playlist"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"<html></html>" + picture(), "not an image file"),
        (png_of(60_000, 60_000), "60000×60000 pixels; at most 67 megapixels and 16384 a side are taken"),
        (webp_of(16_383, 16_383), "16383×16383 pixels"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_image_we_take_is_refused(body: bytes, named: str) -> None:
    assert named in refusal(f"data:;base64,{base64_of(body)}")


# -- sounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_sound_is_stored_as_it_came_and_measured(sounds: dict[str, bytes], name: str) -> None:
    inline = decoded(sounds[name], kind="audio")
    assert (inline.body, inline.media_type) == (sounds[name], CONTAINERS[name][2])
    assert inline.facts.duration is not None
    assert abs(inline.facts.duration - SECONDS) < Fraction(1, 20)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("silent", "silent"),
        ("whisper", "silent"),
        ("picture only", "no sound in it"),
        ("picture only mp4", "no sound in it"),
        (b"", "empty"),
        (b"plain words " * 100, "not a sound file"),
        ("words in sixteen bits ".encode("utf-16") * 100, "cannot be read"),
        (picture(), "not a sound file"),
        (b"#EXTM3U\nhttp://127.0.0.1/a.mp3\n", "an HLS playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "an FFmpeg concat script"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_sound_we_take_is_refused(sounds: dict[str, bytes], body: str | bytes, named: str) -> None:
    content = sounds[body] if isinstance(body, str) else body
    assert named in refusal(f"data:;base64,{base64_of(content)}", kind="audio")


@pytest.mark.parametrize("name", ["wav", "flac", "m4a", "webm"])
def test_a_cut_off_sound_is_refused(sounds: dict[str, bytes], name: str) -> None:
    assert "cut off" in refusal(sounds[name][: len(sounds[name]) // 2], kind="audio")


# -- clips ------------------------------------------------------------------------------------------------------------


def test_a_clip_is_told_and_measured_by_its_bytes(clips: dict[str, bytes]) -> None:
    inline = decoded(clips["one"], kind="video", mime_type="video/mp4")
    assert (inline.media_type, inline.facts.duration, inline.facts.width) == ("video/mp4", 1, 160)
    assert inline.body == clips["one"]
    assert refusal(clips["one"], kind="video", mime_type="video/webm").endswith("the bytes are video/mp4")
    assert "not a video" in refusal(picture(), kind="video")


# -- what they are said to be -----------------------------------------------------------------------------------------

RIGHT = [
    ("wav", "audio/wav"),
    ("wav", "audio/x-wav"),
    ("wav", "audio/wave"),
    ("mp3", "audio/mpeg"),
    ("mp3", "audio/mp3"),
    ("opus", "audio/ogg"),
    ("opus", "audio/opus"),
    ("opus", "Audio/OGG; codecs=opus"),
    ("vorbis", "audio/ogg"),
    ("flac", "audio/flac"),
    ("flac", "audio/x-flac"),
    ("adts", "audio/aac"),
    ("m4a", "audio/mp4"),
    ("m4a", "audio/x-m4a"),
    ("m4a", "video/mp4"),
    ("webm", "audio/webm"),
    ("webm", "video/webm;codecs=opus"),
    ("mp3", "application/octet-stream"),
    ("mp3", "audio/x-never-heard-of"),
    ("mp3", "mp3"),
    ("mp3", "my voice"),
    ("mp3", ""),
]
WRONG = [
    ("wav", "audio/mpeg"),
    ("mp3", "audio/wav"),
    ("opus", "audio/webm"),
    ("webm", "audio/opus"),
    ("m4a", "audio/aac"),
    ("adts", "audio/mp4"),
    ("flac", "audio/ogg"),
    ("mp3", "image/png"),
    ("mp3", "text/plain"),
    ("mp3", "video/mp4"),
]


@pytest.mark.parametrize(("name", "mime_type"), RIGHT)
def test_a_right_or_meaningless_media_type_is_taken(name: str, mime_type: str) -> None:
    assert not contradicts(mime_type, CONTAINERS[name][2], kind="audio")


@pytest.mark.parametrize(("name", "mime_type"), WRONG)
def test_another_media_type_contradicts(name: str, mime_type: str) -> None:
    assert contradicts(mime_type, CONTAINERS[name][2], kind="audio")


def test_only_where_a_sound_is_wanted_a_clip_is_one() -> None:
    assert contradicts("audio/mp4", "video/mp4", kind="video")
    assert not contradicts("video/mp4", "video/mp4", kind="video")


def test_a_sound_is_taken_or_refused_by_either_place_that_names_its_type(sounds: dict[str, bytes]) -> None:
    text = base64_of(sounds["wav"])
    for mime_type in ("audio/x-wav", "my voice"):
        assert decoded(text, kind="audio", mime_type=mime_type).media_type == "audio/wav"
        assert decoded(f"data:{mime_type};base64,{text}", kind="audio").body == sounds["wav"]
    sentence = "mimeType says audio/mpeg, the bytes are audio/wav"
    assert refusal(text, kind="audio", mime_type="audio/mpeg") == sentence
    assert refusal(f"data:audio/mpeg;base64,{text}", kind="audio") == sentence


def test_a_jpeg_where_a_webp_is_declared_is_refused_naming_both() -> None:
    sentence = "mimeType says image/webp, the bytes are image/jpeg"
    assert refusal(picture("JPEG"), mime_type="image/webp") == sentence
    assert refusal(picture(), mime_type="image/webp") == "mimeType says image/webp, the bytes are image/png"
    assert decoded(picture("JPEG"), mime_type="image/jpg").media_type == "image/jpeg"


def test_a_data_uri_and_a_media_type_must_both_be_right() -> None:
    uri = f"data:image/png;base64,{base64_of(picture())}"
    assert decoded(uri, mime_type="image/png").media_type == "image/webp"
    assert refusal(uri, mime_type="image/webp") == "mimeType says image/webp, the bytes are image/png"
    assert refusal(f"data:image/webp;base64,{base64_of(picture())}", mime_type="image/png")


@pytest.mark.parametrize(
    "text", ["data:image/png,abc", "data:image/png;base64", "data:", "data:,", "%%%", "YWJj\n", "YWJjZ", "ä", "data"]
)
def test_what_is_not_base64_is_refused(text: str) -> None:
    assert "base64" in refusal(text) or "image" in refusal(text)


# -- limits -----------------------------------------------------------------------------------------------------------


def test_limits_are_judged_before_anything_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(*_: Any, **__: Any) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(sources, "b64decode", unexpected)
    monkeypatch.setattr(sources, "MAX_INLINE_BYTES", 100)
    monkeypatch.setattr(sources, "MAX_INLINE_BYTES_TOGETHER", 250)
    for text in (base64_of(bytes(101)), f"data:image/png;base64,{base64_of(bytes(101))}"):
        with pytest.raises(PayloadTooLarge, match=r"input\.medium passes"):
            resolve(ids.new(), [given(text)])
    with pytest.raises(PayloadTooLarge, match="together"):
        resolve(ids.new(), [given(bytes(100)), given(bytes(100)), given(bytes(51))])
    with pytest.raises(AssertionError, match="decoded"):
        resolve(ids.new(), [given(bytes(100)), given(bytes(100)), given(bytes(50))])


def test_the_limits_are_25_and_60_megabytes() -> None:
    assert (sources.MAX_INLINE_BYTES, sources.MAX_INLINE_BYTES_TOGETHER) == (25_000_000, 60_000_000)


# -- through the API --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_sound_in_the_request_reaches_the_worker(customer: Customer, node: StandIn, sounds: dict[str, bytes]) -> None:
    medium = {"dataBase64": f"data:audio/ogg;codecs=opus;base64,{base64_of(sounds['opus'])}", "mimeType": "audio/opus"}
    answer = customer.submit(ANNOTATION, {"sourceAudio": medium})
    assert answer.status_code == 201, answer.content
    assert answer.json()["stagedInputCount"] == 1
    job = customer.job(answer.json()["externalJobId"])
    [file] = node.take(job).claim.files
    assert (file.field, file.media_type, httpx.get(file.url).content) == ("sourceAudio", "audio/ogg", sounds["opus"])


@pytest.mark.django_db
def test_the_size_of_an_inline_image_sets_the_canvas_of_an_edit(customer: Customer) -> None:
    answer = customer.submit(
        "image.edit", {**PROMPT, "sourceImage": {"dataBase64": base64_of(picture(size=(640, 480)))}}
    )
    assert answer.status_code == 201, answer.content
    effective = answer.json()["effectiveInput"]
    assert (effective["width"], effective["height"]) == (640, 480)
    assert JobInput.objects.get().status == "stored"


WRONG_SOUNDS: list[tuple[str, dict[str, Any], str]] = [
    (ANNOTATION, {}, "sourceAudio"),
    ("audio.speak", {"text": "Hello.", "provider": "omnivoice", "mode": "voice_clone"}, "referenceAudio"),
]


@pytest.mark.django_db
@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize(("task", "more", "field"), WRONG_SOUNDS, ids=lambda value: str(value)[:20])
def test_a_wrong_sound_is_named_and_nothing_is_held_or_stored(
    customer: Customer, sounds: dict[str, bytes], task: str, more: dict[str, Any], field: str
) -> None:
    before = staged_objects()
    wrong = {
        "silent": {"dataBase64": base64_of(sounds["silent"])},
        "empty": {"dataBase64": "data:audio/wav;base64,"},
        "no sound": {"dataBase64": base64_of(sounds["picture only"])},
        "words": {"dataBase64": base64_of(b"no sound at all")},
        "cut off": {"dataBase64": base64_of(sounds["flac"][:9000])},
        "mislabelled": {"dataBase64": base64_of(sounds["wav"]), "mimeType": "audio/mpeg"},
    }
    for name, medium in wrong.items():
        fields = refused_fields(customer.submit(task, {**more, field: medium}))
        assert fields.keys() == {f"input.{field}"}, name
    assert staged_objects() == before


@pytest.mark.django_db
@pytest.mark.usefixtures("nothing_happens")
def test_eleven_minutes_cannot_be_annotated(customer: Customer, sounds: dict[str, bytes]) -> None:
    medium = {"dataBase64": base64_of(sounds["long"])}
    fields = refused_fields(customer.submit(ANNOTATION, {"sourceAudio": medium}))
    assert fields == {"input.sourceAudio": "it lasts 661.0 s; at most 600 s can be annotated"}


@pytest.mark.django_db
@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize("task", ["image.edit", "trellis.generate", "video.generate"])
def test_a_bomb_is_named_and_nothing_is_held_or_stored(customer: Customer, task: str) -> None:
    more = {} if task == "trellis.generate" else PROMPT
    for bomb in (png_of(60_000, 60_000), webp_of(16_383, 16_383)):
        fields = refused_fields(customer.submit(task, {**more, "sourceImage": {"dataBase64": base64_of(bomb)}}))
        assert fields.keys() == {"input.sourceImage"}
        assert "pixels" in fields["input.sourceImage"]


@pytest.mark.django_db
@pytest.mark.usefixtures("nothing_happens")
def test_every_wrong_medium_of_a_request_is_named_at_once(customer: Customer, sounds: dict[str, bytes]) -> None:
    task_input = {
        **PROMPT,
        "startFrameImage": {"dataBase64": base64_of(picture()[:100])},
        "finalFrameImage": {"dataBase64": base64_of(picture("GIF"))},
        "overlapFrameImages": [{"dataBase64": base64_of(picture())}, {"dataBase64": base64_of(b"words")}],
        "referenceAudio": {"dataBase64": base64_of(sounds["silent"])},
    }
    assert refused_fields(customer.submit("video.generate", task_input)).keys() == {
        "input.startFrameImage",
        "input.finalFrameImage",
        "input.overlapFrameImages.1",
        "input.referenceAudio",
    }


@pytest.mark.django_db
@pytest.mark.usefixtures("nothing_happens")
def test_a_sound_beyond_its_limit_is_a_413(
    customer: Customer, sounds: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.sources.MAX_INLINE_BYTES", len(sounds["wav"]) - 1)
    answer = customer.submit(ANNOTATION, {"sourceAudio": {"dataBase64": base64_of(sounds["wav"])}})
    assert error(answer, 413, "payload_too_large")["billed"] is False
