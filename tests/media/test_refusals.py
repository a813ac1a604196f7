"""Inline media, credentials and circumstances that get a refusal: in the documented shape, without a trace."""

import base64
import io
from typing import Any

import pytest
from django.conf import settings as django_settings
from PIL import Image

from accounts import recognition
from accounts.models import User
from accounts.services.keys import revoke_key
from core import clock
from media import buckets
from media.fleet import selectors
from media.models import Job, Node
from tests.media.customers import IMAGE, JOBS, PROMPT, Customer, error, refused_fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_happens")]


# -- inline media -----------------------------------------------------------------------------------------------------


def picture(format: str = "PNG", size: tuple[int, int] = (8, 8)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, format)
    return out.getvalue()


def inline(body: bytes) -> str:
    return base64.b64encode(body).decode()


def staged_objects() -> list[str]:
    listed = buckets.client().list_objects_v2(Bucket=django_settings.S3_PRIVATE_BUCKET, Prefix="staging/")
    return [entry["Key"] for entry in listed.get("Contents", [])]


PNG = picture()
WRONG_IMAGES: list[tuple[Any, str]] = [
    ({}, "input.referenceImages.0"),
    ({"url": "https://example.com/a.png", "dataBase64": inline(PNG)}, "input.referenceImages.0"),
    ({"dataBase64": "%%%"}, "input.referenceImages.0"),
    ({"dataBase64": inline(PNG)[:-1]}, "input.referenceImages.0"),
    ({"dataBase64": inline(PNG) + "\n"}, "input.referenceImages.0"),
    ({"dataBase64": ""}, "input.referenceImages.0.dataBase64"),
    ({"dataBase64": inline(b"plain words")}, "input.referenceImages.0"),
    ({"dataBase64": inline(b"#EXTM3U\nhttp://127.0.0.1/")}, "input.referenceImages.0"),
    ({"dataBase64": inline(b"<svg xmlns='http://www.w3.org/2000/svg'/>")}, "input.referenceImages.0"),
    ({"dataBase64": inline(PNG[:40])}, "input.referenceImages.0"),
    ({"dataBase64": inline(picture("GIF"))}, "input.referenceImages.0"),
    ({"dataBase64": inline(PNG), "mimeType": "image/webp"}, "input.referenceImages.0"),
    ({"dataBase64": inline(PNG), "mimeType": "image/gif"}, "input.referenceImages.0.mimeType"),
    ({"dataBase64": f"data:image/webp;base64,{inline(PNG)}"}, "input.referenceImages.0"),
    ({"dataBase64": f"data:image/png,{inline(PNG)}"}, "input.referenceImages.0"),
    ({"dataBase64": "data:image/png;base64"}, "input.referenceImages.0"),
    ({"dataBase64": inline(PNG), "name": "x"}, "input.referenceImages.0.name"),
    ({"dataBase64": 5}, "input.referenceImages.0.dataBase64"),
    (5, "input.referenceImages.0"),
    (None, "input.referenceImages.0"),
    ([], "input.referenceImages.0"),
    ("not a url", "input.referenceImages.0"),
]


@pytest.mark.parametrize(("image", "path"), WRONG_IMAGES, ids=lambda value: str(value)[:40])
def test_a_wrong_inline_image_is_named_and_not_stored(customer: Customer, image: Any, path: str) -> None:
    before = staged_objects()
    assert refused_fields(customer.submit(task_input={**PROMPT, "referenceImages": [image]})).keys() == {path}
    assert staged_objects() == before


