"""A shop's side of the payment sandboxes: it opens sessions and takes webhooks in."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import stripe

from deploy.embedded.sandboxes.server import Sandboxes

SUCCESS_URL = "https://shop.example/thanks?session={CHECKOUT_SESSION_ID}"
CANCEL_URL = "https://shop.example/cart"


def client_at(url: str, *, key: str, retries: int = 0) -> stripe.StripeClient:
    """The real SDK, with only its base address changed."""
    return stripe.StripeClient(key, base_addresses={"api": f"{url}/stripe"}, max_network_retries=retries)


def client(sandboxes: Sandboxes, *, key: str | None = None, retries: int = 0) -> stripe.StripeClient:
    """The SDK of a shop at these sandboxes."""
    return client_at(sandboxes.url, key=key or sandboxes.keys.stripe_key, retries=retries)


def order(cents: int = 500, **more: Any) -> Any:
    """What a shop sends to open a Checkout Session."""
    price = {"currency": "usd", "unit_amount": cents, "product_data": {"name": "Starter <pack>"}}
    return {
        "mode": "payment",
        "success_url": SUCCESS_URL,
        "cancel_url": CANCEL_URL,
        "client_reference_id": "dep_7",
        "metadata": {"deposit": "dep_7"},
        "line_items": [{"quantity": 1, "price_data": price}],
        **more,
    }


def paid(sandboxes: Sandboxes, cents: int = 500) -> str:
    """The payment intent of a session that was paid."""
    session = client(sandboxes).v1.checkout.sessions.create(order(cents))
    return str(sandboxes.stripe.pay(session.id)["payment_intent"])


def press(address: str, action: str, **form: str) -> httpx.Response:
    """Press a button of a page; its answer, redirects not followed."""
    return httpx.post(address, data={"action": action, **form}, trust_env=False)


class Inbox:
    """A webhook target: answers with the statuses set, else 200, and keeps what came."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.taken: list[tuple[bytes, dict[str, str]]] = []
        self._lock = threading.Lock()

    def __call__(self, body: bytes, headers: Mapping[str, str]) -> int:
        with self._lock:
            self.taken.append((body, dict(headers)))
            return self.statuses.pop(0) if self.statuses else 200

    @property
    def types(self) -> list[str]:
        """What kinds of events came, in order of arrival."""
        found = [json.loads(body) for body, _ in self.taken]
        return [event["type"] if "type" in event else event["event"]["type"] for event in found]


@contextmanager
def listening(inbox: Callable[[bytes, Mapping[str, str]], int]) -> Iterator[str]:
    """An HTTP server that hands each POST to `inbox`; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(inbox(body, dict(self.headers.items())))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
