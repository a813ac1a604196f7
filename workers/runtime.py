"""One attempt from its message to its report: one straight function."""

import hashlib
import logging
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from workers import storage
from workers.control_client import ControlClient, ControlPlaneAway, Refused
from workers.pipelines import registry
from workers.pipelines.base import Canceled, EngineFailed, OutputFile, PipelineResult, RunContext
from workers.protocol.claim import Claim, ClaimRequest, ProgressReport
from workers.protocol.envelope import AttemptMessage
from workers.protocol.result import AttemptResult, Failure, Output, SignedResult, StoredFile, UploadRequest
from workers.protocol.signing import NodeCredential

PATIENCE_SECONDS = 20.0
"""How long a call may wait for a control plane that is away, well inside a lease."""
NODE_REFUSED = (401, 403)
REPORT_SECONDS = 1.0
QUIET_REPORTS = 4
"""A run without news still extends its lease, so many times within one."""

_log = logging.getLogger(__name__)


class HandBack(Exception):
    """The control plane is away before the attempt was ours: the message goes back to its queue."""


class LeaseGone(Canceled):
    """The attempt is no longer ours; nobody waits for what we would report."""


@dataclass(kw_only=True)
class Node:
    """What a process keeps between runs."""

    control: ControlClient
    credential: NodeCredential
    running: dict[UUID, "Lease"] = field(default_factory=dict)


def run(message: AttemptMessage, node: Node) -> str:
    """Carry out the attempt named by `message`; a word for how it ended.

    Safe to call twice with the same message: the second claim is refused. Whatever happens after the claim is
    reported; should that be impossible, the lease runs out and the reaper decides.

    Raises:
        HandBack: the control plane did not answer the claim, or does not hear this node.
    """
    delivery_id = uuid4()
    try:
        claim = node.control.claim(message.attempt_id, ClaimRequest(delivery_id=delivery_id), patience=PATIENCE_SECONDS)
    except Refused as refusal:
        if refusal.status in NODE_REFUSED:
            # It is this node that is not heard: another one must get the message.
            raise HandBack(str(refusal)) from refusal
        _log.info("attempt %s not claimed: %s", message.attempt_id, refusal)
        return "not_claimed"
    except ControlPlaneAway as error:
        raise HandBack(str(error)) from error
    started = time.monotonic()
    lease = Lease(claim=claim, delivery_id=delivery_id, control=node.control)
    node.running[claim.attempt_id] = lease
    try:
        with lease, tempfile.TemporaryDirectory(prefix="attempt-", ignore_cleanup_errors=True) as workdir:
            made = _make(claim, Path(workdir), lease)
            return _deliver(claim, delivery_id, made, node, lease, _milliseconds(started))
    except LeaseGone:
        _log.warning("attempt %s was taken from us", claim.attempt_id)
        return "lease_lost"
    except Exception as error:
        return _report(error, claim, delivery_id, node, _milliseconds(started))
    finally:
        node.running.pop(claim.attempt_id, None)


def _make(claim: Claim, workdir: Path, lease: "Lease") -> PipelineResult:
    inputs = workdir / "inputs"
    made = workdir / "outputs"
    inputs.mkdir()
    made.mkdir()
    files = _fetch(claim, inputs, lease)
    context = RunContext(params=claim.params, files=files, seed=claim.seed, workdir=made, step=lease.step)
    return registry.pipeline(claim.task).run(context)


def _fetch(claim: Claim, folder: Path, lease: "Lease") -> Mapping[str, Sequence[Path]]:
    files: dict[str, list[Path]] = {}
    for staged in sorted(claim.files, key=lambda staged: (staged.field, staged.index)):
        path = folder / f"{staged.field}_{staged.index:02}"
        storage.download(staged, path)
        files.setdefault(staged.field, []).append(path)
        lease.step(0.0, "fetching inputs")
    return files


