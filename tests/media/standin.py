"""A worker that is none: it draws nothing, but signs, claims, uploads and reports exactly as a real one does."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from django.test import Client
from pydantic import BaseModel

from core import clock
from media.dispatcher import dispatch
from media.models import Attempt, Job
from workers.protocol import signing
from workers.protocol.claim import Claim, ClaimRequest, Heartbeat, HeartbeatAnswer, ProgressAnswer, ProgressReport
from workers.protocol.envelope import AttemptMessage
from workers.protocol.result import (
    AttemptResult,
    Failure,
    Output,
    SignedResult,
    StoredFile,
    Upload,
    UploadGrant,
    UploadRequest,
)

Files = Mapping[str, tuple[str, bytes]]
PICTURE: Files = {"output_0001.webp": ("image/webp", b"RIFF....WEBP pretended picture")}
CLIP: Files = {"output_0001.mp4": ("video/mp4", b"....ftypisom pretended clip")}


def publish_all(job: Job | None = None) -> list[AttemptMessage]:
    """One round of the dispatcher; the messages that went out."""
    sent: list[AttemptMessage] = []
    dispatch(publish=sent.append, now=clock.now())
    return [message for message in sent if job is None or Attempt.objects.get(pk=message.attempt_id).job_id == job.pk]


@dataclass(kw_only=True)
class StandIn:
    """One node."""

    credential: signing.NodeCredential = field(repr=False)
    http: Client = field(default_factory=lambda: Client(raise_request_exception=False), repr=False)

    def call(self, path: str, message: BaseModel | bytes, *, sign_with: signing.NodeCredential | None = None) -> Any:
        """POST one signed message; the raw answer."""
        path = f"/workers/v1/{path}"
        body = message if isinstance(message, bytes) else message.model_dump_json().encode()
        headers = signing.sign_request(
            sign_with or self.credential, method="POST", path=path, body=body, timestamp=int(time.time())
        )
        return self.http.post(path, body, content_type="application/json", headers=headers)

    def heartbeat(self, *, slots: int = 2, running: Sequence[UUID] = ()) -> HeartbeatAnswer:
        answer = self.call("heartbeat", Heartbeat(slots=slots, running=list(running)))
        assert answer.status_code == 200, answer.content
        return HeartbeatAnswer.model_validate_json(answer.content)

    def ask_claim(self, attempt_id: UUID, delivery_id: UUID) -> Any:
        return self.call(f"attempts/{attempt_id}/claim", ClaimRequest(delivery_id=delivery_id))

    def claim(self, attempt_id: UUID, delivery_id: UUID | None = None) -> "Run":
        delivery_id = delivery_id or uuid4()
        answer = self.ask_claim(attempt_id, delivery_id)
        assert answer.status_code == 200, answer.content
        return Run(node=self, claim=Claim.model_validate_json(answer.content), delivery_id=delivery_id)

    def take(self, job: Job) -> "Run":
        """Dispatch and claim the job's current attempt."""
        publish_all()
        return self.claim(Attempt.objects.filter(job=job).latest("number").pk)

    def finish(self, job: Job, files: Files = PICTURE, **facts: Any) -> "Run":
        """The whole run of a job, from dispatch to settled."""
        run = self.take(job)
        answer = run.deliver(files, **facts)
        assert (answer.status_code, answer.json()) == (200, {"outcome": "completed"}), answer.content
        return run


@dataclass(kw_only=True)
class Run:
    """One claimed attempt."""

    node: StandIn
    claim: Claim
    delivery_id: UUID

    def _post(self, verb: str, message: BaseModel) -> Any:
        return self.node.call(f"attempts/{self.claim.attempt_id}/{verb}", message)

    @property
    def attempt(self) -> Attempt:
        return Attempt.objects.get(pk=self.claim.attempt_id)

    @property
    def job(self) -> Job:
        return Job.objects.get(pk=self.claim.job_id)

    def report(self, fraction: float, phase: str = "") -> Any:
        return self._post("progress", ProgressReport(delivery_id=self.delivery_id, fraction=fraction, phase=phase))

    def progress(self, fraction: float, phase: str = "") -> ProgressAnswer:
        answer = self.report(fraction, phase)
        assert answer.status_code == 200, answer.content
        return ProgressAnswer.model_validate_json(answer.content)

    def result(self, files: Files = PICTURE, **facts: Any) -> SignedResult:
        """The signed result for these files; `facts` overrides what it says."""
        said = {
            "attempt_id": self.claim.attempt_id,
            "delivery_id": self.delivery_id,
            "outputs": declare(files),
            "info": {"engine": "stand-in"},
            "run_ms": 1234,
        } | facts
        credential = self.node.credential
        return SignedResult.sign(AttemptResult(**said), node_id=credential.node_id, secret=credential.secret)

    def ask_uploads(self, files: Files, signed: SignedResult) -> Any:
        document = signed.model_dump_json().encode()
        stored = StoredFile(bytes=len(document), sha256=hashlib.sha256(document).hexdigest())
        return self._post("uploads", UploadRequest(delivery_id=self.delivery_id, outputs=declare(files), result=stored))

    def grant(self, files: Files, signed: SignedResult) -> UploadGrant:
        answer = self.ask_uploads(files, signed)
        assert answer.status_code == 200, answer.content
        return UploadGrant.model_validate_json(answer.content)

    def upload(self, files: Files, signed: SignedResult, *, with_result: bool = True) -> UploadGrant:
        """Put the files, then the signed result, where the grant says."""
        grant = self.grant(files, signed)
        for upload in grant.uploads:
            assert put(upload, files[upload.name][1]) == 200
        if with_result:
            assert put(grant.result, signed.model_dump_json().encode()) == 200
        return grant

    def complete(self, signed: SignedResult) -> Any:
        return self._post("complete", signed)

    def deliver(self, files: Files = PICTURE, **facts: Any) -> Any:
        """Upload everything and complete; the raw answer."""
        signed = self.result(files, **facts)
        self.upload(files, signed)
        return self.complete(signed)

    def fail(
        self, *, code: str = "engine_error", message: str = "It broke.", retryable: bool = True, kind: str = "failed"
    ) -> Any:
        failure = {"delivery_id": self.delivery_id, "kind": kind, "code": code, "message": message}
        return self._post("fail", Failure.model_validate(failure | {"retryable": retryable, "run_ms": 5}))


def declare(files: Files) -> list[Output]:
    return [
        Output(name=name, media_type=media_type, bytes=len(body), sha256=hashlib.sha256(body).hexdigest())
        for name, (media_type, body) in files.items()
    ]


def put(upload: Upload, body: bytes) -> int:
    """The bucket's own answer to the worker's PUT."""
    return httpx.put(upload.url, content=body, headers=upload.headers).status_code


def members(signed: SignedResult) -> dict[str, Any]:
    """What is inside, to forge from."""
    opened: dict[str, Any] = json.loads(signed.result)
    return opened
