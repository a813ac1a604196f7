"""The Celery application that Flower watches: the pools' queues, known before any worker has answered."""

import os

from celery import Celery
from kombu import Exchange, Queue

from workers.protocol import names
from workers.protocol.pools import pools

app = Celery("killatamata", broker=os.environ.get("CELERY_BROKER_URL"))
app.conf.task_queues = [
    Queue(name, Exchange(name, type="direct"), routing_key=name) for name in map(names.queue, pools())
]
app.conf.task_default_queue = app.conf.task_queues[0].name
