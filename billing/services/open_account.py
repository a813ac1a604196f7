"""Open an account's ledger accounts."""

from uuid import UUID

from django.db import transaction

from billing.ledger.accounts import open_customer


def open_account(*, account_id: UUID) -> None:
    """Give the account its ledger accounts and a balance of zero; nothing happens when it has them."""
    with transaction.atomic():
        open_customer(account_id)
