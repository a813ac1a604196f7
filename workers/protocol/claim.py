"""Claiming an attempt, and what the node is told about itself."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from workers.protocol.names import PROTOCOL_VERSION


class Message(BaseModel):
    """Protocol models are frozen; a receiver ignores members it does not know yet."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class NodeGreeting(Message):
    """What a node learns when it starts: its pools and how to behave."""

    v: int = PROTOCOL_VERSION
    node_id: str
    pools: list[str]
    heartbeat_seconds: float


class Heartbeat(Message):
    """A node says that it lives and what it can take."""

    v: int = PROTOCOL_VERSION
    slots: int = Field(ge=0, le=1024)
    running: list[UUID] = Field(default=[], max_length=1024)
    memory_bytes: int = Field(default=0, ge=0)
    version: str = Field(default="", max_length=60)


class HeartbeatAnswer(Message):
    """What the control plane wants of the node."""

    v: int = PROTOCOL_VERSION
    drain: bool = False
    cancel: list[UUID] = []
    """Running attempts of this node whose job should stop."""


class ClaimRequest(Message):
    """One delivery of one message asks to run its attempt."""

    v: int = PROTOCOL_VERSION
    delivery_id: UUID
    """Drawn by the worker for each message it takes: the same delivery gets the same answer again."""


class StagedFile(Message):
    """An input the worker downloads from the bucket."""

    field: str
    index: int
    url: str
    bytes: int | None = None
    sha256: str | None = None
    media_type: str


class Claim(Message):
    """The attempt is this delivery's until the lease runs out."""

    v: int = PROTOCOL_VERSION
    attempt_id: UUID
    job_id: UUID
    task: str
    pool: str
    params: dict[str, Any]
    seed: int
    files: list[StagedFile]
    lease_seconds: float
    """Counted from the answer; every progress call extends it."""


class ProgressReport(Message):
    """How far the run is; extends the lease."""

    v: int = PROTOCOL_VERSION
    delivery_id: UUID
    fraction: float = Field(ge=0, le=1)
    phase: str = Field(default="", max_length=80)


class ProgressAnswer(Message):
    """Whether to go on."""

    v: int = PROTOCOL_VERSION
    cancel: bool
    lease_seconds: float
