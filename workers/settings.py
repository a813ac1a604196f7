"""What a node needs to know: broker, control plane, its secret."""

import os
from dataclasses import dataclass

from workers.protocol.signing import NodeCredential


class NotConfigured(RuntimeError):
    """A required environment variable is missing."""


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """Read once at start."""

    broker_url: str
    api_base: str
    credential: NodeCredential
    slots: int

    @classmethod
    def from_environment(cls) -> "WorkerSettings":
        """BROKER_URL, API_BASE and NODE_SECRET are required; WORKER_SLOTS defaults to the number of processors.

        Raises:
            NotConfigured: naming what is missing.
            MalformedToken: NODE_SECRET is not one.
        """
        missing = [name for name in ("BROKER_URL", "API_BASE", "NODE_SECRET") if not os.environ.get(name)]
        if missing:
            raise NotConfigured(f"set {', '.join(missing)} (see workers/README.md)")
        return cls(
            broker_url=os.environ["BROKER_URL"],
            api_base=os.environ["API_BASE"].rstrip("/"),
            credential=NodeCredential.parse(os.environ["NODE_SECRET"]),
            slots=int(os.environ.get("WORKER_SLOTS") or os.cpu_count() or 1),
        )
