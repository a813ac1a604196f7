"""Customers who keep submitting while everything dies: one key a wish, repeated until it is answered."""

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from deploy.chaos.customer import Customer

ANSWER_SECONDS = 120.0
"""A client repeats its request for so long; by then everything was up again many times."""
OUTSTANDING = 80
"""Clients pause while so many of their jobs are unfinished: a queue that never empties proves nothing more."""
SHARE_CANCELED = 0.04
SHARE_ASKED_AGAIN = 0.1


@dataclass(frozen=True)
class Accepted:
    """A submit that was answered with a job: the platform's promise."""

    account: str
    key: str
    job_id: str
    with_callback: bool


@dataclass
class Record:
    """What the clients were told. Guarded by its lock."""

    accepted: list[Accepted] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Submits that ended in a 4xx, which none of ours deserves."""
    unanswered: list[str] = field(default_factory=list)
    """Keys whose request was never answered, however often it was repeated."""
    changed: list[str] = field(default_factory=list)
    """Keys that named one job at first and another one later."""
    hitches: Counter[str] = field(default_factory=Counter)
    """What made clients repeat: connection errors by name, statuses by number."""
    canceled: int = 0
    told: int = 0
    """How many of the accepted jobs have a callback."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Client:
    """One account's voice. Each thread has its own."""

    def __init__(self, *, base: str, account: str, api_key: str, record: Record) -> None:
        self.account = account
        self.record = record
        self._http = httpx.Client(
            base_url=base,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=15.0,
            trust_env=False,
            limits=httpx.Limits(max_connections=256),
        )

    def webhook_secret(self) -> str:
        answer = self._http.get("/api/v1/account/webhook-secret").raise_for_status()
        return str(answer.json()["secret"])

    def job(self, job_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._until_answered("GET", f"/api/v1/media/jobs?jobId={job_id}", None).json()
        return answer

    def submit(self, task: str, task_input: dict[str, Any], *, key: str, callback: str | None) -> Accepted | None:
        """Submit until it is answered, always under the same key; None when it was refused or never answered."""
        body: dict[str, Any] = {"task": task, "input": task_input, "idempotencyKey": key}
        if callback is not None:
            body["completionCallbackUrl"] = callback
        try:
            answer = self._until_answered("POST", "/api/v1/media/jobs", body)
        except TimeoutError:
            with self.record.lock:
                self.record.unanswered.append(key)
            return None
        with self.record.lock:
            if not answer.is_success:
                self.record.refused.append(f"{task}: {answer.status_code} {answer.text[:200]}")
                return None
            accepted = Accepted(self.account, key, str(answer.json()["externalJobId"]), callback is not None)
            self.record.accepted.append(accepted)
            self.record.told += accepted.with_callback
        return accepted

    def submit_once(self, task: str, task_input: dict[str, Any], *, key: str) -> httpx.Response:
        """One request, whatever comes of it."""
        body = {"task": task, "input": task_input, "idempotencyKey": key}
        return self._http.post("/api/v1/media/jobs", json=body)

    def ask_again(self, accepted: Accepted, task: str, task_input: dict[str, Any]) -> None:
        """Send an accepted request once more: it must name the same job."""
        body = {"task": task, "input": task_input, "idempotencyKey": accepted.key}
        try:
            answer = self._until_answered("POST", "/api/v1/media/jobs", body)
        except TimeoutError:
            return
        if not answer.is_success or answer.json()["externalJobId"] != accepted.job_id:
            with self.record.lock:
                self.record.changed.append(f"{accepted.key}: {accepted.job_id}, then {answer.text[:120]}")

    def cancel(self, accepted: Accepted) -> None:
        """Ask for the job's end; too late is an answer like any other."""
        try:
            self._until_answered("POST", "/api/v1/media/jobs/cancel", {"jobId": accepted.job_id})
        except TimeoutError:
            return
        with self.record.lock:
            self.record.canceled += 1

    def close(self) -> None:
        self._http.close()

    def _until_answered(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        give_up = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < give_up:
            try:
                answer = self._http.request(method, path, json=body)
            except httpx.TransportError as error:
                hitch = type(error).__name__
            else:
                if answer.status_code < 500 and answer.status_code != 429:
                    return answer
                hitch = str(answer.status_code)
            with self.record.lock:
                self.record.hitches[hitch] += 1
            time.sleep(0.3)
        raise TimeoutError(path)


class Load:
    """Threads of customers, each drawing what it wants next."""

    def __init__(self, *, clients: list[Client], customer: Customer, own_clips: dict[str, str], seed: int) -> None:
        self.record = clients[0].record
        self._customer = customer
        self._own_clips = own_clips
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._want, args=(number, client, random.Random(f"{seed}/{number}")))
            for number, client in enumerate(clients)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No new wishes; those on the way are pursued to their answer."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _want(self, number: int, client: Client, chance: random.Random) -> None:
        wish = 0
        while not self._stop.wait(chance.uniform(0.02, 0.2)):
            if self.record.told - self._customer.finished > OUTSTANDING:
                continue
            wish += 1
            task, task_input = self._draw(client.account, chance)
            accepted = client.submit(
                task,
                task_input,
                key=f"load-{number}-{wish}",
                callback=self._customer.callback_url(client.account),
            )
            if accepted is None:
                continue
            if chance.random() < SHARE_CANCELED:
                client.cancel(accepted)
            if chance.random() < SHARE_ASKED_AGAIN:
                client.ask_again(accepted, task, task_input)

    def _draw(self, account: str, chance: random.Random) -> tuple[str, dict[str, Any]]:
        lot = chance.random()
        if lot < 0.75:
            return "diagnostic.noop", {}
        if lot < 0.87:
            return "image.generate", {"prompt": f"a lighthouse, number {lot}", "width": 256, "height": 256}
        if lot < 0.93:
            return "video.resize", {"sourceVideoUrl": self._customer.clip_url, "width": 64, "height": 36}
        return "video.combine", {"videoUrls": [self._own_clips[account]] * 2, "frameRate": 30}


@dataclass(frozen=True)
class Answer:
    """One of a crowd's answers; no job where none was named."""

    status: int
    job_id: str


def crowd(client: Client, *, task: str, keys: list[str]) -> list[Answer]:
    """Submit once under each of `keys`, all at the same moment."""
    gate = threading.Barrier(len(keys))

    def one(key: str) -> Answer:
        gate.wait(30)
        answer = client.submit_once(task, {}, key=key)
        return Answer(answer.status_code, str(answer.json()["externalJobId"]) if answer.is_success else "")

    with ThreadPoolExecutor(max_workers=len(keys)) as threads:
        return list(threads.map(one, keys))
