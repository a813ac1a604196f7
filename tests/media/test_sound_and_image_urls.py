"""Sounds and images by URL: their heads are read at submit, the whole of them is judged once fetched."""

import io
from typing import Any

import httpx
import pytest
from django.conf import settings as django_settings
from PIL import Image

from core.http import resolver
from media.models import Attempt, Job, JobInput
from tests.core.origin import Origin, answer
from tests.media.conftest import Hosted
from tests.media.customers import Customer, refused_fields
from tests.media.sounds import CONTAINERS
from tests.media.standin import StandIn
from tests.media.test_probing import png_of, webp_of
from tests.media.test_staging import assert_refused, stage

pytestmark = pytest.mark.django_db

ANNOTATION, EDIT = "audio.annotation.reference", "image.edit"


def picture(format: str = "PNG", size: tuple[int, int] = (320, 256)) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(out, format)
    return out.getvalue()


def annotate(customer: Customer, url: str) -> Any:
    return customer.submit(ANNOTATION, {"sourceAudioUrl": url})


def edit(customer: Customer, url: str) -> Any:
    return customer.submit(EDIT, {"prompt": "at dusk", "sourceImageUrl": url})


def annotated(customer: Customer, url: str) -> Job:
    return customer.accepted(ANNOTATION, {"sourceAudioUrl": url})


def edited(customer: Customer, url: str) -> Job:
    return customer.accepted(EDIT, {"prompt": "at dusk", "sourceImageUrl": url})


# -- at submit --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_the_size_in_the_head_of_an_image_sets_the_price(customer: Customer, host: Hosted, format: str) -> None:
    host.files = {"a": picture(format, (2048, 1024))}
    body = edit(customer, host.url("a")).json()
    assert (body["effectiveInput"]["width"], body["effectiveInput"]["height"]) == (2048, 1024)
    assert body["usdChargedMicros"] == 80_000
    assert host.connects == 1


