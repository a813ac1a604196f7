"""The Celery application of a node: its one task, its heartbeat."""

import logging
import threading
from typing import Any

import psutil
from celery import Celery, Task
from celery.exceptions import Reject
from celery.signals import worker_ready, worker_shutting_down
from kombu import Exchange, Queue

from workers import runtime
from workers.control_client import ControlClient, ControlPlaneAway, Refused
from workers.protocol import names
from workers.protocol.claim import Heartbeat, NodeGreeting
from workers.protocol.envelope import AttemptMessage
from workers.settings import WorkerSettings

GREETING_PATIENCE_SECONDS = 300.0
HAND_BACK_PAUSE_SECONDS = 2.0
_log = logging.getLogger(__name__)


def make_app(settings: WorkerSettings) -> Celery:
    """Greet the control plane (waiting for it if it must be) and build the node's Celery application.

    Raises:
        Refused: the control plane does not know this node.
        ControlPlaneAway: it did not answer for minutes.
    """
    control = ControlClient(api_base=settings.api_base, credential=settings.credential)
    greeting = control.greet(patience=GREETING_PATIENCE_SECONDS)
    node = runtime.Node(control=control, credential=settings.credential)
    app = Celery("workers", broker=settings.broker_url)
    app.conf.update(
        task_queues=[_queue(pool) for pool in greeting.pools],
        task_default_queue=names.queue(greeting.pools[0]) if greeting.pools else names.queue("none"),
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_pool="threads",
        worker_concurrency=settings.slots,
        worker_send_task_events=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # A message is lost with its worker only until its attempt's lease ends; redelivery by the broker is a net.
        broker_transport_options={"visibility_timeout": 3600, "socket_timeout": 30, "socket_connect_timeout": 5},
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )

    @app.task(name=names.RUN_ATTEMPT, bind=True, shared=False)
    def run_attempt(self: Task, **message: Any) -> str:
        try:
            return runtime.run(AttemptMessage.model_validate(message), node)
        except runtime.HandBack as error:
            _log.warning("handing attempt back: %s", error)
            threading.Event().wait(HAND_BACK_PAUSE_SECONDS)
            raise Reject(str(error), requeue=True) from error

    _beat(node, greeting, settings)
    return app


def _queue(pool: str) -> Queue:
    """The pool's own queue behind its own exchange: with Celery's shared one a message would reach every pool."""
    name = names.queue(pool)
    return Queue(name, Exchange(name, type="direct"), routing_key=name)


def _beat(node: runtime.Node, greeting: NodeGreeting, settings: WorkerSettings) -> None:
    """Say that the node lives while its worker runs; stop what the control plane wants stopped."""
    ended = threading.Event()
    process = psutil.Process()

    def beat(slots: int) -> None:
        heartbeat = Heartbeat(slots=slots, running=list(node.running), memory_bytes=process.memory_info().rss)
        try:
            answer = node.control.heartbeat(heartbeat)
        except (ControlPlaneAway, Refused) as error:
            _log.warning("heartbeat: %s", error)
            return
        for attempt_id in answer.cancel:
            lease = node.running.get(attempt_id)
            if lease is not None:
                lease.stop()

    def keep_beating() -> None:
        while True:
            beat(settings.slots)
            if ended.wait(greeting.heartbeat_seconds):
                return

    @worker_ready.connect(weak=False)
    def start(**_: Any) -> None:
        threading.Thread(target=keep_beating, name="heartbeat", daemon=True).start()

    @worker_shutting_down.connect(weak=False)
    def stop(**_: Any) -> None:
        ended.set()
        beat(0)
