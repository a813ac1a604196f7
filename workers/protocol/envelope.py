"""The message a worker takes from its pool's queue: no input, no URL, no secret."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict

from workers.protocol.names import PROTOCOL_VERSION


class AttemptMessage(BaseModel):
    """Keyword arguments of the Celery task. Unknown ones are ignored, so that a newer control plane may add some."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: int = PROTOCOL_VERSION
    attempt_id: UUID
    task: str
    pool: str
