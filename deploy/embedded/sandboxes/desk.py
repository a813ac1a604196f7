"""The front page of the sandboxes: what there is, and buttons for what only a provider could do."""

import re
from html import escape
from typing import Any

from deploy.embedded.sandboxes.coinbase.charges import ChargeError, status
from deploy.embedded.sandboxes.coinbase.sandbox import CoinbaseSandbox
from deploy.embedded.sandboxes.faults import Faults
from deploy.embedded.sandboxes.pages import notice, page
from deploy.embedded.sandboxes.stripe.account import money
from deploy.embedded.sandboxes.stripe.errors import StripeError
from deploy.embedded.sandboxes.stripe.sandbox import StripeSandbox
from deploy.embedded.sandboxes.wire import Answer, Request, json_answer, page_answer
from deploy.embedded.sandboxes.x402.sandbox import X402Sandbox

SHOWN = 20
Actions = list[tuple[str, str]]


class Desk:
    """What stands at the root: `/` as a page, and `/health`.

    A button posts `action` and `id` to `/`; with `Accept: application/json` the changed object comes back instead of
    the page, so that scripts and browser tests can order a refund or a dispute.
    """

    def __init__(self, *, stripe: StripeSandbox, coinbase: CoinbaseSandbox, x402: X402Sandbox) -> None:
        self.faults = Faults()
        self._stripe = stripe
        self._coinbase = coinbase
        self._x402 = x402

    def handle(self, request: Request) -> Answer:
        """The page, or one of its buttons."""
        if request.path == "/health":
            return json_answer(200, {"status": "ok"})
        if request.path != "/":
            return json_answer(404, {"error": {"message": "There is nothing here."}})
        if request.method != "POST":
            return page_answer(self._render(""))
        wants_json = "application/json" in request.headers.get("accept", "")
        origin = request.headers.get("origin")
        if origin is not None and origin != f"http://{request.headers.get('host')}":
            return json_answer(403, {"error": {"message": "Pages elsewhere may not press these buttons."}})
        form = request.form()
        try:
            changed = self._act(form.get("action", ""), form.get("id", ""), form.get("amount"))
        except (StripeError, ChargeError) as error:
            if wants_json:
                return json_answer(error.status, {"error": {"message": str(error)}})
            return page_answer(self._render(notice(str(error), kind="bad")), error.status)
        if wants_json:
            return json_answer(200, changed)
        return page_answer(self._render(notice("Done; its events are on their way.")))

    def _act(self, action: str, id: str, amount: str | None) -> dict[str, Any]:
        cents = int(amount) if amount and amount.isdigit() else None
        match action:
            case "refund":
                return self._stripe.refund(id, cents)
            case "dispute":
                return self._stripe.dispute(id, cents)
            case "win":
                return self._stripe.win_dispute(id)
            case "lose":
                return self._stripe.lose_dispute(id)
            case "expire":
                return self._stripe.expire(id)
            case "expire-charge":
                return self._coinbase.expire(id)
            case "resolve":
                return self._coinbase.resolve(id)
            case "fund":
                return self._fund(id, cents)
        raise ChargeError("There is no such button.")

    def _fund(self, address: str, units: int | None) -> dict[str, Any]:
        """Mint test coins to a wallet: no button, since whoever asks has a wallet and so a script."""
        if not re.fullmatch("0x[0-9a-fA-F]{40}", address) or units is None:
            raise ChargeError("Name an address (id) and atomic units (amount).")
        self._x402.chain.fund(address, units)
        return {"address": address, "balance": self._x402.chain.balance(address)}

    def _render(self, said: str) -> str:
        balance = self._x402.chain.balance(self._x402.pay_to)
        return page(
            "Payments",
            f"<main class='wide'>{said}<h1>Payment sandboxes</h1>"
            f"<h2>Card payments</h2>{self._sessions()}<h2>Disputes</h2>{self._disputes()}"
            f"<h2>Crypto charges</h2>{self._charges()}"
            f"<h2>x402</h2><p>{escape(self._x402.pay_to)} holds {balance / 1_000_000:.6f} USDC.</p></main>",
        )

    def _sessions(self) -> str:
        rows = []
        for session in self._stripe.store.newest("stripe.session", limit=SHOWN):
            paid = session["payment_status"] == "paid"
            actions: Actions = [("expire", "Expire")] if session["status"] == "open" else []
            about = session["payment_intent"] if paid else session["id"]
            if paid:
                actions = [("refund", "Refund the rest"), ("dispute", "Dispute")]
            amount = money(session["amount_total"], session["currency"])
            cells = [session["id"][:18] + "…", amount, session["status"], session["payment_status"]]
            rows.append(_row(cells, about, actions))
        return _table(["Session", "Amount", "Status", "Payment", ""], rows)

    def _disputes(self) -> str:
        rows = []
        for dispute in self._stripe.store.newest("stripe.dispute", limit=SHOWN):
            actions: Actions = [("win", "Won"), ("lose", "Lost")] if dispute["status"] == "needs_response" else []
            rows.append(
                _row(
                    [dispute["id"], money(dispute["amount"], dispute["currency"]), dispute["status"]],
                    dispute["id"],
                    actions,
                )
            )
        return _table(["Dispute", "Amount", "Status", ""], rows)

    def _charges(self) -> str:
        rows = []
        for charge in self._coinbase.store.newest("coinbase.charge", limit=SHOWN):
            actions: Actions = {"NEW": [("expire-charge", "Expire")], "UNRESOLVED": [("resolve", "Resolve")]}.get(
                status(charge), []
            )
            price = charge["pricing"]["local"]
            cells = [charge["code"], f"{price['amount']} {price['currency']}", status(charge)]
            rows.append(_row(cells, charge["code"], actions))
        return _table(["Charge", "Amount", "Status", ""], rows)


def _row(cells: list[str], id: str, actions: Actions) -> str:
    buttons = "".join(
        f'<form method="post"><input type="hidden" name="id" value="{escape(id)}">'
        f'<button name="action" value="{escape(action)}">{escape(label)}</button></form>'
        for action, label in actions
    )
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + f"<td>{buttons}</td></tr>"


def _table(heads: list[str], rows: list[str]) -> str:
    if not rows:
        return "<p>None yet.</p>"
    head = "".join(f"<th scope='col'>{escape(one)}</th>" for one in heads)
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
