"""Where a browser's session takes its user from."""

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend

from accounts.models import User

PROVEN_ADDRESS = "accounts.backends.ProvenAddress"


class ProvenAddress(BaseBackend):
    """Sessions of people who proved their email address, by a code or by Google, without a password.

    They never carry staff power: whoever is or becomes staff is nobody here and signs in to the admin with the
    password. So a lost mailbox opens no admin.
    """

    def get_user(self, user_id: Any) -> User | None:
        """The active account of a session that is not staff's."""
        key = user_id if isinstance(user_id, UUID) else UUID(str(user_id))
        return User.objects.filter(pk=key, is_active=True, is_staff=False, is_superuser=False).first()
