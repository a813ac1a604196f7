"""One chaos run: a platform of its own, customers, strikes, and then quiet until everything is over."""

import json
import os
import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psycopg

from deploy.chaos import books
from deploy.chaos.customer import Customer
from deploy.chaos.gates import TERMINAL, Evidence
from deploy.chaos.load import Accepted, Client, Load, Record, crowd
from deploy.chaos.strikes import RUSH, RUSH_EACH, Strike, Strikes
from deploy.chaos.wire import Wire
from deploy.platform import Platform
from deploy.platform.programs import machine
from deploy.process import StartFailed
from workers.ffmpeg import program

DEALS = 3
"""How often a strike that met nobody is dealt again before the run fails for it."""
PREFIX = "killatamata-chaos-"
AFFORDABLE = 60
CROWD = 200
TWINS = 50
LOAD_ACCOUNTS = ("customer-a", "customer-b")
FUNDS = dict.fromkeys(LOAD_ACCOUNTS, 25_000_000) | {"crowd": AFFORDABLE, "twins": 1_000}
"""Micros. One diagnostic.noop costs one."""

SETTINGS = {
    "DIAGNOSTIC_TASKS": "1",
    "HTTP_ALLOW_PLAIN": "1",
    "RATE_LIMIT_WRITES": "1000000",
    "RATE_LIMIT_READS": "1000000",
    # Production waits half a minute for a silent worker; here nobody has so much time.
    "MEDIA_LEASE_SECONDS": "6",
    "MEDIA_REPUBLISH_SECONDS": "5",
}
LONG_JOB = {"prompt": "a castle above a river at dusk", "highDetail": True, "upscale": True}


@dataclass(frozen=True)
class Size:
    """How long and how hard."""

    clients: int
    rounds: int
    """How often each list of strikes is dealt."""
    milder: bool
    """Whether strikes that resemble a harder one are dealt too."""
    pause: float
    """Seconds of undisturbed work between two strikes, at most."""
    steward_kills: float
    """Seconds for which the steward is killed at random moments."""
    settle: float
    """Seconds after which whatever is unfinished counts as stuck."""
    wait_for_leases: bool
    """Whether callbacks whose steward died wait for their lease, or time is moved on for them."""


FULL = Size(clients=4, rounds=2, milder=True, pause=2.0, steward_kills=30.0, settle=120.0, wait_for_leases=True)
SHORT = Size(clients=3, rounds=1, milder=False, pause=0.3, steward_kills=4.0, settle=120.0, wait_for_leases=False)

Say = Callable[[str], None]
_Server = TypeVar("_Server", Customer, Wire)


