"""Jobs from price to file, against the real server with a stand-in worker."""

import itertools
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import killatamata
from core import clock
from killatamata import Client, Job
from tests.clients.conftest import Pauses
from tests.clients.middleman import Middleman, Say
from tests.media.customers import IMAGE, IMAGE_MICROS, PROMPT, Customer, new_customer
from tests.media.standin import PICTURE, Run, StandIn

pytestmark = pytest.mark.django_db(transaction=True)
PICTURE_BYTES = PICTURE["output_0001.webp"][1]


def test_balance_tasks_and_estimate(client: Client, customer: Customer) -> None:
    balance = client.balance()
    assert (balance.usd_balance, balance.usd_held, balance.usd_total) == (Decimal(10), Decimal(0), Decimal(10))
    assert balance.usd_balance_micros == 10_000_000
    tasks = {task.task: task for task in client.tasks()}
    assert len(tasks) == 10
    assert tasks[IMAGE].input_schema["required"] == ["prompt"]
    assert (tasks[IMAGE].price.minimum_usd, tasks[IMAGE].pool.live_nodes) == (Decimal("0.01"), 1)
    estimate = client.estimate(IMAGE, {**PROMPT, "width": 512, "height": 512, "aspectRatio": "16:9"})
    assert (estimate.usd_charged, estimate.usd_charged_micros) == (Decimal("0.01"), 10_000)
    assert [changed.field for changed in estimate.input_adjustments] == ["aspectRatio"]
    assert customer.money() == (10_000_000, 0)


def test_a_quote_binds_the_price(client: Client, customer: Customer) -> None:
    quote = client.estimate(IMAGE, PROMPT)
    submitted = client.submit(IMAGE, PROMPT, quote_id=quote.quote_id)
    assert submitted.usd_charged_micros == quote.usd_charged_micros == IMAGE_MICROS
    with pytest.raises(killatamata.ApiError) as refused:
        client.submit(IMAGE, {"prompt": "something else"}, quote_id=quote.quote_id)
    assert refused.value.code == "quote_mismatch"
    assert customer.money() == (10_000_000 - IMAGE_MICROS, IMAGE_MICROS)


class Worker:
    """Does a job's work in step with whoever watches it: one step for each look."""

    def __init__(self, node: StandIn, customer: Customer) -> None:
        self.node, self.customer = node, customer
        self.seen: list[tuple[str, float, int | None]] = []
        self._run: Run | None = None

    def __call__(self, job: Job) -> None:
        self.seen.append((job.status, job.progress, job.queue_position))
        match len(self.seen):
            case 2:
                self._run = self.node.take(self.customer.job(job.id))
            case 4:
                assert self._run is not None
                self._run.progress(0.5, "drawing")
            case 5:
                assert self._run is not None
                assert self._run.deliver().status_code == 200


def test_run_watches_a_job_to_its_end_and_download_brings_its_file(
    client: Client, customer: Customer, node: StandIn, pauses: Pauses, tmp_path: Path
) -> None:
    worker = Worker(node, customer)
    job = client.run(IMAGE, PROMPT, on_progress=worker)
    assert [seen[:2] for seen in worker.seen] == [
        ("queued", 0.0), ("queued", 0.0), ("processing", 0.0), ("processing", 0.0), ("processing", 0.5),
        ("completed", 1.0),
    ]  # fmt: skip
    assert worker.seen[1][2] == 1  # alone in the queue
    assert pauses.taken == [0.25, 0.35, 0.25, 0.35, 0.49]  # they grow while nothing changes
    assert (job.completed, job.billed, job.duration_ms) == (True, True, 1234)
    assert job.billing is not None
    assert job.billing.usd_charged == Decimal("0.04")
    assert client.download(job, tmp_path / "barn.webp") == [tmp_path / "barn.webp"]
    assert (tmp_path / "barn.webp").read_bytes() == PICTURE_BYTES
    assert client.download(job.id, tmp_path) == [tmp_path / f"{job.id}.webp"]
    assert client.download(job, f"{tmp_path}/new/") == [tmp_path / "new" / f"{job.id}.webp"]
    assert client.download(job, tmp_path / "bare") == [tmp_path / "bare.webp"]
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {
        "barn.webp", f"{job.id}.webp", "bare.webp"
    }  # fmt: skip
    assert client.job(job.id).effective_input is None
    assert (client.job(job.id, details=True).effective_input or {})["prompt"] == PROMPT["prompt"]
    assert customer.money() == (10_000_000 - IMAGE_MICROS, 0)


