"""The bench's arithmetic, and that its floors send the platform's own statements."""

import json
import re
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection
from psycopg import ClientCursor

from accounts.models import User
from accounts.services.keys import mint_key
from billing.selectors import balance
from billing.services.adjust import adjust
from billing.services.open_account import open_account
from core import clock
from deploy.bench import client, pgbench, traffic
from deploy.bench.capture import Captured, capture
from deploy.bench.report import Section, Table, Target, number, write
from deploy.bench.series import Contest, Figures, RunInvalid, Series, figures, medians, percentile
from deploy.bench.statements import Slot, Statement, hold_reference, pgbench_script, recording
from deploy.embedded import EmbeddedServers
from media.fleet.services import note_heartbeat, register_node
from media.models import Attempt, Job, JobEvent
from media.services import submit_job
from media.services.publish_prices import publish_missing_prices

DEPOSIT = 1_000_000


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert [percentile(values, percent) for percent in (1, 50, 95, 99, 100)] == [1.0, 50.0, 95.0, 99.0, 100.0]
    assert percentile([7.0], 50) == 7.0
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0
    for wrong in ([], 50), ([1.0], 0), ([1.0], 101):
        with pytest.raises(ValueError, match="percentile"):
            percentile(*wrong)


def test_a_run_that_measured_nothing_is_refused() -> None:
    with pytest.raises(RunInvalid):
        Series(latencies=[], seconds=3)


def test_figures_are_medians_of_rounds_taken_in_turn() -> None:
    order: list[str] = []
    speeds = {"a": iter([10, 30, 20]), "b": iter([1, 2, 900])}

    def run(name: str) -> Series:
        order.append(name)
        return Series(latencies=[4.0] * next(speeds[name]), seconds=2)

    contest = Contest(3, {"a": lambda: run("a"), "b": lambda: run("b")})
    assert order == ["a", "b"] * 3
    assert {name: one.rate for name, one in contest.medians().items()} == {"a": 10.0, "b": 1.0}
    assert contest.ratio("a", "b") == 10.0  # the median of 10 ÷ 1, 30 ÷ 2 and 20 ÷ 900
    assert contest.ratio("b", "a") == 0.1
    assert contest.ratio("a", "b", "p99") == 1.0
    one = figures(Series(latencies=[1.0, 2.0, 3.0, 100.0], seconds=2))
    assert one == Figures(rate=2.0, p50=2.0, p95=100.0, p99=100.0)
    assert medians([one, one, Figures(rate=9, p50=9, p95=9, p99=9)]) == one


def test_report_tables_and_targets(tmp_path: Path) -> None:
    table = Table(title="T", columns=("", "rate /s"), rows=[["ours", number(1234.4)]], notes=["short"])
    assert table.markdown() == "### T\n\n|  | rate /s |\n| :--- | ---: |\n| ours | 1 234 |\n\nshort  \n"
    with pytest.raises(ValueError, match="cells"):
        Table(title="T", columns=("", "rate"), rows=[["ours"]])
    assert [number(value) for value in (0.704, 9.996, 12.34, 99.94, 100.4)] == ["0.70", "10.00", "12.3", "99.9", "100"]
    reached = Target(name="rate", measured=0.7, wanted=0.7)
    late = Target(name="p99", measured=1.51, wanted=1.5, at_most=True)
    assert (reached.met, late.met) == (True, False)
    section = Section(tables=[table], targets=[reached, late], figures={"x": figures(Series(latencies=[1], seconds=1))})
    markdown, data = write(tmp_path, machine={"processors": 2}, sections={"t": section})
    assert "| rate | 0.70 | ≥ 0.70 | met |" in markdown.read_text()
    told = json.loads(data.read_text())
    assert told["sections"]["t"]["x"]["rate"] == 1.0
    assert [target["met"] for target in told["targets"]] == [True, False]


def test_pgbench_log_is_microseconds() -> None:
    log = "0 1 4250 0 1700000000 5250\n1 1 900 0 1700000000 7000\n0 2 1000 0 1700000002 1000\n"
    assert pgbench.latencies(log) == [4.25, 0.9, 1.0]
    assert pgbench.latencies(log, warmup=0.006) == [0.9, 1.0]
    assert pgbench.latencies(log, warmup=2) == [1.0]
    assert pgbench.latencies("") == []


