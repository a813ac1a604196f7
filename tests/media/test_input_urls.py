"""Clip and picture addresses: what may not be fetched is refused before anything is, what is ours is never fetched."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings

from core import ids
from core.http import resolver
from media import buckets
from media.models import JobInput
from tests.core.origin import Origin, answer
from tests.core.test_http_forbidden import REFUSED_WITHOUT_A_LOOKUP
from tests.media.conftest import Hosted
from tests.media.customers import PROMPT, Customer, refused_fields
from tests.media.standin import CLIP, StandIn

pytestmark = pytest.mark.django_db

RESIZE = {"width": 320, "height": 180}


def combine(customer: Customer, *urls: str, **options: int) -> Any:
    return customer.submit("video.combine", {"videoUrls": list(urls), **options})


def resize(customer: Customer, url: str, **options: Any) -> Any:
    return customer.submit("video.resize", {"sourceVideoUrl": url, **RESIZE, **options})


def assert_refused_everywhere(customer: Customer, urls: Sequence[str]) -> None:
    """As clips and as pictures: each is named by some refusal, and nothing is done.

    A request takes many at once. What is no URL at all is named before the others of its request are looked at;
    those are sent again.
    """
    with customer.untouched():
        waiting = list(urls)
        while waiting:
            batch = waiting[:23]
            fields = refused_fields(combine(customer, *batch, "https://example.invalid/a"))
            named = [url for index, url in enumerate(batch) if f"input.videoUrls.{index}" in fields]
            assert named, batch
            waiting = [url for url in waiting if url not in named]
        waiting = list(urls)
        while waiting:
            batch = waiting[:5]
            fields = refused_fields(customer.submit(task_input={**PROMPT, "referenceImageUrls": batch}))
            named = [url for index, url in enumerate(batch) if f"input.referenceImageUrls.{index}" in fields]
            assert named, batch
            waiting = [url for url in waiting if url not in named]
        inward = "https://127.0.0.1/a.png"
        fields = refused_fields(customer.submit(task_input={**PROMPT, "referenceImages": [{"url": inward}, inward]}))
        assert fields.keys() == {"input.referenceImages.0", "input.referenceImages.1"}
        assert refused_fields(resize(customer, inward)).keys() == {"input.sourceVideoUrl"}


def test_every_forbidden_form_is_refused_and_nothing_connects(
    customer: Customer, listener: Origin, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.HTTP_ALLOW_PLAIN = True  # else most would fall for their scheme alone
    settings.HTTP_FORBIDDEN_TARGETS = ["db.example", "bucket.example:8333", "93.184.215.99", "[2606:2800:21f::99]:80"]
    looked_up: list[str] = []
    monkeypatch.setattr(resolver, "lookup", lambda name: looked_up.append(name) or [])
    forms = [form.replace("{port}", str(listener.port)) for form in REFUSED_WITHOUT_A_LOOKUP]
    assert len(forms) >= 62
    assert_refused_everywhere(customer, forms)
    assert listener.connects == 0
    assert set(looked_up) <= {"example.invalid."}


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"]],
)
def test_a_name_that_leads_inward_is_refused(
    customer: Customer, listener: Origin, monkeypatch: pytest.MonkeyPatch, settings: Any, addresses: list[str]
) -> None:
    settings.HTTP_ALLOW_PLAIN = True
    monkeypatch.setattr(resolver, "lookup", lambda name: addresses)
    url = f"http://innocent.example:{listener.port}/clip.mp4"
    with customer.untouched():
        assert refused_fields(resize(customer, url)) == {
            "input.sourceVideoUrl": "The host of the URL has no public address."
        }
        assert refused_fields(combine(customer, url, url)).keys() == {"input.videoUrls.0", "input.videoUrls.1"}
    assert listener.connects == 0


def own_ports(embedded_servers: Any) -> list[int]:
    """Every port our servers listen on."""
    seaweed = embedded_servers["seaweed"]
    command = [str(part) for part in seaweed.process.command]
    inner = [int(part.partition("=")[2]) for part in command if ".port=" in part]
    return [*inner, embedded_servers["postgres"].port, embedded_servers["valkey"].port]


def test_our_own_servers_are_refused_by_every_name(customer: Customer, embedded_servers: Any, settings: Any) -> None:
    settings.HTTP_ALLOW_PLAIN = True
    ports = own_ports(embedded_servers)
    assert len(ports) >= 7
    hosts = [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "0",
    ]
    urls = [f"http://{host}:{port}/" for port in {*ports, 5432, 6379, 9333, 8888, 8080, 23646} for host in hosts]
    assert_refused_everywhere(customer, urls)


# -- our own files ----------------------------------------------------------------------------------------------------


@pytest.fixture
def own_clip(customer: Customer, node: StandIn, clips: dict[str, bytes]) -> str:
    """The address of a clip that a job of the customer made."""
    return made_clip(customer, node, clips["two"])


def made_clip(customer: Customer, node: StandIn, body: bytes) -> str:
    """A finished job's output that really is a clip, whatever its task."""
    job = customer.accepted()
    node.finish(job, {"output_0001.mp4": ("video/mp4", body)})
    [url] = customer.status(job)["downloadableOutputUrls"]
    assert isinstance(url, str)
    return url


