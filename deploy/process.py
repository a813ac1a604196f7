"""One child process of ours: started under the orphan guard, logged to a file, stopped politely or killed whole."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

GUARD = Path(__file__).with_name("guard.py")
LOG_KEEP_BYTES = 20_000_000

# The kernel's death signal is tied to the THREAD that forked, not to its process. All children are therefore started
# by this one thread, which lives exactly as long as the interpreter.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


Check = Callable[[], str | None]
"""Asks a server whether it serves; None, or what is still missing."""


class StartFailed(RuntimeError):
    """A process ended, or did not become ready in time; the message carries the end of its log."""


class Process:
    """A program that can be started again and again under one name.

    Its pid file remembers (pid, start time), so that a later supervisor finds and ends what a killed one left behind,
    and never touches a stranger that was given the same pid.
    """

    def __init__(
        self,
        *,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        state_dir: Path,
        log_dir: Path,
        cwd: Path = Path("/"),
        uid: int | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_seconds: float = 10,
        harsh_signal: signal.Signals = signal.SIGKILL,
        orphan_signal: signal.Signals | None = None,
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.environment = dict(environment)
        self.log = log_dir / f"{name}.log"
        self._pid_file = state_dir / f"{name}.pid"
        self._cwd = cwd
        self._uid = uid
        self.stop_signal = stop_signal
        self.stop_seconds = stop_seconds
        self.harsh_signal = harsh_signal
        self.orphan_signal = orphan_signal or stop_signal
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The running process, if any."""
        return self._popen.pid if self._popen and self.alive else None

    @property
    def alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs or before its first start."""
        return self._popen.poll() if self._popen else None

    def start(self) -> None:
        """Start the program; what an earlier, killed supervisor left of it is ended first."""
        if self.alive:
            return
        end_leftover(self._pid_file)
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_KEEP_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._popen = _spawner.submit(self._spawn).result()
        remember(self._pid_file, self._popen.pid)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        user = "-" if self._uid is None else str(self._uid)
        guard = [sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), str(int(self.orphan_signal)), user]
        with open(self.log, "ab") as log:
            return subprocess.Popen(
                [*guard, *self.command],
                env=self.environment,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a terminal's Ctrl-C reaches the supervisor alone, which stops all in order
            )

    def stop(self, *, seconds: float | None = None) -> None:
        """Ask politely, then with the harsher signal, then kill it with everything it started."""
        if self._popen is None:
            return
        family = self._family()
        patience = self.stop_seconds if seconds is None else seconds
        for sign, wait in ((self.stop_signal, patience), (self.harsh_signal, 5)):
            if self.alive:
                self._popen.send_signal(sign)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._popen.wait(wait)
        self._end(family)

    def kill(self) -> None:
        """SIGKILL to it and to everything it started, at once: what a power cut would do to it."""
        if self._popen is not None:
            self._end(self._family())

    def restart(self) -> None:
        self.stop()
        self.start()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines it wrote."""
        if not self.log.exists():
            return ""
        with open(self.log, "rb") as log:
            log.seek(max(0, self.log.stat().st_size - 8_000))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def _family(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self._popen.pid).children(recursive=True) if self._popen else []
        except psutil.NoSuchProcess:
            return []

    def _end(self, family: list[psutil.Process]) -> None:
        assert self._popen is not None
        if self.alive:
            self._popen.kill()
        kill_all(family)
        self._popen.wait()
        self._pid_file.unlink(missing_ok=True)


def remember(pid_file: Path, pid: int) -> None:
    """Write pid and start time, so that a reused pid is told apart."""
    with contextlib.suppress(psutil.NoSuchProcess):
        pid_file.write_text(f"{pid} {psutil.Process(pid).create_time()}\n")


def remembered(pid_file: Path) -> psutil.Process | None:
    """The process of a pid file, if it is still the very same one."""
    try:
        pid, started = pid_file.read_text().split()
        process = psutil.Process(int(pid))
        # Start times are derived from the boot clock, which may be corrected by some milliseconds.
        return process if abs(process.create_time() - float(started)) < 1 else None
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None


def end_leftover(pid_file: Path) -> None:
    """End what a killed supervisor left running under this pid file."""
    process = remembered(pid_file)
    if process is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            kill_all([process, *process.children(recursive=True)], politely=5)
    pid_file.unlink(missing_ok=True)


def kill_all(processes: list[psutil.Process], *, politely: float = 0) -> None:
    """End these processes and wait until they are gone."""
    if politely:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGINT)
        _, processes = psutil.wait_procs(processes, timeout=politely)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=5)


def wait_ready(process: Process, check: Check, *, seconds: float) -> None:
    """Return once `check()` passes.

    Raises:
        StartFailed: the process ended or `seconds` passed.
    """
    deadline = time.monotonic() + seconds
    pause = 0.02
    while True:
        reason = check()
        if reason is None:
            return
        if not process.alive:
            raise StartFailed(f"{process.name} ended with code {process.exit_code}:\n{process.log_tail()}")
        if time.monotonic() > deadline:
            raise StartFailed(f"{process.name} is not ready after {seconds:.0f} s ({reason}):\n{process.log_tail()}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
