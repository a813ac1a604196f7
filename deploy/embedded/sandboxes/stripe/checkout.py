"""What a Checkout Session may be made of: Stripe's rules for the parameters of its creation."""

import re
from typing import Any
from urllib.parse import urlsplit

from deploy.embedded.sandboxes.stripe import objects
from deploy.embedded.sandboxes.stripe.errors import StripeError, invalid, missing, unknown
from deploy.embedded.sandboxes.stripe.objects import Object

Parameters = dict[str, Any]

SHORTEST_LIFE, LONGEST_LIFE = 30 * 60, 24 * 3_600
SMALLEST_AMOUNT = 50
"""Cents; Stripe takes no smaller charge in dollars."""
LARGEST_AMOUNT = 99_999_999

TAKEN = {
    "automatic_tax",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "consent_collection",
    "custom_text",
    "customer_creation",
    "customer_email",
    "expires_at",
    "invoice_creation",
    "line_items",
    "locale",
    "metadata",
    "mode",
    "payment_intent_data",
    "payment_method_types",
    "phone_number_collection",
    "submit_type",
    "success_url",
    "ui_mode",
}
LINE_ITEM = {"price_data", "quantity"}
PRICE_DATA = {"currency", "product_data", "unit_amount", "tax_behavior"}
INTENT_DATA = {"description", "metadata", "receipt_email", "statement_descriptor", "statement_descriptor_suffix"}


def session_parameters(parameters: Parameters, *, now: int) -> tuple[Parameters, list[Object], int]:
    """The checked parameters, the line items and the time of expiry.

    Raises:
        StripeError: Stripe would refuse it, or the sandbox does not do it (subscriptions, stored prices, …).
    """
    for name in parameters:
        if name not in TAKEN:
            raise unknown(name)
    if "mode" not in parameters:
        raise missing("mode")
    if parameters["mode"] != "payment":
        raise invalid("mode", "Invalid mode: this sandbox has one-time payments only")
    if parameters.get("ui_mode", "hosted") not in ("hosted", "hosted_page"):
        raise invalid("ui_mode", "Invalid ui_mode: this sandbox has the hosted page only")
    for name in ("success_url", "cancel_url"):
        if name in parameters:
            _check_url(name, parameters[name])
    if "success_url" not in parameters:
        raise missing("success_url")
    _check_metadata("metadata", parameters.get("metadata", {}))
    intent_data = parameters.get("payment_intent_data", {})
    for name in intent_data:
        if name not in INTENT_DATA:
            raise unknown(f"payment_intent_data[{name}]")
    _check_metadata("payment_intent_data[metadata]", intent_data.get("metadata", {}))
    if len(str(parameters.get("client_reference_id", ""))) > 200:
        raise invalid("client_reference_id", "Invalid string: must be at most 200 characters")
    email = parameters.get("customer_email")
    if email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+|[^@\s]+@localhost", email):
        raise invalid("customer_email", f"Invalid email address: {email}", code="email_invalid")
    return parameters, _line_items(parameters.get("line_items")), _expiry(parameters.get("expires_at"), now=now)


def _line_items(given: Any) -> list[Object]:
    if not isinstance(given, list) or not given:
        raise missing("line_items")
    made = []
    for place, item in enumerate(given):
        name = f"line_items[{place}]"
        if not isinstance(item, dict):
            raise invalid(name, "Invalid object")
        for field in item:
            if field == "price":
                raise StripeError(f"No such price: '{item[field]}'", code="resource_missing", param=f"{name}[price]")
            if field not in LINE_ITEM:
                raise unknown(f"{name}[{field}]")
        made.append(_line_item(item, name))
    if len({item["currency"] for item in made}) != 1:
        raise invalid("line_items", "All line items must have the same currency.")
    total = sum(item["amount_total"] for item in made)
    if total < SMALLEST_AMOUNT:
        said = "The Checkout Session's total amount due must add up to at least $0.50 usd"
        raise invalid("line_items", said, code="amount_too_small")
    if total > LARGEST_AMOUNT:
        raise invalid("line_items", "The total amount due must be no more than $999,999.99", code="amount_too_large")
    return made


def _line_item(item: Parameters, name: str) -> Object:
    price = item.get("price_data")
    if not isinstance(price, dict):
        raise missing(f"{name}[price_data]")
    for field in price:
        if field not in PRICE_DATA:
            raise unknown(f"{name}[price_data][{field}]")
    product = price.get("product_data")
    if not isinstance(product, dict) or not product.get("name"):
        raise missing(f"{name}[price_data][product_data][name]")
    if "currency" not in price:
        raise missing(f"{name}[price_data][currency]")
    currency = str(price["currency"]).lower()
    if not re.fullmatch("[a-z]{3}", currency):
        raise invalid(f"{name}[price_data][currency]", f"Invalid currency: {currency}")
    return objects.line_item(
        name=str(product["name"]),
        currency=currency,
        unit_amount=_whole(price.get("unit_amount"), f"{name}[price_data][unit_amount]"),
        quantity=_whole(item.get("quantity"), f"{name}[quantity]"),
    )


def _whole(value: Any, name: str) -> int:
    if value is None:
        raise missing(name)
    if not isinstance(value, str) or not re.fullmatch("[0-9]{1,12}", value):
        raise invalid(name, f"Invalid integer: {value}", code="parameter_invalid_integer")
    return int(value)


def _expiry(value: Any, *, now: int) -> int:
    if value is None:
        return now + LONGEST_LIFE
    moment = _whole(value, "expires_at")
    # Stripe measures from its own clock; a request's way there costs a moment.
    if not now + SHORTEST_LIFE - 30 <= moment <= now + LONGEST_LIFE + 30:
        said = "The `expires_at` timestamp must be from 30 minutes to 24 hours after the session's creation."
        raise invalid("expires_at", said)
    return moment


def _check_url(name: str, value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise invalid(name, "Not a valid URL", code="url_invalid")
    if len(value) > 5_000:
        raise invalid(name, "Invalid URL: must be at most 5000 characters", code="url_invalid")


def _check_metadata(name: str, given: Any) -> None:
    if not isinstance(given, dict):
        raise invalid(name, "Invalid object")
    if len(given) > 50:
        raise invalid(name, "You can have up to 50 keys.")
    for key, value in given.items():
        if len(key) > 40 or not isinstance(value, str) or len(value) > 500:
            raise invalid(f"{name}[{key}]", "Keys have at most 40 characters, values are text of at most 500.")
