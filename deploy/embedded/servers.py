"""The three embedded servers as one thing, each left out when the environment names a real one."""

import fcntl
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy import ports
from deploy.embedded.credentials import PREVIOUS, forget_previous, load_or_generate, rotate
from deploy.embedded.postgres import Postgres
from deploy.embedded.seaweed import INNER_PORTS, Seaweed
from deploy.embedded.server import Server
from deploy.embedded.valkey import Valkey

PREFERRED_PORTS = {"postgres": 54_320, "valkey": 63_790, "s3": 8_333}
REPLACED_BY = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL", "seaweed": "S3_ENDPOINT_URL"}


class DataFolderInUse(RuntimeError):
    """Another running platform has this data folder."""


class EmbeddedServers:
    """PostgreSQL, Valkey and SeaweedFS with their data in one folder and their passwords in its `secrets.json`.

    `ports`: "preferred" takes the well-known ones (PORT_POSTGRES, PORT_VALKEY, PORT_S3 in the environment change them)
    with the next free ones as fall-back; "any" takes free ones in silence, for tests.

    One folder belongs to one running instance; a second one gets DataFolderInUse.
    """

    def __init__(self, data_dir: Path, *, port_choice: str = "preferred", env: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self._env = dict(os.environ if env is None else env)
        self._port_choice = port_choice
        self._lock: int | None = None
        self._ports: list[int] = []
        self.secrets: dict[str, str] = {}
        self.servers: dict[str, Server] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def __getitem__(self, name: str) -> Server:
        return self.servers[name]

    @property
    def owns_folder(self) -> bool:
        """Whether this instance, and no other, has the data folder."""
        return self._lock is not None

    def start(self) -> None:
        """Start all that the environment does not replace and return when each really serves.

        Raises:
            DataFolderInUse: another instance runs on this folder.
            StartFailed: a server did not come up; the others are stopped again.
        """
        self._take_folder()
        try:
            self.secrets = load_or_generate(self.data_dir / "secrets.json")
            if not self.servers:
                self._build()
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda server: server.start(), self.servers.values()))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all cleanly and give the folder back."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda server: server.stop(), self.servers.values()))
        self.servers = {}
        ports.release(self._ports)
        self._ports = []
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def wipe(self) -> None:
        """Delete all data of stopped servers, also what had to lie outside the folder."""
        self._take_folder()
        self.secrets = load_or_generate(self.data_dir / "secrets.json")
        self._build()
        for server in self.servers.values():
            server.wipe()
        self.stop()

    def environment(self) -> dict[str, str]:
        """Settings for the control plane (never for a worker): addresses, passwords and the installation's secrets."""
        settings = {
            "SECRET_KEY": self.secrets["secret_key"],
            "API_KEY_PEPPER": self.secrets["api_key_pepper"],
            "NODE_MASTER_KEY": self.secrets["node_master_key"],
            "DATA_ENCRYPTION_KEYS": ",".join(
                filter(None, (self.secrets["data_encryption_key"], self._previous("data_encryption_key")))
            ),
            "SECRET_KEY_FALLBACKS": self._previous("secret_key"),
            "API_KEY_PEPPER_FALLBACKS": self._previous("api_key_pepper"),
            "NODE_MASTER_KEY_FALLBACKS": self._previous("node_master_key"),
        }
        for server in self.servers.values():
            settings |= server.environment()
        if "valkey" not in self.servers:
            broker = self._env.get("CELERY_BROKER_URL", self._env["REDIS_URL"])
            settings |= {"CELERY_BROKER_URL": broker, "WORKER_BROKER_URL": broker}
        # What the caller's environment names always wins; that is how a real service replaces an embedded one.
        names = {*settings, *REPLACED_BY.values(), *S3_NAMES}
        return settings | {name: self._env[name] for name in names if name in self._env}

    def rotate(self, names: Sequence[str], *, finish: bool = False) -> None:
        """Draw secrets of a stopped installation anew; `finish`: let what they were before be good no more.

        Raises:
            DataFolderInUse: it runs.
            NotRotatable: one of them cannot be rotated; nothing changed.
        """
        self._take_folder()
        try:
            change = forget_previous if finish else rotate
            change(self.data_dir / "secrets.json", names)
        finally:
            self.stop()

    def _previous(self, name: str) -> str:
        return self.secrets.get(name + PREVIOUS, "")

    def _take_folder(self) -> None:
        if self._lock is not None:
            return
        self.data_dir.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise DataFolderInUse(f"a platform is already running on {self.data_dir}") from None
        self._lock = handle

    def _build(self) -> None:
        place = {"state_dir": self.data_dir, "log_dir": self.data_dir / "log"}
        for name, replacement in REPLACED_BY.items():
            if self._env.get(replacement):
                continue
            if name == "postgres":
                self.servers[name] = Postgres(
                    **place, port=self._port("postgres"), password=self.secrets["postgres_password"]
                )
            elif name == "valkey":
                self.servers[name] = Valkey(
                    **place,
                    port=self._port("valkey"),
                    control_password=self.secrets["valkey_control_password"],
                    worker_password=self.secrets["valkey_worker_password"],
                )
            else:
                self.servers[name] = Seaweed(
                    **place,
                    port=self._port("s3", grpc=True),
                    inner_ports={part: self._port(part, grpc=True) for part in INNER_PORTS},
                    access_key=self.secrets["s3_access_key"],
                    secret_key=self.secrets["s3_secret_key"],
                )

    def _port(self, name: str, *, grpc: bool = False) -> int:
        preferred = None
        if self._port_choice == "preferred" and name in PREFERRED_PORTS:
            preferred = int(self._env.get(f"PORT_{name.upper()}") or PREFERRED_PORTS[name])
        port = ports.take(preferred, name=name, grpc=grpc)
        self._ports += [port, port + ports.GRPC_OFFSET] if grpc else [port]
        return port


S3_NAMES = (
    "S3_ENDPOINT_URL",
    "S3_PUBLIC_ENDPOINT_URL",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
    "S3_REGION",
    "S3_PUBLIC_BUCKET",
    "S3_PRIVATE_BUCKET",
    "CDN_BASE_URL",
)
