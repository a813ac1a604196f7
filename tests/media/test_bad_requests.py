"""Requests that get a 4xx: each in the documented shape, naming the field, with nothing held and nothing stored."""

import json
from typing import Any

import pytest

from core import ids
from tests.media.customers import ESTIMATE, IMAGE, JOBS, PROMPT, Customer, error, refused_fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_happens")]


def raw(customer: Customer, body: bytes, content_type: str = "application/json", path: str = JOBS, **more: str) -> Any:
    headers = {"Authorization": f"Bearer {customer.key}"} | more
    return customer.http.generic("POST", path, body, content_type=content_type, headers=headers)


BROKEN = [
    b"{",
    b"nonsense",
    b'{"task": "image.generate",}',
    b"{'task': 1}",
    b'{"task": NaN}',
    b'{"task": Infinity}',
    b'{"task": -Infinity}',
    b'\xff\xfe{"task": 1}',
    b'{"task": "\xc3\x28"}',
    b'{"task": ' + b"9" * 5000 + b"}",
    b"[" * 200_000,
    b'{"a":' * 100_000,
]


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: repr(body[:24]))
@pytest.mark.parametrize("path", [JOBS, ESTIMATE, f"{JOBS}/cancel"])
def test_broken_json_is_a_400(customer: Customer, body: bytes, path: str) -> None:
    answer = raw(customer, body, path=path)
    assert error(answer, 400, "invalid_request")["billed"] is False
    assert "Traceback" not in answer.content.decode()


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"null", b"true", b"[[]]"])
def test_a_body_that_is_no_object_is_a_400(customer: Customer, body: bytes) -> None:
    assert refused_fields(raw(customer, body)) == {"": "the body must be a JSON object"}


def test_an_empty_body_lacks_everything(customer: Customer) -> None:
    assert refused_fields(raw(customer, b"")) == {"task": "is required", "input": "is required"}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "json",
        "",
    ],
)
def test_another_content_type_is_a_415(customer: Customer, content_type: str) -> None:
    body = json.dumps({"task": IMAGE, "input": PROMPT}).encode()
    assert error(raw(customer, body, content_type), 415, "unsupported_media_type")["billed"] is False


def test_json_is_recognised_with_parameters_and_in_any_case(customer: Customer) -> None:
    for content_type in ("application/json; charset=utf-8", "Application/JSON", "application/json;charset=nonsense"):
        assert refused_fields(raw(customer, b'{"task": "image.generate"}', content_type)) == {"input": "is required"}


