"""`python -m deploy.embedded.sandboxes --port 8026 --data var/sandboxes`: the sandboxes as a process of their own.

Keys come from the environment under the control plane's own names (STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRETS,
COINBASE_API_KEY, COINBASE_WEBHOOK_SECRETS, X402_PAY_TO): a command line is everybody's to read.
"""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from deploy.embedded.sandboxes.server import Sandboxes
from deploy.embedded.sandboxes.settings import Keys


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded.sandboxes", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, help="folder of sandboxes.sqlite3; without it all is forgotten at the end")
    parser.add_argument("--stripe-webhook", action="append", default=[], help="URL that Stripe's events go to")
    parser.add_argument("--coinbase-webhook", action="append", default=[], help="URL that Coinbase's events go to")
    options = parser.parse_args()
    ended = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        ended.set()

    for stopper in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stopper, on_signal)
    targets = {"stripe": options.stripe_webhook, "coinbase": options.coinbase_webhook}
    with Sandboxes(port=options.port, keys=keys(), data=options.data, webhook_targets=targets):
        ended.wait()
    return 0


def keys() -> Keys:
    """The keys of the environment; one that is missing is drawn, so that its provider can be reached by nobody."""
    drawn = Keys.generate()
    return Keys(
        stripe_key=os.environ.get("STRIPE_SECRET_KEY") or drawn.stripe_key,
        stripe_webhook_secret=os.environ.get("STRIPE_WEBHOOK_SECRETS") or drawn.stripe_webhook_secret,
        coinbase_key=os.environ.get("COINBASE_API_KEY") or drawn.coinbase_key,
        coinbase_webhook_secret=os.environ.get("COINBASE_WEBHOOK_SECRETS") or drawn.coinbase_webhook_secret,
        x402_pay_to=os.environ.get("X402_PAY_TO") or drawn.x402_pay_to,
    )


if __name__ == "__main__":
    sys.exit(main())
