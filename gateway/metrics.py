"""What the platform counts; web processes share their figures through PROMETHEUS_MULTIPROC_DIR when it is set."""

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from accounts.refusals import SIGN_IN_REFUSALS
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
        processes.register(SIGN_IN_REFUSALS)
    processes.register(_Database())
    return generate_latest(processes)


class _Database(Collector):
    """Gauges read from the database when they are asked for; no process keeps them."""

    def collect(self) -> Iterable[Metric]:
        """Live attempts, pools, events and callbacks waiting."""
        attempts = GaugeMetricFamily("killatamata_attempts", "Live attempts", labels=("pool", "status"))
        for pool, status, count in live_attempts():
            attempts.add_metric((pool, status), count)
        slots = GaugeMetricFamily("killatamata_pool_slots", "Slots of living nodes", labels=("pool",))
        nodes = GaugeMetricFamily("killatamata_pool_nodes", "Living nodes", labels=("pool",))
        for name, state in pool_states(now=clock.now()).items():
            slots.add_metric((name,), state.slots)
            nodes.add_metric((name,), state.live_nodes)
        waiting, dead = backlog()
        yield from (attempts, slots, nodes)
        yield GaugeMetricFamily("killatamata_outbox_events", "Control events waiting", value=waiting)
        yield GaugeMetricFamily("killatamata_dead_events", "Control events that failed too often", value=dead)
        yield GaugeMetricFamily(
            "killatamata_callbacks_pending", "Callbacks not delivered yet", value=pending_deliveries()
        )
