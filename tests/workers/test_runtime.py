"""One attempt from its message to its report, against a control plane that records every request in order."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.workers.conftest import Connect, FakeTime
from tests.workers.control_plane import ATTEMPT, CREDENTIAL, Answer, ControlPlane, Seen, lose, say
from workers import runtime
from workers.pipelines import registry
from workers.pipelines.base import EngineFailed, OutputFile, PipelineResult, RunContext
from workers.protocol.envelope import AttemptMessage
from workers.protocol.result import SignedResult
from workers.runtime import HandBack, Node

MESSAGE = AttemptMessage(attempt_id=ATTEMPT, task="diagnostic.noop", pool="diagnostic")
NOOP_SHA256 = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
HAPPY = ["claim", "uploads", "PUT output_0001.bin", "PUT result.json", "complete"]

Engine = Callable[[RunContext], PipelineResult]


@pytest.fixture(autouse=True)
def workdirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Runs make their folders here; however a run ends, none may be left."""
    folder = tmp_path / "workdirs"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture(autouse=True)
def quick_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "REPORT_SECONDS", 0.01)


@pytest.fixture
def node(plane: ControlPlane, connect: Connect) -> Iterator[Node]:
    node = Node(control=connect(plane.url), credential=CREDENTIAL)
    yield node
    assert node.running == {}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lease-")]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[Engine], None]:
    """Makes a function the engine of every task."""

    def put(run: Engine) -> None:
        class Scripted:
            engine = "scripted"

            def run(self, context: RunContext) -> PipelineResult:
                return run(context)

        monkeypatch.setattr(registry, "pipeline", lambda task: Scripted())

    return put


def write(context: RunContext, body: bytes = b"made") -> PipelineResult:
    path = context.workdir / "output_0001.bin"
    path.write_bytes(body)
    return PipelineResult(
        outputs=[OutputFile(path=path, media_type="application/octet-stream", width=2, height=4, seconds=0.5)],
        info={"engine": "e"},
    )


def work_until_told(context: RunContext) -> PipelineResult:
    """An engine that calls step as long as it may."""
    for _ in range(2000):
        context.step(0.5, "working")
        threading.Event().wait(0.01)
    raise AssertionError("never told to stop")


def failure(plane: ControlPlane) -> dict[str, Any]:
    told = plane.one("fail").json
    assert told.pop("delivery_id") == plane.all("claim")[0].json["delivery_id"]
    assert told.pop("run_ms") >= 0
    assert told.pop("v") == 1
    return told


class TestAsItShould:
    def test_the_requests_and_their_order(self, plane: ControlPlane, node: Node) -> None:
        assert runtime.run(MESSAGE, node) == "completed"
        assert [word for word in plane.words if word != "progress"] == HAPPY
        claimed, uploads = plane.one("claim"), plane.one("uploads")
        delivery = claimed.json["delivery_id"]
        assert UUID(delivery).version == 4
        assert plane.stored["output_0001.bin"] == b"\0"

        document = plane.stored["result.json"]
        assert plane.one("complete").body == document
        assert uploads.json["result"]["bytes"] == len(document)
        signed = SignedResult.model_validate_json(document)
        assert (signed.node_id, signed.is_genuine(CREDENTIAL.secret)) == ("tests-1", True)
        result = signed.opened()
        assert (result.attempt_id, str(result.delivery_id), result.info) == (ATTEMPT, delivery, {"engine": "noop"})
        assert [output.model_dump() for output in result.outputs] == uploads.json["outputs"]
        assert uploads.json["outputs"] == [
            {
                "name": "output_0001.bin",
                "media_type": "application/octet-stream",
                "bytes": 1,
                "sha256": NOOP_SHA256,
                "width": None,
                "height": None,
                "seconds": None,
            }
        ]
        assert "price" not in document.decode().lower()

    def test_an_engine_gets_its_inputs_in_order_and_its_seed(
        self, plane: ControlPlane, node: Node, engine: Callable[[Engine], None]
    ) -> None:
        plane.inputs = {f"clip{number}": bytes([number]) * 1000 for number in range(12)}
        plane.params = {"frameRate": 60}
        given: list[RunContext] = []

        def run(context: RunContext) -> PipelineResult:
            given.append(context)
            assert list(context.workdir.iterdir()) == []
            return write(context, b"".join(path.read_bytes()[:1] for path in context.files["clips"]))

        engine(run)
        assert runtime.run(MESSAGE, node) == "completed"
        (context,) = given
        assert (dict(context.params), context.seed, list(context.files)) == ({"frameRate": 60}, 7, ["clips"])
        assert plane.stored["output_0001.bin"] == bytes(range(12))
        assert [word for word in plane.words if word.startswith("GET")] == [f"GET clip{n}" for n in range(12)]

    def test_a_second_message_is_another_delivery(self, plane: ControlPlane, node: Node) -> None:
        runtime.run(MESSAGE, node)
        runtime.run(MESSAGE, node)
        first, second = plane.all("claim")
        assert first.json["delivery_id"] != second.json["delivery_id"]

    def test_lost_answers_are_asked_again_as_the_same_delivery(
        self, plane: ControlPlane, node: Node, fake_time: FakeTime
    ) -> None:
        for word in ("claim", "uploads", "PUT output_0001.bin", "PUT result.json", "complete"):
            plane.scripts[word] = [lose]
        assert runtime.run(MESSAGE, node) == "completed"
        assert [word for word in plane.words if word != "progress"] == [word for word in HAPPY for _ in range(2)]
        asked = [seen for seen in plane.seen if seen.word in {"claim", "uploads"}]
        assert len({seen.json["delivery_id"] for seen in asked}) == 1
        assert len({seen.nonce for seen in asked}) == 4
        once, again = plane.all("complete")
        assert once.body == again.body == plane.stored["result.json"]


