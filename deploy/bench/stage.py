"""What every section measures on: the platform over a fresh data folder, and the floors beside it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import psycopg

from deploy import ports
from deploy.bench.pgbench import Pgbench
from deploy.bench.series import Series
from deploy.embedded import EmbeddedServers
from deploy.embedded.postgres import Postgres
from deploy.embedded.servers import REPLACED_BY
from deploy.platform import Platform
from deploy.platform.programs import ROOT, Program, Programs

FLOOR = "bare Django"
"""Its web process in the CPU figures; the platform's is `web`."""
Database = psycopg.Connection[tuple[Any, ...]]

FLOOR_DATABASE = "bench_floor"
PLACEHOLDER_NODE = "bench-placeholder"
"""A node that lives and takes nothing: submits are accepted (not 503) and no attempt is dispatched."""
ACCOUNTS = 96
HOT_ACCOUNT = 0
"""Account 0; the others of a hot run begin with OTHERS."""
OTHERS = 64
WEB_WORKERS, WEB_THREADS = 2, 8
UNLIMITED = "1000000000"


class NotOurServers(RuntimeError):
    """The environment names other servers; the bench measures the embedded ones, whose settings it knows."""


@dataclass(frozen=True)
class Cpu:
    """Seconds of processor time that each process and its children had used."""

    seconds: Mapping[str, float]

    def since(self, earlier: "Cpu") -> dict[str, float]:
        """What was used in between, by process."""
        return {name: used - earlier.seconds.get(name, 0.0) for name, used in self.seconds.items()}


