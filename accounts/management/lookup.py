"""The account that an operator names on the command line."""

from django.core.management.base import CommandError

from accounts.models import User


def account_of(address: str) -> User:
    """The account of this email address.

    Raises:
        CommandError: there is none.
    """
    user = User.objects.filter(email=address.strip().lower()).first()
    if user is None:
        raise CommandError(f"there is no account {address}")
    return user