class ChaosRun:
    """Everything between the first start and the evidence; a context manager, the platform lives inside."""

    def __init__(self, *, size: Size, seed: int, say: Say) -> None:
        self.size, self.seed, self._say = size, seed, say
        self.record = Record()
        self.landed: list[str] = []
        self.unlanded: list[str] = []
        self.crowd_faults: list[str] = []
        self.crowd_figure = ""
        self.settled_after = 0.0
        self.leases_moved = 0
        """Inputs whose fetch would have been taken up again only minutes after the steward's death."""
        self.keep = False
        """Whether the data folder outlives the run, for whoever wants to look."""
        self._chance = random.Random(seed)
        self._asides: list[threading.Thread] = []
        self._stack = ExitStack()

    def __enter__(self) -> "ChaosRun":
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.folder.chmod(0o711)  # as root, PostgreSQL runs as nobody and must find its data
        self._stack.callback(self._remove)
        own = machine()  # nobody's settings, and above all nobody's real servers
        os.environ.clear()
        os.environ.update(own)
        self.customer = self._stack.enter_context(_serving(Customer(_clip(self.folder / "clip.mp4"))))
        self.wire = self._stack.enter_context(
            _serving(Wire(seed=self.seed, upstream=lambda: self.platform.environment["SITE_URL"]))
        )
        self.platform = Platform(
            self.folder / "platform",
            env_overrides={
                **SETTINGS,
                "API_BASE_URL": self.wire.address,
                "HTTP_ALLOWED_TARGETS": self.customer.target,
            },
            programs=("web", "steward", "media-worker"),
            worker_concurrency=4,
            port_choice="any",
            say=lambda sentence: self._say(f"[dim]{sentence}[/]"),
        )
        self._stack.callback(self.platform.stop)
        self.platform.start()
        self._make_accounts()

    def _remove(self) -> None:
        if self.keep:
            self._say(f"The run's data and logs are kept in {self.folder}.")
            return
        self.platform.servers.wipe()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make_accounts(self) -> None:
        code = f"from deploy.chaos.accounts import create; create({FUNDS!r})"
        accounts = json.loads(self.platform.manage("shell", "-c", code).strip().splitlines()[-1])
        self._keys = {name: account["api_key"] for name, account in accounts.items()}
        for name in LOAD_ACCOUNTS:
            client = self.client(name)
            self.customer.secrets[name] = client.webhook_secret()
            client.close()

    def client(self, account: str) -> Client:
        """A new client of this account; it speaks to the API directly, as customers do."""
        return Client(
            base=self.platform.environment["SITE_URL"],
            account=account,
            api_key=self._keys[account],
            record=self.record,
        )

    def crowds(self) -> None:
        """200 submits at one moment with money for 60, and one key 50 times at one moment."""
        rich, twins = self.client("crowd"), self.client("twins")
        each = crowd(rich, task="diagnostic.noop", keys=[f"crowd-{number}" for number in range(CROWD)])
        same = crowd(twins, task="diagnostic.noop", keys=["twins"] * TWINS)
        accepted = [answer.job_id for answer in each if answer.status == 201]
        refused = sum(answer.status == 402 for answer in each)
        jobs = {answer.job_id for answer in same if answer.job_id}
        self.crowd_figure = (
            f"{CROWD} with money for {AFFORDABLE}: {len(accepted)} accepted, {refused} refused; "
            f"one key {TWINS} times: {len(jobs)} job"
        )
        if (len(accepted), refused) != (AFFORDABLE, CROWD - AFFORDABLE):
            self.crowd_faults.append(f"money for {AFFORDABLE} of {CROWD}: {dict(Counter(a.status for a in each))}")
        statuses = Counter(answer.status for answer in same)
        if len(jobs) != 1 or statuses != {201: 1, 200: TWINS - 1}:
            self.crowd_faults.append(f"one key {TWINS} times: {dict(statuses)}, {len(jobs)} jobs")
        self.record.accepted += [Accepted("crowd", job_id, job_id, with_callback=False) for job_id in accepted]
        self.record.accepted += [Accepted("twins", "twins", job_id, with_callback=False) for job_id in jobs]
        rich.close()
        twins.close()

    def storm(self) -> None:
        """Load and strikes, until every strike was dealt."""
        own_clips = {name: self._own_clip(name) for name in LOAD_ACCOUNTS}
        clients = [self.client(LOAD_ACCOUNTS[number % 2]) for number in range(self.size.clients)]
        load = Load(clients=clients, customer=self.customer, own_clips=own_clips, seed=self.seed)
        self.strikes = Strikes(
            self.platform,
            wire=self.wire,
            customer=self.customer,
            long_job=lambda: self._aside("image.generate", LONG_JOB),
            staged_job=lambda: self._aside(
                "video.resize", {"sourceVideoUrl": self.customer.clip_url, "width": 128, "height": 72}
            ),
            rush=self._rush,
            chance=self._chance,
        )
        load.start()
        try:
            for _ in range(self.size.rounds):
                milder = self.strikes.milder() if self.size.milder else []
                self._deal(self.strikes.worker() + self.strikes.others() + milder)
                self._deal(self.strikes.steward())
            with self.strikes.stewards_dying(shortest=0.1, longest=2 * self.size.pause + 1):
                time.sleep(self.size.steward_kills)
        finally:
            load.stop()
            for thread in self._asides:
                thread.join()
            for client in clients:
                client.close()

    def _deal(self, strikes: list[Strike]) -> None:
        self._chance.shuffle(strikes)
        for strike in strikes:
            time.sleep(self._chance.uniform(0, self.size.pause))
            began = time.monotonic()
            try:
                # What it waited for may have been over before it struck, or done by the second copy of a call.
                landed = any(strike.deal() for _ in range(DEALS))
            except (StartFailed, psycopg.Error) as error:
                self.unlanded.append(f"{strike.name}: {error}")
                continue
            (self.landed if landed else self.unlanded).append(strike.name)
            self._say(
                f"{strike.name}{'' if landed else ' [red]met nobody[/]'} [dim]{time.monotonic() - began:.1f} s[/]"
            )

    def _own_clip(self, account: str) -> str:
        """The URL of a clip of this account in our own bucket: an output like any other."""
        client = self.client(account)
        wanted = {"sourceVideoUrl": self.customer.clip_url, "width": 96, "height": 54, "frameRate": 30}
        callback = self.customer.callback_url(account)
        accepted = client.submit("video.resize", wanted, key="own-clip", callback=callback)
        if accepted is None or not self.customer.wait_finished(accepted.job_id, 60):
            raise StartFailed(f"the first job did not finish: {self.record.refused or accepted}")
        urls = client.job(accepted.job_id)["downloadableOutputUrls"]
        client.close()
        return str(urls[0])

    def _aside(self, task: str, task_input: dict[str, object]) -> None:
        """Submit beside the load, without waiting: the API may be down just now."""

        def submit() -> None:
            client = self.client(LOAD_ACCOUNTS[0])
            key = f"aside-{self._chance.getrandbits(64):x}"
            client.submit(task, task_input, key=key, callback=self.customer.callback_url(client.account))
            client.close()

        thread = threading.Thread(target=submit, name="aside")
        self._asides.append(thread)
        thread.start()

    def _rush(self) -> Callable[[], int]:
        """Many submits of one account at once, each repeated until it is answered; tells how many were so far."""
        client = self.client(LOAD_ACCOUNTS[0])
        name = f"rush-{self._chance.getrandbits(64):x}"
        answered: list[Accepted | None] = []

        def submit(number: int) -> None:
            for turn in range(RUSH_EACH):
                answered.append(client.submit("diagnostic.noop", {}, key=f"{name}-{number}-{turn}", callback=None))

        threads = [threading.Thread(target=submit, args=[number], name=name) for number in range(RUSH)]
        self._asides += threads
        for thread in threads:
            thread.start()
        return lambda: len(answered)

    def settle(self) -> None:
        """Wait until nothing is under way, as long as the size allows."""
        began = time.monotonic()
        self._pass_time()
        unfinished = (
            "SELECT (SELECT count(*) FROM media_job WHERE NOT status = ANY (%s)) AS jobs, "
            "(SELECT count(*) FROM core_webhookdelivery WHERE status = 'pending') AS deliveries"
        )
        told = began
        while time.monotonic() - began < self.size.settle:
            with books.connect(self.platform.environment) as database:
                left = database.execute(unfinished, [list(TERMINAL)]).fetchone() or {}
            if not any(left.values()):
                break
            if time.monotonic() - told > 10:
                told = time.monotonic()
                self._say(f"[dim]waiting for {left['jobs']} jobs and {left['deliveries']} callbacks …[/]")
            time.sleep(0.25)
        self.settled_after = time.monotonic() - began

    def _pass_time(self) -> None:
        """End the leases that dead stewards left: what is still at work under one loses it and does its work twice."""
        with books.connect(self.platform.environment) as database:
            if not self.size.wait_for_leases:
                moved = database.execute("UPDATE media_jobinput SET due_at = now() WHERE status = 'pending'")
                self.leases_moved = moved.rowcount
                database.execute("UPDATE core_webhookdelivery SET next_try_at = now() WHERE status = 'pending'")

    def evidence(self) -> Evidence:
        """All that can be known now."""
        audit = ""
        try:
            self.platform.manage("audit")
        except StartFailed as error:
            audit = str(error).strip().splitlines()[-1]
        return Evidence(
            books=books.read_books(self.platform.environment),
            record=self.record,
            received=self.customer.received,
            twice=self.wire.twice,
            wiped_at=self.strikes.wiped_at,
            crowds=self.crowd_faults,
            crowds_figure=self.crowd_figure,
            unlanded=self.unlanded,
            landed=len(self.landed),
            audit=audit,
        )


@contextmanager
def _serving(server: _Server) -> Iterator[_Server]:
    server.open()
    try:
        yield server
    finally:
        server.close()


def _clip(path: Path) -> Path:
    """A second of moving picture with sound."""
    picture = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=30:d=1", "-f", "lavfi", "-i", "sine=f=440:d=1"]
    encoding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    command = [program(), "-v", "error", "-nostdin", "-y", *picture, *encoding, "-movflags", "+faststart", path]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    return path
