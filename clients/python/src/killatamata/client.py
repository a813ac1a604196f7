"""The client: one object, one server, one key."""

from __future__ import annotations

import builtins
import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

from killatamata import downloads
from killatamata.config import DEFAULT_BASE_URL, Config, base_url_of, in_the_clear
from killatamata.errors import (
    Conflict,
    JobFailed,
    KeyNotShown,
    PlainHttpWarning,
    TransportError,
    Unavailable,
    UsageError,
    WaitTimeout,
)
from killatamata.models import (
    Balance,
    CreatedKey,
    DeviceLink,
    Estimate,
    Job,
    Key,
    LinkedKey,
    RevokedKey,
    SecurityEvent,
    Submitted,
    Task,
    WebhookSecret,
)
from killatamata.transport import Pacing, Reply, Retry, Transport, retry_after_of

API_KEY_VARIABLE = "KILLATAMATA_API_KEY"
BASE_URL_VARIABLE = "KILLATAMATA_API_BASE"
SHORTEST_POLL, LONGEST_POLL, POLL_GROWTH = 0.25, 5.0, 1.4
"""The pauses between two looks at a job, in seconds, and how they grow while nothing changes."""
OUTAGE_SECONDS = 120
"""For so long a job is still watched while no look at it succeeds: it runs and is paid for meanwhile."""

_API = "/api/v1"


