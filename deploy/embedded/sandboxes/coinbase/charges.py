"""Charges of Coinbase Commerce: made, paid on a chain, confirmed, expired, and the events that tell of it."""

import hashlib
import hmac
import json
import secrets
import string
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from deploy.embedded.sandboxes.store import Store
from deploy.embedded.sandboxes.webhooks import RETRY_PAUSES, Message, Target, Webhooks

API_VERSION = "2018-03-22"
LIFE_SECONDS = 3_600
CONFIRMATIONS = 12
CENT = Decimal("0.01")
Charge = dict[str, Any]


class ChargeError(Exception):
    """A request that is refused: `type` and `message` as the API's `error` object has them."""

    def __init__(self, message: str, *, status: int = 400, type: str = "invalid_request") -> None:
        super().__init__(message)
        self.status = status
        self.type = type


class Charges:
    """One merchant's charges. Every method may be called from any thread; each is one transaction with its events.

    A charge's state is the last entry of its `timeline`: NEW → PENDING → COMPLETED or UNRESOLVED (UNDERPAID, OVERPAID,
    MULTIPLE, DELAYED) → RESOLVED; a NEW one may be CANCELED or become EXPIRED.
    """

    def __init__(
        self,
        *,
        store: Store,
        url: str,
        key: str,
        webhook_secret: str,
        targets: Sequence[Target] = (),
        pauses: Sequence[float] = RETRY_PAUSES,
    ) -> None:
        self.store = store
        self.url = url
        self.key = key
        self.webhook_secret = webhook_secret
        self.webhooks = Webhooks(provider="coinbase", store=store, targets=targets, message=self.message, pauses=pauses)

    def create(
        self,
        *,
        name: str,
        description: str,
        amount: Decimal,
        currency: str,
        metadata: Mapping[str, Any],
        redirect_url: str | None,
        cancel_url: str | None,
    ) -> Charge:
        """Make a charge of a fixed price."""
        now = time.time()
        code = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(8))
        price = {"amount": f"{amount:.2f}", "currency": currency}
        charge: Charge = {
            "id": str(uuid.uuid4()),
            "resource": "charge",
            "code": code,
            "name": name,
            "description": description,
            "logo_url": None,
            "hosted_url": f"{self.url}/pay/{code}",
            "created_at": moment(now),
            "expires_at": moment(now + LIFE_SECONDS),
            "confirmed_at": None,
            "checkout": None,
            "timeline": [{"time": moment(now), "status": "NEW"}],
            "metadata": dict(metadata),
            "pricing_type": "fixed_price",
            "pricing": {"local": price, "settlement": {"amount": f"{amount:.6f}", "currency": "USDC"}},
            "pwcb_only": False,
            "offchain_eligible": False,
            "organization_name": "Sandbox",
            "payments": [],
            "redirect_url": redirect_url,
            "cancel_url": cancel_url,
            "redirects": {
                "cancel_url": cancel_url or "",
                "success_url": redirect_url or "",
                "will_redirect_after_success": redirect_url is not None,
            },
            "addresses": {"ethereum": f"0x{secrets.token_hex(20)}"},
        }
        with self.store.transaction():
            self._put(charge)
            self.store.put("coinbase.code", code, {"id": charge["id"]})
            self.store.set_alarm("coinbase.charge", charge["id"], now + LIFE_SECONDS)
            self._tell("charge:created", charge)
        return charge

    def get(self, code_or_id: str) -> Charge:
        """A charge by either name.

        Raises:
            ChargeError: there is none.
        """
        by_code = self.store.get("coinbase.code", code_or_id)
        found = self.store.get("coinbase.charge", by_code["id"] if by_code else code_or_id)
        if found is None:
            raise ChargeError("Not found", status=404, type="not_found")
        return found

    def cancel(self, code: str) -> Charge:
        """The merchant takes a charge back that nobody has paid yet.

        Raises:
            ChargeError: it is not NEW any more.
        """
        with self.store.transaction():
            charge = self._in(code, "NEW")
            self._step(charge, "CANCELED")
            self._tell("charge:failed", charge)
        return charge

    def expire(self, code: str) -> Charge:
        """Nobody paid in time."""
        with self.store.transaction():
            charge = self._in(code, "NEW")
            self._step(charge, "EXPIRED")
            self._tell("charge:failed", charge)
        return charge

    def expire_due(self, *, now: float) -> None:
        """Expire what nobody paid in time."""
        with self.store.transaction():
            for id in self.store.due("coinbase.charge", now=now):
                if status(self.get(id)) == "NEW":
                    self.expire(id)

    def pay(self, code: str, amount: Decimal | str | None = None) -> Charge:
        """A payment of `amount` (of the local currency; exactly what is asked by default) is seen on the chain.

        Paying a charge that is EXPIRED or UNRESOLVED is possible, as on any chain.
        """
        with self.store.transaction():
            charge = self._in(code, "NEW", "EXPIRED", "PENDING", "UNRESOLVED")
            before = status(charge)
            paid = Decimal(charge["pricing"]["local"]["amount"]) if amount is None else Decimal(amount)
            payment = self._payment(charge, paid)
            charge["payments"].append(payment)
            if before == "NEW":
                seen = {"network": payment["network"], "transaction_id": payment["transaction_id"]}
                self._step(charge, "PENDING", payment=seen)
                self._tell("charge:pending", charge)
            elif before == "EXPIRED":
                self._confirm_payments(charge)
                self._step(charge, "UNRESOLVED", context="DELAYED")
                self._tell("charge:delayed", charge)
            else:
                self._put(charge)
        return charge

    def underpay(self, code: str) -> Charge:
        """A cent less than asked is seen."""
        return self.pay(code, Decimal(self.get(code)["pricing"]["local"]["amount"]) - CENT)

    def overpay(self, code: str) -> Charge:
        """A cent more than asked is seen."""
        return self.pay(code, Decimal(self.get(code)["pricing"]["local"]["amount"]) + CENT)

    def confirm(self, code: str) -> Charge:
        """The chain confirms what was paid: COMPLETED when it is exactly the price, else UNRESOLVED."""
        with self.store.transaction():
            charge = self._in(code, "PENDING")
            self._confirm_payments(charge)
            price = Decimal(charge["pricing"]["local"]["amount"])
            paid = sum(Decimal(one["value"]["local"]["amount"]) for one in charge["payments"])
            if paid == price and len(charge["payments"]) == 1:
                charge["confirmed_at"] = moment(time.time())
                self._step(charge, "COMPLETED")
                self._tell("charge:confirmed", charge)
            else:
                context = "UNDERPAID" if paid < price else "MULTIPLE" if len(charge["payments"]) > 1 else "OVERPAID"
                self._step(charge, "UNRESOLVED", context=context)
                self._tell("charge:failed", charge)
        return charge

    def fail(self, code: str) -> Charge:
        """The payment that was seen fails on the chain; nothing was paid."""
        with self.store.transaction():
            charge = self._in(code, "PENDING")
            for payment in charge["payments"]:
                payment["status"] = "FAILED"
            self._step(charge, "FAILED")
            self._tell("charge:failed", charge)
        return charge

    def resolve(self, code: str) -> Charge:
        """The merchant marks an unresolved charge as settled between people.

        Raises:
            ChargeError: it is not UNRESOLVED.
        """
        with self.store.transaction():
            charge = self._in(code, "UNRESOLVED")
            self._step(charge, "RESOLVED", context="MANUAL")
            self._tell("charge:resolved", charge)
        return charge

    def emit(self, type: str, charge: Mapping[str, Any], *, deliver: bool = True) -> str:
        """Make an event of any type and content, real or not; its id."""
        event: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "resource": "event",
            "type": type,
            "api_version": API_VERSION,
            "created_at": moment(time.time()),
            "data": dict(charge),
        }
        with self.store.transaction():
            self.store.put("coinbase.event", event["id"], event, parent=type)
            if deliver:
                self.webhooks.enqueue(str(event["id"]))
        return str(event["id"])

    def events(self, type: str | None = None) -> list[dict[str, Any]]:
        """The events (of one type), newest first."""
        return self.store.newest("coinbase.event", parent=type)

    def message(self, event_id: str) -> Message:
        """The bytes and headers of an event's delivery."""
        event = self.store.get("coinbase.event", event_id)
        if event is None:
            raise ChargeError("Not found", status=404, type="not_found")
        tries = [delivery.tries for delivery in self.webhooks.deliveries(event_id)]
        envelope = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, event_id)),
            "scheduled_for": event["created_at"],
            "attempt_number": max(tries, default=0) + 1,
            "event": event,
        }
        body = json.dumps(envelope, separators=(",", ":")).encode()
        return body, {"Content-Type": "application/json", "X-CC-Webhook-Signature": self.sign(body)}

    def sign(self, body: bytes, *, secret: str | None = None) -> str:
        """The signature of a body."""
        return hmac.new((secret or self.webhook_secret).encode(), body, hashlib.sha256).hexdigest()

    def _in(self, code: str, *allowed: str) -> Charge:
        charge = self.get(code)
        if status(charge) not in allowed:
            raise ChargeError(f"This charge is {status(charge)}; it would have to be {' or '.join(allowed)}.")
        return charge

    def _payment(self, charge: Charge, amount: Decimal) -> dict[str, Any]:
        currency = charge["pricing"]["local"]["currency"]
        return {
            "payment_id": str(uuid.uuid4()),
            "network": "ethereum",
            "transaction_id": f"0x{secrets.token_hex(32)}",
            "status": "PENDING",
            "detected_at": moment(time.time()),
            "value": {
                "local": {"amount": f"{amount:.2f}", "currency": currency},
                "crypto": {"amount": f"{amount:.6f}", "currency": "USDC"},
            },
            "block": {
                "height": None,
                "hash": None,
                "confirmations": 0,
                "confirmations_required": CONFIRMATIONS,
            },
        }

    def _confirm_payments(self, charge: Charge) -> None:
        for payment in charge["payments"]:
            payment["status"] = "CONFIRMED"
            payment["block"] |= {"height": 100, "hash": f"0x{secrets.token_hex(32)}", "confirmations": CONFIRMATIONS}

    def _step(self, charge: Charge, state: str, **more: Any) -> None:
        charge["timeline"].append({"time": moment(time.time()), "status": state, **more})
        self._put(charge)

    def _put(self, charge: Charge) -> None:
        self.store.put("coinbase.charge", charge["id"], charge)

    def _tell(self, type: str, charge: Charge) -> None:
        self.emit(type, charge)


def status(charge: Mapping[str, Any]) -> str:
    """The charge's state."""
    return str(charge["timeline"][-1]["status"])


def moment(seconds: float) -> str:
    """A time as the API writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
