"""Bodies of /api/v1/account/export and /api/v1/account/delete."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from accounts.api.events_messages import Event
from accounts.api.keys_messages import ListedKey
from accounts.api.messages import Account
from accounts.api.notifications import Notifications
from accounts.google import LONGEST_TOKEN
from billing.api.transactions_messages import Transaction
from core.messages import Message, Omissible, Text
from core.webhooks.messages import Delivery
from media.api.messages import JobStatus


class ExportedPurchase(Message):
    """A purchase, however it ended."""

    id: str
    """`chk_…` or `x4p_…`"""
    provider: str
    provider_id: str | None
    package_code: str | None
    usd_cents: int
    status: str
    created_at: str


class ExportedDeposit(Message):
    """Credit that was bought."""

    id: str
    """`dep_…`"""
    provider: str
    amount_usd_micros: int
    reversed_usd_micros: int
    """Refunded or disputed."""
    settled_at: str


class ExportedAffiliate(Message):
    """What the account said of itself as an affiliate."""

    status: str
    display_name: str
    contact_email: str
    country_code: str | None
    payout_address: str | None
    code: str | None
    applied_at: str


class AccountExport(Message):
    """Everything that is kept of an account; lists are newest first."""

    ok: Literal[True] = True
    exported_at: str
    account: Account
    notifications: Notifications
    affiliate: ExportedAffiliate | None
    keys: list[ListedKey]
    """Without the secrets, which nobody has."""
    security_events: list[Event]
    purchases: list[ExportedPurchase]
    deposits: list[ExportedDeposit]
    transactions: list[Transaction]
    jobs: list[JobStatus]
    """With `effectiveInput`."""
    webhook_deliveries: list[Delivery]
    complete: Literal[True] = True
    """The last member: a file without it was cut off."""


class DeleteAccountRequest(Message):
    """A proof that it is the owner who asks: a mailed code or a Google ID token, fresh."""

    code: Omissible[Annotated[Text, Field(pattern="^[0-9]{6}$")]] = None
    """From `POST /api/v1/auth/email/start` with the account's own address."""
    id_token: Omissible[Annotated[Text, Field(min_length=20, max_length=LONGEST_TOKEN)]] = None
    """Google's, for the account's own address."""
    forfeit_balance: bool = False
    """Give up what is left of the credit and of earned commission; needed where something is."""

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if (self.code is None) == (self.id_token is None):
            raise ValueError("send exactly one of code and idToken")
        return self


class DeletedAccount(Message):
    """The account is no more."""

    ok: Literal[True] = True
    account_id: str
    """`acct_…`"""
    deleted_at: str
    forfeited_usd_micros: int
    """Credit that was given up."""
    forfeited_commission_usd_micros: int
    """Commission that was given up: pending and available."""
