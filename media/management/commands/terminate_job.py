"""`manage.py terminate_job <job_…> --reason …`: end a waiting or running job; nothing is billed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import clock, ids
from core.errors import ApiError
from media.services.terminate_job import terminate_job


class Command(BaseCommand):
    """Terminate a job."""

    help = "End a waiting or running job: its hold is released, its callback is sent, nothing is billed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which job, and why."""
        parser.add_argument("job", help="job_…")
        parser.add_argument("--reason", required=True, help="kept in the job's history, for operators")

    def handle(self, *args: Any, **options: Any) -> None:
        """Terminate and say so.

        Raises:
            CommandError: there is no such job, or it has ended otherwise.
        """
        job_id = ids.decode(ids.JOB, options["job"])
        if job_id is None:
            raise CommandError(f"{options['job']} is not a job's id")
        try:
            done = terminate_job(job_id=job_id, actor_id=None, reason=options["reason"], now=clock.now())
        except ApiError as error:
            raise CommandError(error.message) from None
        self.stdout.write(f"{options['job']} is terminated." if done else f"{options['job']} was terminated before.")
