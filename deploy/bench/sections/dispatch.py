"""Dispatch: how soon a worker holds a job that arrives while nothing else happens."""

import random
import time

from deploy.bench import traffic
from deploy.bench.client import send_all
from deploy.bench.report import Section, Table, Target, number
from deploy.bench.series import RunInvalid, percentile
from deploy.bench.size import WORKER_SLOTS, Size
from deploy.bench.stage import Stage

ACCOUNT = 90
PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 20.0

# The hold's time is the clock when the last statement of the submit's transaction ran: its commit follows at once.
# `claimed_at` is the clock when the worker's claim reached the control plane.
_TIMES = """
SELECT extract(epoch FROM attempt.published_at - hold.created_at) * 1000,
    extract(epoch FROM attempt.claimed_at - attempt.published_at) * 1000,
    extract(epoch FROM attempt.claimed_at - hold.created_at) * 1000,
    extract(epoch FROM job.finished_at - job.created_at) * 1000
FROM media_job job
JOIN media_attempt attempt ON attempt.job_id = job.id
JOIN billing_transfer hold ON hold.reference = 'job:' || job.id || ':hold' AND hold.leg = 0
WHERE job.account_id = %s AND job.status = 'completed' ORDER BY job.id DESC LIMIT %s
"""
_STEPS = (
    "submit committed → published",
    "published → claimed",
    "submit committed → claimed",
    "submit received → completion received",
)


def dispatch(stage: Stage, size: Size) -> Section:
    """One job after another, each into an idle platform."""
    stage.start_worker(slots=WORKER_SLOTS)
    try:
        for _ in range(size.single_jobs + 2):
            _one(stage)
        with stage.database() as connection:
            rows = connection.execute(_TIMES, [traffic.account_uuid(ACCOUNT), size.single_jobs]).fetchall()
    finally:
        stage.stop_worker()
    times = {step: [float(row[place]) for row in rows] for place, step in enumerate(_STEPS)}
    found = {
        step: {f"p{percent}": percentile(each, percent) for percent in (50, 95, 99)} for step, each in times.items()
    }
    table = Table(
        title="Dispatch while idle",
        columns=("", "p50 ms", "p95 ms", "p99 ms"),
        rows=[[step, *(number(one) for one in each.values())] for step, each in found.items()],
        notes=[
            f"{len(rows)} single jobs with pauses. “Committed” is the clock inside the transaction's last statement: "
            "the flush of its commit and the 201's way back are in the figure;",
            "“claimed” is the worker's claim arriving at the control plane, before its own commit.",
        ],
    )
    claimed = found[_STEPS[2]]
    return Section(
        tables=[table],
        targets=[
            Target(name="dispatch while idle, p50", measured=claimed["p50"], wanted=20, at_most=True, unit="ms"),
            Target(name="dispatch while idle, p95", measured=claimed["p95"], wanted=60, at_most=True, unit="ms"),
        ],
        figures=found,
    )


def _one(stage: Stage) -> None:
    send_all(stage.port, [[traffic.submit(stage.keys[ACCOUNT])]])
    deadline = time.monotonic() + PATIENCE_SECONDS
    with stage.database() as connection:
        while stage.open_jobs(connection):
            if time.monotonic() > deadline:
                raise RunInvalid(f"a single job was not settled after {PATIENCE_SECONDS:g} s")
            time.sleep(0.01)
    time.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # or the submits would fall into step with the steward's polls
