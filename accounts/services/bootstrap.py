"""The first accounts of an installation; safe to repeat."""

from datetime import datetime

from accounts.models import ApiKey, User
from accounts.services.keys import mint_key
from accounts.services.users import create_account


def find_or_create(*, email: str, password: str | None, operator: bool) -> User:
    """The account of this address, made when it is missing; an existing one keeps its password."""
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        user = create_account(email=email, password=password, is_staff=operator, is_superuser=operator)
    return user


def first_key(*, user: User, label: str, now: datetime) -> str | None:
    """A new key's plain text for an account without a usable key; None when it has one, which cannot be shown again."""
    if ApiKey.objects.filter(user=user, revoked_at=None).exists():
        return None
    return mint_key(user=user, label=label, now=now).plain