class TestBeforeTheClaim:
    @pytest.mark.parametrize(("status", "code"), [(409, "lease_lost"), (410, "gone"), (404, "not_found")])
    def test_a_refused_claim_is_dropped_and_nothing_else_called(
        self, plane: ControlPlane, node: Node, engine: Callable[[Engine], None], status: int, code: str
    ) -> None:
        engine(lambda context: pytest.fail("the engine ran"))
        plane.scripts["claim"] = [say(status, code=code)]
        assert runtime.run(MESSAGE, node) == "not_claimed"
        assert plane.words == ["claim"]

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_node_that_is_not_heard_leaves_the_message_to_another(
        self, plane: ControlPlane, node: Node, engine: Callable[[Engine], None], status: int
    ) -> None:
        engine(lambda context: pytest.fail("the engine ran"))
        plane.scripts["claim"] = [say(status, code="x")]
        with pytest.raises(HandBack, match=str(status)):
            runtime.run(MESSAGE, node)
        assert plane.words == ["claim"]

    def test_a_control_plane_in_trouble_hands_the_message_back(
        self, plane: ControlPlane, node: Node, fake_time: FakeTime
    ) -> None:
        plane.always["claim"] = say(503)
        with pytest.raises(HandBack, match="503"):
            runtime.run(MESSAGE, node)
        assert set(plane.words) == {"claim"}
        assert len({seen.json["delivery_id"] for seen in plane.seen}) == 1
        assert len({seen.nonce for seen in plane.seen}) == len(plane.seen) == 9
        assert sum(fake_time.pauses) == pytest.approx(16.3)
        assert sum(fake_time.pauses) <= runtime.PATIENCE_SECONDS < 30

    def test_a_control_plane_that_is_away_hands_the_message_back(
        self, nobody: str, connect: Connect, fake_time: FakeTime
    ) -> None:
        node = Node(control=connect(nobody), credential=CREDENTIAL)
        with pytest.raises(HandBack, match="ConnectError"):
            runtime.run(MESSAGE, node)
        assert fake_time.pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
        assert node.running == {}


