"""`python -m workers`: a node, until SIGTERM (finishes what runs) or SIGQUIT (does not)."""

import logging
import sys

from workers.app import make_app
from workers.control_client import ControlPlaneAway, Refused
from workers.protocol.signing import MalformedToken
from workers.settings import NotConfigured, WorkerSettings


def main() -> int:
    """Run the node; an exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpcore").setLevel(logging.WARNING)  # presigned URLs must not reach a log
    try:
        settings = WorkerSettings.from_environment()
        app = make_app(settings)
    except Refused as error:
        sys.stderr.write(f"worker: the control plane did not take this node's NODE_SECRET: {error}\n")
        return 1
    except (NotConfigured, MalformedToken, ControlPlaneAway) as error:
        sys.stderr.write(f"worker: {error}\n")
        return 1
    app.worker_main(
        [
            "worker",
            "--loglevel=INFO",
            f"--hostname={settings.credential.node_id}@%h",
            "--without-gossip",
            "--without-mingle",
            "-E",
        ]
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
