"""`manage.py take_down <job_… or URL> --reason …`: remove what a job made."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import clock, ids
from core.errors import ApiError
from media.buckets import StorageUnavailable
from media.keys import job_of_output
from media.services.take_down import take_down


class Command(BaseCommand):
    """Take a job's files down."""

    help = "Delete the files of an ended job at once, for good; who did it, when and why is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which job, and why."""
        parser.add_argument("job", help="job_…, or the URL of one of its outputs")
        parser.add_argument("--reason", required=True, help="kept for operators; the account is not told")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take down and say how much.

        Raises:
            CommandError: there is no such job, it has not ended, or the bucket does not answer.
        """
        try:
            deleted = take_down(
                job_id=_job_id(options["job"]), actor_id=None, reason=options["reason"], now=clock.now()
            )
        except StorageUnavailable:
            raise CommandError("It is recorded; the files are deleted as soon as the bucket answers.") from None
        except ApiError as error:
            raise CommandError(error.message) from None
        self.stdout.write(f"{deleted} files are deleted.")


def _job_id(name: str) -> UUID:
    found = ids.decode(ids.JOB, name) or job_of_output(name)
    if found is None:
        raise CommandError(f"{name} is neither a job's id nor the URL of an output")
    return found
