"""`manage.py write_task_reference`: write docs/reference/tasks.md anew from the catalogue."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from media.reference import tasks_markdown


class Command(BaseCommand):
    """Write the reference."""

    help = "Write docs/reference/tasks.md from the catalogue and the input models."

    def handle(self, *args: Any, **options: Any) -> None:
        """Overwrites the file."""
        path = Path(settings.ROOT) / "docs" / "reference" / "tasks.md"
        path.write_text(tasks_markdown())
        self.stdout.write(f"written: {path.relative_to(settings.ROOT)}")
