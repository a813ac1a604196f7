"""Signed calls: what is sent, what is tried again and for how long, what is not."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.workers.conftest import Connect, FakeTime
from tests.workers.control_plane import ATTEMPT, CREDENTIAL, ControlPlane, Seen, lose, say
from tests.workers.protocol.messages import MESSAGES, RESULT
from workers.control_client import ControlClient, ControlPlaneAway, Refused
from workers.protocol import signing
from workers.protocol.claim import ClaimRequest, Heartbeat, HeartbeatAnswer, NodeGreeting, ProgressReport
from workers.protocol.result import Failure, SignedResult, UploadRequest
from workers.protocol.signing import NodeCredential

DELIVERY = UUID("5f1e2d3c-4b5a-4697-8877-665544332211")
BASE = f"/workers/v1/attempts/{ATTEMPT}"


@pytest.fixture
def client(plane: ControlPlane, connect: Connect) -> ControlClient:
    return connect(plane.url)


def message(name: str, kind: type) -> Any:
    found = MESSAGES[name]
    assert isinstance(found, kind)
    return found


def test_every_call_is_one_signed_request_with_the_message_as_its_body(
    plane: ControlPlane, client: ControlClient
) -> None:
    signed = SignedResult.sign(RESULT, node_id=CREDENTIAL.node_id, secret=CREDENTIAL.secret)
    beat, asked = message("heartbeat", Heartbeat), ClaimRequest(delivery_id=DELIVERY)
    report, failure = message("progress_report", ProgressReport), message("failure", Failure)
    uploads = message("upload_request", UploadRequest)

    assert client.greet(patience=0) == NodeGreeting(
        node_id="tests-1", pools=["diagnostic", "image"], heartbeat_seconds=0.05
    )
    assert client.heartbeat(beat) == HeartbeatAnswer(drain=False, cancel=[])
    assert client.claim(ATTEMPT, asked, patience=0) == plane.claim()
    assert client.progress(ATTEMPT, report).cancel is False
    grant = client.uploads(ATTEMPT, uploads, patience=0)
    assert [upload.name for upload in (*grant.uploads, grant.result)] == ["output_0002.bin", "result.json"]
    assert client.complete(ATTEMPT, signed, patience=0) == "completed"
    client.fail(ATTEMPT, failure, patience=0)

    assert [(seen.method, seen.path, seen.body.decode()) for seen in plane.seen] == [
        ("GET", "/workers/v1/node", ""),
        ("POST", "/workers/v1/heartbeat", beat.model_dump_json()),
        ("POST", f"{BASE}/claim", asked.model_dump_json()),
        ("POST", f"{BASE}/progress", report.model_dump_json()),
        ("POST", f"{BASE}/uploads", uploads.model_dump_json()),
        ("POST", f"{BASE}/complete", signed.model_dump_json()),
        ("POST", f"{BASE}/fail", failure.model_dump_json()),
    ]
    assert {seen.headers["Content-Type"] for seen in plane.seen[1:]} == {"application/json"}
    assert len({seen.nonce for seen in plane.seen}) == 7
    assert CREDENTIAL.secret.hex() not in str(plane.seen)
    assert CREDENTIAL.token().rpartition(".")[2] not in str(plane.seen)


def test_a_wrong_secret_is_refused_and_not_tried_again(connect: Connect, fake_time: FakeTime) -> None:
    with ControlPlane() as plane:
        stranger = NodeCredential(node_id=CREDENTIAL.node_id, version=1, secret=b"x" * 32)
        with pytest.raises(Refused) as caught:
            connect(plane.url, stranger).greet(patience=20)
        assert (caught.value.status, caught.value.code, caught.value.message) == (401, "unauthenticated", "not signed")
        assert (len(plane.forged), plane.seen) == (1, [])
    assert fake_time.pauses == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 422])
def test_a_refusal_is_final(plane: ControlPlane, client: ControlClient, fake_time: FakeTime, status: int) -> None:
    plane.scripts["claim"] = [say(status, code="lease_lost", error="It is another's.")]
    with pytest.raises(Refused) as caught:
        client.claim(ATTEMPT, ClaimRequest(delivery_id=DELIVERY), patience=20)
    assert (caught.value.status, caught.value.code, caught.value.message) == (status, "lease_lost", "It is another's.")
    assert plane.words == ["claim"]
    assert fake_time.pauses == []


def test_a_refusal_that_is_no_json_is_still_one(plane: ControlPlane, client: ControlClient) -> None:
    plane.scripts["claim"] = [lambda _: (410, b"<html>gone")]
    with pytest.raises(Refused, match=r"^410 unknown: $"):
        client.claim(ATTEMPT, ClaimRequest(delivery_id=DELIVERY), patience=20)


def trouble(status: int) -> Callable[[Seen], tuple[int, bytes]]:
    return lambda _: (status, b"")


@pytest.mark.parametrize(
    "script",
    [trouble(500), trouble(502), trouble(503), trouble(429), lose, lambda _: (200, b"<html>a proxy"), say(200, v=1)],
    ids=["500", "502", "503", "429", "lost", "no json", "another message"],
)
def test_trouble_is_waited_out_and_each_try_signed_anew(
    plane: ControlPlane, client: ControlClient, fake_time: FakeTime, script: Callable[[Seen], tuple[int, bytes]]
) -> None:
    plane.scripts["claim"] = [script, script, script]
    assert client.claim(ATTEMPT, ClaimRequest(delivery_id=DELIVERY), patience=20) == plane.claim()
    tries = plane.all("claim")
    assert len(tries) == 4
    assert len({seen.nonce for seen in tries}) == 4
    assert len({seen.headers[signing.SIGNATURE_HEADER] for seen in tries}) == 4
    assert {seen.json["delivery_id"] for seen in tries} == {str(DELIVERY)}
    assert fake_time.pauses == [0.1, 0.2, 0.4]


def test_patience_ends(plane: ControlPlane, client: ControlClient, fake_time: FakeTime) -> None:
    plane.always["claim"] = trouble(503)
    with pytest.raises(ControlPlaneAway, match=f"^503 from {BASE}/claim$"):
        client.claim(ATTEMPT, ClaimRequest(delivery_id=DELIVERY), patience=20)
    assert fake_time.pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert sum(fake_time.pauses) <= 20
    assert len(plane.all("claim")) == 9


def test_nobody_there(nobody: str, connect: Connect, fake_time: FakeTime) -> None:
    with pytest.raises(ControlPlaneAway, match=r"^ConnectError at /workers/v1/node$"):
        connect(nobody).greet(patience=20)
    assert len(fake_time.pauses) == 8


def test_heartbeat_and_progress_are_not_repeated(
    plane: ControlPlane, client: ControlClient, fake_time: FakeTime
) -> None:
    """The next one is near, and a report that waited would tell old news."""
    plane.always |= {"heartbeat": trouble(503), "progress": trouble(503)}
    with pytest.raises(ControlPlaneAway):
        client.heartbeat(Heartbeat(slots=1))
    with pytest.raises(ControlPlaneAway):
        client.progress(ATTEMPT, ProgressReport(delivery_id=DELIVERY, fraction=0.5))
    assert plane.words == ["heartbeat", "progress"]
    assert fake_time.pauses == []


def test_proxies_of_the_environment_are_ignored(
    plane: ControlPlane, connect: Connect, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node's signed calls go to its control plane and nowhere else."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, nobody)
    assert connect(plane.url).greet(patience=0).node_id == "tests-1"
