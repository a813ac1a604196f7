"""What the platform counts; web processes share their figures through PROMETHEUS_MULTIPROC_DIR when it is set."""

import os

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest, multiprocess

from core import clock
from core.outbox.services import backlog
from core.webhooks.selectors import pending_deliveries
from media.fleet.selectors import pool_states
from media.selectors import live_attempts

REQUESTS = Histogram(
    "killatamata_http_request_seconds",
    "Time to answer, by method, route and status",
    ("method", "route", "status"),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)


def exposition() -> bytes:
    """Everything in Prometheus' text format: counters of the processes, gauges read now from the database."""
    processes = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.MultiProcessCollector(processes)
    else:
        processes.register(REQUESTS)
    return generate_latest(processes) + generate_latest(_database_gauges())


def _database_gauges() -> CollectorRegistry:
    registry = CollectorRegistry()
    attempts = Gauge("killatamata_attempts", "Live attempts", ("pool", "status"), registry=registry)
    for pool, status, count in live_attempts():
        attempts.labels(pool, status).set(count)
    slots = Gauge("killatamata_pool_slots", "Slots of living nodes", ("pool",), registry=registry)
    nodes = Gauge("killatamata_pool_nodes", "Living nodes", ("pool",), registry=registry)
    for name, state in pool_states(now=clock.now()).items():
        slots.labels(name).set(state.slots)
        nodes.labels(name).set(state.live_nodes)
    waiting, dead = backlog()
    Gauge("killatamata_outbox_events", "Control events waiting", registry=registry).set(waiting)
    Gauge("killatamata_dead_events", "Control events that failed too often", registry=registry).set(dead)
    Gauge("killatamata_callbacks_pending", "Callbacks not delivered yet", registry=registry).set(pending_deliveries())
    return registry
