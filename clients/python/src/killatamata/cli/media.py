"""generate, run, estimate and jobs."""

from __future__ import annotations

import argparse
import json
import os
import sys
from itertools import islice
from pathlib import Path
from typing import Any

from killatamata.cli.connection import connect
from killatamata.cli.display import Display, dollars, duration
from killatamata.cli.kinds import KINDS
from killatamata.client import Client
from killatamata.errors import JobFailed, UsageError
from killatamata.inputs import inline
from killatamata.models import Adjustment, Job


def generate(options: argparse.Namespace, display: Display) -> int:
    """One of the kinds: submit, watch, download."""
    return _submit(options, display, KINDS[options.kind].task, _kind_input(options))


def run(options: argparse.Namespace, display: Display) -> int:
    """Any task on an input given as JSON."""
    return _submit(options, display, options.task, _document(options))


def estimate(options: argparse.Namespace, display: Display) -> int:
    """The price of one of the kinds."""
    return _estimate(options, display, KINDS[options.kind].task, _kind_input(options))


def estimate_task(options: argparse.Namespace, display: Display) -> int:
    """The price of any task."""
    return _estimate(options, display, options.task, _document(options))


def _kind_input(options: argparse.Namespace) -> dict[str, Any]:
    try:
        found = KINDS[options.kind].input_of(options)
    except (ValueError, OSError) as error:
        raise UsageError(str(error)) from None
    return {**found, **dict(options.input), **_attached(options)}


def _document(options: argparse.Namespace) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if options.input == "-" else Path(options.input).read_text(encoding="utf-8")
        found = json.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"The input {options.input} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise UsageError("The input must be a JSON object.")
    return {**found, **_attached(options)}


def _attached(options: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, path in options.attach:
        if field.endswith("Images"):  # every such field is a list
            found.setdefault(field, []).append(inline(path))
        else:
            found[field] = inline(path)
    return found


def _submit(options: argparse.Namespace, display: Display, task: str, task_input: dict[str, Any]) -> int:
    fetches = not (options.no_wait or options.no_download)
    if fetches:
        _require_writable(options.output)
    with connect(options) as client:
        submitted = client.submit(
            task,
            task_input,
            callback_url=options.callback_url,
            idempotency_key=options.idempotency_key,
            quote_id=options.quote,
        )
        _show_adjustments(submitted.input_adjustments, display)
        if options.no_wait:
            if display.as_json:
                display.json(submitted.raw)
            display.say(submitted.id)
            return 0
        try:
            with display.watching(submitted) as watch:
                job = client.wait(submitted.id, timeout=options.timeout, on_progress=watch)
        except KeyboardInterrupt:
            display.warn(f"{submitted.id} goes on. `killatamata jobs wait {submitted.id}` watches it again,")
            display.warn(f"`killatamata jobs cancel {submitted.id}` stops it.")
            raise
        if not job.completed:
            raise JobFailed(job)
        _hand_over(client, job, options.output if fetches else None, display, fetches=fetches)
    return 0


def _hand_over(client: Client, job: Job, output: str | None, display: Display, *, fetches: bool) -> None:
    saved = client.download(job, output or ".") if fetches else []
    if display.as_json:
        display.json({**job.raw, "savedTo": [str(path) for path in saved]})
    display.say(*(saved if fetches else job.downloadable_output_urls))


def _require_writable(output: str | None) -> None:
    """Better to learn before the job is paid for that its file cannot be written."""
    path = Path(output or ".")
    folder = path if path.is_dir() else path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{output or 'This folder'} cannot be written.")


def _show_adjustments(adjustments: list[Adjustment], display: Display) -> None:
    for changed in adjustments:
        display.note(f"{changed.field}: {changed.requested} became {changed.effective}. {changed.reason}", style="dim")


def _estimate(options: argparse.Namespace, display: Display, task: str, task_input: dict[str, Any]) -> int:
    with connect(options) as client:
        found = client.estimate(task, task_input)
    if display.as_json:
        display.json(found.raw)
    _show_adjustments(found.input_adjustments, display)
    seconds = found.estimated_duration_seconds
    display.pairs(
        [
            ("price", dollars(found.usd_charged)),
            ("takes about", duration(seconds) if seconds is not None else None),
            ("quote", found.quote_id),
        ]
    )
    return 0


def jobs_list(options: argparse.Namespace, display: Display) -> int:
    """The newest jobs."""
    with connect(options) as client:
        pages = client.jobs(task=options.task, status=options.status, page_size=min(options.limit, 100))
        found = list(islice(pages, options.limit))
    if display.as_json:
        display.json([job.raw for job in found])
    rows = [
        (
            job.id,
            job.task,
            job.status if job.ended or job.status == "queued" else f"{job.status} {job.progress:.0%}",
            dollars(job.billing.usd_charged) if job.billing else None,
            f"{job.created_at:%Y-%m-%d %H:%M}" if job.created_at else None,
        )
        for job in found
    ]
    display.table(("job", "task", "status", "price", "made (UTC)"), rows)
    return 0


def jobs_show(options: argparse.Namespace, display: Display) -> int:
    """One job."""
    with connect(options) as client:
        job = client.job(options.id, details=options.details)
    if display.as_json:
        display.json(job.raw)
    else:
        _show(job, display)
    return 0


def _show(job: Job, display: Display) -> None:
    display.pairs(
        [
            ("job", job.id),
            ("task", job.task),
            ("status", job.status),
            ("progress", f"{job.progress:.0%}" if not job.ended else None),
            ("position", job.queue_position),
            ("left", f"about {duration(job.eta_seconds)}" if job.eta_seconds is not None else None),
            ("attempts", job.attempts),
            ("ran", f"{job.duration_ms / 1000:.1f} s" if job.duration_ms is not None else None),
            ("price", dollars(job.billing.usd_charged) if job.billing else None),
            ("billed", job.billed_reason),
            ("error", f"{job.error} ({job.error_code})" if job.error else None),
            ("files", "no longer kept" if job.outputs_expired else None),
            *(("file", url) for url in job.downloadable_output_urls),
            ("input", json.dumps(job.effective_input, ensure_ascii=False) if job.effective_input is not None else None),
            ("engine", json.dumps(job.result.upstream, ensure_ascii=False) if job.result.upstream else None),
        ]
    )


def jobs_cancel(options: argparse.Namespace, display: Display) -> int:
    """Stop a job."""
    with connect(options) as client:
        job = client.cancel(options.id)
    if display.as_json:
        display.json(job.raw)
    display.say(f"{job.id} is canceled." if job.status == "canceled" else f"{job.id} is {job.status} and told to stop.")
    return 0


def jobs_wait(options: argparse.Namespace, display: Display) -> int:
    """Watch a job to its end."""
    with connect(options) as client, display.watching() as watch:
        job = client.wait(options.id, timeout=options.timeout, on_progress=watch)
    if not job.completed:
        raise JobFailed(job)
    if display.as_json:
        display.json(job.raw)
    display.say(f"{job.id} is completed.", *job.downloadable_output_urls)
    return 0


def jobs_download(options: argparse.Namespace, display: Display) -> int:
    """Fetch a completed job's files."""
    _require_writable(options.output)
    with connect(options) as client:
        _hand_over(client, client.job(options.id), options.output, display, fetches=True)
    return 0
