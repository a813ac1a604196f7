"""What several answers of this room hold."""

from typing import Annotated

from pydantic import Field

from accounts.models import User
from core import ids
from core.messages import STORABLE, Message

NO_STORE = {"Cache-Control": "no-store"}
"""Headers of every answer that holds a secret."""


KeyLabel = Annotated[str, Field(min_length=1, max_length=64), STORABLE]
"""What a person calls a key."""


class Account(Message):
    """Whose key or session it is."""

    id: str
    """`acct_…`"""
    email: str
    """The address that it signs in with, in lower case."""


def account_of(user: User) -> Account:
    """The account as answers show it."""
    return Account(id=ids.encode(ids.ACCOUNT, user.pk), email=user.email)
