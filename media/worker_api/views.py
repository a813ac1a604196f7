"""What a worker may ask and tell."""

from typing import Any
from uuid import UUID

from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clock
from media.fleet import services as fleet
from media.fleet.selectors import HEARTBEAT_SECONDS
from media.models import Node
from media.services.claim_attempt import claim_attempt
from media.services.complete_attempt import Completion, complete_attempt
from media.services.fail_attempt import fail_attempt
from media.services.grant_uploads import grant_uploads
from media.services.record_progress import record_progress
from media.worker_api.authentication import NodeAuthentication, read_message
from workers.protocol.claim import ClaimRequest, Heartbeat, HeartbeatAnswer, NodeGreeting, ProgressReport
from workers.protocol.result import Failure, SignedResult, UploadRequest


class WorkerView(APIView):
    """Signed by a node; not rate limited, not for browsers."""

    authentication_classes = (NodeAuthentication,)
    permission_classes = ()
    throttle_classes = ()
    parser_classes = (JSONParser,)

    @property
    def node(self) -> Node:
        """The node that signed the request."""
        return self.request.user.node  # type: ignore[union-attr,no-any-return]  # NodeAuthentication set it


def _answer(message: Any) -> Response:
    return Response(message.model_dump(mode="json"))


class GreetingView(WorkerView):
    """GET: what the node should know when it starts."""

    def get(self, request: Request) -> Response:
        """Its pools and the heartbeat's interval."""
        return _answer(NodeGreeting(node_id=self.node.pk, pools=self.node.pools, heartbeat_seconds=HEARTBEAT_SECONDS))


class HeartbeatView(WorkerView):
    """POST: the node lives."""

    def post(self, request: Request) -> Response:
        """Note it; say what to stop."""
        beat = read_message(request, Heartbeat)
        fleet.note_heartbeat(
            node_id=self.node.pk,
            slots=beat.slots,
            memory_bytes=beat.memory_bytes,
            version=beat.version,
            now=clock.now(),
        )
        stop = fleet.attempts_to_stop(node_id=self.node.pk, running=beat.running) if beat.running else []
        return _answer(HeartbeatAnswer(drain=self.node.drain_requested_at is not None, cancel=stop))


class ClaimView(WorkerView):
    """POST: take an attempt."""

    def post(self, request: Request, attempt_id: UUID) -> Response:
        """The claim, or 409/410."""
        asked = read_message(request, ClaimRequest)
        return _answer(
            claim_attempt(attempt_id=attempt_id, node=self.node, delivery_id=asked.delivery_id, now=clock.now())
        )


class ProgressView(WorkerView):
    """POST: how far the run is."""

    def post(self, request: Request, attempt_id: UUID) -> Response:
        """Whether to go on, or 409."""
        report = read_message(request, ProgressReport)
        return _answer(
            record_progress(
                attempt_id=attempt_id,
                node_id=self.node.pk,
                delivery_id=report.delivery_id,
                fraction=report.fraction,
                phase=report.phase,
                now=clock.now(),
            )
        )


class UploadsView(WorkerView):
    """POST: where to put the outputs."""

    def post(self, request: Request, attempt_id: UUID) -> Response:
        """URLs bound to the declared files, or 409."""
        asked = read_message(request, UploadRequest)
        return _answer(
            grant_uploads(
                attempt_id=attempt_id,
                node_id=self.node.pk,
                delivery_id=asked.delivery_id,
                outputs=asked.outputs,
                result=asked.result,
                now=clock.now(),
            )
        )


class CompleteView(WorkerView):
    """POST: the signed result, exactly as stored."""

    def post(self, request: Request, attempt_id: UUID) -> Response:
        """How it went; 403, 409 or 503 otherwise."""
        signed = read_message(request, SignedResult)
        outcome: Completion = complete_attempt(attempt_id=attempt_id, signed=signed, now=clock.now())
        return Response({"outcome": outcome.value})


class FailView(WorkerView):
    """POST: the run ended without outputs."""

    def post(self, request: Request, attempt_id: UUID) -> Response:
        """Noted, or 409."""
        failure = read_message(request, Failure)
        fail_attempt(
            attempt_id=attempt_id,
            node_id=self.node.pk,
            delivery_id=failure.delivery_id,
            canceled=failure.kind == "canceled",
            code=failure.code,
            message=failure.message,
            retryable=failure.retryable,
            now=clock.now(),
        )
        return Response({"outcome": "noted"})
