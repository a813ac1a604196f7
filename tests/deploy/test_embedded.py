"""Kills, stale files, orphans and second instances: what a power cut or a hasty operator leaves behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from deploy.embedded import DataFolderInUse, EmbeddedServers
from deploy.embedded.postgres import SETTINGS
from deploy.process import StartFailed

ROOT = Path(__file__).resolve().parents[2]
NO_BUCKET = {"S3_ENDPOINT_URL": "http://127.0.0.1:9", "PATH": os.environ["PATH"]}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that PostgreSQL's user may enter (pytest's own tmp_path is private to its owner)."""
    with tempfile.TemporaryDirectory(prefix="embedded test ") as name:  # with a space: paths are never split
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def servers(folder: Path) -> Iterator[EmbeddedServers]:
    instance = EmbeddedServers(folder, port_choice="any", env=NO_BUCKET)
    with instance:
        yield instance
    instance.wipe()


def note(servers: EmbeddedServers, text: str) -> None:
    with psycopg.connect(servers.environment()["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (text text)")
        connection.execute("INSERT INTO note VALUES (%s)", [text])


def notes(servers: EmbeddedServers) -> list[str]:
    with psycopg.connect(servers.environment()["DATABASE_URL"]) as connection:
        return [text for (text,) in connection.execute("SELECT text FROM note ORDER BY text").fetchall()]


def test_postgres_keeps_what_it_committed_through_a_kill(servers: EmbeddedServers) -> None:
    note(servers, "before")
    first = servers["postgres"].pid
    servers["postgres"].kill()
    assert not servers["postgres"].alive
    servers["postgres"].start()
    note(servers, "after")
    assert notes(servers) == ["after", "before"]
    assert servers["postgres"].pid != first


def test_postgres_starts_although_a_stranger_was_given_its_old_pid(servers: EmbeddedServers) -> None:
    note(servers, "kept")
    servers["postgres"].kill()
    lock = servers["postgres"].data / "postmaster.pid"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    servers["postgres"].start()
    assert notes(servers) == ["kept"]


def test_postgres_is_durable_and_wants_a_password(servers: EmbeddedServers) -> None:
    url = servers.environment()["DATABASE_URL"]
    with psycopg.connect(url) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {name}").fetchone() == ("on",)
        assert connection.execute("SHOW max_connections").fetchone() == (SETTINGS["max_connections"],)
        assert connection.execute("SHOW password_encryption").fetchone() == ("scram-sha-256",)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=servers["postgres"].port, user="postgres", password="wrong")


def test_a_wiped_valkey_comes_back_empty_with_the_same_users(servers: EmbeddedServers) -> None:
    url = servers.environment()["REDIS_URL"]
    with redis.Redis.from_url(url) as client:
        client.set("some", "thing")
    with pytest.raises(RuntimeError, match="running"):
        servers["valkey"].wipe()
    servers["valkey"].kill()
    servers["valkey"].wipe()
    servers["valkey"].start()
    with redis.Redis.from_url(url) as client:
        assert client.get("some") is None
        assert client.acl_whoami() == "control"


def test_valkey_keeps_its_append_only_file_through_a_stop(servers: EmbeddedServers) -> None:
    url = servers.environment()["REDIS_URL"]
    with redis.Redis.from_url(url) as client:
        client.set("some", "thing")
    servers["valkey"].restart()
    with redis.Redis.from_url(url) as client:
        assert client.get("some") == b"thing"


def test_one_folder_belongs_to_one_instance(servers: EmbeddedServers, folder: Path) -> None:
    pid = servers["postgres"].pid
    with pytest.raises(DataFolderInUse):
        EmbeddedServers(folder, port_choice="any", env=NO_BUCKET).start()
    assert servers["postgres"].pid == pid
    assert servers["postgres"].check() is None


def test_a_server_that_cannot_start_says_why_and_stops_the_others(folder: Path) -> None:
    servers = EmbeddedServers(folder, port_choice="any", env=NO_BUCKET)
    with servers:
        data, pid = servers["postgres"].data.resolve(), servers["valkey"].pid
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(StartFailed, match="postgres ended with code 1"):
        servers.start()
    assert not psutil.pid_exists(pid or 0)
    assert not list(folder.glob("*.pid"))
    servers.wipe()


def test_secrets_are_private_and_the_same_at_the_next_start(folder: Path) -> None:
    servers = EmbeddedServers(folder, port_choice="any", env={**NO_BUCKET, "DATABASE_URL": "postgres://x"})
    with servers:
        first = servers.environment()
    with servers:
        second = servers.environment()
    assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert (folder / "valkey-users.acl").stat().st_mode & 0o777 == 0o600
    for name in ("SECRET_KEY", "API_KEY_PEPPER", "NODE_MASTER_KEY", "DATA_ENCRYPTION_KEYS"):
        assert first[name] == second[name]


def test_each_server_is_replaced_by_its_setting(folder: Path) -> None:
    real = {
        "DATABASE_URL": "postgres://real/db",
        "S3_ENDPOINT_URL": "https://real.example",
        "S3_ACCESS_KEY": "real",
        "CDN_BASE_URL": "https://cdn.example",
    }
    with EmbeddedServers(folder, port_choice="any", env=real) as servers:
        assert list(servers.servers) == ["valkey"]
        assert {name: servers.environment()[name] for name in real} == real
    with EmbeddedServers(folder, port_choice="any", env={**real, "REDIS_URL": "redis://real/0"}) as servers:
        assert servers.servers == {}
        assert servers.environment()["WORKER_BROKER_URL"] == "redis://real/0"


START_AND_SLEEP = """
import json, sys, time
from pathlib import Path
from deploy.embedded import EmbeddedServers
servers = EmbeddedServers(Path(sys.argv[1]), port_choice="any", env={"S3_ENDPOINT_URL": "http://127.0.0.1:9"})
servers.start()
print(json.dumps([server.pid for server in servers.servers.values()]), flush=True)
time.sleep(600)
"""


@pytest.mark.soak
def test_servers_end_with_a_killed_supervisor_and_start_again_on_the_same_data(folder: Path) -> None:
    command = [sys.executable, "-c", START_AND_SLEEP, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pids = json.loads(supervisor.stdout.readline())
        orphans = [psutil.Process(pid) for pid in pids]
        supervisor.send_signal(signal.SIGKILL)
    gone, alive = psutil.wait_procs(orphans, timeout=20)
    assert (len(gone), alive) == (2, [])
    servers = EmbeddedServers(folder, port_choice="any", env=NO_BUCKET)
    with servers:
        note(servers, "again")
        assert notes(servers) == ["again"]
    servers.wipe()
