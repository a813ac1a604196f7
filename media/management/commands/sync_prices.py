"""`manage.py sync_prices`: publish the first price version of every task that has none."""

from typing import Any

from django.core.management.base import BaseCommand

from media.services.publish_prices import publish_missing_prices


class Command(BaseCommand):
    """Publish missing prices."""

    help = "Publish the catalogue's coefficients as the first price version of each task that has none."

    def handle(self, *args: Any, **options: Any) -> None:
        """Idempotent."""
        published = publish_missing_prices()
        self.stdout.write(f"published: {', '.join(published) or 'nothing new'}")
