"""The questions asked afterwards. Each names every job that breaks it; an empty list is a pass."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from core import ids
from deploy.chaos.books import Books
from deploy.chaos.customer import Received
from deploy.chaos.load import Record
from deploy.chaos.wire import Twice

TERMINAL = ("completed", "failed", "canceled", "terminated")
LEAST_COMPLETED = 0.85
"""Of the jobs nobody canceled: a platform that failed everything would keep its books in order too."""


@dataclass(frozen=True)
class Evidence:
    """All that is known after a run."""

    books: Books
    record: Record
    received: Sequence[Received]
    twice: Sequence[Twice]
    wiped_at: Sequence[datetime]
    """When the broker forgot the nonces it had seen."""
    crowds: Sequence[str]
    """What went wrong with the crowds that submitted at one moment."""
    crowds_figure: str
    unlanded: Sequence[str]
    """Strikes that met nobody: what they should have proven is unproven."""
    landed: int
    audit: str
    """What `manage.py audit` complained of; empty when it passed."""


@dataclass(frozen=True)
class Verdict:
    """One gate's answer."""

    name: str
    figure: str
    faults: list[str]


Gate = Callable[[Evidence], Verdict]


def judge(evidence: Evidence) -> list[Verdict]:
    """Every gate's verdict."""
    return [gate(evidence) for gate in GATES]


def _strikes(evidence: Evidence) -> Verdict:
    return Verdict("every strike landed", f"{evidence.landed} strikes", list(evidence.unlanded))


def _answered(evidence: Evidence) -> Verdict:
    record = evidence.record
    faults = [f"never answered: {key}" for key in record.unanswered] + [f"refused: {text}" for text in record.refused]
    return Verdict(
        "every submit is answered in the end",
        f"{len(record.accepted)} accepted, {sum(record.hitches.values())} repetitions",
        faults,
    )


def _kept(evidence: Evidence) -> Verdict:
    jobs = evidence.books.jobs
    promised = {accepted.job_id for accepted in evidence.record.accepted}
    faults = [f"{job_id} was promised and does not exist" for job_id in sorted(promised - jobs.keys())]
    faults += [f"{job_id} exists and no client knows it" for job_id in sorted(jobs.keys() - promised)]
    return Verdict("accepted jobs exist, and no others", f"{len(promised)} promised, {len(jobs)} exist", faults)


def _one_job_a_key(evidence: Evidence) -> Verdict:
    named: dict[tuple[str, str], set[str]] = {}
    for accepted in evidence.record.accepted:
        named.setdefault((accepted.account, accepted.key), set()).add(accepted.job_id)
    faults = [f"key {key} named {', '.join(sorted(jobs))}" for (_, key), jobs in named.items() if len(jobs) > 1]
    faults += evidence.record.changed
    subjects = Counter(row["subject"] for row in evidence.books.keys)
    faults += [f"{job_id} is remembered under {count} keys" for job_id, count in subjects.items() if count > 1]
    faults += [f"{job_id} has no key" for job_id in evidence.books.jobs if job_id not in subjects]
    return Verdict("one key, one job", f"{len(named)} keys, {len(subjects)} jobs", faults)


def _crowds(evidence: Evidence) -> Verdict:
    return Verdict("crowds at one moment", evidence.crowds_figure, list(evidence.crowds))


def _terminal(evidence: Evidence) -> Verdict:
    statuses = Counter(job["status"] for job in evidence.books.jobs.values())
    faults = [f"{job_id} is {job['status']}" for job_id, job in evidence.books.jobs.items() if not _is_over(job)]
    wanted = sum(count for status, count in statuses.items() if status != "canceled")
    if statuses["completed"] < LEAST_COMPLETED * wanted:
        faults.append(f"only {statuses['completed']} of {wanted} were completed")
    return Verdict("every job is terminal", _counted(statuses), faults)


def _history(evidence: Evidence) -> Verdict:
    """Numbered without a gap, beginning queued, ending as the job did, and ending once."""
    faults = []
    for job_id, job in evidence.books.jobs.items():
        events = evidence.books.events.get(job_id, [])
        types = [event["type"] for event in events]
        if [event["seq"] for event in events] != list(range(1, len(events) + 1)) or types[:1] != ["queued"]:
            faults.append(f"{job_id} has the history {types}")
        elif [kind for kind in types if kind in TERMINAL] != [job["status"]]:
            faults.append(f"{job_id} is {job['status']}, its history says {types}")
    return Verdict("histories end once", f"{sum(map(len, evidence.books.events.values()))} events", faults)


def _attempts(evidence: Evidence) -> Verdict:
    statuses: Counter[str] = Counter()
    faults = []
    for job_id, job in evidence.books.jobs.items():
        found = [attempt["status"] for attempt in evidence.books.attempts.get(job_id, [])]
        statuses.update(found)
        faults += [f"{job_id} still has an attempt {status}" for status in found if status not in _ATTEMPT_OVER]
        if found.count("succeeded") != (job["status"] == "completed"):
            faults.append(f"{job_id} is {job['status']} with the attempts {found}")
    return Verdict("no attempt is live, one succeeded for each completed job", _counted(statuses), faults)


_ATTEMPT_OVER = {"succeeded", "failed", "canceled"}


def _balances(evidence: Evidence) -> Verdict:
    faults = [evidence.audit] if evidence.audit else []
    for owner, row in evidence.books.balances.items():
        for name in ("available", "held"):
            if row[name] != row[f"sum_{name}"]:
                faults.append(f"{owner}: {name} is {row[name]}, its transfers add up to {row[f'sum_{name}']}")
    total = sum(row["available"] for row in evidence.books.balances.values())
    return Verdict(
        "balances are what their transfers add up to",
        f"{len(evidence.books.balances)} accounts, {total} micros available",
        faults,
    )


