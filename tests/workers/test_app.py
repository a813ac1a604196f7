"""`python -m workers` as a process of its own, with the broker's worker user, and what must survive its death."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from celery.exceptions import Reject
from celery.signals import worker_ready, worker_shutting_down

from billing.selectors import balance
from core import clock
from deploy.embedded import EmbeddedServers
from gateway import celery
from media import reaper
from media.fleet.selectors import pool_states
from media.models import Attempt, Job, Node
from media.worker_api import views
from tests.workers import jobs
from tests.workers.conftest import Connect
from tests.workers.control_plane import ATTEMPT, CREDENTIAL, ControlPlane, say
from workers import __main__ as command
from workers import app as node_app
from workers.control_client import ControlPlaneAway, Refused
from workers.protocol import names
from workers.protocol.pools import pools
from workers.protocol.signing import NodeCredential
from workers.settings import NotConfigured, WorkerSettings

ROOT = Path(__file__).resolve().parents[2]


def wait_until(condition: Callable[[], Any], process: "Worker", *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.popen.poll() is None, process.log
        assert time.monotonic() < deadline, process.log
        time.sleep(0.02)


class Worker:
    """The node's process; its environment holds what a third party's node would be given and nothing else."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self._log = folder / "worker.log"
        with self._log.open("wb") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "workers"],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()


@pytest.fixture
def broker(embedded_servers: EmbeddedServers) -> Iterator[redis.Redis]:
    """The broker as its operator sees it, without messages before and after."""

    def sweep() -> None:
        left = [key for pattern in ("pool.*", "unacked*") for key in client.scan_iter(pattern)]
        if left:
            client.delete(*left)

    with redis.Redis.from_url(embedded_servers.environment()["REDIS_URL"]) as client:
        sweep()
        yield client
        sweep()


@pytest.fixture
def worker(
    transactional_db: None, live_server: Any, broker: redis.Redis, embedded_servers: EmbeddedServers, tmp_path: Path
) -> Iterator[Worker]:
    """A node of one slot that has said that it lives."""
    credential = jobs.a_node()
    process = Worker(
        tmp_path,
        BROKER_URL=embedded_servers.environment()["WORKER_BROKER_URL"],
        API_BASE=live_server.url,
        NODE_SECRET=credential.token(),
        WORKER_SLOTS="1",
    )
    try:
        wait_until(lambda: Node.objects.filter(slots=1, last_seen_at__isnull=False).exists(), process)
        yield process
        assert credential.token().rpartition(".")[2] not in process.log
    finally:
        process.popen.kill()
        process.popen.wait()


class Gate:
    """Holds the worker's call inside the control plane until the test lets it go, well or with an error."""

    def __init__(self, service: Callable[..., Any]) -> None:
        self.reached, self._open = threading.Event(), threading.Event()
        self._service, self._error = service, False

    def __call__(self, **arguments: Any) -> Any:
        self.reached.set()
        assert self._open.wait(60)
        if self._error:
            raise ConnectionAbortedError("the web process dies with the answer")
        return self._service(**arguments)

    def open(self, *, error: bool = False) -> None:
        self._error = error
        self._open.set()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Gate]]:
    gates: list[Gate] = []

    def put(name: str) -> Gate:
        gates.append(Gate(getattr(views, name)))
        monkeypatch.setattr(views, name, gates[-1])
        return gates[-1]

    yield put
    for gate in gates:
        gate.open(error=True)


def dispatch() -> int:
    return jobs.dispatch(celery.publish)


def is_over(job: Job) -> bool:
    job.refresh_from_db()
    return job.status not in {"queued", "processing"}


def money(job: Job) -> tuple[int, int]:
    view = balance(account_id=job.account_id)
    return view.available, view.held


