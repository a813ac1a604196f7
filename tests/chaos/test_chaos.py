"""The short chaos run, and the proof that its gates can fail."""

import dataclasses
import subprocess
import sys
from uuid import UUID

import pytest

from core import ids
from deploy.chaos.books import Books
from deploy.chaos.customer import Received, fault_of
from deploy.chaos.gates import Evidence, judge
from deploy.chaos.load import Accepted, Record
from deploy.platform.programs import ROOT


@pytest.mark.soak
@pytest.mark.timeout(420)
def test_everything_dies_once_and_nothing_is_lost_nor_charged_twice() -> None:
    """A sound run passes every gate; then five planted violations are each named by their gate."""
    command = [sys.executable, "-m", "deploy.chaos", "--short", "--expect-violations"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": seen by") == 5
    assert "NOT seen" not in done.stdout


JOB, ATTEMPT, ACCOUNT = UUID(int=1), UUID(int=2), UUID(int=3)
PUBLIC = ids.encode(ids.JOB, JOB)
KEY = f"users/{ids.encode(ids.ACCOUNT, ACCOUNT)}/jobs/{PUBLIC}/{ids.encode(ids.ATTEMPT, ATTEMPT)}/output_0001.bin"
OUTPUT = {"name": "output_0001.bin", "key": KEY, "bytes": 1, "sha256": "aa"}
HOLD = {"kind": "hold", "amount": 7}
CAPTURE = {"kind": "capture", "amount": 7}


def books(**changes: object) -> Books:
    """One completed, charged and told job."""
    sound = Books(
        jobs={
            PUBLIC: {
                "job_id": JOB,
                "account_id": ACCOUNT,
                "status": "completed",
                "price_micros": 7,
                "callback_url": "http://customer/",
                "outputs": [OUTPUT],
            }
        },
        attempts={PUBLIC: [{"id": ATTEMPT, "status": "succeeded"}]},
        events={
            PUBLIC: [{"seq": seq, "type": kind} for seq, kind in enumerate(("queued", "started", "completed"), start=1)]
        },
        transfers={PUBLIC: [HOLD, CAPTURE]},
        balances={ACCOUNT: {"available": 93, "held": 0, "sum_available": 93, "sum_held": 0}},
        revenue=7,
        deliveries={PUBLIC: [{"id": UUID(int=4), "status": "delivered"}]},
        keys=[{"key": "k", "subject": PUBLIC}],
        objects={KEY: (1, "aa")},
    )
    return dataclasses.replace(sound, **changes)  # type: ignore[arg-type]


def failed(books: Books, received: list[Received] | None = None) -> list[str]:
    """The names of the gates that fail."""
    genuine = Received(message_id="whd_1", job_id=PUBLIC, status="completed", fault="")
    evidence = Evidence(
        books=books,
        record=Record(accepted=[Accepted("a", "k", PUBLIC, with_callback=True)]),
        received=[genuine] if received is None else received,
        twice=[],
        wiped_at=[],
        crowds=[],
        crowds_figure="",
        unlanded=[],
        landed=1,
        audit="",
    )
    return [verdict.name for verdict in judge(evidence) if verdict.faults]


def test_sound_books_pass() -> None:
    assert failed(books()) == []


CAPTURED = "completed jobs are captured once, others never"
CALLBACKS = "every callback is delivered, genuine and true"
OUTPUTS = "each output exists once, as recorded"


@pytest.mark.parametrize(
    ("changes", "gates"),
    [
        ({"transfers": {PUBLIC: [HOLD, CAPTURE, CAPTURE]}}, [CAPTURED]),
        ({"transfers": {PUBLIC: [HOLD]}}, [CAPTURED]),
        ({"transfers": {PUBLIC: [HOLD, {"kind": "release", "amount": 7}]}}, [CAPTURED]),
        ({"revenue": 14}, [CAPTURED]),
        ({"deliveries": {}}, [CALLBACKS]),
        ({"deliveries": {PUBLIC: [{"status": "pending"}]}}, [CALLBACKS]),
        ({"deliveries": {PUBLIC: [{"status": "delivered"}] * 2}}, [CALLBACKS]),
        ({"objects": {}}, [OUTPUTS]),
        ({"objects": {KEY: (1, "bb")}}, [OUTPUTS]),
        ({"objects": {KEY: (1, "aa"), KEY + "x": (1, "aa")}}, [OUTPUTS]),
        (
            {"balances": {ACCOUNT: {"available": 94, "held": 0, "sum_available": 93, "sum_held": 0}}},
            ["balances are what their transfers add up to"],
        ),
        (
            {"balances": {ACCOUNT: {"available": 93, "held": 7, "sum_available": 93, "sum_held": 7}}},
            ["nothing is held"],
        ),
        (
            {"attempts": {PUBLIC: [{"id": ATTEMPT, "status": "succeeded"}, {"id": JOB, "status": "running"}]}},
            ["no attempt is live, one succeeded for each completed job"],
        ),
        ({"keys": [{"key": "k", "subject": PUBLIC}, {"key": "l", "subject": PUBLIC}]}, ["one key, one job"]),
        (
            {"events": {PUBLIC: [{"seq": 1, "type": "queued"}, {"seq": 3, "type": "completed"}]}},
            ["histories end once"],
        ),
    ],
)
def test_each_gate_fails_for_its_own_violation_and_no_other(changes: dict[str, object], gates: list[str]) -> None:
    assert failed(books(**changes)) == gates


@pytest.mark.parametrize(
    "received",
    [
        [],
        [Received(message_id="whd_1", job_id=PUBLIC, status="failed", fault="")],
        [Received(message_id="whd_1", job_id=PUBLIC, status="completed", fault="wrong signature")],
        [Received(message_id=f"whd_{n}", job_id=PUBLIC, status="completed", fault="") for n in (1, 2)],
    ],
)
def test_a_callback_that_is_missing_false_forged_or_doubled_fails(received: list[Received]) -> None:
    assert failed(books(), received) == [CALLBACKS]


def test_an_unfinished_job_fails() -> None:
    job = {**books().jobs[PUBLIC], "status": "processing"}
    assert "every job is terminal" in failed(books(jobs={PUBLIC: job}))


def test_a_promised_job_that_does_not_exist_fails() -> None:
    assert "accepted jobs exist, and no others" in failed(books(jobs={}))


def test_the_published_example_of_a_signature_is_genuine_and_a_changed_byte_is_not() -> None:
    """The example of the Standard Webhooks specification."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    body = b'{"test": 2432232314}'
    assert fault_of(secret, headers, body, now=1614265331) == ""
    assert fault_of(secret, headers, body + b" ", now=1614265331) == "wrong signature"
    assert fault_of(secret, headers, body, now=1614266000) == "too old or from the future"
    assert fault_of(secret, {}, body, now=1614265331).startswith("malformed")