class TestStopped:
    def cancel(self, plane: ControlPlane) -> None:
        plane.always["progress"] = say(200, v=1, cancel=True, lease_seconds=30)

    def test_a_wish_to_cancel_stops_the_engine_and_nothing_is_uploaded(
        self, plane: ControlPlane, node: Node, engine: Callable[[Engine], None]
    ) -> None:
        self.cancel(plane)
        engine(work_until_told)
        assert runtime.run(MESSAGE, node) == "canceled"
        assert {word for word in plane.words if word != "progress"} == {"claim", "fail"}
        assert plane.words[-1] == "fail"
        assert plane.stored == {}
        assert failure(plane) == {
            "kind": "canceled",
            "code": "canceled",
            "message": "Stopped on request.",
            "retryable": False,
        }

    def test_a_wish_that_comes_after_the_work_stops_the_upload_of_the_result(
        self, plane: ControlPlane, node: Node, engine: Callable[[Engine], None]
    ) -> None:
        told = threading.Event()

        def cancel(seen: Seen) -> Answer:
            told.set()
            return say(200, v=1, cancel=True, lease_seconds=30)(seen)

        def put(seen: Seen) -> Answer:
            lease = node.running[ATTEMPT]
            plane.always["progress"] = cancel
            assert told.wait(20)
            while lease._stop is None:  # the lease's thread has the answer in hand
                threading.Event().wait(0.001)
            return 200, b""

        def run(context: RunContext) -> PipelineResult:
            context.step(0.9, "nearly")
            return write(context)

        engine(run)
        plane.always["progress"] = say(503)  # so that it goes on telling the news until it was heard
        plane.scripts["PUT output_0001.bin"] = [put]
        assert runtime.run(MESSAGE, node) == "canceled"
        assert failure(plane)["kind"] == "canceled"
        assert "PUT result.json" not in plane.words
        assert "complete" not in plane.words

    def test_a_heartbeat_can_stop_it_too(
        self, plane: ControlPlane, node: Node, engine: Callable[[Engine], None]
    ) -> None:
        def run(context: RunContext) -> PipelineResult:
            assert list(node.running) == [ATTEMPT]
            node.running[ATTEMPT].stop()
            return work_until_told(context)

        engine(run)
        assert runtime.run(MESSAGE, node) == "canceled"
        assert failure(plane)["kind"] == "canceled"

    @pytest.mark.parametrize("status", [409, 410, 403])
    def test_a_lost_lease_stops_the_engine_and_nothing_is_reported(
        self, plane: ControlPlane, node: Node, engine: Callable[[Engine], None], status: int
    ) -> None:
        plane.always["progress"] = say(status, code="lease_lost")
        engine(work_until_told)
        assert runtime.run(MESSAGE, node) == "lease_lost"
        assert plane.words == ["claim", "progress"]
        assert plane.stored == {}

    def test_a_lost_lease_wins_over_a_wish_to_stop(
        self, plane: ControlPlane, node: Node, engine: Callable[[Engine], None]
    ) -> None:
        def run(context: RunContext) -> PipelineResult:
            node.running[ATTEMPT].stop()
            plane.wait_for("progress")
            node.running[ATTEMPT]._thread.join(20)
            return work_until_told(context)

        plane.always["progress"] = say(409, code="lease_lost")
        engine(run)
        assert runtime.run(MESSAGE, node) == "lease_lost"
        assert "fail" not in plane.words

    @pytest.mark.parametrize("word", ["uploads", "complete"])
    def test_a_lease_lost_at_the_end_is_not_reported(self, plane: ControlPlane, node: Node, word: str) -> None:
        plane.scripts[word] = [say(409, code="lease_lost")]
        assert runtime.run(MESSAGE, node) == "refused"
        assert "fail" not in plane.words
        assert [seen for seen in plane.words if seen != "progress"] == HAPPY[: HAPPY.index(word) + 1]


