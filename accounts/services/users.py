"""Create accounts."""

from django.db import transaction

from accounts.models import User
from core import outbox_topics
from core.outbox.services import emit


def create_account(
    *, email: str, password: str | None = None, is_staff: bool = False, is_superuser: bool = False, referral: str = ""
) -> User:
    """A new account; other rooms hear of it by `accounts.user_created`.

    `referral` is what its browser's referral cookie held: not read here, but told to the room that can.

    Raises:
        django.db.IntegrityError: the address has an account already.
    """
    with transaction.atomic():
        user = User.objects.create_user(email, password, is_staff=is_staff, is_superuser=is_superuser)
        emit(topic=outbox_topics.USER_CREATED, payload={"accountId": str(user.pk)})
        if referral:
            emit(topic=outbox_topics.USER_REFERRED, payload={"accountId": str(user.pk), "referral": referral})
    return user
