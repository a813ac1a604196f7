"""Restarts after crashes, with growing pauses; no restarts of what was stopped on purpose."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy.platform.supervisor import FIRST_PAUSE, Supervised, Supervisor
from deploy.process import Process, StartFailed, remembered, wait_ready


def process(folder: Path, code: str, **options: object) -> Process:
    return Process(
        name="unit",
        command=[sys.executable, "-I", "-c", code],
        environment={},
        state_dir=folder,
        log_dir=folder / "log",
        **options,  # type: ignore[arg-type]
    )


SLEEP = "import time; time.sleep(600)"
FAMILY = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
FAMILY += "print('ready', flush=True); time.sleep(600)"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watched(tmp_path: Path, said: list[str]) -> Iterator[Supervised]:
    supervisor = Supervisor(said.append)
    unit = supervisor.add(process(tmp_path, SLEEP))
    unit.start()
    supervisor.watch()
    yield unit
    supervisor.stop_watching()
    unit.stop()


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_process_comes_back_after_a_pause(watched: Supervised, said: list[str]) -> None:
    first = watched.pid
    began = time.monotonic()
    watched.kill()
    wait_until(lambda: watched.pid not in {None, first})
    assert time.monotonic() - began >= FIRST_PAUSE
    wait_until(lambda: len(said) == 2)
    assert said == ["unit ended unexpectedly; starting it again in 0.5 s", "unit runs again"]
    assert watched.restarts == 1


def test_what_was_stopped_or_kept_down_stays_down(watched: Supervised, said: list[str]) -> None:
    watched.kill(stay_down=True)
    threading.Event().wait(FIRST_PAUSE * 2)
    assert watched.pid is None
    watched.start()
    watched.stop()
    threading.Event().wait(FIRST_PAUSE * 2)
    assert watched.pid is None
    assert (said, watched.restarts) == ([], 0)


def test_pauses_grow_while_it_keeps_crashing(tmp_path: Path, said: list[str]) -> None:
    supervisor = Supervisor(said.append)
    unit = supervisor.add(process(tmp_path, "raise SystemExit(3)"))
    unit.start()
    supervisor.watch()
    wait_until(lambda: sum("unexpectedly" in sentence for sentence in said) == 3)
    supervisor.stop_watching()
    unit.stop()
    assert [sentence.split()[-2] for sentence in said if "unexpectedly" in sentence] == ["0.5", "1", "2"]


def test_a_kill_takes_the_children_too(tmp_path: Path) -> None:
    unit = process(tmp_path, FAMILY)
    unit.start()
    wait_until(lambda: "ready" in unit.log_tail())
    assert unit.pid is not None
    family = psutil.Process(unit.pid).children(recursive=True)
    assert len(family) == 1
    unit.kill()
    assert [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []


def test_a_process_that_ignores_a_polite_stop_is_killed(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); "
    unit = process(tmp_path, code + "time.sleep(600)", stop_seconds=0.3)
    unit.start()
    wait_until(lambda: "deaf" in unit.log_tail())
    unit.stop()
    assert (unit.alive, unit.exit_code) == (False, -9)


def test_children_outlive_the_thread_that_started_them(tmp_path: Path) -> None:
    """The death signal belongs to a thread; a chaos test's short thread must not take the server down with it."""
    unit = process(tmp_path, SLEEP)
    starter = threading.Thread(target=unit.start)
    starter.start()
    starter.join()
    threading.Event().wait(0.3)
    assert unit.alive
    unit.stop()


def test_a_process_that_ends_before_it_is_ready_is_reported_with_its_log(tmp_path: Path) -> None:
    unit = process(tmp_path, "raise SystemExit('the disk is full')")
    unit.start()
    with pytest.raises(StartFailed, match="unit ended with code 1:\nthe disk is full"):
        wait_ready(unit, lambda: "not yet", seconds=10)


def test_a_leftover_of_a_killed_supervisor_is_ended_but_never_a_stranger(tmp_path: Path) -> None:
    leftover = process(tmp_path, SLEEP)
    leftover.start()
    successor = process(tmp_path, SLEEP)
    successor.start()
    assert (leftover.alive, successor.alive) == (False, True)
    successor.stop()

    stranger = process(tmp_path / "elsewhere", SLEEP)
    stranger.start()
    pid_file = tmp_path / "unit.pid"
    pid_file.write_text(f"{stranger.pid} {psutil.Process(stranger.pid).create_time() - 100}\n")
    assert remembered(pid_file) is None
    successor.start()
    assert stranger.alive
    successor.stop()
    stranger.stop()
