"""The Coinbase Commerce sandbox: charges with their API and their hosted page."""

import json
import re
import secrets
from collections.abc import Sequence
from decimal import Decimal
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from deploy.embedded.sandboxes.coinbase.charges import API_VERSION, Charge, ChargeError, Charges, status
from deploy.embedded.sandboxes.faults import Faults
from deploy.embedded.sandboxes.pages import button, facts, link, notice, page
from deploy.embedded.sandboxes.store import Store
from deploy.embedded.sandboxes.webhooks import RETRY_PAUSES, Target
from deploy.embedded.sandboxes.wire import Answer, Request, json_answer, page_answer, redirect

LONGEST_LIST = 100


class CoinbaseSandbox(Charges):
    """What stands behind the prefix `/coinbase`. `webhooks` and `faults` order trouble."""

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
        super().__init__(store=store, url=url, key=key, webhook_secret=webhook_secret, targets=targets, pauses=pauses)
        self.faults = Faults()

    def handle(self, request: Request) -> Answer:
        """A request under our prefix: the hosted page or the API."""
        if request.path.startswith("/pay/"):
            return self._hosted_page(request)
        try:
            self._check_key(request.headers.get("x-cc-api-key", ""))
            answer = self._answer(request)
        except ChargeError as error:
            answer = json_answer(error.status, {"error": {"type": error.type, "message": str(error)}})
        answer.headers["X-CC-Version"] = request.headers.get("x-cc-version") or API_VERSION
        return answer

    def _check_key(self, given: str) -> None:
        if not secrets.compare_digest(given.encode(), self.key.encode()):
            raise ChargeError("No such API key", status=401, type="authentication_error")

    def _answer(self, request: Request) -> Answer:
        parts = request.path.strip("/").split("/")
        match request.method, parts:
            case "POST", ["charges"]:
                return json_answer(201, {"data": self._create(request.body)})
            case "GET", ["charges"]:
                return json_answer(200, self._listed("coinbase.charge", request.query))
            case "GET", ["charges", code]:
                return json_answer(200, {"data": self.get(code)})
            case "POST", ["charges", code, "cancel"]:
                return json_answer(200, {"data": self.cancel(code)})
            case "POST", ["charges", code, "resolve"]:
                return json_answer(200, {"data": self.resolve(code)})
            case "GET", ["events"]:
                return json_answer(200, self._listed("coinbase.event", request.query))
            case "GET", ["events", event_id]:
                event = self.store.get("coinbase.event", event_id)
                if event is not None:
                    return json_answer(200, {"data": event})
        raise ChargeError("Not found", status=404, type="not_found")

    def _create(self, body: bytes) -> Charge:
        try:
            given = json.loads(body)
        except ValueError:
            raise ChargeError("The request body is not valid JSON.") from None
        if not isinstance(given, dict):
            raise ChargeError("The request body is not an object.")
        if given.get("pricing_type") != "fixed_price":
            raise ChargeError("Invalid pricing_type: this sandbox has fixed_price only", type="validation_error")
        price = given.get("local_price")
        if not isinstance(price, dict) or not {"amount", "currency"} <= set(price):
            raise ChargeError("Missing parameter: local_price", type="param_required")
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,2})?", str(price["amount"])) or Decimal(str(price["amount"])) == 0:
            raise ChargeError("Invalid amount", type="validation_error")
        if not re.fullmatch("[A-Z]{3}", str(price["currency"])):
            raise ChargeError("Invalid currency", type="validation_error")
        metadata = given.get("metadata", {})
        if not isinstance(metadata, dict):
            raise ChargeError("Invalid metadata", type="validation_error")
        for name, longest in (("name", 100), ("description", 200)):
            if len(str(given.get(name, ""))) > longest:
                raise ChargeError(f"Invalid {name}: at most {longest} characters", type="validation_error")
        return self.create(
            name=str(given.get("name", "")),
            description=str(given.get("description", "")),
            amount=Decimal(str(price["amount"])),
            currency=str(price["currency"]),
            metadata=metadata,
            redirect_url=_address(given, "redirect_url"),
            cancel_url=_address(given, "cancel_url"),
        )

    def _listed(self, kind: str, query: str) -> dict[str, Any]:
        given = parse_qs(query)
        limit = given.get("limit", ["25"])[0]
        if not limit.isdigit() or not 1 <= int(limit) <= LONGEST_LIST:
            raise ChargeError(f"Invalid limit: 1 to {LONGEST_LIST}", type="validation_error")
        found = self.store.newest(kind)
        if given.get("order", ["desc"])[0] == "asc":
            found.reverse()
        if "starting_after" in given:
            ids = [one["id"] for one in found]
            if given["starting_after"][0] not in ids:
                raise ChargeError("Not found", status=404, type="not_found")
            found = found[ids.index(given["starting_after"][0]) + 1 :]
        data = found[: int(limit)]
        cursors = [data[0]["id"], data[-1]["id"]] if data else []
        pagination = {
            "order": given.get("order", ["desc"])[0],
            "starting_after": given.get("starting_after", [None])[0],
            "limit": int(limit),
            "total": len(found),
            "yielded": len(data),
            "cursor_range": cursors,
        }
        return {"pagination": pagination, "data": data}

    def _hosted_page(self, request: Request) -> Answer:
        code = request.path.removeprefix("/pay/")
        said = ""
        try:
            charge = self.get(code)
            if request.method == "POST":
                action = request.form().get("action", "")
                if action == "back":
                    return redirect(charge["cancel_url"] or self.url)
                act = {
                    "pay": self.pay,
                    "underpay": self.underpay,
                    "overpay": self.overpay,
                    "confirm": self.confirm,
                    "fail": self.fail,
                    "expire": self.expire,
                    "cancel": self.cancel,
                }.get(action)
                if act is None:
                    return page_answer(page("Unknown", "<main><h1>There is no such button.</h1></main>"), 400)
                charge = act(code)
                if status(charge) == "COMPLETED" and charge["redirect_url"]:
                    return redirect(charge["redirect_url"])
        except ChargeError as error:
            if error.status == 404:
                return page_answer(page("No such payment", "<main><h1>There is no such payment.</h1></main>"), 404)
            said = notice(str(error), kind="bad")
            charge = self.get(code)
        return page_answer(_render(charge, said))