def test_an_own_output_is_taken_without_http(
    customer: Customer, node: StandIn, own_clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unexpected(*_: Any, **__: Any) -> None:
        raise AssertionError("fetched over HTTP")

    monkeypatch.setattr("core.http.RangeReader", unexpected)
    monkeypatch.setattr("core.http.fetch_to", unexpected)
    answer_ = resize(customer, own_clip)
    assert answer_.status_code == 201, answer_.content
    job = customer.job(answer_.json()["externalJobId"])
    assert answer_.json()["effectiveInput"]["sourceDurationSeconds"] == 2.0
    stored = JobInput.objects.get(job=job)
    key = own_clip.removeprefix(f"{django_settings.CDN_BASE_URL}/")
    assert (stored.status, stored.bucket, stored.key) == ("stored", "killatamata-public", key)
    assert stored.media_type == "video/mp4"
    run = node.take(job)
    [file] = run.claim.files
    assert (file.field, file.index, file.media_type) == ("sourceVideoUrl", 0, "video/mp4")
    assert urlsplit(file.url).path == f"/killatamata-public/{key}"
    assert run.deliver(CLIP).json() == {"outcome": "completed"}


def test_another_accounts_output_looks_like_a_missing_one(
    customer: Customer, other: Customer, node: StandIn, clips: dict[str, bytes]
) -> None:
    theirs = made_clip(other, node, clips["one"])
    base = django_settings.CDN_BASE_URL
    fresh = {"job": ids.encode(ids.JOB, ids.new()), "att": ids.encode(ids.ATTEMPT, ids.new())}
    missing = f"{base}/users/{customer.public_id}/jobs/{fresh['job']}/{fresh['att']}/output_0001.mp4"
    mine_by_path = theirs.replace(other.public_id, customer.public_id)
    names = [
        theirs,
        missing,
        mine_by_path,
        f"{theirs}?x=1",
        f"{theirs}#x",
        f"{theirs}/",
        base,
        f"{base}/",
        f"{base}?list-type=2",
        f"{base}/users/{customer.public_id}/../{other.public_id}/{theirs.partition(other.public_id)[2]}",
        theirs.replace("/users/", "//users/"),
        theirs.replace("users", "%75sers"),
        f"{base}/staging/{other.public_id}/x",
    ]
    words = {"there is no such file, or it belongs to another account"}
    for url in names:
        with customer.untouched():
            assert set(refused_fields(resize(customer, url)).values()) == words, url
            fields = refused_fields(combine(customer, url, url))
            assert (fields.keys(), set(fields.values())) == ({"input.videoUrls.0", "input.videoUrls.1"}, words)
            fields = refused_fields(customer.submit(task_input={**PROMPT, "referenceImageUrls": [url]}))
            assert fields == {"input.referenceImageUrls.0": next(iter(words))}
    assert resize(other, theirs).status_code == 201


def test_our_private_bucket_and_other_names_of_the_public_one_are_never_fetched(
    customer: Customer, other: Customer, node: StandIn, clips: dict[str, bytes], settings: Any
) -> None:
    settings.HTTP_ALLOW_PLAIN = True
    theirs = made_clip(other, node, clips["one"])
    path = urlsplit(theirs).path
    s3 = urlsplit(settings.S3_ENDPOINT_URL)
    for url in (
        f"http://LOCALHOST:{s3.port}{path}",
        f"http://127.1:{s3.port}{path}",
        f"HTTP://127.0.0.1:{s3.port}{path}",
        f"{settings.S3_ENDPOINT_URL}/killatamata-private/embedded/ready",
        f"{settings.S3_ENDPOINT_URL}/",
        buckets.presign_get(bucket="killatamata-private", key="embedded/ready"),
    ):
        with customer.untouched():
            assert refused_fields(resize(customer, url)).keys() == {"input.sourceVideoUrl"}


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example.com/users/{other}/jobs/x/y/output_0001.mp4",
        "https://CDN.example.com/users/{other}/jobs/x/y/output_0001.mp4",
        "https://cdn.example.com:443/users/{other}/jobs/x/y/output_0001.mp4",
        "HTTPS://cdn.example.com/users/{other}/jobs/x/y/output_0001.mp4",
        "https://cdn.example.com/%75sers/{other}/jobs/x/y/output_0001.mp4",
        "https://cdn.example.com/./users/{other}/jobs/x/y/output_0001.mp4",
        "https://cdn.example.com",
        "https://s3.example.com/killatamata-private/x",
        "https://S3.example.com/killatamata%2Dpublic/users/{other}/x",
    ],
)
def test_every_spelling_of_our_own_hosts_is_a_key_and_never_fetched(
    customer: Customer, other: Customer, settings: Any, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    settings.CDN_BASE_URL = "https://cdn.example.com"
    settings.S3_PUBLIC_ENDPOINT_URL = "https://s3.example.com"
    looked_up: list[str] = []
    monkeypatch.setattr(resolver, "lookup", lambda name: looked_up.append(name) or [])
    with customer.untouched():
        assert refused_fields(resize(customer, url.replace("{other}", other.public_id))) == {
            "input.sourceVideoUrl": "there is no such file, or it belongs to another account"
        }
    assert looked_up == []


# -- foreign files ----------------------------------------------------------------------------------------------------


def test_an_exempt_origin_is_probed_and_staged_later(customer: Customer, host: Hosted, clips: dict[str, bytes]) -> None:
    host.files = {"a.mp4": clips["one"], "b.mp4": clips["two"]}
    answer_ = combine(customer, host.url("a.mp4"), host.url("b.mp4"))
    assert answer_.status_code == 201, answer_.content
    assert answer_.json()["pricingMeta"]["units"] == {"clips": 2, "seconds": "179/60"}
    assert host.connects == 2
    inputs = JobInput.objects.order_by("index").values_list("field", "index", "status", "source_url", "key")
    assert list(inputs) == [
        ("videoUrls", 0, "pending", host.url("a.mp4"), ""),
        ("videoUrls", 1, "pending", host.url("b.mp4"), ""),
    ]


def test_an_origin_is_exempt_by_its_exact_name_only(customer: Customer, host: Hosted, clips: dict[str, bytes]) -> None:
    host.files = {"a.mp4": clips["one"]}
    for url in (
        f"http://localhost:{host.port}/a.mp4",
        f"http://127.0.0.2:{host.port}/a.mp4",
        f"http://127.1:{host.port}/a.mp4",
        "http://127.0.0.1/a.mp4",
    ):
        with customer.untouched():
            assert refused_fields(resize(customer, url)).keys() == {"input.sourceVideoUrl"}
    assert host.connects == 0


def test_redirects_inward_are_refused(customer: Customer, host: Hosted, listener: Origin) -> None:
    inward = f"http://127.0.0.1:{listener.port}/secret"
    s3 = django_settings.S3_ENDPOINT_URL
    for location in (inward, f"//localhost:{listener.port}/", f"{s3}/killatamata-private/", "file:///etc/passwd"):
        host.respond = lambda _, location=location: answer(status="302 Found", location=location)
        with customer.untouched():
            assert refused_fields(resize(customer, host.url("a.mp4"))).keys() == {"input.sourceVideoUrl"}
    assert listener.connects == 0
    assert host.connects == 4


NOT_CLIPS = {
    "a page": b"<!doctype html><title>hello</title>",
    "an HLS playlist": b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\nhttp://127.0.0.1/secret.ts\n#EXT-X-ENDLIST\n",
    "a concat script": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a DASH manifest": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>',
    "a drawing": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "nothing": b"",
    "zeros": bytes(5000),
    "half a clip": b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41\x00\x00\x00\x08free",
}


@pytest.mark.parametrize("name", NOT_CLIPS)
def test_what_is_no_clip_is_refused(customer: Customer, host: Hosted, clips: dict[str, bytes], name: str) -> None:
    host.files = {"good.mp4": clips["one"], "bad.mp4": NOT_CLIPS[name]}
    with customer.untouched():
        assert refused_fields(resize(customer, host.url("bad.mp4"))).keys() == {"input.sourceVideoUrl"}
        fields = refused_fields(combine(customer, host.url("good.mp4"), host.url("bad.mp4"), host.url("good.mp4")))
        assert fields.keys() == {"input.videoUrls.1"}


def test_what_cannot_be_reached_is_refused(customer: Customer, host: Hosted) -> None:
    host.files = {"away.mp4": None}
    for name, sentence in (
        ("missing.mp4", "The server answered with status 404."),
        ("away.mp4", "The server answered with status 503."),
    ):
        with customer.untouched():
            assert refused_fields(resize(customer, host.url(name))) == {"input.sourceVideoUrl": sentence}
    host.respond = lambda _: b"nonsense\r\n\r\n"
    with customer.untouched():
        assert refused_fields(resize(customer, host.url("a.mp4"))).keys() == {"input.sourceVideoUrl"}


def test_a_clip_whose_facts_lie_beyond_the_probe_is_priced_by_its_hint(
    customer: Customer, host: Hosted, clips: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its index stands at the end, and the server gives no ranges: the probe's bytes end before it."""
    monkeypatch.setattr("media.sources.PROBE_BYTES", 300_000)
    clip = clips["one"]
    end = int.from_bytes(clip[:4], "big")
    padding = (400_000).to_bytes(4, "big") + b"free" + bytes(399_992)
    host.files = {"late.mp4": clip[:end] + padding + clip[end:]}
    answer_ = resize(customer, host.url("late.mp4"), sourceDurationSeconds=4)
    assert answer_.status_code == 201, answer_.content
    body = answer_.json()
    assert body["pricingMeta"]["units"] == {"pixels": 57_600, "seconds": "4", "rate": "60"}
    assert [entry["field"] for entry in body["inputAdjustments"]] == ["sourceDurationSeconds"]


@pytest.mark.parametrize(
    ("overlap", "rate", "refused"), [(30, 30, True), (31, 30, True), (120, 120, True), (29, 30, False), (0, 1, False)]
)
def test_a_trim_as_long_as_a_later_clip_is_refused_naming_it(
    customer: Customer, host: Hosted, clips: dict[str, bytes], overlap: int, rate: int, refused: bool
) -> None:
    host.files = {"one.mp4": clips["one"], "two.mp4": clips["two"]}
    urls = [host.url("one.mp4"), host.url("two.mp4"), host.url("one.mp4")]
    books = customer.books()
    answer_ = combine(customer, *urls, overlapFrames=overlap, frameRate=rate)
    if not refused:
        assert answer_.status_code == 201, answer_.content
        return
    assert refused_fields(answer_).keys() == {"input.videoUrls.2"}
    assert customer.books() == books


def test_a_clip_longer_than_ten_minutes_cannot_be_resized(
    customer: Customer, host: Hosted, clips: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.catalog.video_resize.MAX_SECONDS", 1)
    host.files = {"one.mp4": clips["one"], "two.mp4": clips["two"]}
    with customer.untouched():
        fields = refused_fields(resize(customer, host.url("two.mp4")))
        assert fields == {"input.sourceVideoUrl": "the clip lasts 2.0 s; at most 1 s can be resized"}
    assert resize(customer, host.url("one.mp4")).status_code == 201
