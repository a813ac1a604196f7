"""Each kind of job once through everything real: ledger, dispatcher, signed HTTP, engine, bucket, settlement."""

import base64
import hashlib
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
import trimesh
from django.conf import settings
from django.test import Client
from PIL import Image, ImageDraw

from billing.selectors import balance, find_settlement
from core import clock, ids
from media import buckets, keys
from media.models import Attempt, Job
from media.services.cancel_job import cancel_job
from media.services.complete_attempt import Completion, complete_attempt
from media.services.submit_job import hold_reference
from tests.billing.conftest import new_account
from tests.workers import jobs
from tests.workers.conftest import Connect
from tests.workers.pipelines.lavfi import make_clip
from workers import runtime
from workers.pipelines import registry
from workers.pipelines.base import PipelineResult, RunContext
from workers.protocol import signing
from workers.protocol.result import SignedResult
from workers.runtime import Node

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def node(live_server: Any, connect: Connect) -> Node:
    credential = jobs.a_node(slots=4)
    return Node(control=connect(live_server.url, credential), credential=credential)


def run(job: Job, node: Node) -> str:
    (message,) = jobs.dispatched()
    assert (message.attempt_id, message.task) == (Attempt.objects.get(job=job).pk, job.task)
    assert balance(account_id=job.account_id).held == job.price_micros
    return runtime.run(message, node)


def delivered(job: Job) -> bytes:
    """The one output's bytes as a client downloads them, after everything about the job was checked."""
    job.refresh_from_db()
    attempt = Attempt.objects.get(job=job)
    assert (job.status, job.error_code, attempt.status, attempt.fraction) == ("completed", "", "succeeded", 1.0)
    assert jobs.history(job) == ["queued", "started", "completed"]
    money = balance(account_id=job.account_id)
    assert (money.available, money.held) == (jobs.DEPOSIT - job.price_micros, 0)

    (output,) = job.outputs
    answer = httpx.get(buckets.public_url(output["key"]), trust_env=False)
    assert (answer.status_code, answer.headers["content-type"]) == (200, output["mediaType"])
    assert (len(answer.content), hashlib.sha256(answer.content).hexdigest()) == (output["bytes"], output["sha256"])

    stored = buckets.get(
        bucket=settings.S3_PRIVATE_BUCKET, key=keys.result_key(attempt_id=attempt.pk), max_bytes=1_000_000
    )
    assert stored is not None
    signed = SignedResult.model_validate_json(stored)
    assert hashlib.sha256(signed.result.encode()).hexdigest() == attempt.result_sha256
    assert complete_attempt(attempt_id=attempt.pk, signed=signed, now=clock.now()) is Completion.REPLAYED
    assert balance(account_id=job.account_id) == money
    return answer.content


def test_diagnostic_noop(node: Node) -> None:
    job = jobs.submit("diagnostic.noop", {})
    assert run(job, node) == "completed"
    assert delivered(job) == b"\0"
    assert (job.price_micros, job.result) == (1, {"engine": "noop"})
    assert jobs.dispatched() == []


def test_image_generate(node: Node) -> None:
    job = jobs.submit(
        "image.generate",
        {"prompt": "a red barn under a night sky", "width": 256, "height": 192, "outputFormat": "png"},
    )
    assert run(job, node) == "completed"
    with Image.open(io.BytesIO(delivered(job))) as image:
        assert (image.format, image.size) == ("PNG", (256, 192))
    assert [(output["name"], output["width"], output["height"]) for output in job.outputs] == [
        ("output_0001.png", 256, 192)
    ]


def decoded(body: bytes) -> tuple[int, int, int]:
    """Width, height, number of frames."""
    with av.open(io.BytesIO(body), "r") as clip:
        frames = [(frame.width, frame.height) for frame in clip.decode(video=0)]
    assert len(set(frames)) == 1
    return *frames[0], len(frames)


def test_video_resize(node: Node, tmp_path: Path) -> None:
    account = new_account(jobs.DEPOSIT)
    clip = jobs.stored_clip(make_clip(tmp_path / "a.mp4", frames=15), account_id=account)
    job = jobs.submit("video.resize", {"sourceVideoUrl": clip, "width": 96, "height": 64}, account_id=account)
    assert run(job, node) == "completed"
    assert decoded(delivered(job)) == (96, 64, 15)


