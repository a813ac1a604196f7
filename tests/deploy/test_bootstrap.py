"""The bootstrap script, run by a real interpreter on a small checkout of its own."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository, in a folder with a space, whose pinned requirements are empty: nothing is downloaded."""
    root = tmp_path / "a clone"
    (root / "requirements").mkdir(parents=True)
    (root / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "bootstrap.py", root / "deploy")
    for name in ("control", "embedded", "worker-cpu", "test"):
        (root / "requirements" / f"{name}.txt").write_text("# nothing\n")
    return root


def bootstrap(root: Path) -> subprocess.CompletedProcess[str]:
    command = [PYTHON, "-I", str(root / "deploy" / "bootstrap.py")]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def stamps(root: Path) -> list[str]:
    return [path.name for path in (root / ".venv").glob(".requirements-*")]


def test_first_run_installs_second_is_quick_and_silent_and_a_changed_pin_installs_again(checkout: Path) -> None:
    first = bootstrap(checkout)
    assert first.returncode == 0, first.stderr
    assert "creating .venv with Python 3." in first.stdout
    assert (checkout / ".venv" / "bin" / "python").exists()
    [stamp] = stamps(checkout)

    began = time.monotonic()
    second = bootstrap(checkout)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert time.monotonic() - began < 1

    (checkout / "requirements" / "test.txt").write_text("# changed\n")
    third = bootstrap(checkout)
    assert third.returncode == 0
    assert "creating" not in third.stdout
    assert "installing the pinned requirements" in third.stdout
    assert [stamp] != stamps(checkout)
    assert len(stamps(checkout)) == 1


def test_an_interrupted_installation_is_repeated(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").write_text("half of a file")
    (checkout / ".venv" / "bin" / "python").chmod(0o755)
    assert bootstrap(checkout).returncode == 0
    assert len(stamps(checkout)) == 1


def test_an_installation_that_fails_leaves_no_stamp_and_says_so(checkout: Path) -> None:
    (checkout / "requirements" / "test.txt").write_text("an-unpinned-name\n")
    failed = bootstrap(checkout)
    assert failed.returncode == 1
    assert "bootstrap: pip could not install the requirements" in failed.stderr
    assert stamps(checkout) == []


def test_a_second_run_waits_for_the_first(checkout: Path) -> None:
    command = [PYTHON, "-I", str(checkout / "deploy" / "bootstrap.py")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    runs = [subprocess.Popen(command, cwd=checkout, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    printed = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert sum("creating" in text for text in printed) == 1
    assert sum("another run is installing" in text for text in printed) == 1