def _holds(evidence: Evidence) -> Verdict:
    held = sum(row["held"] for row in evidence.books.balances.values())
    faults = [f"{owner} still has {row['held']} held" for owner, row in evidence.books.balances.items() if row["held"]]
    return Verdict("nothing is held", f"{held} micros held", faults)


def _captured_once(evidence: Evidence) -> Verdict:
    """One hold of the price; then one capture of all of it if the job completed, else one release of all of it."""
    faults = []
    charged = 0
    for job_id, job in evidence.books.jobs.items():
        price = job["price_micros"]
        moved = sorted((row["kind"], row["amount"]) for row in evidence.books.transfers.get(job_id, []))
        ending = "capture" if job["status"] == "completed" else "release"
        charged += price if job["status"] == "completed" else 0
        if moved != sorted([("hold", price), (ending, price)]):
            faults.append(f"{job_id} ({job['status']}, {price}) moved {moved}")
    strangers = evidence.books.transfers.keys() - evidence.books.jobs.keys()
    faults += [f"{job_id} moved money and does not exist" for job_id in sorted(strangers)]
    if evidence.books.revenue != charged:
        faults.append(f"revenue is {evidence.books.revenue}, completed jobs cost {charged}")
    return Verdict("completed jobs are captured once, others never", f"{charged} micros captured", faults)


def _callbacks(evidence: Evidence) -> Verdict:
    heard: dict[str, list[Received]] = {}
    for received in evidence.received:
        heard.setdefault(received.job_id, []).append(received)
    faults = []
    for job_id, job in evidence.books.jobs.items():
        rows = [row["status"] for row in evidence.books.deliveries.get(job_id, [])]
        messages = heard.pop(job_id, [])
        faults += [f"{job_id}: {received.fault} signature" for received in messages if received.fault]
        if not job["callback_url"]:
            if rows or messages:
                faults.append(f"{job_id} asked for no callback")
        elif rows != ["delivered"]:
            faults.append(f"{job_id} has the deliveries {rows}")
        elif {received.status for received in messages} != {job["status"]}:
            faults.append(f"{job_id} is {job['status']}, heard: {[received.status for received in messages]}")
        elif len({received.message_id for received in messages}) != 1:
            faults.append(f"{job_id} was told under several message ids")
    faults += [f"{job_id} was told of and does not exist" for job_id in heard]
    repeated = len(evidence.received) - len({received.job_id for received in evidence.received})
    return Verdict(
        "every callback is delivered, genuine and true",
        f"{len(evidence.received)} received, {repeated} of them repetitions",
        faults,
    )


def _outputs(evidence: Evidence) -> Verdict:
    """A completed job's outputs, and nothing else, lie under its winning attempt's prefix, byte for byte."""
    faults = []
    owned: Counter[str] = Counter()
    left = dict(evidence.books.objects)
    for job_id, job in evidence.books.jobs.items():
        if job["status"] != "completed":
            continue
        won = [row for row in evidence.books.attempts.get(job_id, []) if row["status"] == "succeeded"]
        account = ids.encode(ids.ACCOUNT, job["account_id"])
        prefixes = tuple(f"users/{account}/jobs/{job_id}/{ids.encode(ids.ATTEMPT, row['id'])}/" for row in won)
        if not job["outputs"]:
            faults.append(f"{job_id} is completed without an output")
        for output in job["outputs"]:
            owned[output["key"]] += 1
            lies = left.pop(output["key"], None)
            if lies is None:
                faults.append(f"{job_id} misses {output['name']} in the bucket")
            elif lies != (output["bytes"], output["sha256"]):
                faults.append(f"{job_id}: {output['name']} is not the file that was recorded")
            if not output["key"].startswith(prefixes):
                faults.append(f"{job_id}: {output['name']} does not belong to the attempt that won")
        faults += [f"{job_id} has {key} too many" for key in _under(left, prefixes)]
    faults += [f"{key} belongs to {count} outputs" for key, count in owned.items() if count > 1]
    figure = f"{len(owned)} outputs; {len(left)} of attempts that lost, for the sweep"
    return Verdict("each output exists once, as recorded", figure, faults)


def _twice(evidence: Evidence) -> Verdict:
    """Of two identical calls at most one is heard; only a wiped broker may forget a nonce, and calls bear even that."""
    faults = []
    for call in evidence.twice:
        wiped = any(call.began_at <= moment <= call.ended_at for moment in evidence.wiped_at)
        if all(answer.heard for answer in call.answers) and not wiped:
            faults.append(f"{call.verb} at {call.began_at:%H:%M:%S.%f} was heard twice")
    verbs = Counter(call.verb for call in evidence.twice)
    return Verdict("a call sent twice is heard once", _counted(verbs), faults)


def _is_over(job: dict[str, object]) -> bool:
    return job["status"] in TERMINAL


def _under(objects: dict[str, tuple[int, str]], prefixes: tuple[str, ...]) -> Iterator[str]:
    return (key for key in objects if prefixes and key.startswith(prefixes))


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "none"


GATES: Sequence[Gate] = (
    _strikes,
    _answered,
    _kept,
    _one_job_a_key,
    _crowds,
    _terminal,
    _history,
    _attempts,
    _balances,
    _holds,
    _captured_once,
    _callbacks,
    _outputs,
    _twice,
)