@pytest.fixture
def answering():
    """A server that answers the given bytes, one piece at a time, to every request of one connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(pieces: list[bytes], requests: int) -> int:
        def answer() -> None:
            accepted, _ = listener.accept()
            with accepted:
                for _ in range(requests):
                    accepted.recv(65_536)
                    for piece in pieces:
                        accepted.sendall(piece)

        threading.Thread(target=answer, daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    yield serve
    listener.close()


def test_client_reads_answers_that_come_in_pieces(answering) -> None:
    port = answering([b"HTTP/1.1 201 Created\r\ncontent-le", b"ngth: 5\r\n\r\nhe", b"llo"], 3)
    outcome = client.send_all(port, [[client.request("GET", "/")] * 3])
    assert len(outcome.latencies) == 3
    assert outcome.first_answer == b"hello"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 402 Payment Required\r\nContent-Length: 4\r\n\r\nnone", "402: none"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "without Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "closed a connection"),
    ],
)
def test_client_refuses_a_run_with_a_wrong_answer(answering, answer: bytes, reason: str) -> None:
    with pytest.raises(RunInvalid, match=reason):
        client.send_all(answering([answer], 1), [[client.request("GET", "/")]])


# The floors.


@pytest.fixture
def captured(transactional_db: None, settings) -> Captured:
    settings.DIAGNOSTIC_TASKS = True
    publish_missing_prices()
    register_node(node_id="idle", pools=["diagnostic"])
    note_heartbeat(node_id="idle", slots=0, memory_bytes=0, version="", now=clock.now())
    for place in range(2):
        user = User.objects.create_user(f"bench{place}@example.com", id=traffic.account_uuid(place))
        open_account(account_id=user.pk)
        adjust(account_id=user.pk, amount=DEPOSIT, reason="test", reference=f"test:{place}", actor=None)
    return capture(key=mint_key(user=User.objects.get(email="bench0@example.com"), label="t", now=clock.now()).plain)


def test_statements_survive_their_packing(captured: Captured) -> None:
    again = Captured.unpacked(json.loads(json.dumps(captured.packed())))
    values = _values()
    for one, other in zip([*captured.submit, captured.status], [*again.submit, again.status], strict=True):
        assert _text(one, values) == _text(other, values)
    assert (again.submit_answer, again.status_answer) == (captured.submit_answer, captured.status_answer)


def test_hold_reference_is_the_platforms() -> None:
    job_id = UUID(int=7)
    assert hold_reference(job_id) == submit_job.hold_reference(job_id)


def test_bare_django_sends_the_statements_of_a_submit(captured: Captured, monkeypatch, tmp_path) -> None:
    views = _floor_views(captured, monkeypatch, tmp_path)
    with recording() as seen:
        job_id = views.write_submit(captured, account_id=traffic.account_uuid(1))
    assert [one.sql for one in seen] == [one.sql for one in captured.submit]
    assert all(one.in_transaction for one in seen)
    _assert_submitted(job_id)
    with recording() as seen:
        views.read_status(captured, {Slot.JOB: job_id, Slot.ACCOUNT: traffic.account_uuid(1)})
    assert [one.sql for one in seen] == [captured.status.sql]
    with pytest.raises(LookupError):
        views.read_status(captured, {Slot.JOB: job_id, Slot.ACCOUNT: traffic.account_uuid(0)})


def test_pgbench_sends_the_statements_of_a_submit(
    captured: Captured, embedded_servers: EmbeddedServers, tmp_path
) -> None:
    script = pgbench_script(captured.submit, account="1")
    own = [line for line in script.splitlines() if not line.startswith("\\set")]
    assert (own[0], own[-1]) == ("BEGIN;", "COMMIT;")
    assert script.count(";\n") == len(captured.submit) + 2
    places = [script.index(statement.sql.split("%", 1)[0].strip()) for statement in captured.submit]
    assert places == sorted(places)
    before = set(Job.objects.values_list("pk", flat=True))
    settings = connection.settings_dict
    url = f"postgres://{settings['USER']}:{settings['PASSWORD']}@127.0.0.1:{settings['PORT']}/{settings['NAME']}"
    bench = pgbench.Pgbench(binaries=embedded_servers["postgres"].binaries, database_url=url)
    series = bench.run(script, clients=2, seconds=1)
    assert len(series.latencies) == Job.objects.count() - len(before)
    _assert_submitted(Job.objects.exclude(pk__in=before).latest("created_at").pk, holds=len(series.latencies))


def test_pgbench_script_hides_colons_that_are_no_variables(db: None) -> None:
    tricky = "a:b \\ it's :c 12:30"
    statement = Statement(sql="SELECT %(text)s, %(hold)s, '5%%'", parameters={"text": tricky, "hold": Slot.HOLD})
    script = pgbench_script([statement], account="3")
    assert "\\set kt_a 100000000000 + 3\n" in script
    select = next(line for line in script.splitlines() if line.startswith("SELECT"))
    assert set(re.findall(r"(?<!:):([A-Za-z_]\w*)", select)) == {"kt_n", "kt_r"}
    with connection.cursor() as cursor:
        cursor.execute(select.replace(":kt_n", "10000001").replace(":kt_r", "123456789012"))
        assert cursor.fetchone() == (tricky, "job:10000001-1111-7000-8000-123456789012:hold", "5%")


def _floor_views(captured: Captured, monkeypatch, folder):
    file = folder / "statements.json"
    file.write_text(json.dumps(captured.packed()))
    monkeypatch.setenv("BENCH_STATEMENTS", str(file))
    from deploy.bench.floor import views

    return views


def _assert_submitted(job_id: UUID, *, holds: int = 1) -> None:
    """A floor's job is what a submit would have left, with its money held."""
    job = Job.objects.get(pk=job_id)
    assert (job.account_id, job.task, job.status) == (traffic.account_uuid(1), "diagnostic.noop", "queued")
    assert Attempt.objects.get(job=job).status == "ready"
    assert JobEvent.objects.get(job=job).type == "queued"
    held = balance(account_id=traffic.account_uuid(1))
    assert (held.available, held.held) == (DEPOSIT - holds, holds)


def _text(statement: Statement, values: dict[Slot, object]) -> str:
    """The statement with its values in it."""
    connection.ensure_connection()
    return ClientCursor(connection.connection).mogrify(statement.sql, statement.bind(values))


def _values() -> dict[Slot, object]:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    job = UUID(int=1)
    return {
        Slot.JOB: job, Slot.ATTEMPT: UUID(int=2), Slot.ACCOUNT: UUID(int=3), Slot.HOLD: hold_reference(job),
        Slot.NOW: now,
    }  # fmt: skip