class Stage:
    """The platform without its media worker, the floor database, the bare Django; all started on entering."""

    def __init__(self, data_dir: Path, *, say: Callable[[str], None]) -> None:
        replaced = [name for name in REPLACED_BY.values() if os.environ.get(name)]
        if replaced:
            raise NotOurServers(f"unset {', '.join(replaced)}: {NotOurServers.__doc__}")
        self._data_dir = data_dir
        self._say = say
        self._statements = data_dir / "statements.json"
        self.remove()  # figures of a first run and of a tenth must be alike
        self.platform = Platform(
            data_dir,
            env_overrides={
                "DIAGNOSTIC_TASKS": "1",
                **{f"RATE_LIMIT_{limited}": UNLIMITED for limited in ("WRITES", "READS", "WEBHOOKS")},
            },
            programs=("sandboxes", "web", "steward", "flower"),
            web_workers=WEB_WORKERS,
            web_threads=WEB_THREADS,
            port_choice="any",
            say=say,
        )
        self.keys: list[str] = []
        self.scripts: dict[str, str] = {}
        self.captured: dict[str, Any] = {}
        self._floor: Program | None = None
        self._worker: Program | None = None

    def __enter__(self) -> Self:
        self.platform.start()
        try:
            self._prepare()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def _prepare(self) -> None:
        self._say("preparing accounts, the floors and what they shall do …")
        with self.database("postgres") as connection:
            connection.execute(f'CREATE DATABASE "{FLOOR_DATABASE}"')
        floor_settings = self.environment(FLOOR_DATABASE)
        _run(["manage.py", "migrate", "--noinput", "--verbosity", "0"], floor_settings)
        _run(["-m", "deploy.bench.prepare", "accounts", str(ACCOUNTS)], floor_settings)
        self.keys = _told(["-m", "deploy.bench.prepare", "accounts", str(ACCOUNTS)], self.platform.environment)
        told = _told(
            ["-m", "deploy.bench.prepare", "capture", self.keys[0], PLACEHOLDER_NODE], self.platform.environment
        )
        self.captured, self.scripts = told["captured"], told["scripts"]
        self._statements.write_text(json.dumps(self.captured))
        port = ports.take(name="floor")
        programs = Programs(
            data_dir=self._data_dir / "floor",
            environment=floor_settings | {"BENCH_STATEMENTS": str(self._statements)},
        )
        floor = programs.web(port=port, workers=WEB_WORKERS, threads=WEB_THREADS)
        floor.command[floor.command.index("gateway.wsgi:application")] = "deploy.bench.floor.wsgi:application"
        floor.check = _listens(port)
        floor.start()
        self._floor, self.floor_port = floor, port

    def _stop(self) -> None:
        for program in (self._worker, self._floor):
            if program is not None:
                program.stop()
        self.platform.stop()

    def remove(self) -> None:
        """Delete the data, also those that had to lie outside the folder."""
        EmbeddedServers(self._data_dir, port_choice="any").wipe()

    @property
    def port(self) -> int:
        """Where the platform listens."""
        return int(self.platform.api_base.rsplit(":", 1)[1])

    @property
    def pgbench(self) -> Pgbench:
        """PostgreSQL's load generator on the floor's database."""
        postgres = self.platform.servers["postgres"]
        assert isinstance(postgres, Postgres)
        return Pgbench(binaries=postgres.binaries, database_url=self.url(FLOOR_DATABASE))

    def url(self, database: str) -> str:
        """The address of another database of the same server."""
        return self.platform.environment["DATABASE_URL"].rpartition("/")[0] + f"/{database}"

    def environment(self, database: str | None = None) -> dict[str, str]:
        """The platform's settings, with another database of the same server if one is named."""
        named = {} if database is None else {"DATABASE_URL": self.url(database)}
        return self.platform.environment | named

    def told(self, module: str, *arguments: str, database: str | None = None) -> Any:
        """What a module of ours prints as JSON, run with these settings."""
        return _told(["-m", module, *arguments], self.environment(database))

    def database(self, name: str | None = None) -> Database:
        """A connection to the platform's database, or to the named one; every statement commits."""
        url = self.platform.environment["DATABASE_URL"] if name is None else self.url(name)
        return psycopg.connect(url, autocommit=True)

    def start_worker(self, *, slots: int) -> None:
        """Start a real media worker and wait until the platform knows that it lives; the placeholder goes."""
        programs = Programs(data_dir=self._data_dir, environment=self.platform.environment)
        self._worker = programs.media_worker(concurrency=slots)
        self._worker.start()
        with self.database() as connection:
            connection.execute("UPDATE media_node SET disabled_at = now() WHERE id = %s", [PLACEHOLDER_NODE])
            deadline = time.monotonic() + 60
            while not self._count(connection, "SELECT count(*) FROM media_node WHERE slots = %s", slots):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"the media worker does not come up:\n{self._worker.log_tail()}")
                time.sleep(0.05)
        time.sleep(1.2)  # submits ask a picture of the pools that may be a second old

    def stop_worker(self) -> None:
        """Stop it; the placeholder lives again, so that submits go on being accepted."""
        assert self._worker is not None
        self._worker.stop()
        self._worker = None
        with self.database() as connection:
            connection.execute(
                "UPDATE media_node SET slots = 0, last_seen_at = NULL WHERE id <> %s", [PLACEHOLDER_NODE]
            )
            connection.execute("UPDATE media_node SET disabled_at = NULL WHERE id = %s", [PLACEHOLDER_NODE])
        time.sleep(1.2)

    def open_jobs(self, connection: Database) -> int:
        """How many jobs are not settled yet."""
        return self._count(connection, "SELECT count(*) FROM media_job WHERE status IN ('queued', 'processing')")

    @staticmethod
    def _count(connection: Database, sql: str, *parameters: object) -> int:
        row = connection.execute(sql.encode(), parameters).fetchone()
        assert row is not None
        return int(row[0])

    def costed(self, run: Callable[[], Series]) -> Series:
        """The run, with what each of its requests cost each process."""
        before = self.cpu()
        series = run()
        spent = self.cpu().since(before)
        return replace(series, cost={name: used * 1000 / series.requests for name, used in spent.items()})

    def cpu(self) -> Cpu:
        """What every process has used since it started."""
        pids = {name: unit.pid for name, unit in self.platform.processes.items()}
        pids |= {name: one.pid for name, one in {FLOOR: self._floor, "media-worker": self._worker}.items() if one}
        seconds = {name: _family_seconds(pid) for name, pid in pids.items() if pid is not None}
        return Cpu({**seconds, "load generator": time.process_time()})


def _family_seconds(pid: int) -> float:
    """Of a process, its living descendants and, through their parents, its dead ones."""
    used = 0.0
    root = psutil.Process(pid)
    for process in [root, *root.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it has just ended; its parent has its time
        used += times.user + times.system + times.children_user + times.children_system
    return used


def _run(arguments: list[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments[:3])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _told(arguments: list[str], environment: Mapping[str, str]) -> Any:
    return json.loads(_run(arguments, environment).splitlines()[-1])


def _listens(port: int) -> Callable[[], str | None]:
    def check() -> str | None:
        return f"nobody listens on port {port}" if ports.is_free(port) else None

    return check
