"""A job's history: appended in the transaction of what happened."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

FIRST = 1


def append_event(*, job_id: UUID, type: str, now: datetime, data: dict[str, Any] | None = None) -> None:
    """Write the next line of the job's history.

    The caller holds the job's row (it has just moved it), so two writers cannot draw the same number.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO media_jobevent (job_id, seq, type, data, at) "
            "SELECT %s, coalesce(max(seq), 0) + 1, %s, %s::jsonb, %s FROM media_jobevent WHERE job_id = %s",
            [job_id, type, json.dumps(data or {}), now, job_id],
        )
