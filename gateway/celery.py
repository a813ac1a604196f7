"""The wire to the workers. The dispatcher publishes on it; nothing else does."""

from celery import Celery
from django.conf import settings

from workers.protocol import names
from workers.protocol.envelope import AttemptMessage

app = Celery("killatamata", broker=settings.CELERY_BROKER_URL, set_as_current=False)
app.conf.update(
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_create_missing_queues=True,
    broker_connection_timeout=3,
    broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 3},
    task_publish_retry=False,
)


def publish(message: AttemptMessage) -> None:
    """Put one attempt's message into its pool's queue. Raises the broker's own errors."""
    app.send_task(names.RUN_ATTEMPT, kwargs=message.model_dump(mode="json"), queue=names.queue(message.pool))