def test_a_failed_job_is_told_and_not_billed(client: Client, customer: Customer, node: StandIn) -> None:
    def worker(job: Job) -> None:
        if job.status == "queued":
            node.take(customer.job(job.id)).fail(code="bad_prompt", message="That cannot be drawn.", retryable=False)

    with pytest.raises(killatamata.JobFailed) as failed:
        client.run(IMAGE, PROMPT, on_progress=worker)
    job = failed.value.job
    assert (job.status, job.error_code, job.error, job.billed) == (
        "failed",
        "bad_prompt",
        "That cannot be drawn.",
        False,
    )
    assert str(failed.value) == f"That cannot be drawn. (bad_prompt, {job.id})"
    with pytest.raises(killatamata.DownloadFailed, match="is failed"):
        client.download(job)
    assert client.wait(job.id) == client.job(job.id)  # waiting alone judges nothing
    assert customer.money() == (10_000_000, 0)


def test_cancel_wait_with_a_limit_and_lists(client: Client, customer: Customer, pauses: Pauses) -> None:
    ids = [client.submit(IMAGE, PROMPT).id for _ in range(5)]
    with pytest.raises(killatamata.WaitTimeout) as late:
        client.wait(ids[0], timeout=7)
    assert isinstance(late.value, TimeoutError)
    assert (late.value.job.status, pauses.now) == ("queued", pytest.approx(1007))
    assert client.cancel(ids[0]).status == client.cancel(ids[0]).status == "canceled"
    assert [job.id for job in client.jobs(page_size=2)] == ids[::-1]
    assert [job.id for job in client.jobs(status="canceled")] == ids[:1]
    assert list(client.jobs(task="video.generate")) == []
    assert list(client.jobs(before=clock.now() - timedelta(hours=1))) == []
    assert len(list(itertools.islice(client.jobs(after=clock.now() - timedelta(hours=1), details=True), 3))) == 3
    assert customer.money() == (10_000_000 - 4 * IMAGE_MICROS, 4 * IMAGE_MICROS)


def test_a_watched_job_survives_an_outage_of_two_minutes_and_no_more(
    client: Client, server: Middleman, pauses: Pauses
) -> None:
    job_id = client.submit(IMAGE, PROMPT).id
    down = Say(503, {"error": "Down.", "code": "unavailable", "details": {}})
    first = client.job(job_id)
    server.script = [Say(200, first.raw), *[down] * 24, Say(200, {**first.raw, "status": "completed"})]
    assert client.wait(job_id).completed
    began = pauses.now
    server.script = [Say(200, first.raw), *[down] * 1000]
    with pytest.raises(killatamata.Unavailable):
        client.wait(job_id)
    assert 120 < pauses.now - began < 140