class TestBrokenDown:
    def test_an_engines_own_words_reach_the_client(
        self, plane: ControlPlane, node: Node, engine: Callable[[Engine], None]
    ) -> None:
        def run(context: RunContext) -> PipelineResult:
            write(context)
            raise EngineFailed("Clip 2 has no picture.", code="no_picture", retryable=False)

        engine(run)
        assert runtime.run(MESSAGE, node) == "failed"
        assert [word for word in plane.words if word != "progress"] == ["claim", "fail"]
        assert failure(plane) == {
            "kind": "failed",
            "code": "no_picture",
            "message": "Clip 2 has no picture.",
            "retryable": False,
        }

    @pytest.mark.parametrize(
        "error", [ValueError("at /srv/secret/path"), OSError(28, "No space left", "/srv/secret/path"), KeyError("x")]
    )
    def test_an_unexpected_error_is_retryable_and_tells_nothing(
        self, plane: ControlPlane, node: Node, engine: Callable[[Engine], None], error: Exception
    ) -> None:
        def run(context: RunContext) -> PipelineResult:
            raise error

        engine(run)
        assert runtime.run(MESSAGE, node) == "failed"
        assert failure(plane) == {
            "kind": "failed",
            "code": "engine_error",
            "message": "The engine broke down.",
            "retryable": True,
        }

    def test_out_of_memory(self, plane: ControlPlane, node: Node, engine: Callable[[Engine], None]) -> None:
        def run(context: RunContext) -> PipelineResult:
            raise MemoryError

        engine(run)
        assert runtime.run(MESSAGE, node) == "failed"
        told = failure(plane)
        assert (told["code"], told["message"], told["retryable"]) == (
            "out_of_memory",
            "The engine ran out of memory.",
            True,
        )

    def test_outputs_that_cannot_be_declared_are_the_engines_fault(
        self, plane: ControlPlane, node: Node, engine: Callable[[Engine], None]
    ) -> None:
        for outputs in ([], ["picture.png"], ["output_0001.bin"]):

            def run(context: RunContext, outputs: list[str] = outputs) -> PipelineResult:
                for name in outputs:
                    (context.workdir / name).touch()
                return PipelineResult(
                    outputs=[OutputFile(path=context.workdir / name, media_type="x/y") for name in outputs]
                )

            engine(run)
            plane.seen.clear()
            assert runtime.run(MESSAGE, node) == "failed"
            assert failure(plane)["code"] == "engine_error"
            assert "uploads" not in plane.words

    def test_a_task_without_an_engine_here(self, plane: ControlPlane, node: Node) -> None:
        plane.task = "music.compose"
        assert runtime.run(MESSAGE, node) == "failed"
        told = failure(plane)
        assert (told["code"], told["retryable"]) == ("engine_missing", True)
        assert told["message"].startswith("This node cannot run music.compose: ")

    def test_an_input_with_the_wrong_hash_never_reaches_the_engine(
        self, plane: ControlPlane, node: Node, engine: Callable[[Engine], None], fake_time: FakeTime
    ) -> None:
        engine(lambda context: pytest.fail("the engine ran"))
        plane.inputs = {"clip": b"the clip that was checked"}
        plane.always["GET clip"] = lambda _: (200, b"the clip that was swapped")
        assert runtime.run(MESSAGE, node) == "failed"
        assert plane.words.count("GET clip") == 5
        assert failure(plane) == {
            "kind": "failed",
            "code": "storage_failed",
            "message": "The bucket could not be used: download of clips[0]: the bytes do not have the announced hash",
            "retryable": True,
        }

    @pytest.mark.parametrize("word", ["PUT output_0001.bin", "PUT result.json"])
    def test_a_refused_upload(self, plane: ControlPlane, node: Node, fake_time: FakeTime, word: str) -> None:
        plane.always[word] = say(403)
        assert runtime.run(MESSAGE, node) == "failed"
        told = failure(plane)
        assert (told["code"], told["retryable"]) == ("storage_failed", True)
        assert "signature=" not in told["message"]
        assert "complete" not in plane.words
        assert "result.json" not in plane.stored

    def test_no_folder_to_work_in_is_reported(
        self, plane: ControlPlane, node: Node, workdirs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(workdirs / "missing"))
        assert runtime.run(MESSAGE, node) == "failed"
        assert [word for word in plane.words if word != "progress"] == ["claim", "fail"]
        assert failure(plane)["code"] == "engine_error"

    def test_a_control_plane_away_at_the_end_finds_the_result_in_the_bucket(
        self, plane: ControlPlane, node: Node, fake_time: FakeTime
    ) -> None:
        plane.always["complete"] = say(503)
        assert runtime.run(MESSAGE, node) == "unreported"
        assert "fail" not in plane.words
        assert plane.stored["output_0001.bin"] == b"\0"
        signed = SignedResult.model_validate_json(plane.stored["result.json"])
        assert signed.is_genuine(CREDENTIAL.secret)
        assert {seen.body for seen in plane.all("complete")} == {plane.stored["result.json"]}

    def test_a_control_plane_away_at_uploads_stores_nothing(
        self, plane: ControlPlane, node: Node, fake_time: FakeTime
    ) -> None:
        plane.always["uploads"] = say(500)
        assert runtime.run(MESSAGE, node) == "unreported"
        assert plane.stored == {}
        assert "fail" not in plane.words

    @pytest.mark.parametrize("script", [say(409), say(503)])
    def test_a_failure_that_nobody_takes_is_let_go(
        self,
        plane: ControlPlane,
        node: Node,
        engine: Callable[[Engine], None],
        fake_time: FakeTime,
        script: Callable[[Seen], Answer],
    ) -> None:
        def run(context: RunContext) -> PipelineResult:
            raise EngineFailed("No.")

        engine(run)
        plane.always["fail"] = script
        assert runtime.run(MESSAGE, node) == "failed"


