"""Signed calls to the control plane, retried while it is away."""

import json
import random
import time
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from workers.http import Answer, Http, NoAnswer
from workers.protocol import signing
from workers.protocol.claim import (
    Claim,
    ClaimRequest,
    Heartbeat,
    HeartbeatAnswer,
    NodeGreeting,
    ProgressAnswer,
    ProgressReport,
)
from workers.protocol.result import Failure, SignedResult, UploadGrant, UploadRequest

NONCE_REPLAYED = "nonce_replayed"
"""Something on the way sent our bytes twice; this is the answer to the second time."""
_Answer = TypeVar("_Answer", bound=BaseModel)
_READ_SECONDS = 15.0


class ControlPlaneAway(Exception):
    """No answer, or only 5xx, for as long as the call may wait."""


class Refused(Exception):
    """The control plane answered 4xx: what was asked is not ours to do (any more)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(f"{status} {code}: {message}")


class ControlClient:
    """One node's voice. Safe to use from several threads."""

    def __init__(self, *, api_base: str, credential: signing.NodeCredential) -> None:
        self._credential = credential
        self._api_base = api_base
        self._http = Http(read_seconds=_READ_SECONDS)

    def greet(self, *, patience: float) -> NodeGreeting:
        """What the control plane wants of this node."""
        return self._call("GET", "/workers/v1/node", None, NodeGreeting, patience)

    def heartbeat(self, beat: Heartbeat) -> HeartbeatAnswer:
        """Say that we live; no second try, the next beat is near."""
        return self._call("POST", "/workers/v1/heartbeat", beat, HeartbeatAnswer, 0)

    def claim(self, attempt_id: UUID, request: ClaimRequest, *, patience: float) -> Claim:
        """Take the attempt."""
        return self._call("POST", _path(attempt_id, "claim"), request, Claim, patience)

    def progress(self, attempt_id: UUID, report: ProgressReport) -> ProgressAnswer:
        """Report and extend the lease; the caller repeats it anyway."""
        return self._call("POST", _path(attempt_id, "progress"), report, ProgressAnswer, 0)

    def uploads(self, attempt_id: UUID, request: UploadRequest, *, patience: float) -> UploadGrant:
        """Where to put the outputs."""
        return self._call("POST", _path(attempt_id, "uploads"), request, UploadGrant, patience)

    def complete(self, attempt_id: UUID, signed: SignedResult, *, patience: float) -> str:
        """Present the result; how it was taken."""
        return self._call("POST", _path(attempt_id, "complete"), signed, _Outcome, patience).outcome

    def fail(self, attempt_id: UUID, failure: Failure, *, patience: float) -> None:
        """Report the end without outputs."""
        self._call("POST", _path(attempt_id, "fail"), failure, _Outcome, patience)

    def _call(
        self, method: str, path: str, message: BaseModel | None, answer: type[_Answer], patience: float
    ) -> _Answer:
        """Ask until it is answered or `patience` seconds have passed.

        Each try is signed anew. Every call is safe to repeat: the control plane answers the same again.

        Raises:
            Refused: a 4xx answer (429 counts as no answer, and so does a body that is none of ours: a proxy's page).
            ControlPlaneAway: patience ran out.
        """
        body = message.model_dump_json().encode() if message is not None else b""
        give_up = time.monotonic() + patience
        pause = 0.1
        while True:
            try:
                response = self._send(method, path, body)
                if response.is_success:
                    return answer.model_validate_json(response.body)
                if response.status < 500 and response.status != 429:
                    refusal = _refused(response)
                    if refusal.code != NONCE_REPLAYED:
                        raise refusal
                reason = f"{response.status} from {path}"
            except NoAnswer as error:
                reason = f"{error} at {path}"
            except ValidationError:
                reason = f"ValidationError at {path}"
            if time.monotonic() + pause > give_up:
                raise ControlPlaneAway(reason)
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            pause = min(pause * 2, 5.0)

    def _send(self, method: str, path: str, body: bytes) -> Answer:
        headers = signing.sign_request(
            self._credential, method=method, path=path, body=body, timestamp=int(time.time())
        )
        if body:
            headers["Content-Type"] = "application/json"
        return self._http.request(method, self._api_base + path, content=body, headers=headers)


class _Outcome(BaseModel):
    outcome: str


def _path(attempt_id: UUID, verb: str) -> str:
    return f"/workers/v1/attempts/{attempt_id}/{verb}"


def _refused(response: Answer) -> Refused:
    try:
        found = json.loads(response.body)
    except ValueError:
        found = {}
    body: dict[str, Any] = found if isinstance(found, dict) else {}
    return Refused(response.status, str(body.get("code", "unknown")), str(body.get("error", ""))[:300])