def test_a_node_takes_jobs_and_is_seen_by_its_operators(worker: Worker, broker: redis.Redis) -> None:
    states = pool_states(now=clock.now())
    assert {name: (state.live_nodes, state.slots) for name, state in states.items()} == dict.fromkeys(states, (1, 1))
    node = Node.objects.get()
    assert (node.pk, node.slots) == (jobs.NODE, 1)
    assert node.memory_bytes > 10_000_000

    several = [jobs.submit("diagnostic.noop", {}) for _ in range(3)]
    assert dispatch() == 3
    for job in several:
        wait_until(partial(is_over, job), worker)
        assert (job.status, job.outputs[0]["bytes"]) == ("completed", 1)
        assert jobs.attempts(job) == [(1, "succeeded", "")]
        assert money(job) == (jobs.DEPOSIT - 1, 0)
    wait_until(lambda: not broker.hlen("unacked"), worker)
    assert broker.llen("pool.diagnostic") == 0
    assert dispatch() == 0

    # What Flower asks.
    control = celery.app.control
    (answer,) = control.ping(timeout=5, limit=1)
    ((name, pong),) = answer.items()
    assert name.startswith(f"{jobs.NODE}@")
    assert pong == {"ok": "pong"}
    queues = control.inspect([name], timeout=5, limit=1).active_queues()
    assert sorted(queue["name"] for queue in queues[name]) == sorted(map(names.queue, pools()))
    registered = control.inspect([name], timeout=5, limit=1).registered()
    assert registered == {name: [names.RUN_ATTEMPT]}

    for unwanted in ("NOPERM", "NoPermission", "Traceback", "X-Amz-Signature", "redis://worker:"):
        assert unwanted not in re.sub(r"redis://worker:\*\*@", "", worker.log)


def test_sigterm_finishes_what_runs_takes_nothing_new_and_exits_well(
    worker: Worker, broker: redis.Redis, gate: Callable[[str], Gate]
) -> None:
    uploads = gate("grant_uploads")
    running = jobs.submit("diagnostic.noop", {})
    assert dispatch() == 1
    assert uploads.reached.wait(30), worker.log
    worker.popen.terminate()
    wait_until(lambda: not Node.objects.get().slots, worker)
    waiting = jobs.submit("diagnostic.noop", {})
    assert dispatch() == 0  # a node that leaves has no slots
    assert worker.popen.poll() is None
    uploads.open()
    assert worker.popen.wait(30) == 0, worker.log
    assert is_over(running)
    assert (running.status, money(running)) == ("completed", (jobs.DEPOSIT - 1, 0))
    assert jobs.attempts(running) == [(1, "succeeded", "")]
    assert jobs.attempts(waiting) == [(1, "ready", "")]
    assert broker.hlen("unacked") == 0


def test_an_attempt_whose_worker_was_killed_is_tried_again_after_its_lease(
    worker: Worker, gate: Callable[[str], Gate]
) -> None:
    uploads = gate("grant_uploads")
    job = jobs.submit("diagnostic.noop", {})
    assert dispatch() == 1
    assert uploads.reached.wait(30), worker.log
    worker.popen.kill()
    worker.popen.wait()
    uploads.open(error=True)

    assert reaper.reap(now=clock.now()) == 0
    assert jobs.attempts(job) == [(1, "running", "")]
    later = clock.now() + timedelta(seconds=60)
    assert reaper.reap(now=later) == 1
    assert reaper.reap(now=later) == 0
    assert jobs.attempts(job) == [(1, "failed", "node_lost"), (2, "ready", "")]
    assert jobs.history(job) == ["queued", "started", "retry"]
    job.refresh_from_db()
    assert (job.status, job.outputs, money(job)) == ("queued", [], (jobs.DEPOSIT - 1, 1))


