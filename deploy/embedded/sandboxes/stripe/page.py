"""The hosted payment page of a Checkout Session: what a customer can do, as buttons."""

from html import escape

from deploy.embedded.sandboxes.pages import button, facts, link, notice, page
from deploy.embedded.sandboxes.stripe.account import StripeAccount, money
from deploy.embedded.sandboxes.stripe.errors import StripeError
from deploy.embedded.sandboxes.stripe.objects import Object
from deploy.embedded.sandboxes.wire import Answer, Request, page_answer, redirect


def hosted_page(account: StripeAccount, request: Request) -> Answer:
    """Show the session, or carry out a button and send the customer on."""
    session_id = request.path.removeprefix("/pay/")
    if account.store.get("stripe.session", session_id) is None:
        return page_answer(page("No such payment", "<main><h1>There is no such payment.</h1></main>"), 404)
    said = ""
    if request.method == "POST":
        action = request.form().get("action", "")
        try:
            if action == "cancel":
                return redirect(account.get("session", session_id)["cancel_url"] or account.url)
            if action in ("pay", "pay_later"):
                session = account.pay(session_id) if action == "pay" else account.pay_later(session_id)
                return redirect(success_url(session))
            if action == "decline":
                account.decline(session_id)
                said = notice("The card was declined. Nothing was paid; try another one.", kind="bad")
            elif action == "settle":
                account.settle(session_id)
            elif action == "fail":
                account.fail(session_id)
            else:
                return page_answer(page("Unknown", "<main><h1>There is no such button.</h1></main>"), 400)
        except StripeError as error:
            said = notice(str(error), kind="bad")
    return page_answer(_render(account, account.get("session", session_id), said))


def success_url(session: Object) -> str:
    """Where the customer goes after paying, with the session's id filled in."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _render(account: StripeAccount, session: Object, said: str) -> str:
    items = (account.store.get("stripe.line_items", session["id"]) or {"data": []})["data"]
    name = ", ".join(item["description"] for item in items)
    shown = [("Session", session["id"]), ("Status", f"{session['status']}, {session['payment_status']}")]
    if session["customer_email"]:
        shown.insert(0, ("Email", session["customer_email"]))
    amount = money(session["amount_total"], session["currency"])
    head = f"{said}<h1>{escape(name)}</h1><p class='amount'>{escape(amount)}</p>{facts(shown)}"
    return page("Pay", f"<main>{head}{_buttons(account, session)}</main>")


def _buttons(account: StripeAccount, session: Object) -> str:
    if session["status"] == "expired":
        return notice("This payment page has expired.", kind="bad") + link(session["cancel_url"] or "", "Back")
    if session["status"] == "open":
        cancel = button("cancel", "Cancel", note="Back to the shop; the session stays open until it expires.")
        return (
            button("pay", "Pay", kind="main")
            + button("decline", "Pay with a card that fails", note="The card is declined; the session stays open.")
            + button("pay_later", "Pay by bank debit", note="Completes unpaid; the bank decides later, on this page.")
            + (cancel if session["cancel_url"] else "")
        )
    done = link(success_url(session), "Back to the shop")
    if session["payment_status"] == "paid":
        return notice("This is paid.") + done
    if account.get("payment_intent", session["payment_intent"])["status"] == "processing":
        return (
            notice("The bank has not decided yet.")
            + button("settle", "The bank pays", kind="main")
            + button("fail", "The bank refuses")
            + done
        )
    return notice("The bank has refused. Nothing was paid.", kind="bad") + done
