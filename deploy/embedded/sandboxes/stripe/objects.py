"""The shapes of Stripe's objects: what its API answers, and what its events carry."""

import secrets
import string
from typing import Any

API_VERSION = "2026-10-28.endive"
"""The account's own version: events are rendered by it, and requests that name none."""
LETTERS = string.ascii_letters + string.digits
DISPUTE_FEE = 1_500

Object = dict[str, Any]


def new_id(prefix: str, length: int = 24) -> str:
    """A fresh id as Stripe's: a prefix and base 62."""
    return f"{prefix}_{''.join(secrets.choice(LETTERS) for _ in range(length))}"


def account() -> Object:
    """The merchant's own account."""
    return {
        "id": new_id("acct", 16),
        "object": "account",
        "business_profile": {"name": "Sandbox"},
        "charges_enabled": True,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "email": "sandbox@localhost",
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": "Sandbox"}},
        "type": "standard",
    }


def session(
    *, parameters: Object, line_items: list[Object], currency: str, expires_at: int, url: str, now: int
) -> Object:
    """An open Checkout Session."""
    id = new_id("cs_test", 58)
    total = sum(item["amount_total"] for item in line_items)
    email = parameters.get("customer_email")
    return {
        "id": id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": parameters.get("billing_address_collection"),
        "cancel_url": parameters.get("cancel_url"),
        "client_reference_id": parameters.get("client_reference_id"),
        "client_secret": None,
        "consent": None,
        "consent_collection": None,
        "created": now,
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None},
        "customer": None,
        "customer_creation": parameters.get("customer_creation", "if_required"),
        "customer_details": {"email": email, "name": None, "phone": None, "address": None} if email else None,
        "customer_email": email,
        "discounts": [],
        "expires_at": expires_at,
        "invoice": None,
        "invoice_creation": {"enabled": False},
        "livemode": False,
        "locale": parameters.get("locale"),
        "metadata": parameters.get("metadata", {}),
        "mode": "payment",
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "payment_method_types": parameters.get("payment_method_types", ["card", "us_bank_account"]),
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": parameters.get("submit_type"),
        "subscription": None,
        "success_url": parameters["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": parameters.get("ui_mode", "hosted_page"),
        "url": f"{url}/pay/{id}",
    }


def line_item(*, name: str, currency: str, unit_amount: int, quantity: int) -> Object:
    """A line of a session; only inline prices exist here."""
    amount = unit_amount * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": currency,
        "description": name,
        "price": {"id": new_id("price"), "object": "price", "currency": currency, "unit_amount": unit_amount},
        "quantity": quantity,
    }


def payment_intent(*, amount: int, currency: str, data: Object, types: list[str], now: int) -> Object:
    """The payment of a session, made when its customer first tries to pay."""
    id = new_id("pi")
    return {
        "id": id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{id}_secret_{secrets.token_hex(12)}",
        "confirmation_method": "automatic",
        "created": now,
        "currency": currency,
        "customer": None,
        "description": data.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": data.get("metadata", {}),
        "next_action": None,
        "payment_method": None,
        "payment_method_types": types,
        "processing": None,
        "receipt_email": data.get("receipt_email"),
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": data.get("statement_descriptor"),
        "status": "requires_payment_method",
        "transfer_data": None,
    }


def charge(*, intent: Object, status: str, method: str, email: str | None, now: int) -> Object:
    """One try to take the money; `status` succeeded, pending or failed."""
    succeeded, failed = status == "succeeded", status == "failed"
    declined = {"type": "issuer_declined", "network_status": "declined_by_network", "reason": "generic_decline"}
    authorized = {"type": "authorized", "network_status": "approved_by_network", "reason": None}
    card = {"brand": "visa", "country": "US", "exp_month": 12, "exp_year": 2034, "funding": "credit", "network": "visa"}
    last4 = "0002" if failed else "4242"
    details = {"type": method, method: {**card, "last4": last4} if method == "card" else {"last4": "6789"}}
    return {
        "id": new_id("ch" if method == "card" else "py"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if succeeded else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": new_id("txn") if succeeded else None,
        "billing_details": {"address": None, "email": email, "name": None, "phone": None},
        "calculated_statement_descriptor": "SANDBOX",
        "captured": succeeded,
        "created": now,
        "currency": intent["currency"],
        "customer": None,
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": "card_declined" if failed else None,
        "failure_message": "Your card was declined." if failed else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": {**(declined if failed else authorized), "risk_level": "normal", "seller_message": None},
        "paid": succeeded,
        "payment_intent": intent["id"],
        "payment_method": new_id("pm"),
        "payment_method_details": details,
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "status": status,
        "transfer_data": None,
        "transfer_group": None,
    }


def refund(*, charge: Object, amount: int, reason: str | None, metadata: Object, status: str, now: int) -> Object:
    """Money on its way back."""
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "destination_details": {"type": "card", "card": {"type": "refund", "reference_status": "pending"}},
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


def dispute(*, charge: Object, amount: int, reason: str, now: int) -> Object:
    """A customer's bank takes the money back until it is decided."""
    return {
        "id": new_id("dp"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [balance_transaction(amount=-amount, fee=DISPUTE_FEE, charge=charge, now=now)],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": now + 14 * 86_400,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "network_reason_code": "10.4"}},
        "reason": reason,
        "status": "needs_response",
    }


def balance_transaction(*, amount: int, fee: int, charge: Object, now: int) -> Object:
    """What a dispute's opening or winning does to the account's balance at Stripe."""
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now,
        "created": now,
        "currency": charge["currency"],
        "description": f"Chargeback of {charge['id']}" if amount < 0 else f"Chargeback reversal for {charge['id']}",
        "fee": fee,
        "net": amount - fee,
        "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
        "status": "available",
        "type": "adjustment",
    }


def event(*, type: str, object: Object, account: str | None, request: str | None, previous: Object, now: int) -> Object:
    """An event's envelope. `account` names a connected account; ours has none."""
    data: Object = {"object": object}
    if previous:
        data["previous_attributes"] = previous
    envelope = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": now,
        "data": data,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": request, "idempotency_key": None},
        "type": type,
    }
    return envelope if account is None else {**envelope, "account": account}


def listing(url: str, data: list[Object], *, more: bool = False) -> Object:
    """A list, newest first."""
    return {"object": "list", "data": data, "has_more": more, "url": url}