def _deliver(claim: Claim, delivery_id: UUID, made: PipelineResult, node: Node, lease: "Lease", run_ms: int) -> str:
    outputs = [_declare(output) for output in made.outputs]
    result = AttemptResult(
        attempt_id=claim.attempt_id, delivery_id=delivery_id, outputs=outputs, info=dict(made.info), run_ms=run_ms
    )
    signed = SignedResult.sign(result, node_id=node.credential.node_id, secret=node.credential.secret)
    document = signed.model_dump_json().encode()
    grant = node.control.uploads(
        claim.attempt_id,
        UploadRequest(
            delivery_id=delivery_id,
            outputs=outputs,
            result=StoredFile(bytes=len(document), sha256=hashlib.sha256(document).hexdigest()),
        ),
        patience=PATIENCE_SECONDS,
    )
    for output, upload in zip(made.outputs, grant.uploads, strict=True):
        storage.upload(output.path, upload)
        lease.step(1.0, "uploading")
    # The signed result goes last: where it lies, everything before it lies too, and the reaper can finish for us.
    storage.upload_bytes(document, grant.result)
    return node.control.complete(claim.attempt_id, signed, patience=PATIENCE_SECONDS)


def _declare(output: OutputFile) -> Output:
    return Output(
        name=output.path.name,
        media_type=output.media_type,
        bytes=output.path.stat().st_size,
        sha256=storage.sha256_of(output.path),
        width=output.width,
        height=output.height,
        seconds=output.seconds,
    )


def _report(error: Exception, claim: Claim, delivery_id: UUID, node: Node, run_ms: int) -> str:
    kind, code, message, retryable = "failed", "engine_error", "The engine broke down.", True
    match error:
        case Canceled():
            kind, code, message, retryable = "canceled", "canceled", "Stopped on request.", False
        case EngineFailed():
            code, message, retryable = error.code, error.message, error.retryable
        case storage.StorageFailed():
            code, message = "storage_failed", f"The bucket could not be used: {error}"
        case Refused():
            # Our report was refused; whoever took the attempt over decides.
            _log.warning("attempt %s: %s", claim.attempt_id, error)
            return "refused"
        case ControlPlaneAway():
            _log.warning("attempt %s: %s; the reaper will see its result", claim.attempt_id, error)
            return "unreported"
        case MemoryError():
            code, message = "out_of_memory", "The engine ran out of memory."
        case _:
            _log.exception("attempt %s broke down", claim.attempt_id, exc_info=error)
    failure = Failure(
        delivery_id=delivery_id,
        kind="canceled" if kind == "canceled" else "failed",
        code=code,
        message=message[:2000],
        retryable=retryable,
        run_ms=run_ms,
    )
    try:
        node.control.fail(claim.attempt_id, failure, patience=PATIENCE_SECONDS)
    except (Refused, ControlPlaneAway) as refusal:
        _log.warning("attempt %s: end not reported: %s", claim.attempt_id, refusal)
    return kind


class Lease:
    """Keeps a claimed attempt ours while it runs, in a thread of its own, and carries progress and the wish to stop."""

    def __init__(self, *, claim: Claim, delivery_id: UUID, control: ControlClient) -> None:
        self._attempt_id, self._delivery_id, self._control = claim.attempt_id, delivery_id, control
        self._longest_silence = claim.lease_seconds / QUIET_REPORTS
        self._fraction, self._phase = 0.0, ""
        self._stop: type[Canceled] | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease-{claim.attempt_id}", daemon=True)

    def __enter__(self) -> "Lease":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def step(self, fraction: float, phase: str) -> None:
        """What engines call: remembers the progress, raises when the run should stop."""
        self._fraction, self._phase = min(max(fraction, 0.0), 1.0), phase[:80]
        if self._stop is not None:
            raise self._stop

    def stop(self) -> None:
        """The control plane wants the run to end."""
        self._stop = self._stop or Canceled

    def _keep(self) -> None:
        told, told_at = -1.0, time.monotonic()
        while not self._ended.wait(REPORT_SECONDS):
            quiet = time.monotonic() - told_at
            if self._fraction == told and quiet < self._longest_silence:
                continue
            report = ProgressReport(delivery_id=self._delivery_id, fraction=self._fraction, phase=self._phase)
            try:
                answer = self._control.progress(self._attempt_id, report)
            except ControlPlaneAway:
                continue
            except Refused:
                self._stop = LeaseGone
                return
            told, told_at = report.fraction, time.monotonic()
            if answer.cancel:
                self.stop()


def _milliseconds(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