@pytest.mark.parametrize("why", ["missing", "away", "nonsense", "beyond", "nobody"])
def test_an_image_whose_head_cannot_be_had_is_priced_at_a_default_and_reported(
    customer: Customer, host: Hosted, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    host.files = {"away": None, "beyond": picture("JPEG", (640, 480))}
    if why == "nonsense":
        host.respond = lambda _: b"nonsense\r\n\r\n"
    if why == "beyond":
        monkeypatch.setattr("media.sources.PROBE_BYTES", 100)
    if why == "nobody":
        host.__exit__()
    answer_ = edit(customer, host.url(why))
    assert answer_.status_code == 201, answer_.content
    body = answer_.json()
    assert (body["effectiveInput"]["width"], body["effectiveInput"]["height"]) == (1024, 1024)
    assert [entry["field"] for entry in body["inputAdjustments"]] == ["sourceImageUrl"]


NOT_IMAGES = {
    "a page": b"<!doctype html><title>hello</title>",
    "a drawing": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "a playlist": b"#EXTM3U\nhttp://127.0.0.1/a.png\n",
    "nothing": b"",
    "a GIF": picture("GIF"),
    "half a head": picture()[:20],
    "a bomb": png_of(60_000, 60_000),
    "a smaller bomb": webp_of(16_383, 16_383),
}


@pytest.mark.parametrize("name", NOT_IMAGES)
def test_what_is_certainly_no_image_is_refused(customer: Customer, host: Hosted, name: str) -> None:
    host.files = {"a.png": NOT_IMAGES[name]}
    with customer.untouched():
        assert refused_fields(edit(customer, host.url("a.png"))).keys() == {"input.sourceImageUrl"}


@pytest.mark.parametrize("name", ["silent", "picture only", "nothing", "words", "a page", "missing", "away", "long"])
def test_what_is_no_sound_by_its_head_is_refused(
    customer: Customer, host: Hosted, sounds: dict[str, bytes], name: str
) -> None:
    host.files = {
        "nothing": b"",
        "words": b"words " * 1000,
        "a page": b"<!doctype html>",
        "away": None,
        "picture only": sounds["picture only"],
        "long": sounds["long"],
        "silent": sounds["silent"][:30],
    }
    host.files = {key.replace(" ", "_"): value for key, value in host.files.items()}
    with customer.untouched():
        assert refused_fields(annotate(customer, host.url(name.replace(" ", "_")))).keys() == {"input.sourceAudioUrl"}


def test_no_more_of_a_sound_than_its_head_is_decoded_at_submit(
    customer: Customer, host: Hosted, sounds: dict[str, bytes]
) -> None:
    """Silence shows only in the samples, which staging has."""
    host.files = {"a.wav": sounds["silent"]}
    job = annotated(customer, host.url("a.wav"))
    assert stage() == 1
    status = assert_refused(customer, job, "invalid_input")
    assert status["error"].startswith("input.sourceAudioUrl: The sound is silent")


def test_forbidden_addresses_are_named_and_nothing_connects(
    customer: Customer,
    listener: Origin,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    settings.HTTP_ALLOW_PLAIN = True
    monkeypatch.setattr(resolver, "lookup", lambda name: ["127.0.0.1"])
    for where in ("127.0.0.1", "localhost", "127.1", "2130706433", "[::1]", "innocent.example"):
        url = f"http://{where}:{listener.port}/a"
        with customer.untouched():
            assert refused_fields(edit(customer, url)).keys() == {"input.sourceImageUrl"}
            assert refused_fields(annotate(customer, url)).keys() == {"input.sourceAudioUrl"}
            speak = {"text": "Hello.", "mode": "voice_clone", "referenceAudio": {"url": url}}
            assert refused_fields(customer.submit("audio.speak", speak)).keys() == {"input.referenceAudio"}
    assert listener.connects == 0


def test_a_redirect_inward_is_refused_and_not_taken_for_an_image_that_is_away(
    customer: Customer,
    host: Hosted,
    listener: Origin,
) -> None:
    host.respond = lambda _: answer(status="302 Found", location=f"http://127.0.0.1:{listener.port}/secret")
    with customer.untouched():
        assert refused_fields(edit(customer, host.url("a.png"))).keys() == {"input.sourceImageUrl"}
        assert refused_fields(annotate(customer, host.url("a.wav"))).keys() == {"input.sourceAudioUrl"}
    assert listener.connects == 0


# -- our own files ----------------------------------------------------------------------------------------------------


def made(customer: Customer, node: StandIn, name: str, media_type: str, body: bytes) -> str:
    """The address of a finished job's output, whatever its task."""
    job = customer.accepted()
    node.finish(job, {name: (media_type, body)})
    [url] = customer.status(job)["downloadableOutputUrls"]
    assert isinstance(url, str)
    return url


@pytest.fixture
def no_http(monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(*_: Any, **__: Any) -> None:
        raise AssertionError("fetched over HTTP")

    monkeypatch.setattr("core.http.RangeReader", unexpected)
    monkeypatch.setattr("core.http.fetch_to", unexpected)


@pytest.mark.usefixtures("no_http")
def test_own_images_and_sounds_are_measured_in_the_bucket(
    customer: Customer, node: StandIn, sounds: dict[str, bytes]
) -> None:
    image = made(customer, node, "output_0001.webp", "image/webp", picture("WEBP", (640, 320)))
    body = edit(customer, image).json()
    assert (body["effectiveInput"]["width"], body["effectiveInput"]["height"]) == (640, 320)
    sound = made(customer, node, "output_0001.opus", "audio/ogg", sounds["opus"])
    answer_ = annotate(customer, sound)
    assert answer_.status_code == 201, answer_.content
    assert answer_.json()["pricingMeta"]["units"]["audioSeconds"] == "3"
    key = sound.removeprefix(f"{django_settings.CDN_BASE_URL}/")
    assert JobInput.objects.get(key=key).media_type == "audio/ogg"


@pytest.mark.usefixtures("no_http")
def test_an_own_sound_that_is_silent_or_none_is_refused(
    customer: Customer, node: StandIn, sounds: dict[str, bytes]
) -> None:
    silent = made(customer, node, "output_0001.wav", "audio/wav", sounds["silent"])
    image = made(customer, node, "output_0001.webp", "image/webp", picture("WEBP"))
    with customer.untouched():
        assert "silent" in refused_fields(annotate(customer, silent))["input.sourceAudioUrl"]
        fields = refused_fields(annotate(customer, image))
        assert fields == {"input.sourceAudioUrl": "the file is image/webp, not audio"}


# -- staging ----------------------------------------------------------------------------------------------------------


def test_sounds_of_every_container_are_staged_as_what_their_bytes_are(
    customer: Customer, node: StandIn, host: Hosted, sounds: dict[str, bytes]
) -> None:
    host.files = {name: sounds[name] for name in CONTAINERS}
    jobs = {name: annotated(customer, host.url(name)) for name in CONTAINERS}
    assert stage() == len(CONTAINERS)
    for name, job in jobs.items():
        stored = JobInput.objects.get(job=job)
        assert (stored.status, stored.media_type, stored.bytes) == ("stored", CONTAINERS[name][2], len(sounds[name]))
    assert set(Attempt.objects.values_list("status", flat=True)) == {"ready"}
    [file] = node.take(jobs["opus"]).claim.files
    assert httpx.get(file.url).content == sounds["opus"]


@pytest.mark.parametrize(
    ("swapped", "named"),
    [
        ("silent", "silent"),
        ("picture only", "no sound in it"),
        ("half", "cut off"),
        (b"words", "not a sound file"),
        (b"", "empty"),
    ],
)
def test_a_sound_swapped_for_something_else_is_refused(
    customer: Customer, host: Hosted, sounds: dict[str, bytes], swapped: str | bytes, named: str
) -> None:
    half = sounds["wav"][: len(sounds["wav"]) // 2]
    later = {**sounds, "half": half}[swapped] if isinstance(swapped, str) else swapped
    host.files = {"a.wav": [sounds["wav"], later]}
    job = annotated(customer, host.url("a.wav"))
    assert stage() == 1
    status = assert_refused(customer, job, "invalid_input")
    assert status["error"].startswith("input.sourceAudioUrl: ")
    assert named in status["error"]


def test_a_sound_whose_head_did_not_tell_that_it_is_too_long_is_found_out(
    customer: Customer, host: Hosted, sounds: dict[str, bytes]
) -> None:
    host.files = {"a.webm": [sounds["recorder"], sounds["long"]]}
    job = annotated(customer, host.url("a.webm"))
    assert stage() == 1
    status = assert_refused(customer, job, "audio_too_long")
    assert status["error"] == "input.sourceAudioUrl: the sound lasts 661.0 s; at most 600 s are taken"


def test_a_sound_beyond_its_limit_is_refused(
    customer: Customer, host: Hosted, sounds: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.staging.MAX_AUDIO_BYTES", len(sounds["wav"]) - 1)
    host.files = {"a.wav": sounds["wav"]}
    job = annotated(customer, host.url("a.wav"))
    assert stage() == 1
    assert_refused(customer, job, "input_unavailable")


def test_an_image_of_more_pixels_than_were_priced_is_staged_for_the_canvas_that_was(
    customer: Customer, node: StandIn, host: Hosted
) -> None:
    larger = picture("PNG", (1600, 1600))
    host.files = {"a.png": [picture("JPEG"), larger]}
    job = edited(customer, host.url("a.png"))
    assert stage() == 1
    run = node.take(job)
    [file] = run.claim.files
    assert (file.media_type, file.bytes) == ("image/png", len(larger))
    assert (run.claim.params["width"], run.claim.params["height"]) == (320, 256)


@pytest.mark.parametrize(
    ("swapped", "named"),
    [
        (picture()[:-200], "damaged or cut off"),
        (picture("JPEG")[:2000], "damaged or cut off"),
        (picture("WEBP")[:-20], "damaged or cut off"),
        (picture("GIF"), "This is a GIF"),
        (png_of(60_000, 60_000), "60000×60000 pixels"),
        (webp_of(16_383, 16_383), "16383×16383 pixels"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_an_image_that_does_not_decode_is_refused_once_fetched(
    customer: Customer, host: Hosted, swapped: bytes, named: str
) -> None:
    host.files = {"a.png": [picture(), swapped]}
    job = edited(customer, host.url("a.png"))
    assert stage() == 1
    status = assert_refused(customer, job, "invalid_input")
    assert status["error"].startswith("input.sourceImageUrl: ")
    assert named in status["error"]
