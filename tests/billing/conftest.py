"""Accounts to move money on."""

from itertools import count
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from billing.ledger.refusals import named_refusals
from billing.services.credit_deposit import credit_deposit
from core import ids

_numbers = count(1)


def new_account(deposit: int = 0) -> UUID:
    """A fresh account with `deposit` micros available."""
    user = get_user_model().objects.create_user(f"customer{next(_numbers)}-{ids.new().hex[-8:]}@example.com")
    if deposit:
        credit_deposit(account_id=user.pk, amount=deposit, provider="stripe", reference=f"deposit:{user.pk}:paid")
    return user.pk


def write_transfer(
    debit: int, credit: int, amount: int, *, reference: str = "raw:1", leg: int = 0, kind: str = "adjustment"
) -> None:
    """Insert a transfer with plain SQL, past every service."""
    with named_refusals(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_transfer (reference, leg, kind, debit_id, credit_id, amount)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [reference, leg, kind, debit, credit, amount],
        )


@pytest.fixture
def account(db: None) -> UUID:
    """An account with one dollar."""
    return new_account(1_000_000)


@pytest.fixture
def other(db: None) -> UUID:
    """Another account with one dollar."""
    return new_account(1_000_000)
