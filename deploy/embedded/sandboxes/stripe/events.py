"""Stripe's events: an envelope for each change, kept, signed and delivered."""

import hashlib
import hmac
import json
import time
from collections.abc import Sequence

from deploy.embedded.sandboxes.store import Store
from deploy.embedded.sandboxes.stripe import objects
from deploy.embedded.sandboxes.stripe.errors import no_such
from deploy.embedded.sandboxes.stripe.objects import Object
from deploy.embedded.sandboxes.webhooks import RETRY_PAUSES, Message, Target, Webhooks


class Events:
    """The objects of an account and the events about them."""

    def __init__(
        self,
        *,
        store: Store,
        webhook_secrets: Sequence[str],
        targets: Sequence[Target] = (),
        pauses: Sequence[float] = RETRY_PAUSES,
    ) -> None:
        self.store = store
        self.webhook_secrets = list(webhook_secrets)
        """More than one while a secret is being rolled: each signs."""
        self.webhooks = Webhooks(provider="stripe", store=store, targets=targets, message=self.message, pauses=pauses)

    def get(self, kind: str, id: str, *, param: str = "id") -> Object:
        """An object by its kind and id.

        Raises:
            StripeError: there is none.
        """
        found = self.store.get(f"stripe.{kind}", id)
        if found is None:
            raise no_such(kind, id, param=param)
        return found

    def emit(self, type: str, object: Object, *, account: str | None = None, deliver: bool = True) -> str:
        """Make an event of any type and object, real or not, of our account or a connected one; its id."""
        made = objects.event(type=type, object=object, account=account, request=None, previous={}, now=self.now())
        with self.store.transaction():
            self.store.put("stripe.event", made["id"], made, parent=type)
            if deliver:
                self.webhooks.enqueue(made["id"])
        return str(made["id"])

    def events(self, type: str | None = None) -> list[Object]:
        """The events (of one type), newest first."""
        return self.store.newest("stripe.event", parent=type)

    def message(self, event_id: str) -> Message:
        """The bytes and headers of an event's delivery, signed now."""
        body = json.dumps(self.get("event", event_id), indent=2).encode()
        return body, {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": self.sign(body)}

    def sign(self, body: bytes, *, at: int | None = None, secret: str | None = None) -> str:
        """The Stripe-Signature of a body: by every secret of ours, or by the one given."""
        moment = self.now() if at is None else at
        signed = f"{moment}.".encode() + body
        signing = self.webhook_secrets if secret is None else [secret]
        digests = [hmac.new(one.encode(), signed, hashlib.sha256).hexdigest() for one in signing]
        return ",".join([f"t={moment}", *(f"v1={digest}" for digest in digests)])

    def now(self) -> int:
        return int(time.time())

    def _put(self, kind: str, object: Object, *, parent: str = "") -> None:
        self.store.put(f"stripe.{kind}", object["id"], object, parent=parent)

    def _tell(self, type: str, object: Object, *, previous: Object | None = None) -> None:
        made = objects.event(
            type=type, object=object, account=None, request=None, previous=previous or {}, now=self.now()
        )
        self.store.put("stripe.event", made["id"], made, parent=type)
        self.webhooks.enqueue(made["id"])