class Client:
    """A connection to one Killa Tamata server. Threads may share it. Close it, or use it in a `with`.

    `api_key` defaults to KILLATAMATA_API_KEY, else to what `killatamata login` saved for this server; `base_url` to
    KILLATAMATA_API_BASE, else to the server signed in to last, else to a platform on this machine. `timeout` is in
    seconds, for each try of each call. An `anonymous` client sends no key, whatever is known. A client that sends a key
    over plain http to another machine says so once, as a `PlainHttpWarning`.

    Every method raises `ApiError` where the server refuses and `TransportError` where no usable answer came. Passing
    failures are tried again, four times in all, with growing pauses; a submit always under one idempotency key, so that
    it makes one job however often it was sent, and so with a new key.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 60.0,
        anonymous: bool = False,
        config: Config | None = None,
        pacing: Pacing | None = None,
    ) -> None:
        config = config or Config()
        self.base_url = base_url_of(
            base_url or os.environ.get(BASE_URL_VARIABLE) or config.default_base_url() or DEFAULT_BASE_URL
        )
        self.key_source = "nowhere"
        """Where the key comes from, as words."""
        key = None if anonymous else self._find_key(api_key, config)
        if key is not None and in_the_clear(self.base_url):
            warnings.warn(
                f"{self.base_url} is plain http: whoever is on the network between can read the key. Use https.",
                PlainHttpWarning,
                stacklevel=2,
            )
        self._pacing = pacing or Pacing()
        self._transport = Transport(base_url=self.base_url, api_key=key, timeout=timeout, pacing=self._pacing)
        self.key_prefix = _prefix(key)
        """The part of the key that lists show; None without a key."""
        self.keys = Keys(self._transport)
        """The account's keys."""

    def _find_key(self, given: str | None, config: Config) -> str | None:
        sources: list[tuple[str, Callable[[], str | None]]] = [
            ("the argument", lambda: given),
            (API_KEY_VARIABLE, lambda: os.environ.get(API_KEY_VARIABLE)),
            (str(config.path), lambda: saved.api_key if (saved := config.get(self.base_url)) else None),
        ]
        for source, read in sources:
            key = (read() or "").strip()
            if key:
                self.key_source = source
                if not _fits_a_header(key):
                    raise UsageError(f"The key from {source} has characters that no key has.")
                return key
        return None

    def __repr__(self) -> str:
        return f"Client(base_url={self.base_url!r}, key_prefix={self.key_prefix!r})"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def balance(self) -> Balance:
        """What the account may spend, what its jobs hold, and both together."""
        return Balance.read(self._transport.get(f"{_API}/balance").body)

    def tasks(self) -> list[Task]:
        """The catalogue: each task's input as JSON Schema, its price, its nodes."""
        return [Task.read(entry) for entry in _entries(self._transport.get(f"{_API}/media/tasks"), "tasks")]

    def estimate(self, task: str, input: Mapping[str, Any]) -> Estimate:
        """What this input would cost; nothing is held. Its `quote_id` binds the price for some minutes."""
        body = {"task": task, "input": input}
        return Estimate.read(self._transport.post(f"{_API}/media/estimate", body, retry=Retry.REPEATABLE).body)

    def submit(
        self,
        task: str,
        input: Mapping[str, Any],
        *,
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        quote_id: str | None = None,
    ) -> Submitted:
        """Start a job and hold its price.

        `callback_url` is posted to when the job has ended (`killatamata.webhooks` verifies it). `idempotency_key`, 1 to
        200 characters, makes this one job across processes and days; without it each call is a job of its own, and
        still only one however often it had to be sent.

        Raises:
            InvalidRequest, InsufficientBalance, Conflict, Unavailable, …: no job exists and nothing is held.
            TransportError: it is not known whether the job exists; the same call with the same key tells.
        """
        if quote_id is not None and not _fits_a_header(quote_id):
            raise UsageError("The quote's id has characters that no quote's id has.")
        body: dict[str, Any] = {"task": task, "input": input, "idempotencyKey": idempotency_key or str(uuid4())}
        if callback_url is not None:
            body["completionCallbackUrl"] = callback_url
        headers = {"X-Quote-Id": quote_id} if quote_id is not None else {}
        answer = self._transport.post(f"{_API}/media/jobs", body, retry=Retry.REPEATABLE, headers=headers)
        return Submitted.read(answer.body)

    def job(self, id: str, *, details: bool = False) -> Job:
        """A job as it is now; `details` adds its effective input and what the engine says."""
        return self._look(id, details=details)[0]

    def _look(self, id: str, *, details: bool = False) -> tuple[Job, float | None]:
        """The job, and after how many seconds the server wants the next look, where it says so."""
        answer = self._transport.get(f"{_API}/media/jobs", {"jobId": id, "includeDetails": 1 if details else None})
        return Job.read(answer.body), retry_after_of(answer.headers)

    def jobs(
        self,
        *,
        task: str | None = None,
        status: str | None = None,
        before: datetime | None = None,
        after: datetime | None = None,
        details: bool = False,
        page_size: int = 50,
    ) -> Iterator[Job]:
        """The account's jobs, newest first, fetched page by page as they are taken.

        `before` and `after` bound when a job was made and need a time zone.
        """
        query = {
            "task": task,
            "status": status,
            "before": before.isoformat() if before else None,
            "after": after.isoformat() if after else None,
            "includeDetails": 1 if details else None,
        }
        for entry in self._pages(f"{_API}/media/jobs", "jobs", query, page_size):
            yield Job.read(entry)

    def cancel(self, id: str) -> Job:
        """Stop a job: at once while it waits, as soon as its worker hears of it while it runs. It is not billed."""
        return Job.read(self._transport.post(f"{_API}/media/jobs/cancel", {"jobId": id}, retry=Retry.REPEATABLE).body)

    def wait(self, id: str, *, timeout: float | None = None, on_progress: Callable[[Job], None] | None = None) -> Job:
        """The job once it has ended, however it ended.

        Looks at it with growing pauses, at most five seconds long, or as long as the server asks for; hands each look
        to `on_progress`. Once it was seen, a server that cannot be reached is waited for, two minutes long.

        Raises:
            WaitTimeout: `timeout` seconds are over; the job goes on.
        """
        return self._watch(self.job(id), timeout=timeout, on_progress=on_progress)

    def _watch(self, job: Job, *, timeout: float | None, on_progress: Callable[[Job], None] | None) -> Job:
        clock = self._pacing.monotonic
        started = reached = clock()
        pause, asked = SHORTEST_POLL, None
        if on_progress is not None:
            on_progress(job)
        while not job.ended:
            left = float("inf") if timeout is None else timeout - (clock() - started)
            if left <= 0:
                raise WaitTimeout(job)
            self._pacing.sleep(min(max(pause, asked or 0), left))
            try:
                seen, asked = self._look(job.id)
            except (TransportError, Unavailable):
                if clock() - reached > OUTAGE_SECONDS:
                    raise
                pause, asked = LONGEST_POLL, None
                continue
            reached = clock()
            pause = SHORTEST_POLL if seen.status != job.status else min(LONGEST_POLL, pause * POLL_GROWTH)
            job = seen
            if on_progress is not None:
                on_progress(job)
        return job

    def run(
        self,
        task: str,
        input: Mapping[str, Any],
        *,
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        quote_id: str | None = None,
        timeout: float | None = None,
        on_progress: Callable[[Job], None] | None = None,
    ) -> Job:
        """Submit a job and wait until it has completed.

        Raises:
            JobFailed: it ended otherwise.
            WaitTimeout: `timeout` seconds are over; the job goes on.
        """
        submitted = self.submit(
            task, input, callback_url=callback_url, idempotency_key=idempotency_key, quote_id=quote_id
        )
        queued = Job(external_job_id=submitted.id, task=submitted.task, status="queued")
        job = self._watch(queued, timeout=timeout, on_progress=on_progress)
        if not job.completed:
            raise JobFailed(job)
        return job

    def download(self, job: Job | str, to: str | os.PathLike[str] = ".") -> list[Path]:
        """Write a completed job's files; where they now are.

        `to` is a folder that exists or a text that ends with a slash: the files are then named after the job; else it
        is the file's own path, and several files are numbered. A file appears only once it is whole.
        Of several, those that arrived stay when a later one fails.

        Raises:
            DownloadFailed: the job has not completed, its files are no longer kept, or one did not arrive whole.
        """
        path = Path(to)
        into_folder = path.is_dir() or str(to).endswith(("/", os.sep))
        job = self.job(job) if isinstance(job, str) else job
        return downloads.download(self._transport, job, path, into_folder=into_folder)

    def events(self, *, kind: str | None = None, page_size: int = 50) -> Iterator[SecurityEvent]:
        """The account's security events, newest first: keys made and revoked, sign-ins, links."""
        for entry in self._pages(f"{_API}/account/events", "events", {"kind": kind}, page_size):
            yield SecurityEvent.read(entry)

    def webhook_secret(self) -> WebhookSecret:
        """What callbacks are signed with."""
        return WebhookSecret.read(self._transport.get(f"{_API}/account/webhook-secret").body)

    def start_link(self, *, label: str | None = None) -> DeviceLink:
        """Ask for a key that somebody signed in will approve; needs no key. See `killatamata.device_link`."""
        body = {"keyLabel": label} if label else {}
        # Started twice, the link that nobody heard of runs out by itself.
        return DeviceLink.read(self._transport.post(f"{_API}/device/link/start", body, retry=Retry.REPEATABLE).body)

    def poll_link(self, device_code: str) -> LinkedKey:
        """The key of an approved link, handed over once.

        Raises:
            ApiError: with the code `authorization_pending`, `slow_down`, `access_denied` or `expired_token`.
            TransportError, Unavailable: the key may have been handed over and lost; the next poll is then refused with
                `expired_token`.
        """
        body = {"deviceCode": device_code}
        return LinkedKey.read(self._transport.post(f"{_API}/device/link/poll", body, retry=Retry.IF_REFUSED).body)

    def _pages(self, path: str, name: str, query: Mapping[str, Any], page_size: int) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            answer = self._transport.get(path, {**query, "limit": page_size, "cursor": cursor})
            yield from _entries(answer, name)
            following = answer.body.get("nextCursor")
            if not isinstance(following, str) or following == cursor:
                return
            cursor = following


