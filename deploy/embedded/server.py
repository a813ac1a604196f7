"""What the three embedded servers have in common: start until ready, stop, kill, wipe."""

import shutil
from abc import ABC, abstractmethod
from pathlib import Path

from deploy.process import Process, wait_ready


class Server(ABC):
    """One real server on loopback with its data in one folder."""

    name: str
    ready_seconds: float = 30

    def __init__(self, *, state_dir: Path, log_dir: Path, port: int) -> None:
        self.port = port
        self.data = state_dir / self.name
        self.process: Process

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """The settings by which the platform finds this server."""

    @abstractmethod
    def prepare(self) -> None:
        """Make its data folder and configuration ready for a start; also after a kill."""

    @abstractmethod
    def check(self) -> str | None:
        """None when it really serves, else what is missing."""

    def settle(self) -> None:  # noqa: B027 -- most servers need nothing here
        """What has to be done once it serves."""

    def start(self) -> None:
        """Start it and return once it really serves.

        Raises:
            StartFailed: it ended or did not serve in time.
        """
        self.prepare()
        self.process.start()
        wait_ready(self.process, self.check, seconds=self.ready_seconds)
        self.settle()

    def stop(self) -> None:
        """Stop cleanly: nothing to recover at the next start."""
        self.process.stop()

    def kill(self) -> None:
        """SIGKILL, with all of its children."""
        self.process.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def wipe(self) -> None:
        """Lose all data. Only while it is stopped."""
        if self.process.alive:
            raise RuntimeError(f"{self.name} is running: stop or kill it before its data are wiped")
        if self.data.exists():
            shutil.rmtree(self.data.resolve())
        self.data.unlink(missing_ok=True)  # a link, where the data had to lie elsewhere

    @property
    def pid(self) -> int | None:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.alive
