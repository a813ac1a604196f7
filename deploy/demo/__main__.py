"""`python -m deploy.demo`: price → hold → queue → worker → bucket → signed callback → ledger → download, checked."""

import base64
import hashlib
import hmac
import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.demo.files import DemoFailed, check_file
from deploy.demo.jobs import run_all
from deploy.demo.origin import Origin, make_clips, serve
from deploy.demo.sheet import write_sheet
from deploy.platform.platform import Platform
from deploy.platform.programs import ROOT
from deploy.process import StartFailed

JOB_SECONDS = 240
WELCOME_MICROS = 25_000_000
console = Console(highlight=False)


@dataclass(frozen=True, kw_only=True)
class Finished:
    """One job that went the whole way."""

    name: str
    task: str
    task_input: dict[str, Any]
    status: dict[str, Any]
    price_micros: int
    saved: Path
    facts: str

    @property
    def url(self) -> str:
        """Where the output lies."""
        return str(self.status["outputUrl"])


class Client:
    """What an API client does: submit, poll, download."""

    def __init__(self, platform: Platform, origin: Origin, folder: Path) -> None:
        self._origin, self._folder = origin, folder
        self._http = httpx.Client(
            base_url=platform.api_base,
            headers={"Authorization": f"Bearer {platform.api_key}"},
            timeout=30,
            trust_env=False,
        )
        self._secret: str = self.get("/api/v1/account/webhook-secret")["secret"]

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """GET; the JSON of a 200."""
        answer = self._http.get(path, params=query)
        if answer.status_code != 200:
            raise DemoFailed(f"GET {path} answered {answer.status_code}: {answer.text[:300]}")
        body: dict[str, Any] = answer.json()
        return body

    def run(self, name: str, task: str, task_input: dict[str, Any], tell: Callable[[float, str], None]) -> Finished:
        """Submit a job, follow it to its end, check its callback and its file."""
        answer = self._http.post(
            "/api/v1/media/jobs",
            json={"task": task, "input": task_input, "completionCallbackUrl": self._origin.url("callbacks")},
            headers={"X-Idempotency-Key": f"demo-{name}"},
        )
        if answer.status_code != 201:
            raise DemoFailed(f"{name}: submit answered {answer.status_code}: {answer.text[:500]}")
        submitted = answer.json()
        job_id: str = submitted["externalJobId"]
        status = self._follow(job_id, tell)
        if status["status"] != "completed":
            raise DemoFailed(f"{name} ended {status['status']}: {status.get('error')}")
        self._check_callback(name, job_id)
        saved = self._download(name, status)
        return Finished(
            name=name,
            task=task,
            task_input=task_input,
            status=status,
            price_micros=submitted["usdChargedMicros"],
            saved=saved,
            facts=check_file(saved, status["outputFiles"][0]),
        )

    def _follow(self, job_id: str, tell: Callable[[float, str], None]) -> dict[str, Any]:
        give_up = time.monotonic() + JOB_SECONDS
        while time.monotonic() < give_up:
            status = self.get("/api/v1/media/jobs", jobId=job_id, includeDetails=1)
            tell(status["progress"], status["status"])
            if status["status"] not in {"queued", "processing"}:
                return status
            time.sleep(0.1)
        raise DemoFailed(f"{job_id} did not end within {JOB_SECONDS} s")

    def _check_callback(self, name: str, job_id: str) -> None:
        received = self._origin.wait_for(job_id, 20)
        if received is None:
            raise DemoFailed(f"{name}: no callback came")
        headers, body = received
        message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(self._secret.removeprefix("whsec_"))
        expected = "v1," + base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
        if expected not in headers["webhook-signature"].split() or json.loads(body)["status"] != "completed":
            raise DemoFailed(f"{name}: the callback's signature or status is wrong")

    def _download(self, name: str, status: dict[str, Any]) -> Path:
        url = status["downloadableOutputUrls"][0]
        saved = self._folder / f"{name}{Path(url).suffix}"
        answer = httpx.get(url, trust_env=False, timeout=60)  # no key: outputs are public to who knows their URL
        if answer.status_code != 200:
            raise DemoFailed(f"{name}: {url} answered {answer.status_code}")
        saved.write_bytes(answer.content)
        return saved


def _jobs(client: Client, origin: Origin, progress: Progress) -> list[Finished]:
    done: list[Finished] = []

    def run(name: str, task: str, task_input: dict[str, Any]) -> Finished:
        row = progress.add_task(f"{name} ({task})", total=1.0)

        def tell(fraction: float, status: str) -> None:
            progress.update(row, completed=fraction, description=f"{name} ({task}) {status}")

        done.append(client.run(name, task, task_input, tell))
        progress.update(row, completed=1.0)
        return done[-1]

    run_all(run, origin.url)
    return done


def _show(finished: list[Finished]) -> None:
    table = Table(title="What was made")
    for heading in ("job", "price", "waited", "ran", "result"):
        table.add_column(heading, justify="left" if heading in {"job", "result"} else "right")
    for job in finished:
        waited = _seconds(job.status["createdAt"], job.status["result"]["startedAt"])
        ran = job.status["durationMs"] / 1000
        price = f"${job.price_micros / 1_000_000:.6f}"
        table.add_row(job.name, price, f"{waited:.2f} s", f"{ran:.2f} s", job.facts)
    console.print(table)
    for job in finished:
        console.print(f"{job.name}\n  url   {job.status['outputUrl']}\n  file  {job.saved}", soft_wrap=True)


def _seconds(first: str, then: str) -> float:
    return (datetime.fromisoformat(then) - datetime.fromisoformat(first)).total_seconds()


def _check_money(client: Client, platform: Platform, finished: list[Finished]) -> None:
    balance = client.get("/api/v1/balance")
    spent = sum(job.price_micros for job in finished)
    if balance["usdHeldMicros"] != 0 or balance["usdBalanceMicros"] != WELCOME_MICROS - spent:
        raise DemoFailed(f"the balance is {balance}, {WELCOME_MICROS - spent} micros available were expected")
    platform.manage("audit")


def main() -> int:
    """Run the demo; 0 when everything was as promised."""
    data_dir = ROOT / "var" / "demo"
    files = data_dir / "files"
    shutil.rmtree(data_dir, ignore_errors=True)  # each demo is a new installation
    files.mkdir(parents=True)
    make_clips(files)
    with serve(files) as origin:
        # The platform fetches public https addresses only; the demo's own origin is the one exception it is given.
        settings = {"HTTP_ALLOWED_TARGETS": origin.address}
        platform = Platform(data_dir, env_overrides=settings, port_choice="any")
        try:
            with platform:
                platform.environment["COLUMNS"] = str(max(console.width, 120))
                client = Client(platform, origin, files)
                account = platform.account["email"]
                console.out("\nThe ledger before:\n" + platform.manage("show_ledger", account), highlight=False)
                columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
                with Progress(*columns, console=console) as progress:
                    finished = _jobs(client, origin, progress)
                _show(finished)
                sheet = write_sheet(finished, files)
                console.out("\nThe ledger after:\n" + platform.manage("show_ledger", account), highlight=False)
                _check_money(client, platform, finished)
        except (DemoFailed, StartFailed) as failure:
            console.print(f"[red]The demo failed:[/] {failure}", soft_wrap=True)
            return 1
    console.print(f"[green]All {len(finished)} jobs were made, called back, billed and checked to the micro.[/]")
    console.print(f"Look at them: {sheet.as_uri()}", soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
