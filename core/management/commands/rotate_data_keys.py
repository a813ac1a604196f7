"""`manage.py rotate_data_keys`: encrypt what is kept encrypted under the newest key, so that older ones can go."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.webhooks.secrets import SecretUnreadable, reencrypt_secrets


class Command(BaseCommand):
    """Write every encrypted secret anew under the first of DATA_ENCRYPTION_KEYS."""

    help = "Encrypt stored secrets anew under the first of DATA_ENCRYPTION_KEYS. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many accounts' secrets were written.

        Raises:
            CommandError: one cannot be opened by any of the keys.
        """
        try:
            done = reencrypt_secrets()
        except SecretUnreadable:
            raise CommandError("a stored secret was encrypted with a key that DATA_ENCRYPTION_KEYS lacks") from None
        self.stdout.write(f"The webhook secrets of {done} account(s) are encrypted under the newest key.")
