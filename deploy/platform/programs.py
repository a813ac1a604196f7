"""The platform's own processes: their command lines, and which settings each of them is given."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from deploy.embedded.sandboxes.settings import Keys
from deploy.process import Process, wait_ready
from workers.protocol import signing

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""What a worker may know of its machine; nothing else of our environment reaches it."""

ENGINE_SETTINGS = ("GEMINI_API_KEY", "GEMINI_BASE_URL", "SOUNDFONT_PATH")
"""What engines read for themselves: a key of the operator's own node, a file."""

NODE_ID = "local-1"
NODE_VERSION = 1


class Program(Process):
    """A process of ours that counts as started once it serves."""

    check: Callable[[], str | None] | None = None
    ready_seconds: float = 60

    def start(self) -> None:
        super().start()
        if self.check is not None:
            wait_ready(self, self.check, seconds=self.ready_seconds)


class Programs:
    """Builds the programs of one installation."""

    def __init__(self, *, data_dir: Path, environment: Mapping[str, str]) -> None:
        self._data_dir = data_dir
        self._environment = dict(environment)

    def web(self, *, port: int, workers: int, threads: int) -> Program:
        command = [SCRIPTS / "granian", "--interface", "wsgi", "gateway.wsgi:application"]
        command += ["--host", "127.0.0.1", "--port", port, "--workers", workers, "--blocking-threads", threads]
        command += ["--respawn-failed-workers", "--no-ws", "--http", "1", "--workers-kill-timeout", 10]
        # Counters of several processes meet in files; those of an earlier run would count on.
        counters = self._data_dir / "metrics"
        shutil.rmtree(counters, ignore_errors=True)
        counters.mkdir(parents=True)
        web = self._program("web", command, {**self._environment, "PROMETHEUS_MULTIPROC_DIR": str(counters)})
        web.check = answers(f"http://127.0.0.1:{port}/api/v1/health")
        return web

    def steward(self) -> Program:
        return self._program("steward", [sys.executable, ROOT / "manage.py", "steward"], self._environment)

    def media_worker(self, *, concurrency: int) -> Program:
        """A node beside the control plane, given what any third party's node is given and no more."""
        credential = signing.derive(
            self._environment["NODE_MASTER_KEY"].encode(), node_id=NODE_ID, version=NODE_VERSION
        )
        own = {
            "BROKER_URL": self._environment["WORKER_BROKER_URL"],
            "API_BASE": self._environment["API_BASE_URL"],
            "NODE_SECRET": credential.token(),
            "WORKER_SLOTS": str(concurrency),
            **{name: self._environment[name] for name in ENGINE_SETTINGS if self._environment.get(name)},
        }
        command = [sys.executable, "-m", "workers"]
        worker = self._program("media-worker", command, {**machine(), **own})
        worker.stop_seconds = 15  # a warm shutdown lets a running attempt end; a longer one is handed back
        worker.harsh_signal = signal.SIGQUIT
        worker.orphan_signal = signal.SIGQUIT
        return worker

    def flower(self, *, port: int, login: str) -> Program:
        """Loopback only, and behind `login` ("user:password") even there: its API could stop workers."""
        command = [SCRIPTS / "celery", "-A", "deploy.platform.queues", "flower"]
        command += ["--address=127.0.0.1", f"--port={port}"]
        # By the environment: a password on the command line would be everybody's to read.
        own = {"CELERY_BROKER_URL": self._environment["CELERY_BROKER_URL"], "FLOWER_BASIC_AUTH": login}
        flower = self._program("flower", command, {**machine(), **own})
        flower.check = answers(f"http://127.0.0.1:{port}/healthcheck")
        return flower

    def mail(self, *, smtp_port: int, page_port: int) -> Program:
        """The development's mail catcher; it gets no setting of ours."""
        command = [sys.executable, "-m", "deploy.embedded.mail", "--smtp-port", smtp_port, "--page-port", page_port]
        mail = self._program("mail", command, machine())
        mail.check = answers(f"http://127.0.0.1:{page_port}/messages.json")
        return mail

    def sandboxes(self, *, port: int, keys: Keys, site: str | None) -> Program:
        """The payment sandboxes; of our settings they get their own keys only. Events go to `site`, where it runs."""
        command = [sys.executable, "-m", "deploy.embedded.sandboxes", "--port", port]
        command += ["--data", self._data_dir / "sandboxes"]
        if site is not None:
            command += ["--stripe-webhook", f"{site}/api/v1/webhooks/stripe"]
            command += ["--coinbase-webhook", f"{site}/api/v1/webhooks/crypto"]
        own = {
            "STRIPE_SECRET_KEY": keys.stripe_key,
            "STRIPE_WEBHOOK_SECRETS": keys.stripe_webhook_secret,
            "COINBASE_API_KEY": keys.coinbase_key,
            "COINBASE_WEBHOOK_SECRETS": keys.coinbase_webhook_secret,
            "X402_PAY_TO": keys.x402_pay_to,
        }
        sandboxes = self._program("sandboxes", command, {**machine(), **own})
        sandboxes.check = answers(f"http://127.0.0.1:{port}/health")
        return sandboxes

    def manage(self, *arguments: str) -> list[str]:
        """A management command, to be run with `environment`."""
        return [sys.executable, str(ROOT / "manage.py"), *arguments]

    def _program(self, name: str, command: Sequence[object], environment: Mapping[str, str]) -> Program:
        return Program(
            name=name,
            command=[str(part) for part in command],
            environment={**environment, "PYTHONUNBUFFERED": "1"},
            cwd=ROOT,
            state_dir=self._data_dir,
            log_dir=self._data_dir / "log",
        )


def machine() -> dict[str, str]:
    """The part of our environment that describes the machine and no secret."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def answers(url: str) -> Callable[[], str | None]:
    """A check that passes when the URL answers 200."""

    def check() -> str | None:
        try:
            with urlopen(url, timeout=3):
                return None
        except HTTPError as error:
            return f"{url} answers {error.code}: {error.read(300).decode(errors='replace')}"
        except (URLError, OSError) as error:
            return f"{url}: {error}"

    return check