def test_a_result_stored_before_the_worker_was_killed_completes_the_job(
    worker: Worker, gate: Callable[[str], Gate]
) -> None:
    complete = gate("complete_attempt")
    job = jobs.submit("diagnostic.noop", {})
    assert dispatch() == 1
    assert complete.reached.wait(30), worker.log
    worker.popen.kill()
    worker.popen.wait()
    complete.open(error=True)

    assert jobs.attempts(job) == [(1, "running", "")]
    later = clock.now() + timedelta(seconds=60)
    assert reaper.reap(now=later) == 1
    assert reaper.reap(now=later) == 0
    assert jobs.attempts(job) == [(1, "succeeded", "")]
    assert jobs.history(job) == ["queued", "started", "completed"]
    job.refresh_from_db()
    assert (job.status, job.result, money(job)) == ("completed", {"engine": "noop"}, (jobs.DEPOSIT - 1, 0))
    assert len(job.outputs) == 1
    assert Attempt.objects.get(job=job).finished_at == later


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, plane: ControlPlane) -> dict[str, str]:
    """A node's environment, complete and right."""
    whole = {
        "BROKER_URL": "redis://worker:password@127.0.0.1:1/0",
        "API_BASE": plane.url,
        "NODE_SECRET": CREDENTIAL.token(),
        "WORKER_SLOTS": "3",
    }
    for name, value in whole.items():
        monkeypatch.setenv(name, value)
    return whole


class TestStart:
    @pytest.fixture(autouse=True)
    def never_runs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(settings: WorkerSettings) -> None:
            pytest.fail("a node without right settings went on")

        monkeypatch.setattr(command, "make_app", refuse)

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"API_BASE": ""}, "set API_BASE (see workers/README.md)"),
            (
                {"BROKER_URL": "", "API_BASE": "", "NODE_SECRET": ""},
                "set BROKER_URL, API_BASE, NODE_SECRET (see workers/README.md)",
            ),
            ({"API_BASE": "localhost:8000"}, "API_BASE must start with http:// or https://, not 'localhost:8000'"),
            ({"WORKER_SLOTS": "many"}, "WORKER_SLOTS must be a number from 1 to 999, not 'many'"),
            ({"WORKER_SLOTS": "0"}, "WORKER_SLOTS must be a number from 1 to 999, not '0'"),
            ({"NODE_SECRET": "nonsense"}, "NODE_SECRET must look like <node id>.<version>.<secret>"),
        ],
    )
    def test_wrong_settings_are_one_sentence(
        self,
        environment: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        plane: ControlPlane,
        wrong: dict[str, str],
        sentence: str,
    ) -> None:
        for name, value in wrong.items():
            monkeypatch.setenv(name, value)
        assert command.main() == 1
        assert capsys.readouterr().err == f"worker: {sentence}\n"
        assert plane.seen == []