def test_a_body_beyond_the_limit_is_a_413_before_it_is_read(customer: Customer, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    fitting = json.dumps({"task": "x", "input": {}}).encode().ljust(1000)
    assert refused_fields(raw(customer, fitting)).keys() == {"task"}
    answer = raw(customer, fitting + b" ")
    assert answer.status_code == 413
    assert answer.json()["code"] == "payload_too_large"


# -- the envelope -----------------------------------------------------------------------------------------------------


def test_every_missing_and_unknown_member_is_named_at_once(customer: Customer) -> None:
    assert refused_fields(customer.post(JOBS, {"seed": 1, "Task": IMAGE, "webhook": "x"})) == {
        "Task": "is not a field of this request",
        "input": "is required",
        "seed": "is not a field of this request",
        "task": "is required",
        "webhook": "is not a field of this request",
    }


@pytest.mark.parametrize(
    "task",
    [
        "image.upscale",
        "IMAGE.GENERATE",
        "image.generate ",
        "",
        "diagnostic.noop",
        "__class__",
        5,
        None,
        True,
        [],
        {},
        ["image.generate"],
    ],
)
@pytest.mark.parametrize("path", [JOBS, ESTIMATE])
def test_an_unsupported_task_is_refused_with_those_on_offer(customer: Customer, task: Any, path: str) -> None:
    fields = refused_fields(customer.post(path, {"task": task, "input": PROMPT}))
    offered = "ace.step.create, audio.annotation.reference, audio.speak, image.edit, image.generate, "
    offered += "moss.sound.effect, trellis.generate, video.combine, video.generate, video.resize"
    assert fields == {"task": f"is not one of the tasks on offer: {offered}"}


@pytest.mark.parametrize("task_input", [None, "a red barn", 5, 1.5, True, [], [PROMPT]])
@pytest.mark.parametrize("task", ["image.generate", "video.combine", "video.resize"])
def test_an_input_that_is_no_object_is_refused(customer: Customer, task: str, task_input: Any) -> None:
    assert refused_fields(customer.submit(task, task_input)) == {"input": "must be an object"}


@pytest.mark.parametrize("value", [None, 5, True, [], {}])
def test_keys_and_callbacks_of_a_wrong_type_are_named(customer: Customer, value: Any) -> None:
    answer = customer.submit(idempotencyKey=value, completionCallbackUrl=value)
    assert refused_fields(answer) == {"idempotencyKey": "must be a text", "completionCallbackUrl": "must be a text"}


@pytest.mark.parametrize("key", ["", "x" * 201, "a\0b", "a\nb", "\ud800"])
def test_an_idempotency_key_out_of_bounds_is_refused(customer: Customer, key: str) -> None:
    assert refused_fields(customer.submit(idempotencyKey=key)).keys() == {"idempotencyKey"}


def test_different_idempotency_keys_in_header_and_body_are_refused(customer: Customer) -> None:
    for name in ("X-Idempotency-Key", "Idempotency-Key"):
        answer = customer.submit(headers={name: "one"}, idempotencyKey="two")
        assert refused_fields(answer) == {"idempotencyKey": "differs from the idempotency header"}
    answer = customer.submit(headers={"X-Idempotency-Key": "one", "Idempotency-Key": "two"})
    assert refused_fields(answer).keys() == {"idempotencyKey"}


CALLBACKS = [
    "",
    "not a url",
    "ftp://example.com/hook",
    "http://example.com/hook",
    "https://localhost/hook",
    "https://127.0.0.1/hook",
    "https://127.1/hook",
    "https://2130706433/hook",
    "https://0x7f000001/hook",
    "https://[::1]/hook",
    "https://[::ffff:127.0.0.1]/hook",
    "https://10.0.0.1/hook",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/hook",
    "https://user:secret@example.com/hook",
    "https://example.com:6379/hook",
    "https://metadata.google.internal/",
    "https://example.com/" + "x" * 2048,
    "https://example.com/\0",
    "https://example.com/\ud800",
]


@pytest.mark.parametrize("url", CALLBACKS, ids=lambda url: url[:40].encode("unicode_escape").decode())
def test_a_forbidden_callback_url_is_refused(customer: Customer, url: str) -> None:
    assert refused_fields(customer.submit(completionCallbackUrl=url)).keys() == {"completionCallbackUrl"}


@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_text_that_cannot_be_stored_is_refused_wherever_it_stands(customer: Customer, character: str) -> None:
    assert refused_fields(customer.submit(task_input={"prompt": f"a{character}b"})).keys() == {"input.prompt"}
    assert refused_fields(customer.submit(task_input={**PROMPT, f"a{character}": 1}))
    assert refused_fields(customer.post(JOBS, {"task": f"a{character}", "input": {}})).keys() == {"task"}
    assert refused_fields(customer.post(JOBS, {f"a{character}": 1, "task": IMAGE, "input": {}}))
    urls = [f"https://example.com/{character}", "https://example.com/b.mp4"]
    assert refused_fields(customer.submit("video.combine", {"videoUrls": urls})).keys() == {"input.videoUrls.0"}
    assert customer.get(JOBS, jobId=f"job_{character}".encode("utf-8", "replace").decode()).status_code == 404


# -- where to ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/api/v1/nope", "/api/v1/media/jobs/", "/api/v1/media/", "/api/", "/workers/v1/x", "/api/v1/MEDIA/jobs"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_route_is_json(customer: Customer, path: str, method: str) -> None:
    answer = customer.http.generic(
        method, path, b"{}", content_type="application/json", headers={"Accept": "text/html"}
    )
    error(answer, 404, "route_not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", JOBS, "GET, POST, HEAD, OPTIONS"),
        ("DELETE", JOBS, "GET, POST, HEAD, OPTIONS"),
        ("PATCH", ESTIMATE, "POST, OPTIONS"),
        ("GET", ESTIMATE, "POST, OPTIONS"),
        ("GET", f"{JOBS}/cancel", "POST, OPTIONS"),
        ("POST", "/api/v1/media/tasks", "GET, HEAD, OPTIONS"),
        ("POST", "/api/v1/balance", "GET, HEAD, OPTIONS"),
        ("POST", "/api/v1/health", "GET, HEAD, OPTIONS"),
    ],
)
def test_another_method_is_a_405(customer: Customer, method: str, path: str, allowed: str) -> None:
    answer = customer.http.generic(
        method, path, b"{}", content_type="application/json", headers={"Authorization": f"Bearer {customer.key}"}
    )
    error(answer, 405, "method_not_allowed")
    assert set(answer["Allow"].split(", ")) == set(allowed.split(", "))


def test_foreign_and_malformed_job_ids_are_the_same_404(customer: Customer) -> None:
    unknown = ids.encode(ids.JOB, ids.new())
    wrong = [
        unknown,
        unknown[:-1],
        unknown.replace("job_", "att_"),
        "job_",
        "",
        "1",
        "job_" + "u" * 26,
        "job_" + "z" * 26,
    ]
    bodies = []
    for public_id in wrong:
        bodies.append(error(customer.get(JOBS, jobId=public_id), 404, "not_found"))
        bodies.append(error(customer.post(f"{JOBS}/cancel", {"jobId": public_id}), 404, "not_found"))
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["billed"] is False


@pytest.mark.parametrize(
    "body", [{}, [], {"jobId": 5}, {"jobId": None}, {"jobId": "job_x", "force": True}, {"id": "job_x"}]
)
def test_a_cancel_that_names_no_job_is_a_400(customer: Customer, body: Any) -> None:
    assert refused_fields(customer.post(f"{JOBS}/cancel", body)).keys() == {"jobId"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "done"}, "status"),
        ({"task": "nope"}, "task"),
        ({"task": "a\0"}, "task"),
        ({"before": "yesterday"}, "before"),
        ({"before": "2026-01-01"}, "before"),
        ({"before": "2026-01-01T00:00:00"}, "before"),
        ({"after": "2026-13-01T00:00:00Z"}, "after"),
        ({"after": "0000-01-01T00:00:00Z"}, "after"),
        ({"cursor": "job_x"}, "cursor"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "1e1"}, "limit"),
        ({"limit": "٣"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"page": "2"}, "page"),
    ],
)
def test_a_wrong_list_parameter_is_named(customer: Customer, query: dict[str, str], field: str) -> None:
    assert refused_fields(customer.get(JOBS, **query)).keys() == {field}