def test_video_combine(node: Node, tmp_path: Path) -> None:
    account = new_account(jobs.DEPOSIT)
    clips = [
        jobs.stored_clip(make_clip(tmp_path / f"{number}.mp4", frames=frames), account_id=account)
        for number, frames in enumerate((12, 18))
    ]
    job = jobs.submit("video.combine", {"videoUrls": clips, "overlapFrames": 0, "frameRate": 30}, account_id=account)
    assert run(job, node) == "completed"
    assert decoded(delivered(job)) == (160, 90, 30)
    assert job.price_micros == 10_000


def inline(body: bytes) -> dict[str, str]:
    return {"dataBase64": base64.b64encode(body).decode()}


@pytest.fixture(scope="module")
def portrait() -> bytes:
    """A disc on a plain ground, as PNG."""
    image = Image.new("RGB", (256, 192), (240, 240, 232))
    ImageDraw.Draw(image).ellipse((68, 36, 188, 156), fill=(200, 40, 30))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def heard(body: bytes) -> tuple[str, int, int]:
    """Codec, channels, samples at 48 kHz."""
    with av.open(io.BytesIO(body), "r") as sound:
        stream = sound.streams.audio[0]
        samples = sum(frame.samples for frame in sound.decode(stream))
        return stream.codec_context.codec.name, stream.codec_context.channels, samples


def test_image_edit(node: Node, portrait: bytes) -> None:
    job = jobs.submit(
        "image.edit", {"prompt": "black and white", "sourceImage": inline(portrait), "outputFormat": "png"}
    )
    assert job.staged_input_count == 1
    assert run(job, node) == "completed"
    with Image.open(io.BytesIO(delivered(job))) as image:
        assert (image.format, image.size) == ("PNG", (256, 192))
        red, green, blue = image.convert("RGB").getpixel((128, 96))  # type: ignore[misc]
        assert max(red, green, blue) - min(red, green, blue) <= 12


def test_video_generate(node: Node, portrait: bytes) -> None:
    task_input = {"prompt": "slow push-in", "startFrameImage": inline(portrait), "width": 160, "height": 96}
    job = jobs.submit("video.generate", {**task_input, "durationFrames": 9, "interpolationFps": 60, "seed": 7})
    assert job.seed == 7
    assert run(job, node) == "completed"
    assert decoded(delivered(job)) == (160, 96, 18)


def test_speech_is_spoken_and_read_back(node: Node) -> None:
    text = "The river is high, so take the mountain road."
    job = jobs.submit("audio.speak", {"text": text, "quality": "96k", "seed": 7})
    assert run(job, node) == "completed"
    speech = delivered(job)
    codec, channels, samples = heard(speech)
    assert (codec, channels) == ("opus", 1)
    assert job.outputs[0]["seconds"] == pytest.approx(samples / 48_000, abs=0.001)
    heard_again = jobs.submit(
        "audio.annotation.reference", {"sourceAudioUrl": buckets.public_url(job.outputs[0]["key"]), "transcript": text},
        account_id=job.account_id,
    )  # fmt: skip
    jobs.a_node(slots=4)  # it was silent while it spoke
    (message,) = jobs.dispatched()
    assert runtime.run(message, node) == "completed"
    heard_again.refresh_from_db()
    document = httpx.get(buckets.public_url(heard_again.outputs[0]["key"]), trust_env=False).json()
    assert [word["text"].strip(".,").lower() for word in document["words"]] == text.lower().replace(",", "").strip(
        "."
    ).split()
    starts = [word["start"] for word in document["words"]]
    assert starts == sorted(starts)
    assert balance(account_id=job.account_id).held == 0


def test_ace_step_create(node: Node) -> None:
    job = jobs.submit(
        "ace.step.create", {"tags": "lo-fi", "lyrics": "[Verse]\nRain on the roof", "durationSeconds": 15}
    )
    assert run(job, node) == "completed"
    assert heard(delivered(job)) == ("opus", 2, 15 * 48_000)


def test_moss_sound_effect(node: Node) -> None:
    job = jobs.submit("moss.sound.effect", {"prompt": "three knocks on a wooden door", "durationSeconds": 2})
    assert run(job, node) == "completed"
    assert heard(delivered(job)) == ("opus", 2, 2 * 48_000)


def test_trellis_generate(node: Node, portrait: bytes) -> None:
    job = jobs.submit(
        "trellis.generate",
        {"sourceImage": inline(portrait), "qualityPreset": "performance", "targetFaceCount": 1000, "seed": 7},
    )
    assert run(job, node) == "completed"
    scene = trimesh.load_scene(io.BytesIO(delivered(job)), file_type="glb")
    assert 900 <= sum(len(mesh.faces) for mesh in scene.geometry.values()) <= 1000