class Keys:
    """The account's API keys; the asking key needs the scope `keys`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> builtins.list[Key]:
        """Every key of the account, newest first, revoked ones too."""
        return [Key.read(entry) for entry in _entries(self._transport.get(f"{_API}/keys"), "keys")]

    def create(
        self,
        *,
        label: str | None = None,
        scopes: Sequence[str] | None = None,
        monthly_spend_limit_usd_micros: int | None = None,
    ) -> CreatedKey:
        """A new key; its `api_key` is shown now and never again.

        `scopes` is what it may do (everything, without), `monthly_spend_limit_usd_micros` what it may spend in a month.

        Raises:
            KeyNotShown: it was made, but its answer was lost; `key_prefix` names it, to be revoked.
            TransportError, Unavailable: it is not known whether it was made; `list` tells.
        """
        body: dict[str, Any] = {}
        if label is not None:
            body["label"] = label
        if scopes is not None:
            body["scopes"] = [*scopes]
        if monthly_spend_limit_usd_micros is not None:
            body["monthlySpendLimitUsdMicros"] = monthly_spend_limit_usd_micros
        headers = {"Idempotency-Key": str(uuid4())}
        try:
            answer = self._transport.post(f"{_API}/keys", body, retry=Retry.REPEATABLE, headers=headers)
        except Conflict as conflict:
            raise _not_shown(conflict) or conflict from None
        return CreatedKey.read(answer.body)

    def revoke(self, key_prefix: str) -> RevokedKey:
        """End a key, named exactly as the list shows it."""
        body = {"keyPrefix": key_prefix}
        return RevokedKey.read(self._transport.post(f"{_API}/keys/revoke", body, retry=Retry.REPEATABLE).body)


def _not_shown(conflict: Conflict) -> KeyNotShown | None:
    """What it means that this call's own idempotency key was used: an earlier try of the call made the key."""
    prefix = conflict.details.get("keyPrefix")
    if conflict.code != "idempotency_conflict" or not isinstance(prefix, str) or not prefix:
        return None
    return KeyNotShown(
        status=conflict.status,
        code=conflict.code,
        message=f"The key {prefix} was made, but the answer that showed it was lost: revoke it and create another.",
        details=conflict.details,
        request_id=conflict.request_id,
    )


def _entries(answer: Reply, name: str) -> list[Any]:
    entries = answer.body.get(name) if isinstance(answer.body, dict) else None
    if not isinstance(entries, list):
        raise TransportError(f"The server's answer has no list {name!r}; is this a Killa Tamata server?")
    return entries


def _fits_a_header(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _prefix(key: str | None) -> str | None:
    """`kt_live_` and the eight characters after it; of anything else nothing is shown."""
    found = re.match(r"(kt_[a-z]+_.{8})_", key or "")
    return found[1] if found else None
