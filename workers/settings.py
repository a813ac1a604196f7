"""What a node needs to know: broker, control plane, its secret."""

import os
import re
from dataclasses import dataclass

from workers.protocol.signing import NodeCredential


class NotConfigured(RuntimeError):
    """A required environment variable is missing, or one has a value that cannot be used."""


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
            NotConfigured: naming what is missing or wrong.
            MalformedToken: NODE_SECRET is not one.
        """
        missing = [name for name in ("BROKER_URL", "API_BASE", "NODE_SECRET") if not os.environ.get(name)]
        if missing:
            raise NotConfigured(f"set {', '.join(missing)} (see workers/README.md)")
        api_base = os.environ["API_BASE"].rstrip("/")
        if not api_base.startswith(("http://", "https://")):
            raise NotConfigured(f"API_BASE must start with http:// or https://, not {api_base!r}")
        slots = os.environ.get("WORKER_SLOTS") or str(os.cpu_count() or 1)
        if not re.fullmatch("[1-9][0-9]{0,2}", slots):
            raise NotConfigured(f"WORKER_SLOTS must be a number from 1 to 999, not {slots!r}")
        return cls(
            broker_url=os.environ["BROKER_URL"],
            api_base=api_base,
            credential=NodeCredential.parse(os.environ["NODE_SECRET"]),
            slots=int(slots),
        )
