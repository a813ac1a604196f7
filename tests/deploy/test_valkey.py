"""The broker's two users: a worker can work, and can do nothing else."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy.embedded import EmbeddedServers

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def addresses(embedded_servers: EmbeddedServers) -> dict[str, str]:
    return embedded_servers.environment()


@pytest.fixture
def worker(addresses: dict[str, str]) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(addresses["WORKER_BROKER_URL"]) as client:
        yield client


@pytest.fixture
def control(addresses: dict[str, str]) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(addresses["REDIS_URL"]) as client:
        yield client


@pytest.mark.parametrize("events", [(), ("--task-events",)])
def test_a_celery_worker_runs_with_the_worker_user(
    addresses: dict[str, str], control: redis.Redis, tmp_path: Path, events: tuple[str, ...]
) -> None:
    """Takes a task from a pool's queue, acknowledges it, answers an operator's ping and ends on SIGTERM."""
    environment = {"PATH": os.environ["PATH"], "CELERY_BROKER_URL": addresses["WORKER_BROKER_URL"]}
    command = [sys.executable, "-m", "celery", "-A", "tests.deploy.queue_probe", "worker", "--queues", "pool.probe"]
    command += ["--concurrency", "1", "--hostname", "probe@test", "--without-gossip", "--without-mingle", *events]
    log = tmp_path / "worker.log"
    with open(log, "wb") as output:
        running = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        mark = tmp_path / "mark"
        with Celery("control", broker=addresses["REDIS_URL"]) as app:
            app.send_task("probe.mark", kwargs={"path": str(mark)}, queue="pool.probe", ignore_result=True)
            wait_until(mark.exists, log)
            wait_until(lambda: not control.hlen("unacked"), log)
            assert app.control.ping(destination=["probe@test"], timeout=5) == [{"probe@test": {"ok": "pong"}}]
        running.terminate()
        assert running.wait(20) == 0
    finally:
        running.kill()
        running.wait()
    written = log.read_text()
    assert "NOPERM" not in written, written
    assert "NoPermission" not in written, written
    assert control.llen("pool.probe") == 0


@pytest.mark.parametrize(
    "command",
    [
        ("GET", "ratelimit:key_1"),
        ("SET", "ratelimit:key_1", "0"),
        ("DEL", "ratelimit:key_1"),
        ("GET", "nonce:n1"),
        ("KEYS", "*"),
        ("SCAN", "0"),
        ("FLUSHALL",),
        ("FLUSHDB",),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
        ("SHUTDOWN",),
        ("DEBUG", "SLEEP", "0"),
        ("MONITOR",),
        ("CLIENT", "LIST"),
        ("CLIENT", "KILL", "TYPE", "normal"),
        ("SAVE",),
        ("REPLICAOF", "127.0.0.1", "1"),
        ("MODULE", "LIST"),
        ("SCRIPT", "FLUSH"),
        ("FUNCTION", "LIST"),
        ("COPY", "ratelimit:key_1", "pool.image"),
        ("RENAME", "pool.image", "ratelimit:key_1"),
        ("EVAL", "return redis.call('GET', KEYS[1])", "1", "ratelimit:key_1"),
        ("EVAL", "return redis.call('GET', 'ratelimit:key_1')", "0"),
        ("SUBSCRIBE", "somebody-elses-channel"),
        ("PSUBSCRIBE", "*"),
    ],
    ids=" ".join,
)
def test_the_worker_user_is_refused_everything_else(
    worker: redis.Redis, control: redis.Redis, command: tuple[str, ...]
) -> None:
    control.set("ratelimit:key_1", "7")
    control.delete("pool.image")
    with pytest.raises(redis.ResponseError, match=r"(?i)no permissions|can't access|not allowed|NOPERM"):
        worker.execute_command(*command)
    assert control.get("ratelimit:key_1") == b"7"


def test_nobody_gets_in_without_a_password(embedded_servers: EmbeddedServers) -> None:
    port = embedded_servers["valkey"].port
    with (
        redis.Redis(host="127.0.0.1", port=port, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def wait_until(condition: Callable[[], bool], log: Path, *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