def test_a_message_delivered_twice_runs_once(node: Node) -> None:
    job = jobs.submit("diagnostic.noop", {})
    (message,) = jobs.dispatched()
    assert runtime.run(message, node) == "completed"
    assert runtime.run(message, node) == "not_claimed"
    delivered(job)


def test_another_secret_gets_nothing(live_server: Any, connect: Connect, node: Node) -> None:
    job = jobs.submit("diagnostic.noop", {})
    (message,) = jobs.dispatched()
    forged = type(node.credential)(node_id=node.credential.node_id, version=1, secret=b"?" * 32)
    with pytest.raises(runtime.HandBack, match="401"):
        runtime.run(message, Node(control=connect(live_server.url, forged), credential=forged))
    assert (jobs.history(job), jobs.attempts(job)) == (["queued"], [(1, "published", "")])


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[RunContext], PipelineResult]], None]:
    def put(made: Callable[[RunContext], PipelineResult]) -> None:
        class Scripted:
            engine = "scripted"

            def run(self, context: RunContext) -> PipelineResult:
                return made(context)

        monkeypatch.setattr(registry, "pipeline", lambda task: Scripted())

    return put


def test_a_cancelled_job_is_stopped_and_not_billed(
    node: Node, engine: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "REPORT_SECONDS", 0.02)
    job = jobs.submit("diagnostic.noop", {})

    def work(context: RunContext) -> PipelineResult:
        cancel_job(account_id=job.account_id, public_id=ids.encode(ids.JOB, job.pk), now=clock.now())
        for number in range(1000):
            context.step(number / 1000, "working")
            node.running[next(iter(node.running))]._ended.wait(0.01)
        raise AssertionError("never told to stop")

    engine(work)
    assert run(job, node) == "canceled"
    job.refresh_from_db()
    assert (job.status, job.outputs) == ("canceled", [])
    assert jobs.history(job) == ["queued", "started", "cancel_requested", "canceled"]
    assert jobs.attempts(job) == [(1, "canceled", "canceled")]
    money = balance(account_id=job.account_id)
    assert (money.available, money.held) == (jobs.DEPOSIT, 0)


def test_an_engine_that_breaks_down_is_tried_three_times_on_one_hold_and_then_not_billed(
    node: Node, engine: Callable[..., None]
) -> None:
    def work(context: RunContext) -> PipelineResult:
        raise RuntimeError("at /srv/secret")

    engine(work)
    job = jobs.submit("diagnostic.noop", {})
    for _ in range(3):
        assert balance(account_id=job.account_id).held == job.price_micros
        (message,) = jobs.dispatched()
        assert runtime.run(message, node) == "failed"
    assert jobs.dispatched() == []
    job.refresh_from_db()
    assert (job.status, job.error_code, job.error_message) == ("failed", "engine_error", "The engine broke down.")
    assert jobs.attempts(job) == [(number, "failed", "engine_error") for number in (1, 2, 3)]
    assert jobs.history(job) == ["queued", "started", "retry", "started", "retry", "started", "failed"]
    money = balance(account_id=job.account_id)
    assert (money.available, money.held) == (jobs.DEPOSIT, 0)
    assert find_settlement(reference=hold_reference(job.pk)) is not None


@pytest.mark.parametrize(
    "garbage",
    [
        {"X-Node-Signature": "é" * 64},
        {"X-Node-Timestamp": "²"},
        {"X-Node-Timestamp": "9" * 5000},
        {"X-Node-Version": "²"},
        {"X-Node-Id": "é"},
        {"X-Node-Id": "x" * 500},
        {"X-Node-Nonce": "é" * 20},
        {"X-Node-Nonce": ""},
    ],
    ids=str,
)
def test_garbage_in_a_nodes_headers_is_a_401_and_never_a_500(client: Client, garbage: dict[str, str]) -> None:
    path = "/workers/v1/node"
    signed = signing.sign_request(jobs.a_node(), method="GET", path=path, body=b"", timestamp=int(time.time()))
    assert client.get(path, headers=signed | garbage).status_code == 401
    assert client.get(path, headers=signed).status_code == 200
    assert client.get(path, headers=signed).status_code == 401  # the nonce is spent
