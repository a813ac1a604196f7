"""A Celery application for test_valkey: one task on a pool's queue that leaves a mark."""

import os
from pathlib import Path

from celery import Celery

app = Celery("queue_probe", broker=os.environ["CELERY_BROKER_URL"])
app.conf.update(task_serializer="json", accept_content=["json"], task_acks_late=True, worker_hijack_root_logger=False)


@app.task(name="probe.mark")
def mark(*, path: str) -> None:
    Path(path).write_text("done")