def test_an_inline_image_one_byte_beyond_its_limit_is_a_413(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.sources.MAX_INLINE_BYTES", len(PNG) - 1)
    answer = customer.submit(task_input={**PROMPT, "referenceImages": [{"dataBase64": inline(PNG)}]})
    assert error(answer, 413, "payload_too_large")["billed"] is False


def test_inline_images_beyond_their_limit_together_are_a_413(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.sources.MAX_INLINE_BYTES_TOGETHER", 3 * len(PNG) - 1)
    images = [{"dataBase64": inline(PNG)}] * 3
    answer = customer.submit(task_input={**PROMPT, "referenceImages": images})
    assert error(answer, 413, "payload_too_large")["billed"] is False


# -- who asks ---------------------------------------------------------------------------------------------------------


def wrong_credentials(key: str) -> list[dict[str, str]]:
    flipped = key[:-1] + ("A" if key[-1] != "A" else "B")
    texts = [
        flipped,
        key[:-1],
        f"{key}A",
        key.upper(),
        f"{key[:17]}{'A' * 43}",
        "kt_live_",
        "",
        "x",
        "\x00",
        "é",
        "null",
    ]
    return [
        {},
        *({"Authorization": f"Bearer {text}"} for text in texts),
        *({"x-api-key": text} for text in texts),
        {"Authorization": key},
        {"Authorization": f"Basic {key}"},
        {"Authorization": f"Token {key}"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {key} {key}"},
        {"Authorization": f"Bearer {key}", "x-api-key": flipped},
        {"Authorization": f"Bearer {flipped}", "x-api-key": key},
        {"Authorization": f"Basic {key}", "x-api-key": key},
    ]


def test_a_bad_key_is_a_401_in_both_header_forms_everywhere(customer: Customer) -> None:
    body = {"task": IMAGE, "input": PROMPT}
    for headers in wrong_credentials(customer.key):
        answer = customer.http.post(JOBS, body, content_type="application/json", headers=headers)
        error(answer, 401, "unauthenticated")
        assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
        assert customer.key not in answer.content.decode()
    for path in (JOBS, "/api/v1/media/tasks", "/api/v1/balance", "/api/v1/webhook-deliveries"):
        error(customer.http.get(path, headers={"x-api-key": "kt_live_wrong"}), 401, "unauthenticated")


def test_both_header_forms_of_a_good_key_are_heard(customer: Customer) -> None:
    for headers in (
        {"Authorization": f"Bearer {customer.key}"},
        {"Authorization": f"bearer {customer.key}"},
        {"x-api-key": customer.key},
        {"Authorization": f"Bearer {customer.key}", "x-api-key": customer.key},
    ):
        answer = customer.http.get("/api/v1/balance", headers=headers)
        assert (answer.status_code, answer.json()["usdBalanceMicros"]) == (200, 10_000_000)


def test_a_key_in_the_query_string_is_not_heard(customer: Customer) -> None:
    error(customer.http.get(f"/api/v1/balance?api_key={customer.key}&x-api-key={customer.key}"), 401, "unauthenticated")


def test_a_revoked_key_is_a_401_at_once(customer: Customer) -> None:
    assert customer.get("/api/v1/balance").status_code == 200
    assert revoke_key(account_id=customer.id, prefix=customer.key[:16], now=clock.now())
    error(customer.submit(), 401, "unauthenticated")


def test_a_disabled_account_is_a_401(customer: Customer) -> None:
    User.objects.filter(pk=customer.id).update(is_active=False)
    recognition.forget()
    error(customer.submit(), 401, "unauthenticated")


# -- money and machines -----------------------------------------------------------------------------------------------


def test_too_little_money_is_a_402_that_says_how_much(poor: Customer) -> None:
    with poor.untouched():
        body = error(poor.submit(headers={"Idempotency-Key": "k"}), 402, "insufficient_balance")
    assert body["details"] == {"requiredUsdMicros": 40_000, "availableUsdMicros": 9_999}
    assert body["billed"] is False
    assert not Job.objects.filter(account_id=poor.id).exists()


def test_a_large_request_without_money_is_refused_before_its_media_are_read(
    poor: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unexpected(*_: Any) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("media.sources._decode", unexpected)
    images = [{"dataBase64": "A" * 64_000}]
    body = error(poor.submit(task_input={**PROMPT, "referenceImages": images}), 402, "insufficient_balance")
    assert body["details"] == {"requiredUsdMicros": 10_000, "availableUsdMicros": 9_999}


def test_a_pool_without_a_living_node_is_a_503(customer: Customer) -> None:
    Node.objects.update(last_seen_at=clock.now() - selectors.ALIVE_FOR)
    selectors._recent = (0.0, {})
    answer = customer.submit()
    body = error(answer, 503, "unavailable")
    assert (body["billed"], body["details"]) == (False, {"pool": "image"})
    assert answer["Retry-After"] == "5"


def test_a_bucket_that_is_away_is_a_503_for_inline_media(customer: Customer, settings: Any) -> None:
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"
    answer = customer.submit(task_input={**PROMPT, "referenceImages": [{"dataBase64": inline(PNG)}]})
    assert error(answer, 503, "unavailable")["billed"] is False
    assert "127.0.0.1" not in answer.content.decode()
