"""Whole no-op jobs: how many a second go from submit to settled, and what a job costs each process."""

import time

from deploy.bench import traffic
from deploy.bench.client import send_all
from deploy.bench.report import Section, Table, Target, number
from deploy.bench.series import RunInvalid, percentile
from deploy.bench.size import WORKER_SLOTS, Size
from deploy.bench.stage import FLOOR, Database, Stage

SUBMITTERS = 8
"""Connections that submit, each for an account of its own."""
LOOK_SECONDS = 0.02
WARM_UP_JOBS = 48


def jobs(stage: Stage, size: Size) -> Section:
    """A closed loop: never more than `jobs_in_flight` unsettled."""
    stage.start_worker(slots=WORKER_SLOTS)
    try:
        _run(stage, WARM_UP_JOBS, size)
        before = stage.cpu()
        seconds = _run(stage, size.jobs, size)
        used = stage.cpu().since(before)
        waits = _lives(stage, size.jobs)
    finally:
        stage.stop_worker()
    rate = size.jobs / seconds
    milliseconds = {name: spent * 1000 / size.jobs for name, spent in used.items() if name != FLOOR}
    total = sum(milliseconds.values())
    rows = [[name, number(one), f"{one / total:.0%}"] for name, one in milliseconds.items()]
    costs = Table(
        title="CPU a job, by process",
        columns=("", "ms a job", "part"),
        rows=[*sorted(rows, key=lambda row: -float(row[1].replace(" ", ""))), ["together", number(total), "100%"]],
        notes=[f"{total * rate / 1000:.1f} processors were busy on average."],
    )
    whole = Table(
        title="Whole no-op jobs, submit to settled",
        columns=("", "jobs", "seconds", "jobs /s", "p50 s", "p95 s"),
        rows=[
            [
                f"{size.jobs_in_flight} in flight, {WORKER_SLOTS} slots",
                number(size.jobs),
                number(seconds),
                number(rate),
                number(percentile(waits, 50)),
                number(percentile(waits, 95)),
            ]
        ],
        notes=["The seconds of one job are nearly all waiting: the loop keeps the queue full on purpose."],
    )
    return Section(
        tables=[whole, costs],
        targets=[Target(name="no-op jobs, submit to settled", measured=rate, wanted=60, unit="/s")],
        figures={"rate": rate, "seconds": seconds, "jobs": size.jobs, "cpu_ms_a_job": milliseconds},
    )


def _run(stage: Stage, wanted: int, size: Size) -> float:
    """Submit `wanted` jobs and wait until all are settled; how long that took.

    Raises:
        RunInvalid: they were not settled in time, or one did not complete.
    """
    with stage.database() as connection:
        while stage.open_jobs(connection):  # what an earlier section left on its way must not be counted as ours
            time.sleep(LOOK_SECONDS)
        started = time.perf_counter()
        submitted = 0
        done_before = _completed(connection)
        while True:
            unsettled = stage.open_jobs(connection)
            if submitted == wanted and not unsettled:
                break
            if time.perf_counter() - started > size.job_limit_seconds:
                raise RunInvalid(f"{unsettled} of {wanted} jobs are not settled after {size.job_limit_seconds:g} s")
            room = min(wanted - submitted, size.jobs_in_flight - unsettled)
            if room > 0:
                _submit(stage, room)
                submitted += room
            time.sleep(LOOK_SECONDS)
        seconds = time.perf_counter() - started
        completed = _completed(connection) - done_before
    if completed != wanted:
        raise RunInvalid(f"{wanted - completed} of {wanted} jobs did not complete")
    return seconds


def _submit(stage: Stage, count: int) -> None:
    shares = [count // SUBMITTERS + (number < count % SUBMITTERS) for number in range(SUBMITTERS)]
    streams = [
        [traffic.submit(key)] * share for key, share in zip(stage.keys[:SUBMITTERS], shares, strict=True) if share
    ]
    send_all(stage.port, streams)


def _completed(connection: Database) -> int:
    row = connection.execute("SELECT count(*) FROM media_job WHERE status = 'completed'").fetchone()
    assert row is not None
    return int(row[0])


def _lives(stage: Stage, count: int) -> list[float]:
    """Seconds from submit to end of the latest completed jobs."""
    with stage.database() as connection:
        rows = connection.execute(
            "SELECT extract(epoch FROM finished_at - created_at)::float FROM media_job "
            "WHERE status = 'completed' ORDER BY id DESC LIMIT %s",
            [count],
        ).fetchall()
    return [seconds for (seconds,) in rows]
