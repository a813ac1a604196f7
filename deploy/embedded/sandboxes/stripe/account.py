"""The Stripe account: what happens to sessions, payments, refunds and disputes, told by events."""

from collections.abc import Sequence

from deploy.embedded.sandboxes.store import Store
from deploy.embedded.sandboxes.stripe import objects
from deploy.embedded.sandboxes.stripe.errors import StripeError, invalid
from deploy.embedded.sandboxes.stripe.events import Events
from deploy.embedded.sandboxes.stripe.objects import Object
from deploy.embedded.sandboxes.webhooks import RETRY_PAUSES, Target


class StripeAccount(Events):
    """One Stripe account. Every method may be called from any thread; each is one transaction with its events."""

    def __init__(
        self,
        *,
        store: Store,
        url: str,
        key: str,
        webhook_secrets: Sequence[str],
        targets: Sequence[Target] = (),
        pauses: Sequence[float] = RETRY_PAUSES,
    ) -> None:
        super().__init__(store=store, webhook_secrets=webhook_secrets, targets=targets, pauses=pauses)
        self.url = url
        self.key = key
        with store.transaction():
            known = store.newest("stripe.account", limit=1)
            self.account = known[0] if known else objects.account()
            self._put("account", self.account)

    # What the merchant's API does -------------------------------------------------------------------------

    def open_session(self, *, parameters: Object, line_items: list[Object], expires_at: int, now: int) -> Object:
        """Make a Checkout Session of checked parameters."""
        currency = line_items[0]["currency"]
        made = objects.session(
            parameters=parameters,
            line_items=line_items,
            currency=currency,
            expires_at=expires_at,
            url=self.url,
            now=now,
        )
        with self.store.transaction():
            self._put("session", made)
            self.store.put("stripe.line_items", made["id"], {"data": line_items})
            self.store.put("stripe.intent_data", made["id"], parameters.get("payment_intent_data", {}))
            self.store.set_alarm("stripe.session", made["id"], expires_at)
        return made

    def expire(self, session_id: str) -> Object:
        """Expire an open session.

        Raises:
            StripeError: it is not open.
        """
        with self.store.transaction():
            session = self._open(session_id, "expired")
            session |= {"status": "expired", "url": None}
            self._put("session", session)
            self._tell("checkout.session.expired", session)
        return session

    def expire_due(self, *, now: float) -> None:
        """Expire what nobody paid in time."""
        with self.store.transaction():
            for session_id in self.store.due("stripe.session", now=now):
                if self.get("session", session_id)["status"] == "open":
                    self.expire(session_id)

    # What customers and their banks do --------------------------------------------------------------------

    def pay(self, session_id: str, *, amount: int | None = None, currency: str | None = None) -> Object:
        """The customer pays by card. `amount` (cents) and `currency` make Stripe tell of other ones than were asked."""
        with self.store.transaction():
            session = self._open(session_id, "paid")
            if amount is not None:
                session |= {"amount_total": amount, "amount_subtotal": amount}
            if currency is not None:
                session["currency"] = currency
            self._succeed(session, method="card")
            session |= {"status": "complete", "url": None, "payment_status": "paid"}
            self._put("session", session)
            self._tell("checkout.session.completed", session)
        return session

    def decline(self, session_id: str) -> Object:
        """The customer's card is declined; the session stays open and may be paid with another."""
        with self.store.transaction():
            session = self._open(session_id, "paid")
            intent = self._intent(session)
            charge = self._charge(intent, session, status="failed", method="card")
            intent["last_payment_error"] = {
                "charge": charge["id"],
                "code": "card_declined",
                "decline_code": "generic_decline",
                "message": "Your card was declined.",
                "type": "card_error",
            }
            self._put("payment_intent", intent)
            self._put("session", session)
            self._tell("charge.failed", charge)
            self._tell("payment_intent.payment_failed", intent)
        return session

    def pay_later(self, session_id: str) -> Object:
        """The customer orders a bank debit: the session completes unpaid, and `settle` or `fail` decides days later."""
        with self.store.transaction():
            session = self._open(session_id, "paid")
            intent = self._intent(session)
            charge = self._charge(intent, session, status="pending", method="us_bank_account")
            intent |= {"status": "processing", "payment_method": charge["payment_method"]}
            self._put("payment_intent", intent)
            session |= {"status": "complete", "url": None}
            self._put("session", session)
            self._tell("payment_intent.processing", intent)
            self._tell("checkout.session.completed", session)
        return session

    def settle(self, session_id: str) -> Object:
        """The bank pays what `pay_later` ordered."""
        with self.store.transaction():
            session = self._processing(session_id)
            self._succeed(session, method="us_bank_account")
            session["payment_status"] = "paid"
            self._put("session", session)
            self._tell("checkout.session.async_payment_succeeded", session)
        return session

    def fail(self, session_id: str) -> Object:
        """The bank refuses a debit; where none was ordered yet, it is ordered first."""
        with self.store.transaction():
            if self.get("session", session_id)["status"] == "open":
                self.pay_later(session_id)
            session = self._processing(session_id)
            intent = self.get("payment_intent", session["payment_intent"])
            charge = self.get("charge", intent["latest_charge"])
            charge |= {"status": "failed", "failure_code": "insufficient_funds", "outcome": None}
            intent |= {"status": "requires_payment_method", "payment_method": None}
            intent["last_payment_error"] = {"charge": charge["id"], "code": "insufficient_funds", "type": "card_error"}
            self._put("charge", charge)
            self._put("payment_intent", intent)
            self._tell("charge.failed", charge)
            self._tell("payment_intent.payment_failed", intent)
            self._tell("checkout.session.async_payment_failed", session)
        return session

    # What the merchant or the customer's bank takes back --------------------------------------------------

    def refund(
        self,
        payment_intent: str,
        amount: int | None = None,
        *,
        reason: str | None = "requested_by_customer",
        metadata: Object | None = None,
        pending: bool = False,
    ) -> Object:
        """Refund a payment, all of its rest by default; a `pending` one waits for `settle_refund` or `fail_refund`.

        Raises:
            StripeError: nothing or less is left to refund, or the charge is disputed.
        """
        with self.store.transaction():
            charge = self.charge_of(payment_intent)
            rest = charge["amount"] - charge["amount_refunded"]
            if charge["disputed"] and self._dispute_of(charge)["status"] not in ("won", "warning_closed"):
                raise StripeError(f"Charge {charge['id']} has been charged back.", code="charge_disputed")
            if rest == 0:
                raise StripeError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
            wanted = rest if amount is None else amount
            if wanted < 1:
                raise invalid("amount", "Invalid positive integer", code="parameter_invalid_integer")
            if wanted > rest:
                said = f"Refund amount ({money(wanted)}) is greater than unrefunded amount on charge ({money(rest)})"
                raise StripeError(said, param="amount")
            made = objects.refund(
                charge=charge,
                amount=wanted,
                reason=reason,
                metadata=metadata or {},
                status="pending" if pending else "succeeded",
                now=self.now(),
            )
            self._put("refund", made, parent=charge["id"])
            self._count_refunds(charge)
            self._tell("refund.created", made)
            self._tell("charge.refunded", charge)
            if not pending:
                self._tell("refund.updated", made)
        return made

    def settle_refund(self, refund_id: str) -> Object:
        """A pending refund arrives."""
        return self._end_refund(refund_id, status="succeeded")

    def fail_refund(self, refund_id: str) -> Object:
        """A refund comes back: the customer's bank would not take it."""
        return self._end_refund(refund_id, status="failed")

    def dispute(self, payment_intent: str, amount: int | None = None, *, reason: str = "fraudulent") -> Object:
        """The customer's bank takes the charge back (all that is not refunded, by default).

        Raises:
            StripeError: nothing is left of the charge, or it was not paid.
        """
        with self.store.transaction():
            charge = self.charge_of(payment_intent)
            taken = charge["amount"] - charge["amount_refunded"] if amount is None else amount
            if taken < 1:
                raise StripeError(f"Nothing is left of {charge['id']} to dispute.", code="charge_already_refunded")
            made = objects.dispute(charge=charge, amount=taken, reason=reason, now=self.now())
            charge["disputed"] = True
            self._put("charge", charge)
            self._put("dispute", made, parent=charge["id"])
            self._tell("charge.dispute.created", made)
            self._tell("charge.dispute.funds_withdrawn", made)
        return made

    def win_dispute(self, dispute_id: str) -> Object:
        """The bank decides for the merchant: the money comes back."""
        with self.store.transaction():
            dispute = self._close_dispute(dispute_id, status="won")
            charge = self.get("charge", dispute["charge"])
            back = objects.balance_transaction(amount=dispute["amount"], fee=0, charge=charge, now=self.now())
            dispute["balance_transactions"].append(back)
            self._put("dispute", dispute)
            self._tell("charge.dispute.closed", dispute)
            self._tell("charge.dispute.funds_reinstated", dispute)
        return dispute

    def lose_dispute(self, dispute_id: str) -> Object:
        """The bank decides for the customer: the money stays away."""
        with self.store.transaction():
            dispute = self._close_dispute(dispute_id, status="lost")
            self._put("dispute", dispute)
            self._tell("charge.dispute.closed", dispute)
        return dispute

    # ------------------------------------------------------------------------------------------------------

    def charge_of(self, payment_intent: str) -> Object:
        """The charge that paid a payment.

        Raises:
            StripeError: there is none.
        """
        intent = self.get("payment_intent", payment_intent, param="payment_intent")
        if intent["latest_charge"] is None or intent["status"] != "succeeded":
            said = "This PaymentIntent does not have a successful charge to refund."
            raise StripeError(said, code="charge_not_found")
        return self.get("charge", intent["latest_charge"])

    def _open(self, session_id: str, wanted: str) -> Object:
        session = self.get("session", session_id, param="session")
        if session["status"] != "open":
            said = f"This Checkout Session is {session['status']} and cannot be {wanted}."
            raise StripeError(said, code="checkout_session_not_open")
        return session

    def _processing(self, session_id: str) -> Object:
        session = self.get("session", session_id, param="session")
        if session["status"] != "complete" or session["payment_status"] != "unpaid":
            raise StripeError("This Checkout Session waits for no bank.", code="payment_intent_unexpected_state")
        if self.get("payment_intent", session["payment_intent"])["status"] != "processing":
            raise StripeError("Its payment has failed already.", code="payment_intent_unexpected_state")
        return session

    def _intent(self, session: Object) -> Object:
        if session["payment_intent"] is not None:
            return self.get("payment_intent", session["payment_intent"])
        data = self.store.get("stripe.intent_data", session["id"]) or {}
        intent = objects.payment_intent(
            amount=session["amount_total"],
            currency=session["currency"],
            data=data,
            types=session["payment_method_types"],
            now=self.now(),
        )
        session["payment_intent"] = intent["id"]
        self._put("payment_intent", intent, parent=session["id"])
        return intent

    def _charge(self, intent: Object, session: Object, *, status: str, method: str) -> Object:
        made = objects.charge(
            intent=intent, status=status, method=method, email=session["customer_email"], now=self.now()
        )
        intent["latest_charge"] = made["id"]
        self._put("charge", made, parent=intent["id"])
        return made

    def _succeed(self, session: Object, *, method: str) -> None:
        intent = self._intent(session)
        intent |= {"amount": session["amount_total"], "currency": session["currency"]}
        if intent["status"] == "processing":
            charge = self.get("charge", intent["latest_charge"])
            charge |= {"status": "succeeded", "paid": True, "captured": True, "amount_captured": charge["amount"]}
            charge["balance_transaction"] = objects.new_id("txn")
            self._put("charge", charge)
        else:
            charge = self._charge(intent, session, status="succeeded", method=method)
        intent |= {
            "status": "succeeded",
            "amount_received": charge["amount"],
            "payment_method": charge["payment_method"],
            "last_payment_error": None,
        }
        self._put("payment_intent", intent)
        self._tell("charge.succeeded", charge)
        self._tell("payment_intent.succeeded", intent)

    def _end_refund(self, refund_id: str, *, status: str) -> Object:
        with self.store.transaction():
            refund = self.get("refund", refund_id)
            if refund["status"] in ("failed", "canceled"):
                raise StripeError("This refund has ended.", code="refund_ended")
            before = refund["status"]
            refund["status"] = status
            if status == "failed":
                refund["failure_reason"] = "declined"
                refund["failure_balance_transaction"] = objects.new_id("txn")
            self._put("refund", refund)
            self._count_refunds(self.get("charge", refund["charge"]))
            if status == "failed":
                self._tell("refund.failed", refund)
            self._tell("refund.updated", refund, previous={"status": before})
            self._tell("charge.refund.updated", refund, previous={"status": before})
        return refund

    def _count_refunds(self, charge: Object) -> None:
        refunds = self.store.newest("stripe.refund", parent=charge["id"])
        charge["amount_refunded"] = sum(one["amount"] for one in refunds if one["status"] not in ("failed", "canceled"))
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self._put("charge", charge)

    def _dispute_of(self, charge: Object) -> Object:
        return self.store.newest("stripe.dispute", parent=charge["id"], limit=1)[0]

    def _close_dispute(self, dispute_id: str, *, status: str) -> Object:
        dispute = self.get("dispute", dispute_id)
        if dispute["status"] in ("won", "lost"):
            raise StripeError(f"This dispute is {dispute['status']} already.", code="dispute_closed")
        dispute["status"] = status
        dispute["is_charge_refundable"] = status == "won"
        return dispute


def money(cents: int, currency: str = "usd") -> str:
    """Cents as Stripe's messages write them."""
    amount = f"{cents // 100}.{cents % 100:02d}"
    return f"${amount}" if currency == "usd" else f"{amount} {currency.upper()}"