def test_settings_as_they_are_read(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_BASE", f"{environment['API_BASE']}/")
    expected = WorkerSettings(
        broker_url=environment["BROKER_URL"], api_base=environment["API_BASE"], credential=CREDENTIAL, slots=3
    )
    assert WorkerSettings.from_environment() == expected
    monkeypatch.delenv("WORKER_SLOTS")
    assert WorkerSettings.from_environment().slots == os.cpu_count()
    monkeypatch.delenv("BROKER_URL")
    with pytest.raises(NotConfigured):
        WorkerSettings.from_environment()


def run_process(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workers"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_process_without_settings_exits_at_once() -> None:
    ended = run_process()
    assert ended.returncode == 1
    assert ended.stderr == "worker: set BROKER_URL, API_BASE, NODE_SECRET (see workers/README.md)\n"


def test_a_process_with_a_wrong_secret_exits_and_names_it() -> None:
    stranger = NodeCredential(node_id=CREDENTIAL.node_id, version=1, secret=b"?" * 32)
    with ControlPlane() as plane:
        ended = run_process(BROKER_URL="redis://127.0.0.1:1/0", API_BASE=plane.url, NODE_SECRET=stranger.token())
        assert len(plane.forged) == 1
    assert ended.returncode == 1
    sentence = "worker: the control plane did not take this node's NODE_SECRET: 401 unauthenticated: not signed\n"
    assert ended.stderr == sentence
    assert stranger.token() not in ended.stderr


class TestInProcess:
    """The application without a broker: its task, its heartbeat."""

    @pytest.fixture(autouse=True)
    def no_listeners_left(self) -> Iterator[None]:
        signals = (worker_ready, worker_shutting_down)
        before = [list(signal.receivers) for signal in signals]
        yield
        for signal, receivers in zip(signals, before, strict=True):
            signal.receivers[:] = receivers

    @pytest.fixture
    def settings(
        self, environment: dict[str, str], connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> WorkerSettings:
        monkeypatch.setattr(node_app, "ControlClient", connect)
        return WorkerSettings.from_environment()

    def test_the_queues_are_those_of_the_nodes_pools(self, settings: WorkerSettings) -> None:
        app = node_app.make_app(settings)
        assert [queue.name for queue in app.conf.task_queues] == ["pool.diagnostic", "pool.image"]
        assert app.conf.accept_content == ["json"]
        assert app.conf.task_acks_late is True
        assert app.conf.worker_concurrency == 3

    def test_the_task_ignores_arguments_of_a_newer_control_plane(
        self, plane: ControlPlane, settings: WorkerSettings
    ) -> None:
        task = node_app.make_app(settings).tasks[names.RUN_ATTEMPT]
        assert task(v=9, attempt_id=str(ATTEMPT), task="diagnostic.noop", pool="diagnostic", hint="new") == "completed"

    def test_an_unanswered_claim_puts_the_message_back(
        self, plane: ControlPlane, settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch, fake_time: Any
    ) -> None:
        monkeypatch.setattr(node_app, "HAND_BACK_PAUSE_SECONDS", 0)
        task = node_app.make_app(settings).tasks[names.RUN_ATTEMPT]
        plane.always["claim"] = say(503)
        with pytest.raises(Reject) as caught:
            task(attempt_id=str(ATTEMPT), task="diagnostic.noop", pool="diagnostic")
        assert caught.value.requeue is True

    def test_a_node_waits_minutes_for_its_control_plane_and_then_gives_up(
        self, plane: ControlPlane, settings: WorkerSettings, fake_time: Any
    ) -> None:
        plane.always["node"] = say(503)
        with pytest.raises(ControlPlaneAway):
            node_app.make_app(settings)
        assert 290 < sum(fake_time.pauses) <= 300
        plane.always["node"] = say(401, code="unauthenticated")
        with pytest.raises(Refused):
            node_app.make_app(settings)

    def test_heartbeats_from_ready_to_leaving(self, plane: ControlPlane, settings: WorkerSettings) -> None:
        node_app.make_app(settings)
        assert "heartbeat" not in plane.words
        plane.scripts["heartbeat"] = [say(503), say(200, v=1)]
        worker_ready.send(sender=None)
        plane.wait_for("heartbeat", times=3)
        worker_shutting_down.send(sender=None)
        for thread in threading.enumerate():
            if thread.name == "heartbeat":
                thread.join(20)
        beats = [seen.json for seen in plane.all("heartbeat")]
        assert [beat["slots"] for beat in beats[:3]] == [3, 3, 3]
        assert beats[-1]["slots"] == 0
        assert all(beat["memory_bytes"] > 10_000_000 and beat["running"] == [] for beat in beats)

    def test_a_heartbeat_names_what_runs_and_stops_what_it_is_told(
        self, plane: ControlPlane, settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stopped: list[str] = []
        nodes: list[Any] = []
        plain = node_app.runtime.Node

        def remember(**arguments: Any) -> Any:
            nodes.append(plain(**arguments))
            return nodes[-1]

        class Lease:
            def stop(self) -> None:
                stopped.append("stopped")

        monkeypatch.setattr(node_app.runtime, "Node", remember)
        node_app.make_app(settings)
        nodes[0].running[ATTEMPT] = Lease()
        other = "01980f2c-7b3a-7c11-8e55-000000000000"
        plane.scripts["heartbeat"] = [say(200, v=1, cancel=[other, str(ATTEMPT)])]
        worker_ready.send(sender=None)
        plane.wait_for("heartbeat", times=2)
        worker_shutting_down.send(sender=None)
        assert stopped == ["stopped"]
        assert plane.all("heartbeat")[0].json["running"] == [str(ATTEMPT)]
