"""The whole platform as one object: servers, migrations, our processes; for `make up`, demo, chaos, bench and tests."""

import fcntl
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy import ports
from deploy.embedded import EmbeddedServers
from deploy.embedded.credentials import write_private
from deploy.embedded.sandboxes.settings import Keys, settings
from deploy.platform.programs import ROOT, Program, Programs, answers
from deploy.platform.supervisor import Supervised, Supervisor
from deploy.process import StartFailed, remember, wait_ready

PREFERRED_PORTS = {"web": 8_000, "flower": 5_555, "mail": 8_025, "sandboxes": 8_026}
READY_SECONDS = 60
FLOWER_USER = "operator"
OUR_PROCESSES = ("mail", "sandboxes", "web", "steward", "media-worker", "flower")

REAL_PROVIDER = {"stripe": "STRIPE_SECRET_KEY", "coinbase": "COINBASE_API_KEY", "x402": "X402_FACILITATOR_URL"}
"""The setting that names a real payment provider; without it the provider's sandbox takes its place."""


def tell(sentence: str) -> None:
    """Say something to whoever watches the terminal."""
    print(sentence, flush=True)


class Platform:
    """Everything that `make up` runs, over one data folder.

    `env_overrides` are settings for the control plane (they win over everything), `programs` which of our processes to
    run, `port_choice` "preferred" or "any" as in EmbeddedServers. The mail catcher does not run where EMAIL_HOST names
    a real mail server, nor a payment provider's sandbox where a setting names the real one. After `start()`:

    - `processes[name]` for postgres, valkey, seaweed, mail, sandboxes, web, steward, media-worker, flower: `.pid`,
      `.alive`, `.stop()`, `.start()`, `.restart()`, `.kill(stay_down=False)`; what is killed comes back after a pause,
      as after a crash;
    - `servers["valkey"].wipe()` and the like while that one is stopped;
    - `environment` the control plane's settings, `api_base`, `api_key`, `account` (what `manage.py bootstrap` printed).
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        env_overrides: Mapping[str, str] | None = None,
        programs: Sequence[str] = OUR_PROCESSES,
        web_workers: int = 2,
        web_threads: int = 8,
        worker_concurrency: int = 2,
        port_choice: str = "preferred",
        say: Callable[[str], None] = tell,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.environment: dict[str, str] = {}
        self.account: dict[str, Any] = {}
        self._overrides = dict(env_overrides or {})
        outer = {**os.environ, **self._overrides}
        self.sandboxed = [
            name for name, real in REAL_PROVIDER.items() if "sandboxes" in programs and not outer.get(real)
        ]
        """The payment providers that a sandbox stands in for."""
        needed = {"mail": not outer.get("EMAIL_HOST"), "sandboxes": bool(self.sandboxed)}
        self._programs = [name for name in programs if needed.get(name, True)]
        self._web_workers = web_workers
        self._web_threads = web_threads
        self._worker_concurrency = worker_concurrency
        self._port_choice = port_choice
        self._say = say
        self._ports: dict[str, int] = {}
        self.servers = EmbeddedServers(self.data_dir, port_choice=port_choice, env=outer)
        self._supervisor = Supervisor(say)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def processes(self) -> dict[str, Supervised]:
        return self._supervisor.units

    @property
    def api_base(self) -> str:
        return self.environment["API_BASE_URL"]

    @property
    def api_key(self) -> str:
        return str(self.account["api_key"])

    @property
    def flower(self) -> str:
        return f"http://127.0.0.1:{self._ports['flower']}"

    @property
    def flower_login(self) -> str:
        """`user:password` of Flower's pages: FLOWER_BASIC_AUTH where it is set, else one of the installation's own."""
        own = f"{FLOWER_USER}:{self.servers.secrets['flower_password']}"
        return self._overrides.get("FLOWER_BASIC_AUTH") or os.environ.get("FLOWER_BASIC_AUTH") or own

    @property
    def mail(self) -> str | None:
        """The page of the mail catcher, where it runs."""
        return f"http://127.0.0.1:{self._ports['mail']}" if "mail" in self._programs else None

    @property
    def sandboxes(self) -> str | None:
        """The front page of the payment sandboxes, where they run."""
        return f"http://127.0.0.1:{self._ports['sandboxes']}" if "sandboxes" in self._programs else None

    @property
    def sandbox_keys(self) -> Keys:
        """The keys that the payment sandboxes and the control plane share."""
        secrets = self.servers.secrets
        return Keys(
            stripe_key=secrets["sandbox_stripe_key"],
            stripe_webhook_secret=secrets["sandbox_stripe_webhook_secret"],
            coinbase_key=secrets["sandbox_coinbase_key"],
            coinbase_webhook_secret=secrets["sandbox_coinbase_webhook_secret"],
            x402_pay_to=secrets["sandbox_x402_pay_to"],
        )

    def start(self) -> None:
        """Start everything; on return the API is ready and `run.json` is written.

        Raises:
            DataFolderInUse: a platform already runs on this folder.
            StartFailed: something did not come up; all else is stopped again.
        """
        try:
            self._say("starting PostgreSQL, Valkey and SeaweedFS …")
            self.servers.start()
            remember(self.data_dir / "supervisor.pid", os.getpid())
            for server in self.servers.servers.values():
                self._supervisor.add(server).start()  # it runs already; from here on it is wanted
            self._choose_ports()
            self._prepare_database()
            self._start_programs()
            self._supervisor.watch()
            self._write_run_file()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything in reverse order: the API answers until the workers have finished or handed back."""
        self._supervisor.stop_watching()
        for name in reversed([name for name in self.processes if name in OUR_PROCESSES]):
            self.processes[name].stop()
        for name in ("run.json", "supervisor.pid"):
            if self.servers.owns_folder:
                (self.data_dir / name).unlink(missing_ok=True)
        for supervised in self.processes.values():
            supervised.release()
        self.servers.stop()
        self.processes.clear()
        ports.release(list(self._ports.values()))
        self._ports = {}

    def manage(self, *arguments: str) -> str:
        """Run a management command with the platform's settings; what it printed.

        Raises:
            StartFailed: it did not end with 0; its output is in the message.
        """
        command = self._build().manage(*arguments)
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StartFailed(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _choose_ports(self) -> None:
        for name, usual in PREFERRED_PORTS.items():
            if name in self._programs:
                wanted = int(os.environ.get(f"PORT_{name.upper()}") or usual)
                self._ports[name] = ports.take(wanted if self._port_choice == "preferred" else None, name=name)
        site = f"http://127.0.0.1:{self._ports.get('web', PREFERRED_PORTS['web'])}"
        servers = self.servers.environment()
        addresses = {"SITE_URL": site, "API_BASE_URL": site, "ADMIN_PASSWORD": self.servers.secrets["admin_password"]}
        self.environment = {**addresses, **os.environ, **servers, "DJANGO_SETTINGS_MODULE": "gateway.settings"}
        self.environment |= self._mail_settings() | self._payment_settings() | self._overrides

    def _mail_settings(self) -> dict[str, str]:
        """How the control plane finds the mail catcher, where it runs; nothing is left over of a real server's."""
        if "mail" not in self._programs:
            return {}
        self._ports["smtp"] = ports.take(name="smtp")
        sender = os.environ.get("DEFAULT_FROM_EMAIL") or "Killa Tamata <no-reply@localhost>"
        place = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(self._ports["smtp"]), "DEFAULT_FROM_EMAIL": sender}
        return {**place, "EMAIL_HOST_USER": "", "EMAIL_HOST_PASSWORD": "", "EMAIL_USE_TLS": ""}

    def _payment_settings(self) -> dict[str, str]:
        """How the control plane finds the sandboxes that run; a real provider's settings are left as they are."""
        if self.sandboxes is None:
            return {}
        return settings(url=self.sandboxes, keys=self.sandbox_keys, providers=self.sandboxed)

    def _prepare_database(self) -> None:
        self._say("bringing the database up to date …")
        with ThreadPoolExecutor() as pool:
            static = pool.submit(self._collect_static)
            self.manage("migrate", "--noinput", "--verbosity", "0")
            printed = json.loads(self.manage("bootstrap"))
            static.result()
        # A key is shown once, by the run that made it: kept (0600) so that later runs can print it again.
        kept = self.data_dir / "bootstrap.json"
        known: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
        self.account = known | {name: value for name, value in printed.items() if value is not None}
        write_private(kept, json.dumps(self.account, indent=2) + "\n")

    def _collect_static(self) -> None:
        with file_lock(ROOT / "var" / "static.lock"):
            self.manage("collectstatic", "--noinput", "--verbosity", "0")

    def _start_programs(self) -> None:
        build = self._build()
        make: dict[str, Callable[[], Program]] = {
            "mail": lambda: build.mail(smtp_port=self._ports["smtp"], page_port=self._ports["mail"]),
            "sandboxes": lambda: build.sandboxes(
                port=self._ports["sandboxes"],
                keys=self.sandbox_keys,
                site=f"http://127.0.0.1:{self._ports['web']}" if "web" in self._programs else None,
            ),
            "web": lambda: build.web(port=self._ports["web"], workers=self._web_workers, threads=self._web_threads),
            "steward": build.steward,
            "media-worker": lambda: build.media_worker(concurrency=self._worker_concurrency),
            "flower": lambda: build.flower(port=self._ports["flower"], login=self.flower_login),
        }
        wanted = [self._supervisor.add(make[name]()) for name in OUR_PROCESSES if name in self._programs]
        self._say(f"starting {', '.join(unit.name for unit in wanted)} …")
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda unit: unit.start(), wanted))
        if {"web", "media-worker"} <= set(self._programs):
            # Only now, since being ready includes that a worker has announced itself.
            web = self.processes["web"].unit
            assert isinstance(web, Program)
            wait_ready(web, answers(f"http://127.0.0.1:{self._ports['web']}/readyz"), seconds=READY_SECONDS)

    def _build(self) -> Programs:
        return Programs(data_dir=self.data_dir, environment=self.environment)

    def _write_run_file(self) -> None:
        """Where everything is, for people's scripts: also the key, hence 0600."""
        admin = {"url": f"{self.environment['SITE_URL']}/admin/", **self.account.get("admin", {})}
        run = {
            "api_base": self.api_base,
            "api_key": self.account.get("api_key"),
            "site": self.environment["SITE_URL"],
            "admin": admin,
            "flower": self.flower if "flower" in self._programs else None,
            "flower_login": self.flower_login if "flower" in self._programs else None,
            "mail": self.mail,
            "sandboxes": self.sandboxes,
            "sandboxed": self.sandboxed,
            "cdn_base": self.environment.get("CDN_BASE_URL"),
            "pid": os.getpid(),
            "pids": {name: unit.pid for name, unit in self.processes.items()},
            "logs": str(self.data_dir / "log"),
        }
        write_private(self.data_dir / "run.json", json.dumps(run, indent=2) + "\n")


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a lock file; wait for whoever has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
