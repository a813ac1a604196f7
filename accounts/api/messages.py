"""What several answers of this room hold."""

from accounts.models import User
from core import ids
from core.messages import Message

NO_STORE = {"Cache-Control": "no-store"}
"""Headers of every answer that holds a secret."""


class Account(Message):
    """Whose key or session it is."""

    id: str
    """`acct_…`"""
    email: str
    """The address that it signs in with, in lower case."""


def account_of(user: User) -> Account:
    """The account as answers show it."""
    return Account(id=ids.encode(ids.ACCOUNT, user.pk), email=user.email)
