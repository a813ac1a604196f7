"""Stripe's HTTP API: keys, versions, idempotency, and the routes that a shop with Checkout calls."""

import base64
import binascii
import hashlib
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from typing import Any

from deploy.embedded.sandboxes.store import Condition
from deploy.embedded.sandboxes.stripe import form, objects
from deploy.embedded.sandboxes.stripe.account import StripeAccount
from deploy.embedded.sandboxes.stripe.checkout import session_parameters
from deploy.embedded.sandboxes.stripe.errors import StripeError, invalid, missing, unknown
from deploy.embedded.sandboxes.stripe.objects import Object
from deploy.embedded.sandboxes.wire import Answer, Request, json_answer

Parameters = dict[str, Any]
Route = Callable[..., Object]
LONGEST_LIST = 100
PAGING = ("limit", "created", "starting_after", "ending_before")
LONGEST_IDEMPOTENCY_KEY = 255
EXPANDABLE = {
    "payment_intent": "payment_intent",
    "latest_charge": "charge",
    "charge": "charge",
}
"""Fields that hold an id, and the kind of object it names."""


class Api:
    """Answers requests against one account."""

    def __init__(self, account: StripeAccount) -> None:
        self._account = account
        self._in_progress: set[str] = set()
        self._busy = threading.Lock()
        self._routes: list[tuple[str, re.Pattern[str], Route]] = [
            (method, re.compile(f"{path}/?"), route)
            for method, path, route in (
                ("POST", "/v1/checkout/sessions", self._create_session),
                ("GET", "/v1/checkout/sessions", self._list_sessions),
                ("GET", "/v1/checkout/sessions/([^/]+)", self._retrieve("session")),
                ("POST", "/v1/checkout/sessions/([^/]+)/expire", self._expire_session),
                ("GET", "/v1/checkout/sessions/([^/]+)/line_items", self._line_items),
                ("GET", "/v1/payment_intents/([^/]+)", self._retrieve("payment_intent")),
                ("GET", "/v1/charges", self._list("charge", "/v1/charges")),
                ("GET", "/v1/charges/([^/]+)", self._retrieve("charge")),
                ("POST", "/v1/refunds", self._create_refund),
                ("GET", "/v1/refunds", self._list("refund", "/v1/refunds")),
                ("GET", "/v1/refunds/([^/]+)", self._retrieve("refund")),
                ("GET", "/v1/disputes", self._list("dispute", "/v1/disputes")),
                ("GET", "/v1/disputes/([^/]+)", self._retrieve("dispute")),
                ("GET", "/v1/events", self._list_events),
                ("GET", "/v1/events/([^/]+)", self._retrieve("event")),
                ("GET", "/v1/account", self._retrieve_account),
            )
        ]

    def handle(self, request: Request) -> Answer:
        """One request; refusals are answers too."""
        try:
            self._check_key(request.headers.get("authorization", ""))
            if request.method == "POST" and request.headers.get("idempotency-key"):
                answer = self._once(request, request.headers["idempotency-key"])
            else:
                answer = self._answer(request)
        except StripeError as error:
            answer = error.answer()
        answer.headers["Stripe-Version"] = request.headers.get("stripe-version") or objects.API_VERSION
        return answer

    def _check_key(self, authorization: str) -> None:
        scheme, _, given = authorization.partition(" ")
        if scheme == "Basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                given = ""
        if not given:
            said = "You did not provide an API key. Send it as `Authorization: Bearer YOUR_SECRET_KEY`."
            raise StripeError(said, status=401)
        if not secrets.compare_digest(given.encode(), self._account.key.encode()):
            raise StripeError(f"Invalid API Key provided: {given[:8]}***{given[-4:]}", status=401)

    def _once(self, request: Request, key: str) -> Answer:
        """Carry a request out once per idempotency key; its 2xx answer is kept and given again."""
        if len(key) > LONGEST_IDEMPOTENCY_KEY:
            raise StripeError("Idempotency keys are at most 255 characters long.", type="idempotency_error")
        content = f"{request.method} {request.path}\n".encode() + request.body
        fingerprint = hashlib.sha256(content).hexdigest()
        with self._busy:
            if key in self._in_progress:
                said = "There is currently another in-progress request using this Idempotent Key."
                raise StripeError(said, status=409, type="idempotency_error", code="idempotency_key_in_use")
            self._in_progress.add(key)
        try:
            known = self._account.store.get("stripe.idempotency", key)
            if known is not None:
                if known["fingerprint"] != fingerprint:
                    said = (
                        "Keys for idempotent requests can only be used with the same parameters they were first used"
                        f" with. Try using a key other than '{key}'."
                    )
                    raise StripeError(said, type="idempotency_error")
                headers = {"Idempotency-Key": key, "Idempotent-Replayed": "true"}
                return json_answer(known["status"], known["body"], headers)
            with self._account.store.transaction():
                status, body = self._carry_out(request)
                kept = {"fingerprint": fingerprint, "status": status, "body": body}
                self._account.store.put("stripe.idempotency", key, kept)
            return json_answer(status, body, {"Idempotency-Key": key})
        finally:
            with self._busy:
                self._in_progress.discard(key)

    def _answer(self, request: Request) -> Answer:
        return json_answer(*self._carry_out(request))

    def _carry_out(self, request: Request) -> tuple[int, Object]:
        try:
            encoded = request.body.decode() if request.method == "POST" else request.query
        except UnicodeDecodeError:
            raise StripeError("The request's body is not UTF-8.") from None
        parameters = form.decode(encoded)
        expand = parameters.pop("expand", [])
        for method, pattern, route in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                found = route(*match.groups(), parameters)
                return 200, self._expanded(found, expand)
        said = f"Unrecognized request URL ({request.method}: {request.path})."
        raise StripeError(said, status=404)

    # Routes -----------------------------------------------------------------------------------------------

    def _create_session(self, parameters: Parameters) -> Object:
        now = self._account.now()
        checked, line_items, expires_at = session_parameters(parameters, now=now)
        return self._account.open_session(parameters=checked, line_items=line_items, expires_at=expires_at, now=now)

    def _list_sessions(self, parameters: Parameters) -> Object:
        only(parameters, *PAGING, "payment_intent", "status")
        conditions: list[Condition] = [("status", "is", parameters["status"])] if "status" in parameters else []
        if "payment_intent" in parameters:  # a payment knows its session, which spares a look at all of them
            session = self._account.store.parent("stripe.payment_intent", parameters["payment_intent"])
            conditions.append(("id", "is", session or "none"))
        return self._page("session", "/v1/checkout/sessions", parameters, conditions=conditions)

    def _expire_session(self, session_id: str, parameters: Parameters) -> Object:
        only(parameters)
        return self._account.expire(session_id)

    def _line_items(self, session_id: str, parameters: Parameters) -> Object:
        only(parameters, "limit")
        self._account.get("session", session_id)
        found = self._account.store.get("stripe.line_items", session_id) or {"data": []}
        return objects.listing(f"/v1/checkout/sessions/{session_id}/line_items", found["data"])

    def _create_refund(self, parameters: Parameters) -> Object:
        only(parameters, "payment_intent", "charge", "amount", "reason", "metadata")
        amount = integer(parameters, "amount")
        if "payment_intent" in parameters:
            intent = str(parameters["payment_intent"])
        elif "charge" in parameters:
            intent = self._account.get("charge", parameters["charge"], param="charge")["payment_intent"]
        else:
            raise missing("payment_intent")
        reason = parameters.get("reason")
        if reason not in (None, "duplicate", "fraudulent", "requested_by_customer"):
            raise invalid("reason", "Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer")
        return self._account.refund(intent, amount, reason=reason, metadata=parameters.get("metadata"))

    def _list_events(self, parameters: Parameters) -> Object:
        only(parameters, *PAGING, "type")
        return self._page("event", "/v1/events", parameters, parent=parameters.get("type"))

    def _retrieve_account(self, parameters: Parameters) -> Object:
        only(parameters)
        return self._account.account

    def _retrieve(self, kind: str) -> Route:
        def route(id: str, parameters: Parameters) -> Object:
            only(parameters)
            return self._account.get(kind, id)

        return route

    def _list(self, kind: str, url: str) -> Route:
        """Charges by payment; refunds and disputes by charge or payment."""

        def route(parameters: Parameters) -> Object:
            only(parameters, *PAGING, "payment_intent", "charge")
            parent = None
            if "charge" in parameters:
                parent = str(parameters["charge"])
            elif "payment_intent" in parameters:
                intent = self._account.get("payment_intent", parameters["payment_intent"], param="payment_intent")
                parent = intent["id"] if kind == "charge" else (intent["latest_charge"] or "none")
            return self._page(kind, url, parameters, parent=parent)

        return route

    def _page(
        self,
        kind: str,
        url: str,
        parameters: Parameters,
        *,
        parent: str | None = None,
        conditions: Sequence[Condition] = (),
    ) -> Object:
        """One page, newest first, by `limit`, `created[gte]` and its kin, `starting_after` or `ending_before`."""
        limit = integer(parameters, "limit")
        limit = 10 if limit is None else limit
        if not 1 <= limit <= LONGEST_LIST:
            said = f"Invalid limit: must be between 1 and {LONGEST_LIST}"
            raise invalid("limit", said, code="parameter_invalid_integer")
        created = parameters.get("created", {})
        bounds = created if isinstance(created, dict) else {"gte": created, "lte": created}
        only(bounds, "gt", "gte", "lt", "lte")
        times: list[Condition] = [("created", name, integer(bounds, name) or 0) for name in bounds]
        for name in ("starting_after", "ending_before"):
            if name in parameters:
                self._account.get(kind, str(parameters[name]), param=name)
        before = parameters.get("ending_before")
        found = self._account.store.page(
            f"stripe.{kind}",
            parent=parent,
            conditions=[*conditions, *times],
            older_than=parameters.get("starting_after"),
            newer_than=before,
            limit=limit + 1,
        )
        kept = found[:limit] if before is None else found[-limit:]
        return objects.listing(url, kept, more=len(found) > limit)

    # Expanding --------------------------------------------------------------------------------------------

    def _expanded(self, found: Object, paths: Any) -> Object:
        wanted = paths if isinstance(paths, list) else list(paths.values()) if isinstance(paths, dict) else [paths]
        for path in wanted:
            parts = str(path).split(".")
            if found.get("object") == "list" and parts[0] == "data":
                for each in found["data"]:
                    self._expand(each, parts[1:], str(path))
            else:
                self._expand(found, parts, str(path))
        return found

    def _expand(self, place: Object, parts: list[str], path: str) -> None:
        if not parts:
            return
        name, rest = parts[0], parts[1:]
        if name == "line_items" and place["object"] == "checkout.session":
            data = (self._account.store.get("stripe.line_items", place["id"]) or {"data": []})["data"]
            place[name] = objects.listing(f"/v1/checkout/sessions/{place['id']}/line_items", data)
        elif name == "refunds" and place["object"] == "charge":
            data = self._account.store.newest("stripe.refund", parent=place["id"])
            place[name] = objects.listing(f"/v1/charges/{place['id']}/refunds", data)
            for each in data:
                self._expand(each, rest[1:] if rest[:1] == ["data"] else [], path)
        elif name in EXPANDABLE and name in place:
            if isinstance(place[name], str):
                place[name] = self._account.get(EXPANDABLE[name], place[name])
            if place[name] is not None:
                self._expand(place[name], rest, path)
        else:
            said = f"This property cannot be expanded ({path})."
            raise StripeError(said, param="expand[]")


def only(parameters: Parameters, *known: str) -> None:
    """Refuse parameters that the route does not have."""
    for name in parameters:
        if name not in known:
            raise unknown(name)


def integer(parameters: Parameters, name: str) -> int | None:
    """A whole number, or None when it is not given."""
    value = parameters.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,15}", value):
        raise invalid(name, f"Invalid integer: {value}", code="parameter_invalid_integer")
    return int(value)