class TestLease:
    """The thread that keeps the lease, driven tick by tick."""

    class Ticks:
        """Stands in for the event that ends the thread: each wait is one entry of the script."""

        def __init__(self, fake_time: FakeTime, *script: Callable[[], None]) -> None:
            self.waits: list[float] = []
            self._time, self._script = fake_time, list(script)

        def wait(self, seconds: float) -> bool:
            self.waits.append(seconds)
            self._time.now += seconds
            if not self._script:
                return True
            self._script.pop(0)()
            return False

    @pytest.fixture
    def lease(self, plane: ControlPlane, node: Node, monkeypatch: pytest.MonkeyPatch, fake_time: FakeTime) -> Any:
        monkeypatch.setattr(runtime, "REPORT_SECONDS", 1.0)
        monkeypatch.setattr(runtime, "time", fake_time)
        claim = plane.claim()
        return runtime.Lease(claim=claim, delivery_id=UUID(int=5), control=node.control)

    def test_news_is_told_once_a_second_however_often_the_engine_speaks(
        self, plane: ControlPlane, lease: Any, fake_time: FakeTime
    ) -> None:
        def chatter(start: int) -> Callable[[], None]:
            def talk() -> None:
                for step in range(start, start + 100):
                    lease.step(step / 1000, f"step {step}")

            return talk

        lease._ended = self.Ticks(fake_time, chatter(100), chatter(200), chatter(300))
        lease._keep()
        told = [(seen.json["fraction"], seen.json["phase"]) for seen in plane.all("progress")]
        assert told == [(0.199, "step 199"), (0.299, "step 299"), (0.399, "step 399")]
        assert lease._ended.waits == [1.0] * 4
        assert {seen.json["delivery_id"] for seen in plane.seen} == {str(UUID(int=5))}

    @pytest.mark.parametrize(("lease_seconds", "told_at"), [(30.0, [1, 9, 17]), (8.0, [1, 3, 5]), (4.0, [1, 2, 3])])
    def test_a_run_without_news_still_extends_its_lease_well_before_it_ends(
        self, plane: ControlPlane, lease: Any, node: Node, fake_time: FakeTime, lease_seconds: float, told_at: list[int]
    ) -> None:
        plane.lease_seconds = lease_seconds
        lease = runtime.Lease(claim=plane.claim(), delivery_id=UUID(int=5), control=node.control)
        counts: list[int] = []
        lease._ended = self.Ticks(fake_time, *[lambda: counts.append(len(plane.seen))] * 20)
        lease._keep()
        assert [counts.index(number) for number in range(1, 4)] == told_at
        assert {seen.json["fraction"] for seen in plane.seen} == {0.0}

    def test_after_a_refusal_nothing_more_is_told(self, plane: ControlPlane, lease: Any, fake_time: FakeTime) -> None:
        plane.always["progress"] = say(409, code="lease_lost")
        lease._ended = self.Ticks(fake_time, *[lambda: None] * 20)
        lease._keep()
        assert plane.words == ["progress"]
        assert lease._ended.waits == [1.0]
        with pytest.raises(runtime.LeaseGone):
            lease.step(0.1, "x")

    def test_silence_of_the_control_plane_is_borne_and_the_news_told_again(
        self, plane: ControlPlane, lease: Any, fake_time: FakeTime
    ) -> None:
        plane.scripts["progress"] = [say(503), lose, lambda _: (200, b"<html>")]
        lease.step(0.5, "half")
        lease._ended = self.Ticks(fake_time, *[lambda: None] * 6)
        lease._keep()
        assert [seen.json["fraction"] for seen in plane.seen] == [0.5] * 4
        lease.step(0.6, "on")

    def test_what_an_engine_says_is_kept_within_bounds(
        self, plane: ControlPlane, lease: Any, fake_time: FakeTime
    ) -> None:
        lease._ended = self.Ticks(
            fake_time, lambda: lease.step(7.0, "p" * 200), lambda: lease.step(-1.0, ""), lambda: lease.step(0.5, "x")
        )
        lease._keep()
        told = [(seen.json["fraction"], seen.json["phase"]) for seen in plane.seen]
        assert told == [(1.0, "p" * 80), (0.0, ""), (0.5, "x")]

    def test_once_told_to_stop_every_step_raises(self, plane: ControlPlane, lease: Any, fake_time: FakeTime) -> None:
        plane.scripts["progress"] = [say(200, v=1, cancel=True, lease_seconds=30)]
        lease._ended = self.Ticks(fake_time, lambda: None)
        lease._keep()
        for _ in range(2):
            with pytest.raises(runtime.Canceled):
                lease.step(0.1, "x")
