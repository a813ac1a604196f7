"""Plant what must never happen, to prove that the gates would see it."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.chaos.books import Books, bucket, connect
from deploy.chaos.gates import Verdict


@dataclass(frozen=True)
class Plant:
    """One violation: which gate has to name which victim."""

    what: str
    gate: str
    victim: str


class NothingToSpoil(RuntimeError):
    """The run left too few completed jobs to plant anything."""


_DOUBLE_CAPTURE = """
INSERT INTO billing_transfer (id, reference, leg, kind, debit_id, credit_id, amount, available_after, created_at)
SELECT uuidv7(), reference, leg + 1, kind, debit_id, credit_id, amount, available_after, clock_timestamp()
FROM billing_transfer WHERE reference = 'job:' || %s || ':settle' AND kind = 'capture'
"""


def plant(books: Books, environment: Mapping[str, str]) -> list[Plant]:
    """Spoil five things, each of another job, past all guards of the database.

    Raises:
        NothingToSpoil: see there.
    """
    told = [job_id for job_id, job in books.jobs.items() if job["status"] == "completed" and job["callback_url"]]
    if len(told) < 4:
        raise NothingToSpoil(f"{len(told)} completed jobs with a callback; 4 are needed")
    twice, untold, lost, stuck = told[:4]
    owner = next(iter(books.balances))
    with connect(environment) as database:
        database.execute("SET session_replication_role = replica")  # no trigger and no foreign key says no
        database.execute(_DOUBLE_CAPTURE, [str(books.jobs[twice]["job_id"])])
        database.execute("DELETE FROM core_webhooktry WHERE delivery_id = %s", [books.deliveries[untold][0]["id"]])
        database.execute("DELETE FROM core_webhookdelivery WHERE id = %s", [books.deliveries[untold][0]["id"]])
        database.execute("UPDATE media_job SET status = 'processing' WHERE id = %s", [books.jobs[stuck]["job_id"]])
        database.execute("UPDATE billing_balance SET available = available + 1 WHERE owner_id = %s", [owner])
    key = books.jobs[lost]["outputs"][0]["key"]
    bucket(environment).delete_object(Bucket=environment["S3_PUBLIC_BUCKET"], Key=key)
    return [
        Plant("a second capture", "completed jobs are captured once, others never", twice),
        Plant("a lost callback", "every callback is delivered, genuine and true", untold),
        Plant("a deleted output", "each output exists once, as recorded", lost),
        Plant("a job that never ends", "every job is terminal", stuck),
        Plant("a micro out of nowhere", "balances are what their transfers add up to", str(owner)),
    ]


def unseen(plants: list[Plant], verdicts: list[Verdict]) -> list[Plant]:
    """The plants that their gate did not name."""
    faults = {verdict.name: verdict.faults for verdict in verdicts}
    return [plant for plant in plants if not any(plant.victim in fault for fault in faults[plant.gate])]
