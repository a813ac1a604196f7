"""Customers with other keys and with browsers, and what an answer that hands a key over looks like."""

import re
from typing import Any

from django.test import Client

from accounts.models import ApiKey, User
from accounts.services.keys import mint_key
from core import clock
from tests.media.customers import Customer

KEYS = "/api/v1/keys"
REVOKE = "/api/v1/keys/revoke"
OWN = {"Origin": "http://testserver"}
"""What our own page's requests carry."""
KEY_FORM = re.compile(r"kt_live_[A-Za-z0-9]{8}_[A-Za-z0-9_-]{43}")


def browser_of(customer: Customer) -> Client:
    """Signed in as the customer, without a key."""
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(pk=customer.id))
    return client


def with_key(customer: Customer, plain: str) -> Customer:
    """The same account with another of its keys."""
    return Customer(id=customer.id, key_id=ApiKey.objects.get(prefix=plain[:16]).pk, key=plain)


def limited(customer: Customer, *scopes: str, **more: Any) -> Customer:
    """The same account with a new key of these scopes alone."""
    minted = mint_key(
        user=User.objects.get(pk=customer.id), label="limited", now=clock.now(), scopes=scopes or None, **more
    )
    return with_key(customer, minted.plain)


def created(answer: Any) -> dict[str, Any]:
    """The body of an answer that made a key."""
    assert answer.status_code == 201, answer.content
    assert answer["Cache-Control"] == "no-store"
    body: dict[str, Any] = answer.json()
    assert KEY_FORM.fullmatch(body["apiKey"])
    return body