def _address(given: dict[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is None or value == "":
        return None
    parts = urlsplit(str(value))
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ChargeError(f"Invalid {name}: not a URL", type="validation_error")
    return str(value)


def _render(charge: Charge, said: str) -> str:
    price = charge["pricing"]["local"]
    last = charge["timeline"][-1]
    shown = [("Charge", charge["code"]), ("Status", " ".join([last["status"], last.get("context", "")]).strip())]
    shown += [("Seen on the chain", f"{one['value']['crypto']['amount']} USDC") for one in charge["payments"]]
    amount = escape(f"{price['amount']} {price['currency']}")
    title = escape(charge["name"] or "Crypto payment")
    head = f"{said}<h1>{title}</h1><p class='amount'>{amount}</p>{facts(shown)}"
    return page("Pay in crypto", f"<main>{head}{_buttons(charge)}</main>")


def _buttons(charge: Charge) -> str:
    state = status(charge)
    back = button("back", "Back to the shop") if charge["cancel_url"] else ""
    if state == "NEW":
        return (
            button("pay", "Pay exactly", kind="main", note="The payment is seen; confirm it next.")
            + button("underpay", "Pay a cent less")
            + button("overpay", "Pay a cent more")
            + button("expire", "Let it expire")
            + button("cancel", "Cancel the charge")
            + back
        )
    if state == "PENDING":
        return button("confirm", "Confirm on the chain", kind="main") + button("fail", "Fail on the chain")
    if state == "EXPIRED":
        return notice("This charge has expired.", kind="bad") + button("pay", "Pay too late") + back
    return link(charge["redirect_url"] or "", "Back to the shop")