def test_refusals_by_class(client: Client, server: Middleman, customer: Customer, pauses: Pauses) -> None:
    nobody_paid = Client(new_customer(deposit=0).key, server.url, pacing=pauses.pacing())
    with customer.untouched(), nobody_paid as poor_client:
        with pytest.raises(killatamata.InvalidRequest) as wrong:
            client.submit(IMAGE, {"prompt": "", "width": 33})
        assert wrong.value.status == 400
        assert set(wrong.value.fields) >= {"input.prompt", "input.width"}
        assert (wrong.value.request_id or "").startswith("req_")
        with pytest.raises(killatamata.NotFound) as unknown:
            client.job("job_00000000000000000000000000")
        assert unknown.value.code == "not_found"
        with pytest.raises(killatamata.InsufficientBalance) as poor:
            poor_client.submit(IMAGE, PROMPT)
        assert (poor.value.code, poor.value.billed) == ("insufficient_balance", False)
        assert poor.value.details == {"requiredUsdMicros": IMAGE_MICROS, "availableUsdMicros": 0}
    stranger = Client("kt_live_aaaaaaaa_" + "b" * 43, server.url, pacing=pauses.pacing())
    with stranger, pytest.raises(killatamata.AuthenticationError) as nobody:
        stranger.balance()
    assert nobody.value.code == "unauthenticated"
    assert pauses.taken == []  # none of this is tried again


def finished(*files: tuple[str, int | None]) -> Job:
    return Job.read(
        {
            "externalJobId": "job_../../evil",
            "task": IMAGE,
            "status": "completed",
            "downloadableOutputUrls": [url for url, _ in files],
            "outputFiles": [{"name": "../../evil.webp", "bytes": length} for _, length in files],
        }
    )


def test_several_files_are_numbered_and_none_leaves_its_folder(client: Client, tmp_path: Path) -> None:
    with Middleman() as cdn:
        job = finished((f"{cdn.url}/a/output_0001.webp", 3), (f"{cdn.url}/a/output_0002.weird-ext", None))
        cdn.script = [Say(200, b"one"), Say(200, b"three")] * 2
        saved = client.download(job, tmp_path)
        assert saved == [tmp_path / "job_______evil_1.webp", tmp_path / "job_______evil_2"]
        assert [path.read_bytes() for path in saved] == [b"one", b"three"]
        assert client.download(job, tmp_path / "x.webp") == [tmp_path / "x_1.webp", tmp_path / "x_2.webp"]
        assert all("Authorization" not in seen.headers for seen in cdn.seen)


def test_files_that_arrived_stay_when_a_later_one_fails(client: Client, tmp_path: Path) -> None:
    with Middleman() as cdn:
        job = finished(*((f"{cdn.url}/{number}.webp", 3) for number in range(3)))
        cdn.script = [Say(200, b"one"), Say(200, b"tw"), Say(200, b"six")]
        with pytest.raises(killatamata.DownloadFailed, match="2 bytes came where 3"):
            client.download(job, tmp_path / "x.webp")
        assert len(cdn.script) == 1  # the third is not fetched
    assert [(path.name, path.read_bytes()) for path in tmp_path.glob("*.webp*")] == [("x_1.webp", b"one")]


def test_a_download_that_breaks_off_is_begun_again_and_half_a_file_is_never_left(
    client: Client, tmp_path: Path
) -> None:
    target = tmp_path / "a.webp"
    target.write_bytes(b"before")
    with Middleman() as cdn:
        job = finished((f"{cdn.url}/a.webp", 6))
        cdn.script = [Say(200, b"who", announce=6), Say(200, b"whole!")]
        assert client.download(job, target) == [target]
        assert target.read_bytes() == b"whole!"
        cdn.script = [Say(200, b"who", announce=6)] * 4
        with pytest.raises(killatamata.TransportError, match="broke"):
            client.download(job, target)
        cdn.script = [Say(200, b"short")]
        with pytest.raises(killatamata.DownloadFailed, match="5 bytes came where 6"):
            client.download(job, target)
        cdn.script = [Say(404, b"<Error/>")]
        with pytest.raises(killatamata.NotFound):
            client.download(job, target)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["a.webp"]
    assert target.read_bytes() == b"whole!"
    with pytest.raises(killatamata.DownloadFailed, match="no longer kept"):
        client.download(Job.read({**job.raw, "outputsExpired": True, "downloadableOutputUrls": []}), target)
    with pytest.raises(killatamata.DownloadFailed, match="not http"):
        client.download(finished(("file:///etc/passwd", None)), target)
